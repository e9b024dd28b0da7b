//! How it was over time.

use std::time::Duration;

use tweetfilter_sql::{Database, KEPT, ProcessRow, Sample, SampleKind};

use crate::common::Clock;

fn sample(at: i64, kind: SampleKind, name: &str, body: &str) -> Sample {
    Sample { at, kind, host: "box".into(), name: name.into(), body: body.into() }
}

pub async fn samples_are_kept_once_for_seven_days(database: &Database, clock: &Clock) {
    let start = Clock::START;
    let first = [
        sample(start, SampleKind::Host, "", r#"{"load":1.5,"word":"'; DROP TABLE sample; -- 猫"}"#),
        sample(start, SampleKind::Process, "serve 7", "{}"),
    ];
    let process =
        ProcessRow { host: "box".into(), name: "serve 7".into(), at: start, body: r#"{"pid":7}"#.into() };
    database.keep_samples(&first, Some(&process)).await.unwrap();
    // Another process of the host tells the same, a little differently: the first stands.
    let again = [sample(start, SampleKind::Host, "", "{}"), sample(start, SampleKind::Buffer, "", "{}")];
    database.keep_samples(&again, None).await.unwrap();
    assert_eq!(database.samples_since(start + 1).await.unwrap(), []);
    let kept = database.samples_since(start).await.unwrap();
    assert_eq!(kept, [again[1].clone(), first[0].clone(), first[1].clone()]);
    assert_eq!(database.processes().await.unwrap(), std::slice::from_ref(&process));

    clock.pass(Duration::from_secs(15));
    let later = ProcessRow { at: start + 15_000, body: "{}".into(), ..process };
    let second = sample(start + 15_000, SampleKind::Process, "serve 7", r#"{"n":2}"#);
    database.keep_samples(std::slice::from_ref(&second), Some(&later)).await.unwrap();
    assert_eq!(database.processes().await.unwrap(), [later]);
    let found = database.samples_at(&[start + 15_000, start + 30_000]).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&second));

    // The first three are older than they have to be kept, the others are not.
    clock.pass(KEPT - Duration::from_secs(10));
    database.keep_samples(&[], None).await.unwrap();
    assert_eq!(database.samples_since(0).await.unwrap(), [second]);
    assert_eq!(database.processes().await.unwrap().len(), 1);
    database.forget_process("box", "serve 7").await.unwrap();
    assert_eq!(database.processes().await.unwrap(), []);
}
