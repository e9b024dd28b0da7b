//! The buffer on Redis alone: entries of 1 KB in, and out again.

use std::time::{Duration, Instant};

use tweetfilter_stream::buffer::{Batch, Buffer, Counts, Encoded, EntryId, Most};
use tweetfilter_stream::redis_streams::{Options, RedisBuffer};

use super::servers::redis::{FIT, RedisServer};
use super::store::Fallible;
use crate::record::Report;

const BATCHES: u64 = 400;
const ENTRIES: u64 = 256;
const LEASE: Duration = Duration::from_secs(60);

/// Measures it, and holds what comes out against what went in.
///
/// # Errors
/// Those of the buffer, and a count that differs.
pub fn redis(report: &mut Report) -> Fallible<()> {
    let Some(server) = RedisServer::start(&FIT) else {
        report.say("redis-alone: skipped: no servers\n");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (appended, drained, bytes) = runtime.block_on(async {
        let buffer = RedisBuffer::open(&server.url(), Options::default()).await?;
        let fence = buffer.claim("s", "one", LEASE).await?.fence;
        let one = |key: u64| Encoded { key: key * 7919, bytes: vec![b'x'; 1024] };
        let counts = Counts { lines: ENTRIES, posts: ENTRIES, entries: ENTRIES, ..Counts::default() };
        let batch = Batch {
            source: "s".into(),
            fence,
            entries: (0..ENTRIES).map(one).collect(),
            counts,
            ..Batch::default()
        };
        let begin = Instant::now();
        for number in 0..BATCHES {
            buffer.append(&Batch { cursor: Some(number.to_string()), ..batch.clone() }).await?;
        }
        let appended = begin.elapsed();
        let stats = buffer.stats().await?;
        let (begin, mut done) = (Instant::now(), 0);
        loop {
            let leased = buffer.lease("a", Most::entries(512), LEASE).await?;
            if leased.is_empty() {
                break;
            }
            let ids: Vec<EntryId> = leased.into_iter().map(|entry| entry.id).collect();
            buffer.ack("a", &ids).await?;
            done += ids.len() as u64;
        }
        if (stats.entries, done) != (BATCHES * ENTRIES, BATCHES * ENTRIES) {
            return Err(format!("{} entries of {}, {done} came out", stats.entries, BATCHES * ENTRIES).into());
        }
        Fallible::Ok((appended, begin.elapsed(), stats.bytes / stats.entries))
    })?;
    let rate = |time: Duration| (BATCHES * ENTRIES) as f64 / time.as_secs_f64();
    let figures = [
        ("appended/s", rate(appended)),
        ("leased and acknowledged/s", rate(drained)),
        ("bytes an entry", bytes as f64),
    ];
    let line = figures.map(|(name, value)| format!("{name} {value:.0}"));
    report.say(&format!("redis-alone: entries of 1 KB, {ENTRIES} a batch: {}\n", line.join(" · ")));
    for (name, value) in figures {
        report.rows.push(("redis-alone".to_owned(), (BATCHES * ENTRIES) as usize, name.to_owned(), value));
    }
    Ok(())
}
