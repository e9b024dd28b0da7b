//! Reading the lines of a file, or of the files in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::block::{Block, Piece};
use super::document;
use super::member::Members;
use super::tar::Input;

/// Bytes that are kept of a line that is too long.
const BEGINNING: usize = 256;

/// What a reader accepts and how much it reads at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of one line; a longer one is given as [`too_long`](super::Line::too_long).
    pub line: usize,
    /// Bytes of one document over several lines; a longer one is read as lines.
    pub document: usize,
    /// Bytes of one block of lines.
    pub block: usize,
    /// Lines are given as soon as they are there, in smaller blocks: for pipes that may make us wait.
    pub live: bool,
    /// Lines are text and not JSON: each is given as it is, blank ones too, and no document is looked for.
    pub text: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { line: 16 << 20, document: 64 << 20, block: 512 << 10, live: false, text: false }
    }
}

/// The lines of one input, in blocks.
pub struct Reader {
    members: Members,
    options: Options,
    open: Option<Open>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens a file.
    ///
    /// # Errors
    /// When it can't be opened or is a folder.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Self::new(file)
    }

    /// Reads anything, such as standard input.
    ///
    /// # Errors
    /// None so far; reading begins with the first block.
    pub fn new(input: impl Read + Send + 'static) -> io::Result<Self> {
        Self::with_options(input, Options::default())
    }

    /// The same with other limits.
    ///
    /// # Errors
    /// As [`Reader::new`].
    pub fn with_options(input: impl Read + Send + 'static, options: Options) -> io::Result<Self> {
        Ok(Self { members: Members::new(Box::new(input)), options, open: None })
    }

    /// Reads the next lines into a block, whose memory it uses again; `false` at the end of the input.
    ///
    /// # Errors
    /// When the input can't be read on: broken compression, a tar that is cut off, a failing disk. The lines
    /// before that were given.
    pub fn read(&mut self, block: &mut Block) -> io::Result<bool> {
        loop {
            let open = match &mut self.open {
                Some(open) => open,
                None => match self.members.next_member()? {
                    Some((name, input)) => self.open.insert(Open::new(name, input)),
                    None => {
                        block.clear();
                        return Ok(false);
                    }
                },
            };
            if open.read(block, &self.options)? {
                return Ok(true);
            }
            self.open = None;
        }
    }
}

/// A file that is being read.
struct Open {
    name: Option<Arc<str>>,
    input: Input,
    /// The beginning of a line whose end was not read yet.
    tail: Vec<u8>,
    /// Lines that were read, blank ones included.
    lines: u64,
    started: bool,
    ended: bool,
    /// A failure that waits until the lines before it were given.
    failure: Option<io::Error>,
}

impl Open {
    fn new(name: Option<Arc<str>>, input: Input) -> Self {
        Self { name, input, tail: Vec::new(), lines: 0, started: false, ended: false, failure: None }
    }

    /// Reads at least one line; `false` at the end.
    fn read(&mut self, block: &mut Block, options: &Options) -> io::Result<bool> {
        block.clear();
        block.member.clone_from(&self.name);
        while block.pieces.is_empty() {
            if self.ended && self.tail.is_empty() {
                return self.failure.take().map_or(Ok(false), Err);
            }
            block.bytes.clear();
            std::mem::swap(&mut block.bytes, &mut self.tail);
            self.fill(&mut block.bytes, options);
            if !self.started {
                self.started = true;
                if self.start(block, options) {
                    continue;
                }
            }
            self.split(block, options);
        }
        Ok(true)
    }

    /// Reads up to a block's bytes more; live, what is there.
    fn fill(&mut self, bytes: &mut Vec<u8>, options: &Options) {
        if self.ended {
            return;
        }
        let before = bytes.len();
        let more = options.block.max(1);
        let read = if options.live {
            read_once(&mut self.input, bytes, more.min(LIVE))
        } else {
            // At once: growing bit by bit copies everything again each time.
            bytes.reserve(more);
            (&mut self.input).take(more as u64).read_to_end(bytes)
        };
        let read_less = bytes.len() - before < more;
        self.ended = if options.live { bytes.len() == before } else { read_less };
        if let Err(error) = read {
            self.ended = true;
            self.failure = Some(error);
        }
    }

