use std::sync::atomic::Ordering;

use super::*;
use crate::ops::{Part, State};
use crate::parts::Kind;
use crate::parts::fake::Fake;
use crate::parts::logged::Log;

fn file(name: &str, ids: std::ops::Range<u32>) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("tweetfilter-{name}-{}", std::process::id()));
    let lines: String = ids.map(|n| format!("{{\"id_str\":\"{n}\",\"text\":\"Snow\"}}\n")).collect();
    std::fs::write(&path, lines).unwrap();
    path
}

#[tokio::test]
async fn what_was_read_before_an_error_is_appended_with_its_cursor() {
    let files = [file("read-1", 0..3), file("read-2", 3..8)];
    let gone = std::path::PathBuf::from("/nowhere/gone");
    let settings = SourceSettings {
        files: files.iter().cloned().chain([gone]).collect(),
        ..SourceSettings::new(Kind::File)
    };
    // The second file is read, and the third is not found, while the first is being appended.
    let (buffer, (_tell, stop)) =
        (Fake { takes: Duration::from_millis(500), ..Fake::default() }, Stop::new());
    let ingested = ingest(buffer.clone(), "s", &settings, &Instance::new("one"), stop, |_, _| {}).await;
    assert!(
        matches!(&ingested, Err(PartError::Source(error)) if error.to_string().contains("/nowhere/gone"))
    );
    assert_eq!(buffer.appended.load(Ordering::Relaxed), 8);
    let cursor = buffer.cursor.lock().await.clone().expect("of the second file");
    assert!(cursor.contains("read-2") && cursor.contains('5'), "{cursor}");
    files.iter().for_each(|path| std::fs::remove_file(path).unwrap());
}

#[test]
fn times_of_gaps_are_logged_as_people_read_them() {
    let (log, _guard) = Log::begin();
    let gap = |missing| Gap { from: 1_614_834_367_089, to: 1_614_834_368_000, reason: "cut".into(), missing };
    let too_old = Notice::CursorTooOld { wanted: 1_614_834_366_000, got: 1_614_834_369_000 };
    tell("s", &Chunk { gaps: vec![gap(None), gap(Some(7))], notices: vec![too_old], ..Chunk::default() });
    let text = log.text();
    let gap = r#"gap source="s" from="2021-03-04T05:06:07.089Z" to="2021-03-04T05:06:08Z""#;
    assert_eq!((log.count(gap), log.count("missing=7")), (2, 1), "{text}");
    let too_old = r#"wanted="2021-03-04T05:06:06Z" got="2021-03-04T05:06:09Z""#;
    assert_eq!(log.count(too_old), 1, "{text}");
    assert_eq!(log.count("1614834"), 0, "{text}");
}

#[tokio::test(start_paused = true)]
async fn who_can_append_nothing_for_long_says_so_again_and_in_the_end_for_how_long_it_was() {
    let ((log, _guard), buffer, (_tell, stop)) = (Log::begin(), Fake::default(), Stop::new());
    let memory = forgotten::Memory::default();
    let anew = Anew { instance: "one".to_owned(), since: 0, memory, rereads: false };
    buffer.full.store(true, Ordering::Relaxed);
    let appending = append(buffer.clone(), "s".to_owned(), Batch::default(), anew, stop);
    let making_room = async {
        tokio::time::sleep(Duration::from_secs(1_300)).await;
        buffer.full.store(false, Ordering::Relaxed);
    };
    let (appended, ()) = tokio::join!(appending, making_room);
    assert!(appended.unwrap().is_some());
    // At once, and after 1, 11 and 21 minutes.
    let text = log.text();
    assert_eq!(log.count("nothing is read until the buffer takes entries again"), 4, "{text}");
    assert!(text.contains("entries=0 for_seconds=0 reason=the buffer is full: no room"), "{text}");
    assert_eq!(log.count("after_seconds=130"), 1, "{text}");
}

#[tokio::test(start_paused = true)]
async fn who_can_not_renew_its_claim_for_long_says_so_again_and_in_the_end_for_how_long_it_was() {
    let ((log, _guard), path) = (Log::begin(), file("renewed", 0..3));
    let settings = SourceSettings { files: vec![path.clone()], ..SourceSettings::new(Kind::File) };
    // As long as that is appended, the source is kept.
    let (buffer, (_tell, stop)) =
        (Fake { takes: Duration::from_secs(1_400), ..Fake::default() }, Stop::new());
    buffer.away.store(true, Ordering::Relaxed);
    let back = async {
        tokio::time::sleep(Duration::from_secs(1_300)).await;
        buffer.away.store(false, Ordering::Relaxed);
    };
    let instance = Instance::new("one");
    let ingest = ingest(buffer.clone(), "s", &settings, &instance, stop, |_, _| {});
    let (ingested, ()) = tokio::join!(ingest, back);
    std::fs::remove_file(path).unwrap();
    assert!(ingested.unwrap().ended);
    // At once, and after 1, 11 and 21 minutes.
    let text = log.text();
    assert_eq!(log.count("claim not renewed"), 4, "{text}");
    assert!(text.contains("for_seconds=0 reason=no route"), "{text}");
    assert_eq!(log.count("claim is renewed again"), 1, "{text}");
}

