//! Tars, read from front to back.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::unread;

/// Anything that is read.
pub(super) type Input = Box<dyn Read + Send>;

/// Bytes of a header, and the unit in which everything is counted.
pub(super) const RECORD: usize = 512;

/// Longest name that is read; longer ones are cut.
const NAME: u64 = 4096;

/// Where a header has the sum of its bytes.
const SUM: Range<usize> = 148..156;

/// Whether bytes are the beginning of a tar.
pub(super) fn is_tar(start: &[u8]) -> bool {
    start.first().is_some_and(|&b| b != 0) && is_header(start)
}

/// Whether bytes begin with the header of a file: it says so itself, or, as in tars from before POSIX (`--format=v7`),
/// only the sum of its bytes is right. Lines may have the same in the same place, but no text has a NUL.
fn is_header(start: &[u8]) -> bool {
    start.contains(&0) && (start.get(257..262) == Some(b"ustar") || start.get(..RECORD).is_some_and(sums_up))
}

/// Whether a header has the sum of its own bytes, in which blanks stand for the sum itself. Some who made tars took
/// bytes for signed numbers.
fn sums_up(header: &[u8]) -> bool {
    let Ok(told) = i64::from_str_radix(text(&header[SUM]).trim(), 8) else { return false };
    let others = || header[..SUM.start].iter().chain(&header[SUM.end..]);
    let blanks = SUM.len() as i64 * i64::from(b' ');
    let unsigned: i64 = others().map(|&byte| i64::from(byte)).sum();
    let signed: i64 = others().map(|&byte| i64::from(byte.cast_signed())).sum();
    [unsigned, signed].contains(&(told - blanks))
}

/// A tar.
pub(super) struct Tar {
    input: Arc<Mutex<Input>>,
    /// Of the file that was last given: what is left of it, and its padding.
    left: Arc<Mutex<u64>>,
    padding: u64,
    /// It can't be read on: what is in it is not to blame.
    broken: Arc<AtomicBool>,
    /// Zeros were read last, in place of a header.
    has_ended: bool,
}

/// A regular file in a tar.
pub(super) struct Packed {
    pub(super) name: String,
    pub(super) input: Input,
    /// Its content is there without its holes.
    pub(super) is_sparse: bool,
}

/// One file of a tar; what it does not read is passed over.
struct File {
    input: Arc<Mutex<Input>>,
    left: Arc<Mutex<u64>>,
    broken: Arc<AtomicBool>,
}

