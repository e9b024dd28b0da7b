//! Posts a second through the embedded buffer and the store, every commit on the disk.
//!
//! `cargo run --release -p tweetfilter-sql --example throughput -- [POSTS] [FILE]`. Each post reaches 20 of 1,000 accounts.

use std::time::{Duration, Instant};

use tweetfilter_sql::Database;
use tweetfilter_stream::buffer::{Batch, Buffer, Encoded, Most};
use tweetfilter_stream::entry::{Audience, Content, Entry};
use tweetfilter_stream::gather::key;
use tweetfilter_stream::generate::{Generator, Options};
use tweetfilter_stream::store::{Delivery, Evaluated, Outcome, Store, Verdict};
use tweetfilter_stream::{Event, wire};

const ACCOUNTS: i64 = 1_000;
const AUDIENCE: i64 = 20;
const BATCH: usize = 512;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let posts: u64 = args.next().map_or(Ok(10_000), |posts| posts.parse())?;
    let path = args.next().unwrap_or_else(|| "throughput.db".to_owned());
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{path}{end}"));
    }
    let database = Database::open(&path).await?;
    let buffer = database.buffer().ok_or("no embedded buffer")?;
    let lease = Duration::from_secs(600);
    let fence = buffer.claim("s", "a", lease).await?.fence;

    let mut entries = Vec::new();
    for line in Generator::new(Options { posts, ..Options::default() }) {
        if let Ok(Event::Post(post) | Event::PostAnd { post, .. }) = wire::decode(line.as_bytes()) {
            let key = key(&post.network, &post.id);
            let viewers = (0..AUDIENCE).map(|n| n.to_string()).collect();
            let to = Audience::Viewers(viewers);
            let entry = Entry {
                source: "s".into(),
                at: 1_700_000_000_000,
                to,
                place: None,
                content: Content::Post(post),
            };
            entries.push(Encoded { key, bytes: entry.to_vec()? });
        }
    }
    let (count, bytes) = (entries.len(), entries.iter().map(|entry| entry.bytes.len()).sum::<usize>());

    let (mut append, mut leasing, mut decode, mut commit) =
        <(Duration, Duration, Duration, Duration)>::default();
    let begin = Instant::now();
    let (mut done, mut random) = (0, 1_u64);
    for part in entries.chunks(BATCH) {
        let batch = Batch { source: "s".into(), fence, entries: part.to_vec(), ..Batch::default() };
        let at = Instant::now();
        buffer.append(&batch).await?;
        append += at.elapsed();
        let at = Instant::now();
        let leased = buffer.lease("w", Most::entries(BATCH), lease).await?;
        leasing += at.elapsed();
        let at = Instant::now();
        let mut outcome = Outcome { revision: 1, at: 1_700_000_000_000, ..Outcome::default() };
        for one in &leased {
            if let Content::Post(post) = Entry::from_slice(&one.bytes)?.content {
                outcome.posts.push(evaluated(*post, &mut random));
            }
        }
        decode += at.elapsed();
        let ids: Vec<_> = leased.into_iter().map(|one| one.id).collect();
        let at = Instant::now();
        let committed = database.commit(&outcome, &ids).await?;
        commit += at.elapsed();
        assert!(committed.acked);
        done += committed.new;
    }
    let all = begin.elapsed();
    assert_eq!(buffer.stats().await?.entries, 0);
    database.close().await;
    let size = std::fs::metadata(&path)?.len();
    println!("{count} entries of {} bytes, {done} posts stored, in {all:.2?}", bytes / count.max(1));
    println!(
        "{:.0} posts/s; {} bytes of file a post",
        count as f64 / all.as_secs_f64(),
        size / u64::from(done.max(1))
    );
    println!("append {append:.2?}, lease {leasing:.2?}, decode {decode:.2?}, commit {commit:.2?}");
    Ok(())
}

/// A post that 20 accounts saw, and one in ten of them matched.
fn evaluated(post: tweetfilter_core::Post, random: &mut u64) -> Evaluated {
    let mut deliveries: Vec<Delivery> = Vec::new();
    while deliveries.len() < AUDIENCE as usize {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let account = (*random >> 33) as i64 % ACCOUNTS;
        if deliveries.iter().all(|one| one.account != account) {
            let filters = if account % 10 == 0 { vec![account * 10] } else { Vec::new() };
            deliveries.push(Delivery { account, verdict: Verdict::default(), filters, seen: true });
        }
    }
    Evaluated {
        post,
        version: 0,
        source: "s".into(),
        at: 1_700_000_000_000,
        place: None,
        public: false,
        deliveries,
        strangers: 0,
        stored: None,
    }
}