    /// Looks whether the file is one document over several lines, and takes it whole then.
    fn start(&mut self, block: &mut Block, options: &Options) -> bool {
        if block.bytes.starts_with(b"\xef\xbb\xbf") {
            block.bytes.drain(..3);
        }
        if options.text {
            return false;
        }
        let begin = block.bytes.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(block.bytes.len());
        let first_line = |bytes: &[u8]| memchr::memchr(b'\n', &bytes[begin..]).map(|n| begin + n);
        while first_line(&block.bytes).is_none() && !self.ended && block.bytes.len() < options.document {
            self.fill(&mut block.bytes, options);
        }
        let Some(end) = first_line(&block.bytes) else { return false };
        if !document::goes_on(&block.bytes[begin..end]) {
            return false;
        }
        while !self.ended && block.bytes.len() < options.document {
            self.fill(&mut block.bytes, options);
        }
        if !self.ended {
            return false;
        }
        let Some(parts) = document::parts(&block.bytes) else { return false };
        let (mut number, mut counted) = (1, 0);
        for range in parts {
            number += memchr::memchr_iter(b'\n', &block.bytes[counted..range.start]).count() as u64;
            counted = range.start;
            block.pieces.push(Piece { number, range, too_long: false });
        }
        true
    }

    /// Cuts a block into its lines and keeps what follows the last one.
    fn split(&mut self, block: &mut Block, options: &Options) {
        let Block { bytes, pieces, .. } = block;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.lines += 1;
            push(pieces, bytes, start..end, self.lines, options);
            start = end + 1;
        }
        if self.ended {
            if start < bytes.len() {
                self.lines += 1;
                push(pieces, bytes, start..bytes.len(), self.lines, options);
            }
        } else if bytes.len() - start > options.line {
            self.lines += 1;
            bytes.truncate(start + BEGINNING.min(options.line));
            pieces.push(Piece { number: self.lines, range: start..bytes.len(), too_long: true });
            self.pass_line(options);
        } else {
            self.tail.extend_from_slice(&bytes[start..]);
            bytes.truncate(start);
        }
    }

    /// Passes over the rest of a line.
    fn pass_line(&mut self, options: &Options) {
        let mut rest = Vec::new();
        while !self.ended {
            rest.clear();
            self.fill(&mut rest, options);
            if let Some(end) = memchr::memchr(b'\n', &rest) {
                self.tail.extend_from_slice(&rest[end + 1..]);
                return;
            }
        }
    }
}

/// Bytes of a pipe that are read at once.
const LIVE: usize = 64 << 10;

fn read_once(input: &mut Input, bytes: &mut Vec<u8>, more: usize) -> io::Result<usize> {
    let before = bytes.len();
    bytes.resize(before + more, 0);
    let read = loop {
        match input.read(&mut bytes[before..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    bytes.truncate(before + *read.as_ref().unwrap_or(&0));
    read
}

/// Adds a line, or the several messages of one, unless it is blank.
fn push(
    pieces: &mut Vec<Piece>,
    bytes: &[u8],
    range: std::ops::Range<usize>,
    number: u64,
    options: &Options,
) {
    let line = &bytes[range.clone()];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.trim_ascii().is_empty() && !options.text {
        return;
    }
    if line.len() > options.line {
        let range = range.start..range.start + BEGINNING.min(options.line);
        pieces.push(Piece { number, range, too_long: true });
        return;
    }
    if !options.text
        && document::may_have_parts(line)
        && let Some(parts) = document::parts(line)
    {
        pieces.extend(parts.into_iter().map(|part| Piece {
            number,
            range: range.start + part.start..range.start + part.end,
            too_long: false,
        }));
        return;
    }
    pieces.push(Piece { number, range: range.start..range.start + line.len(), too_long: false });
}