/// What is left of an input that failed: the failure, once.
pub(super) struct Failing(pub(super) Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Text of a file without its holes: what they leave of zeros beside it is none of it.
pub(super) struct WithoutZeros(pub(super) Input);

impl Read for WithoutZeros {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.0.read(into)?;
            let mut kept = 0;
            for at in 0..read {
                into[kept] = into[at];
                kept += usize::from(into[at] != 0);
            }
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

fn ends(place: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the tar ends {place}"))
}

fn lock<T: ?Sized>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Read for File {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut left = lock(&self.left);
        let most = usize::try_from(*left).unwrap_or(usize::MAX).min(into.len());
        if most == 0 {
            return Ok(0);
        }
        let read = match lock(&self.input).read(&mut into[..most]) {
            Ok(0) => Err(ends("within a file")),
            read => read,
        };
        match &read {
            Ok(read) => *left -= *read as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.broken.store(true, Ordering::Relaxed),
        }
        read
    }
}

impl Tar {
    pub(super) fn new(input: Input) -> Self {
        Self {
            input: Arc::new(Mutex::new(input)),
            left: Arc::default(),
            padding: 0,
            broken: Arc::default(),
            has_ended: false,
        }
    }

    /// Whether it is the tar itself that can't be read on, and not just a file in it.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// The next regular file.
    pub(super) fn next_file(&mut self) -> io::Result<Option<Packed>> {
        let next = self.next();
        if next.is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
        next
    }

    fn next(&mut self) -> io::Result<Option<Packed>> {
        let (mut long_name, mut long_size) = (None, None);
        let (mut is_sparse, mut has_map) = (false, false);
        loop {
            let rest = std::mem::take(&mut *lock(&self.left)) + std::mem::take(&mut self.padding);
            self.pass(rest)?;
            let mut header = [0; RECORD];
            if !self.fill(&mut header)? {
                return Ok(None);
            }
            // Zeros end a tar and fill up its tape; another one may have been added behind them.
            if header.iter().all(|&b| b == 0) {
                self.has_ended = true;
                continue;
            }
            if !is_header(&header) {
                let what = match self.has_ended {
                    true => "what stands behind the end of the tar is no tar; all before it was read",
                    false => "not the header of a file in a tar",
                };
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            self.has_ended = false;
            let kind = header[156];
            let size = match long_size.take_if(|_| !matches!(kind, b'L' | b'x')) {
                Some(size) => size,
                None => number(&header[124..136]).ok_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidData, "the size of a file in a tar is unreadable")
                })?,
            };
            self.padding = size.next_multiple_of(RECORD as u64) - size;
            // A new count: a file that was given before must not read on.
            self.left = Arc::new(Mutex::new(size));
            match kind {
                b'0' | 0 | b'7' | b'S' => {
                    let name = long_name.take().unwrap_or_else(|| short_name(&header));
                    if kind == b'S' {
                        (is_sparse, has_map) = (true, false);
                        self.pass_records(&header)?;
                    }
                    let passed = if has_map { self.pass_map() } else { Ok(()) };
                    let input: Input = match passed {
                        Ok(()) => Box::new(self.file()),
                        Err(error) => Box::new(Failing(Some(error))),
                    };
                    return Ok(Some(Packed { name, input, is_sparse }));
                }
                // The rest of a file, which may begin within a line.
                b'M' => {
                    let name = long_name.take().unwrap_or_else(|| short_name(&header));
                    let input = Box::new(Failing(Some(unread::rest_of_a_file())));
                    return Ok(Some(Packed { name, input, is_sparse: false }));
                }
                b'L' => {
                    let name = self.content(size.min(NAME))?;
                    long_name = Some(text(&name));
                }
                b'x' => {
                    let records = text(&self.content(size.min(NAME))?);
                    // GNU's tar makes up a `path` for a file that it stores without its holes.
                    let mut said = records.lines().filter_map(|record| record.split_once(' '));
                    is_sparse = said.any(|(_, said)| said.starts_with("GNU.sparse."));
                    has_map = record(&records, "GNU.sparse.major") == Some("1");
                    let name = record(&records, "GNU.sparse.name").or_else(|| record(&records, "path"));
                    long_name = name.map(str::to_owned).or(long_name);
                    // Headers have no room for one of 8 GiB. More than half of the range is no file.
                    let told = record(&records, "size").and_then(|size| size.parse().ok());
                    long_size = told.filter(|size| *size < u64::MAX / 2);
                }
                // What was told is of these, which are no files.
                b'1'..=b'6' => (long_name, is_sparse, has_map) = (None, false, false),
                _ => {}
            }
        }
    }

    fn content(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.file().take(size).read_to_end(&mut content)?;
        Ok(content)
    }

    /// The file whose header was read last.
    fn file(&self) -> File {
        let (input, left) = (Arc::clone(&self.input), Arc::clone(&self.left));
        File { input, left, broken: Arc::clone(&self.broken) }
    }

    /// Passes over what tells further holes of a file, between its header and its content.
    fn pass_records(&mut self, header: &[u8; RECORD]) -> io::Result<()> {
        let mut goes_on = header[482] != 0;
        while goes_on {
            let mut map = [0; RECORD];
            if !self.fill(&mut map)? {
                return Err(ends("within a file"));
            }
            goes_on = map[504] != 0;
        }
        Ok(())
    }

    /// Passes over what tells the holes of a file at the beginning of its content: how many pieces there are, and where each
    /// begins and how long it is, a number a line.
    fn pass_map(&mut self) -> io::Result<()> {
        let (mut pieces, mut lines, mut wanted) = (0_u64, 0, u64::MAX);
        while lines < wanted {
            let mut record = [0; RECORD];
            self.file().read_exact(&mut record)?;
            for byte in record {
                match byte {
                    b'0'..=b'9' if lines == 0 => {
                        pieces = pieces.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
                    }
                    b'\n' => {
                        lines += 1;
                        wanted = pieces.saturating_mul(2).saturating_add(1);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn pass(&mut self, bytes: u64) -> io::Result<()> {
        let passed = io::copy(&mut (&mut **lock(&self.input)).take(bytes), &mut io::sink())?;
        if passed < bytes {
            return Err(ends("within a file"));
        }
        Ok(())
    }

    /// Reads a whole header; `false` at the end. What is left of zeros is nothing.
    fn fill(&mut self, header: &mut [u8; RECORD]) -> io::Result<bool> {
        let mut input = lock(&self.input);
        let mut filled = 0;
        while filled < RECORD {
            match input.read(&mut header[filled..]) {
                Ok(0) if header.iter().all(|&b| b == 0) => return Ok(false),
                Ok(0) => return Err(ends("before a file")),
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// A number in a header: octal digits, or a binary one with its first bit set.
fn number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        let (high, low) = field.split_at(field.len() - 8);
        let small = high[0] == 0x80 && high[1..].iter().all(|&b| b == 0);
        // More than half of the range is no file.
        return small
            .then(|| low.iter().fold(0, |n, &b| n << 8 | u64::from(b)))
            .filter(|n| *n < u64::MAX / 2);
    }
    let digits = text(field);
    let digits = digits.trim();
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

/// Text up to the first NUL.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn short_name(header: &[u8; RECORD]) -> String {
    let (name, prefix) = (text(&header[..100]), text(&header[345..500]));
    // GNU's headers have other things where POSIX has the prefix.
    let posix = header[262] == b'\0';
    if posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// What an extended header (`LENGTH KEY=VALUE` lines) says of the file behind it.
fn record<'r>(records: &'r str, key: &str) -> Option<&'r str> {
    let mut said = records.lines().filter_map(|record| record.split_once(' ')?.1.split_once('='));
    said.find(|(told, _)| *told == key).map(|(_, value)| value)
}
