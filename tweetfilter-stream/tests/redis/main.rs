//! The buffer on Redis, on servers that the test starts itself.

use std::collections::BTreeSet;
use std::time::Duration;

use clock::ShiftedClock;
use servers::{FIT, RedisServer};
use tweetfilter_stream::buffer::{
    Batch, Buffer, BufferError, Counts, Encoded, EntryId, Fence, Gap, Leased, MOST_GAPS, Most, Stats,
};
use tweetfilter_stream::redis_streams::{Options, RedisBuffer};

#[path = "../support/clock.rs"]
mod clock;
mod engine;
mod losses;
mod names;
mod nobodys;
mod server;
#[path = "../support/servers.rs"]
mod servers;
mod sources;
mod strangers;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(400);
/// When a short lease has run out.
const OVER: Duration = Duration::from_millis(600);

fn some(count: u64) -> Vec<Encoded> {
    let one = |key: u64| Encoded { key, bytes: format!(r#"{{"n":{key}}}"#).into_bytes() };
    (0..count).map(one).collect()
}

fn batch(fence: Fence, entries: Vec<Encoded>, cursor: &str) -> Batch {
    let n = entries.len() as u64;
    let counts = Counts { lines: n, posts: n, entries: n, ..Counts::default() };
    Batch { source: "s".into(), fence, entries, cursor: Some(cursor.into()), counts, gaps: Vec::new() }
}

async fn filled(buffer: &impl Buffer, count: u64) -> Fence {
    let fence = buffer.claim("s", "one", LONG).await.unwrap().fence;
    buffer.append(&batch(fence, some(count), "c")).await.unwrap();
    fence
}

fn ids(leased: &[Leased]) -> Vec<EntryId> {
    leased.iter().map(|entry| entry.id.clone()).collect()
}

fn bodies(leased: &[Leased]) -> BTreeSet<String> {
    leased.iter().map(|entry| String::from_utf8(entry.bytes.clone()).unwrap()).collect()
}

/// With time for each answer, however slow the machine is.
fn patient() -> Options {
    Options { timeout: LONG, ..Options::default() }
}

async fn open(server: &RedisServer) -> RedisBuffer {
    RedisBuffer::open(&server.url(), patient()).await.unwrap()
}

/// What it answers once it answers again: it is asked as often as there is time for in five seconds, which are longer on a
/// busy machine.
async fn in_the_end<T>(ask: impl AsyncFn() -> Result<T, BufferError>) -> T {
    for _ in 0..250 {
        if let Ok(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not answer again")
}

fn pass(server: &RedisServer) -> impl AsyncFn(Duration) {
    async move |time| server.pass(time)
}
