//! The inputs as chunks of lines.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError, RwLock};

use tweetfilter_stream::files::{Block, Line, Options, Reader};

use super::super::{Failure, why_not};
use super::progress::BytesRead;
use super::tally::Place;

/// Consecutive lines of one input, or of one file in a tar.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    input: u32,
    block: Block,
}

impl Chunk {
    /// Each line, and where it stands.
    pub(super) fn lines(&self) -> impl Iterator<Item = (Line<'_>, Place)> {
        let input = self.input;
        self.block.lines().map(move |line| (line, Place { input, line: line.number }))
    }

    /// The line of an index in the chunk.
    pub(super) fn line(&self, index: usize) -> Option<Line<'_>> {
        self.block.line(index)
    }

    /// Why the file in the tar can't be read to its end, and where.
    pub(super) fn damage(&self) -> Option<(String, Place)> {
        let (error, line) = self.block.damage()?;
        Some((why_not(error), Place { input: self.input, line }))
    }

    /// Bytes of all lines.
    pub(super) fn size(&self) -> usize {
        self.block.size()
    }
}

/// Appends a line as it stands in its file, but never without a line end. An element of a document that stands
/// on several lines becomes one line.
pub(super) fn push_line(out: &mut Vec<u8>, line: &Line<'_>) {
    if line.bytes.contains(&b'\n') {
        push_in_one_line(out, line.bytes);
    } else {
        out.extend_from_slice(line.bytes);
    }
    out.extend_from_slice(if line.ending.is_empty() { b"\n" } else { line.ending });
}

/// Leaves out white space with line breaks in it; in a string, where JSON has none, a line break is escaped.
fn push_in_one_line(out: &mut Vec<u8>, json: &[u8]) {
    let (mut in_string, mut escaped) = (false, false);
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        if !in_string && byte.is_ascii_whitespace() {
            let length = json[at..].iter().take_while(|b| b.is_ascii_whitespace()).count();
            let space = &json[at..at + length];
            if !space.contains(&b'\n') {
                out.extend_from_slice(space);
            }
            at += length;
            continue;
        }
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => out.push(byte),
        }
        in_string ^= byte == b'"' && !escaped;
        escaped = in_string && byte == b'\\' && !escaped;
        at += 1;
    }
}

/// What places are called; files in tars are added as they are met.
#[derive(Debug, Default)]
pub(super) struct Names(RwLock<Vec<String>>);

impl Names {
    /// The names of the inputs. A single input needs none.
    pub(super) fn new(inputs: &[String]) -> Self {
        let names = if inputs.len() == 1 { vec![String::new()] } else { inputs.to_vec() };
        Self(RwLock::new(names))
    }

    fn add(&self, input: u32, member: &str) -> u32 {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let of = &names[input as usize];
        let name = if of.is_empty() { member.to_owned() } else { format!("{of}:{member}") };
        names.push(name);
        (names.len() - 1) as u32
    }

    /// `LINE`, or `FILE:LINE` where there is more than one file.
    pub(super) fn of(&self, place: Place) -> String {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match names.get(place.input as usize) {
            Some(name) if !name.is_empty() => format!("{name}:{}", place.line),
            _ => place.line.to_string(),
        }
    }
}

/// An opened input.
pub(super) struct Source {
    name: String,
    bytes: Bytes,
}

enum Bytes {
    Stdin,
    File { file: File, size: Option<u64> },
}

/// Opens all inputs, so that one that is missing is known before anything is done.
pub(super) fn open(inputs: &[String]) -> Result<Vec<Source>, Failure> {
    inputs.iter().map(|name| open_one(name).map_err(|error| Failure::reading(name, &error))).collect()
}

fn open_one(name: &str) -> io::Result<Source> {
    if name == "-" {
        return Ok(Source { name: "standard input".to_owned(), bytes: Bytes::Stdin });
    }
    let file = File::open(name)?;
    let facts = file.metadata()?;
    if facts.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let size = facts.is_file().then_some(facts.len());
    Ok(Source { name: name.to_owned(), bytes: Bytes::File { file, size } })
}

/// Bytes of all inputs as they are stored, where all have a size.
pub(super) fn total_bytes(sources: &[Source]) -> Option<u64> {
    sources
        .iter()
        .map(|source| match &source.bytes {
            Bytes::Stdin => None,
            Bytes::File { size, .. } => *size,
        })
        .sum()
}

/// Files in one tar that are named where they break off.
const NAMED: usize = 10;

/// Reads all inputs in order and sends their lines on. An input that breaks off does not keep the others from
/// being read, nor does a file in a tar; what went wrong is given at the end.
pub(super) fn read(
    sources: Vec<Source>,
    text: bool,
    names: &Names,
    chunks: &SyncSender<Chunk>,
    bytes_read: &BytesRead,
) -> Option<Failure> {
    let mut failed = Vec::new();
    for (number, source) in sources.into_iter().enumerate() {
        let live = !matches!(source.bytes, Bytes::File { size: Some(_), .. });
        let options = Options { live, text, block: 256 << 10, ..Options::default() };
        let bytes = Counted { bytes: source.bytes, read: Arc::clone(bytes_read) };
        let mut damaged = Vec::new();
        let read = Reader::with_options(bytes, options)
            .and_then(|reader| read_one(reader, number as u32, names, chunks, &mut damaged));
        let more = damaged.len().saturating_sub(NAMED);
        failed.extend(damaged.into_iter().take(NAMED).map(|why| format!("{}:{why}", source.name)));
        if more > 0 {
            failed.push(format!("{}: {more} more of its files break off or are not read", source.name));
        }
        match read {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => failed.push(format!("{}: {}", source.name, why_not(&error))),
        }
    }
    (!failed.is_empty()).then(|| Failure::Input(failed.join("\ntweetfilter: ")))
}

/// Whether more is wanted.
fn read_one(
    mut reader: Reader,
    input: u32,
    names: &Names,
    chunks: &SyncSender<Chunk>,
    damaged: &mut Vec<String>,
) -> io::Result<bool> {
    let mut member: Option<(String, u32)> = None;
    loop {
        let mut block = Block::default();
        if !reader.read(&mut block)? {
            return Ok(true);
        }
        let input = match (block.member(), &member) {
            (None, _) => input,
            (Some(name), Some((last, number))) if name == last => *number,
            (Some(name), _) => {
                let number = names.add(input, name);
                member = Some((name.to_owned(), number));
                number
            }
        };
        if let (Some(name), Some((error, line))) = (block.member(), block.damage()) {
            damaged.push(format!("{name}:{line}: {}; the rest of the tar was read", why_not(error)));
        }
        if chunks.send(Chunk { input, block }).is_err() {
            return Ok(false);
        }
    }
}

/// The bytes of an input as they are stored, counted.
struct Counted {
    bytes: Bytes,
    read: BytesRead,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.bytes {
            Bytes::File { file, .. } => file.read(buffer)?,
            Bytes::Stdin => io::stdin().lock().read(buffer)?,
        };
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}
