//! From inputs to output: one thread reads and decompresses, some evaluate, one writes in input order.
//!
//! All queues are bounded. With one evaluating thread it is also the one that writes.

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::super::Failure;
use super::Job;
use super::evaluate::{Evaluator, Outcome};
use super::input::{self, Chunk, Names, Source};
use super::output::heading;
use super::progress::Progress;
use super::split::Split;
use super::tally::Tally;

/// Chunks that the reader may be ahead.
const AHEAD: usize = 8;

/// Inputs that are being read ahead.
pub(super) struct Reading {
    chunks: Receiver<Chunk>,
    reader: JoinHandle<Option<Failure>>,
}

/// Begins to read, which needs no filters yet.
pub(super) fn read(
    sources: Vec<Source>,
    text: bool,
    names: Arc<Names>,
    progress: &Progress,
) -> Result<Reading, Failure> {
    let (chunks, received) = sync_channel::<Chunk>(AHEAD);
    let bytes_read = progress.bytes_read();
    let reader = start(move || input::read(sources, text, &names, &chunks, &bytes_read))?;
    Ok(Reading { chunks: received, reader })
}

/// Evaluates all that is read. Gives what was counted and, where an input broke off, why.
///
/// Threads are not joined where the output is closed early: the reader may wait for input for ever.
pub(super) fn run(
    job: &Arc<Job>,
    reading: Reading,
    threads: usize,
    split: Option<Split>,
    progress: &Progress,
) -> Result<(Tally, Option<Failure>), Failure> {
    let mut sink = Sink::new(job, split, progress)?;
    let Reading { chunks: received, reader } = reading;
    let tally = if threads <= 1 {
        let mut evaluator = Evaluator::new(job);
        for chunk in received {
            let outcome = evaluator.chunk(&chunk);
            sink.write(&chunk, &outcome)?;
        }
        evaluator.tally
    } else {
        in_parallel(job, received, threads, &mut sink)?
    };
    sink.finish()?;
    Ok((tally, join(reader)?))
}

/// A chunk to evaluate, and where its outcome goes.
type Work = (Chunk, SyncSender<(Chunk, Outcome)>);

/// Outcomes come in input order: for each chunk, in the order of reading, a place where its outcome will arrive.
fn in_parallel(
    job: &Arc<Job>,
    received: Receiver<Chunk>,
    threads: usize,
    sink: &mut Sink<'_>,
) -> Result<Tally, Failure> {
    let (work, to_do) = sync_channel::<Work>(threads);
    let (in_order, outcomes) = sync_channel::<Receiver<(Chunk, Outcome)>>(threads * 2 + 2);
    let to_do = Arc::new(Mutex::new(to_do));
    let dealer = start(move || {
        for chunk in received {
            let (done, outcome) = sync_channel(1);
            // Either end is gone where the output was closed.
            if in_order.send(outcome).is_err() || work.send((chunk, done)).is_err() {
                break;
            }
        }
    })?;
    let mut workers = Vec::new();
    for _ in 0..threads {
        let (job, to_do) = (Arc::clone(job), Arc::clone(&to_do));
        workers.push(start(move || evaluate(&job, &to_do))?);
    }
    for outcome in outcomes {
        if let Ok((chunk, outcome)) = outcome.recv() {
            sink.write(&chunk, &outcome)?;
        }
    }
    join(dealer)?;
    let mut all = Tally::new(job.compiled.entries.len());
    for worker in workers {
        all.add(join(worker)?);
    }
    Ok(all)
}

fn evaluate(job: &Job, to_do: &Mutex<Receiver<Work>>) -> Tally {
    let mut evaluator = Evaluator::new(job);
    loop {
        let next = to_do.lock().map(|to_do| to_do.recv());
        let Ok(Ok((chunk, done))) = next else { return evaluator.tally };
        let outcome = evaluator.chunk(&chunk);
        // Nobody waits for it where the output was closed.
        let _ = done.send((chunk, outcome));
    }
}

fn start<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>, Failure> {
    let started = thread::Builder::new().spawn(act);
    started.map_err(|error| Failure::Input(format!("can't start a thread: {error}; try --threads 1")))
}

fn join<T>(thread: JoinHandle<T>) -> Result<T, Failure> {
    thread.join().map_err(|_| Failure::Input("a thread broke off; please report this".to_owned()))
}

/// Where outcomes go.
struct Sink<'a> {
    out: std::io::Stdout,
    split: Option<Split>,
    progress: &'a Progress,
}

impl<'a> Sink<'a> {
    fn new(job: &Job, split: Option<Split>, progress: &'a Progress) -> Result<Self, Failure> {
        let mut out = std::io::stdout();
        let heading = heading(job.output);
        progress.aside(|| out.write_all(heading.as_bytes())).map_err(|e| Failure::writing(&e))?;
        Ok(Self { out, split, progress })
    }

    fn write(&mut self, chunk: &Chunk, outcome: &Outcome) -> Result<(), Failure> {
        self.progress.add(outcome.posts);
        if !outcome.out.is_empty() {
            let out = &mut self.out;
            let written = self.progress.aside(|| out.write_all(&outcome.out).and_then(|()| out.flush()));
            written.map_err(|error| Failure::writing(&error))?;
        }
        match &mut self.split {
            Some(split) => split.add(chunk, outcome),
            None => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.split.as_mut().map_or(Ok(()), Split::finish)
    }
}
