//! One run of the parts, in a process of its own.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tweetfilter_http::parts::{self, Buffers, Instance, Kind, SourceSettings, Stop, Works};
use tweetfilter_sql::Database;
use tweetfilter_stream::buffer::Buffer;
use tweetfilter_stream::worker::{Options, Worker};

use super::load::Wire;
use super::processes::{Threads, disk_bytes, peak_memory};
use super::watched::{Calls, Metered, Notes, Watched, at};

/// What a process is to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The store's address.
    pub database: String,
    /// The buffer's; without one it is in the store.
    pub buffer: Option<String>,
    /// The lines.
    pub lines: PathBuf,
    /// How they name whom they reach.
    pub wire: Wire,
    /// Lines a second; `None` for as fast as it goes.
    pub rate: Option<f64>,
    /// Whether the time from each line to its commit is wanted, which costs memory.
    pub latencies: bool,
    /// Whether work begins only when everything is in the buffer.
    pub apart: bool,
    /// Workers in this process.
    pub workers: usize,
}

/// What it saw.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ran {
    /// Seconds from the first line to the last commit.
    pub seconds: f64,
    /// Seconds until everything was in the buffer.
    pub ingest_seconds: f64,
    /// Lines that were read.
    pub lines: u64,
    /// Posts that were new to the store.
    pub posts: u64,
    /// Deliveries and matches that were new.
    pub deliveries: u64,
    /// See above.
    pub matches: u64,
    /// Calls, by what was called.
    pub calls: BTreeMap<String, Calls>,
    /// Seconds of processor time, by who used it.
    pub processor: BTreeMap<String, f64>,
    /// The most memory of the process, in bytes.
    pub memory: u64,
    /// Bytes that it gave to the disk.
    pub written: u64,
    /// Milliseconds from line to commit, in order.
    pub latencies: Vec<f64>,
}

/// Runs a job.
///
/// # Errors
/// Whatever a part can't go on with.
pub fn run(job: &Job) -> Result<Ran, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run_here(job))
}

async fn run_here(job: &Job) -> Result<Ran, Box<dyn std::error::Error>> {
    let database = Database::open(&job.database).await?;
    let buffer = Buffers::open(job.buffer.as_deref(), &database, Default::default()).await?;
    let notes = Notes::default();
    if let (true, Some(rate)) = (job.latencies, job.rate) {
        let due = due(&job.lines, rate)?;
        at(&notes, |seen| seen.due = due);
    }
    let (watched, store) = (Watched::new(buffer.clone(), &notes), Watched::new(database.clone(), &notes));
    let (tell, mut stop) = Stop::new();
    let mut works = Vec::new();
    for number in 0..job.workers.max(1) {
        let worker = Worker::new(format!("w{number}"), watched.clone(), store.clone(), Options::default());
        let mut work = Works::new(worker);
        // Filters are compiled before the clock starts: a server does it once.
        assert!(!work.batch(&mut stop).await?, "the buffer is empty");
        works.push(work);
    }
    let settings = SourceSettings {
        files: vec![job.lines.clone()],
        rate: job.rate,
        audience: Some(if job.wire == Wire::Site { "envelope" } else { "follows" }.to_owned()),
        ..SourceSettings::new(Kind::File)
    };

    let (ingest_time, work_time) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
    let threads = Threads::watch();
    let (processor, written, begin) = (threads.seconds(), disk_bytes("self"), Instant::now());
    let mut working = tokio::task::JoinSet::new();
    let start = |working: &mut tokio::task::JoinSet<_>, works: &mut Vec<Works<_, _>>| {
        for work in works.drain(..) {
            working.spawn(Metered::new(work.run(false, stop.clone()), &work_time));
        }
    };
    if !job.apart {
        start(&mut working, &mut works);
    }
    let (source, until) = (watched.clone(), stop.clone());
    let instance = Instance::new("bench");
    let ingest = async move { parts::ingest(source, "bench", &settings, &instance, until, |_, _| {}).await };
    let ingested = tokio::spawn(Metered::new(ingest, &ingest_time)).await??;
    let ingest_seconds = begin.elapsed().as_secs_f64();
    start(&mut working, &mut works);
    while buffer.stats().await?.entries > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let _ = tell.send(true);
    let mut posts = 0;
    while let Some(worked) = working.join_next().await {
        posts += worked??.posts;
    }
    let mut ran = at(&notes, |seen| Ran {
        seconds: seen.last.map_or(0.0, |last| (last - begin).as_secs_f64()),
        deliveries: seen.new.0,
        matches: seen.new.1,
        latencies: std::mem::take(&mut seen.latencies),
        calls: [("append", seen.append), ("lease", seen.lease), ("commit", seen.commit), ("ack", seen.ack)]
            .map(|(name, calls)| (name.to_owned(), calls))
            .into(),
        ..Ran::default()
    });
    (ran.ingest_seconds, ran.lines, ran.posts) = (ingest_seconds, ingested.counts.lines, posts);
    ran.latencies.sort_unstable_by(f64::total_cmp);
    for (name, seconds) in threads.seconds() {
        let seconds = seconds - processor.get(&name).unwrap_or(&0.0);
        *ran.processor.entry(group(&name).to_owned()).or_default() += seconds;
    }
    let nanos = |time: &AtomicU64| time.load(Ordering::Relaxed) as f64 / 1e9;
    ran.processor.insert("ingest".into(), nanos(&ingest_time));
    ran.processor.insert("work".into(), nanos(&work_time));
    (ran.written, ran.memory) = (disk_bytes("self") - written, peak_memory("self"));
    database.close().await;
    Ok(ran)
}

/// Who a thread works for.
fn group(thread: &str) -> &str {
    match thread {
        "source" => "file",
        name if name.starts_with("sqlx-sqlite") => "SQLite",
        _ => "runtime",
    }
}

/// When the post of each line is due.
fn due(lines: &Path, rate: f64) -> std::io::Result<HashMap<String, Duration>> {
    let text = std::fs::read_to_string(lines)?;
    let id = |line: &str| crate::workload::post_of(line).map(|post| post.id);
    let ids = text.lines().enumerate().filter_map(|(number, line)| Some((id(line)?, number)));
    Ok(ids.map(|(id, number)| (id, Duration::from_secs_f64(number as f64 / rate))).collect())
}
