//! The inputs as chunks of lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::Failure;
use super::progress::BytesRead;
use super::tally::Place;

/// Bytes of lines that are handed on together.
const CHUNK: usize = 256 << 10;

/// Consecutive lines of one input.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    input: u32,
    bytes: Vec<u8>,
    /// Of each line its end in `bytes` and its number in the input.
    ends: Vec<(usize, u64)>,
}

impl Chunk {
    /// Each line with its line end, and where it stands.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&[u8], Place)> {
        let input = self.input;
        self.ends.iter().enumerate().map(move |(n, &(_, line))| (self.line(n), Place { input, line }))
    }

    /// The line of an index in the chunk.
    pub(super) fn line(&self, n: usize) -> &[u8] {
        let start = if n == 0 { 0 } else { self.ends[n - 1].0 };
        &self.bytes[start..self.ends[n].0]
    }
}

/// An opened input.
pub(super) struct Source {
    name: String,
    from: From,
}

enum From {
    Stdin,
    File { file: File, bytes: Option<u64> },
}

/// Opens all inputs, so that one that is missing is known before anything is done.
pub(super) fn open(inputs: &[String]) -> Result<Vec<Source>, Failure> {
    inputs.iter().map(|name| open_one(name).map_err(|error| Failure::reading(name, &error))).collect()
}

fn open_one(name: &str) -> io::Result<Source> {
    if name == "-" {
        return Ok(Source { name: "standard input".to_owned(), from: From::Stdin });
    }
    let file = File::open(name)?;
    let facts = file.metadata()?;
    if facts.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let bytes = facts.is_file().then_some(facts.len());
    Ok(Source { name: name.to_owned(), from: From::File { file, bytes } })
}

/// Bytes of all inputs as they are stored, where all have a size.
pub(super) fn total_bytes(sources: &[Source]) -> Option<u64> {
    sources
        .iter()
        .map(|source| match &source.from {
            From::Stdin => None,
            From::File { bytes, .. } => *bytes,
        })
        .sum()
}

/// Reads all inputs in order and sends their lines on. An input that breaks off does not keep the others from
/// being read; what went wrong is given at the end.
pub(super) fn read(
    sources: Vec<Source>,
    chunks: &SyncSender<Chunk>,
    bytes_read: &BytesRead,
) -> Option<Failure> {
    let outbox =
        Arc::new(Mutex::new(Outbox { chunk: Chunk::default(), chunks: chunks.clone(), closed: false }));
    let mut failed = Vec::new();
    for (n, source) in sources.into_iter().enumerate() {
        with(&outbox, |outbox| outbox.chunk.input = n as u32);
        let bytes = Counted { from: source.from, read: Arc::clone(bytes_read), outbox: Arc::clone(&outbox) };
        if let Err(error) = lines(bytes, &outbox) {
            failed.push(format!("{}: {error}", source.name));
        }
        with(&outbox, Outbox::send);
        if with(&outbox, |outbox| outbox.closed) {
            return None;
        }
    }
    (!failed.is_empty()).then(|| Failure::Input(failed.join("\ntweetfilter: ")))
}

fn lines(bytes: Counted, outbox: &Mutex<Outbox>) -> io::Result<()> {
    let mut lines = BufReader::with_capacity(CHUNK, bytes);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 || !with(outbox, |outbox| outbox.line(&line, number)) {
            break;
        }
    }
    Ok(())
}

/// Where lines wait until there are enough of them.
struct Outbox {
    chunk: Chunk,
    chunks: SyncSender<Chunk>,
    /// Nobody wants more.
    closed: bool,
}

fn with<T>(outbox: &Mutex<Outbox>, act: impl FnOnce(&mut Outbox) -> T) -> T {
    act(&mut outbox.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Outbox {
    /// Adds a line; false when nobody wants more.
    fn line(&mut self, line: &[u8], number: u64) -> bool {
        if self.chunk.bytes.capacity() == 0 {
            self.chunk.bytes.reserve(CHUNK + CHUNK / 4);
        }
        self.chunk.bytes.extend_from_slice(line);
        self.chunk.ends.push((self.chunk.bytes.len(), number));
        if self.chunk.bytes.len() >= CHUNK {
            self.send();
        }
        !self.closed
    }

    fn send(&mut self) {
        if !self.chunk.ends.is_empty() && !self.closed {
            let next = Chunk { input: self.chunk.input, ..Chunk::default() };
            self.closed = self.chunks.send(std::mem::replace(&mut self.chunk, next)).is_err();
        }
    }
}

/// The bytes of an input as they are stored, counted. Standard input may make us wait: before that, the lines
/// that are there already are sent on.
struct Counted {
    from: From,
    read: BytesRead,
    outbox: Arc<Mutex<Outbox>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.from {
            From::File { file, bytes: Some(_) } => file.read(buffer)?,
            From::File { file, bytes: None } => {
                with(&self.outbox, Outbox::send);
                file.read(buffer)?
            }
            From::Stdin => {
                with(&self.outbox, Outbox::send);
                io::stdin().lock().read(buffer)?
            }
        };
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}