#[tokio::test]
async fn an_append_that_takes_long_and_a_renewal_do_not_wait_for_each_other() {
    let path = file("slow", 0..3);
    let settings = SourceSettings { files: vec![path.clone()], ..SourceSettings::new(Kind::File) };
    let (buffer, (_tell, stop)) = (Fake { outlasts: true, ..Fake::default() }, Stop::new());
    let instance = Instance::new("one");
    let ingest = ingest(buffer.clone(), "s", &settings, &instance, stop, |_, _| {});
    let ingested = tokio::time::timeout(Duration::from_secs(60), ingest).await;
    std::fs::remove_file(path).unwrap();
    let ingested = ingested.expect("it goes on").unwrap();
    assert_eq!((ingested.counts.lines, ingested.ended), (3, true));
    assert_eq!(buffer.appended.load(Ordering::Relaxed), 3);
    // The renewal that waited for the append had its turn behind it.
    let (renewed, waited) = (buffer.renewed.load(Ordering::Relaxed), buffer.waited.load(Ordering::Relaxed));
    assert!(waited > 0 && renewed >= waited, "{renewed} of {waited}");
}

#[tokio::test]
async fn a_source_that_can_not_be_reached_is_said_to_be_away() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let settings =
        SourceSettings { address: Some(format!("ws://{closed}")), ..SourceSettings::new(Kind::Jetstream) };
    let (part, (tell, stop)) = (Part::new("ingest s"), Stop::new());
    let instance = Instance::new("one").told_by(&part);
    let ingest = ingest(Fake::default(), "s", &settings, &instance, stop, |_, _| {});
    let watch = async {
        for _ in 0..3_000 {
            if part.state().0 == State::SourceAway {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tell.send(true).unwrap();
    };
    let (ingested, ()) = tokio::join!(ingest, watch);
    assert_eq!(ingested.unwrap(), Ingested::default());
    assert_eq!(part.state().0, State::SourceAway);
    part.begins();
    assert_eq!(part.state().0, State::Running, "what was said of the connection before is over");
}

#[tokio::test]
async fn a_source_whose_connections_end_again_and_again_is_said_to_be_away() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Some(format!("http://{}/stream", listener.local_addr().unwrap()));
    // Each connection gives a line, and nothing is wrong with it but that it ends.
    let server = tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\r\n")
                .await;
        }
    });
    let token = std::env::temp_dir().join(format!("tweetfilter-ends-{}", std::process::id()));
    std::fs::write(&token, "s3cret").unwrap();
    let settings =
        SourceSettings { address, token_file: Some(token.clone()), ..SourceSettings::new(Kind::XSample) };
    let (part, (tell, stop)) = (Part::new("ingest s"), Stop::new());
    let instance = Instance::new("one").told_by(&part);
    let ingest = ingest(Fake::default(), "s", &settings, &instance, stop, |_, _| {});
    let mut said = String::new();
    let watch = async {
        for _ in 0..6_000 {
            said = part.told().waits.unwrap_or_default();
            if said.contains("in a row") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tell.send(true).unwrap();
    };
    let (ingested, ()) = tokio::join!(ingest, watch);
    server.abort();
    std::fs::remove_file(token).unwrap();
    assert!(ingested.unwrap().counts.lines >= 5);
    assert!(
        said.starts_with("5 connections in a row") && said.contains("has ended the connection"),
        "{said:?}"
    );
}

#[tokio::test]
async fn what_x_held_back_and_was_not_told_yet_is_told_when_a_source_is_read_no_further() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Some(format!("http://{}/stream", listener.local_addr().unwrap()));
    let token = std::env::temp_dir().join(format!("tweetfilter-rest-{}", std::process::id()));
    std::fs::write(&token, "s3cret").unwrap();
    let settings =
        SourceSettings { address, token_file: Some(token.clone()), ..SourceSettings::new(Kind::XSample) };
    let (seen, (tell, stop)) = (tokio::sync::Notify::new(), Stop::new());
    let server = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await;
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n").await.unwrap();
        // The first count is told at once; the second one is not due for ten minutes.
        for count in [3, 8] {
            socket.write_all(format!("{{\"limit\":{{\"track\":{count}}}}}\r\n").as_bytes()).await.unwrap();
            seen.notified().await;
        }
        tell.send(true).unwrap();
        socket
    };
    let mut told = Vec::new();
    let each = |counts: &Counts, _: Option<(u64, Option<u64>)>| {
        if counts.lines > told.len() as u64 {
            told.push(counts.missing);
            seen.notify_one();
        }
    };
    let instance = Instance::new("one");
    let ingest = ingest(Fake::default(), "s", &settings, &instance, stop, each);
    let (ingested, _socket) = tokio::join!(ingest, server);
    std::fs::remove_file(token).unwrap();
    assert_eq!((told, ingested.unwrap().counts.missing), (vec![3, 3], 8));
}

#[tokio::test]
async fn what_x_held_back_is_logged_now_and_then_and_not_with_each_message() {
    let ((log, _guard), path) = (Log::begin(), file("held-back", 0..1));
    let limit = |n: u64| format!("{{\"limit\":{{\"track\":{n},\"timestamp_ms\":\"{}\"}}}}\n", n * 1_000);
    std::fs::write(&path, (1..1_000).map(limit).collect::<String>()).unwrap();
    let settings = SourceSettings { files: vec![path.clone()], ..SourceSettings::new(Kind::File) };
    let (_tell, stop) = Stop::new();
    let ingested = ingest(Fake::default(), "s", &settings, &Instance::new("one"), stop, |_, _| {}).await;
    std::fs::remove_file(path).unwrap();
    assert_eq!(ingested.unwrap().counts.missing, 999);
    let text = log.text();
    let told: Vec<_> = text.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(told.len(), 3, "{text}");
    for (line, missing) in told.iter().zip(["missing=1 ", "missing=600 ", "missing=398 "]) {
        assert!(line.contains(missing) && line.contains("X held posts back"), "{line}");
    }
}
