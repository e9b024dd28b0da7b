//! The parts as processes of their own, on real Redis and MariaDB servers, killed again and again.

use std::time::{Duration, Instant};

use crate::chain::{Server, assert_same, by_oracle, ok, status, stored, until, with_accounts};
use crate::support::Files;

#[path = "../../../tweetfilter-sql/tests/common/mod.rs"]
pub mod maria;
#[path = "../../../tweetfilter-stream/tests/support/servers.rs"]
pub mod redis;

/// Numbers that say which process dies next; the same in each run.
struct Lot(u64);

impl Lot {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Starts the servers and writes the settings; `None` where one of them is not installed.
fn servers(files: Files) -> Option<(Files, redis::RedisServer, maria::Maria)> {
    let Some(maria) = maria::Maria::start() else {
        println!("skipped: no mariadbd");
        return None;
    };
    let redis = redis::RedisServer::start(&redis::FIT)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { maria.database("tf").await.close().await });
    let settings = format!(
        "database = \"{}\"\nbuffer = \"{}\"\n[source.site]\nkind = \"file\"\naudience = \"envelope\"\n\
         files = [\"site.ndjson\"]\nrate = 600.0\n",
        maria.address("tf"),
        redis.url()
    );
    Some((with_accounts(files.with("tweetfilter.toml", settings)), redis, maria))
}

#[test]
fn what_processes_store_that_are_killed_is_what_the_oracle_says() {
    let stream = ok(Files::new().run(&["gen", "--posts", "900", "--accounts", "5", "--audience", "3"]));
    let expected = by_oracle(&stream);
    let Some((files, mut redis, _maria)) = servers(Files::new().with("site.ndjson", &stream)) else { return };
    let start = |part: u64| match part {
        0 => Server::start(&files, &["ingest", "--source", "site", "--instance", "one"]),
        part => Server::start(&files, &["work", "--instance", &format!("worker-{part}")]),
    };
    let mut parts: Vec<Server> = (0..3).map(start).collect();
    let mut lot = Lot(7);
    let mut kills = 0;
    let end = Instant::now() + Duration::from_secs(12);
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100 + lot.below(250)));
        if kills == 20 {
            redis.restart(None);
        }
        let part = lot.below(3);
        parts[part as usize] = start(part);
        kills += 1;
    }
    assert!(kills >= 30, "only {kills} kills");
    until("everything is in the buffer and out of it", &files, || {
        let status = status(&files);
        status["buffer"]["entries"] == 0 && status["posts"].as_u64() > Some(850) && parts[0].has_ended()
    });
    assert_same(&stored(&files), &expected);
    let status = status(&files);
    assert_eq!((&status["dead_letters"], &status["buffer"]["lost"]), (&0.into(), &0.into()), "{status}");
}
