//! Tars, read from front to back.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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

/// One file of a tar; what it does not read is passed over.
struct File {
    input: Arc<Mutex<Input>>,
    left: Arc<Mutex<u64>>,
    broken: Arc<AtomicBool>,
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

    /// The next regular file: its name and content.
    pub(super) fn next_file(&mut self) -> io::Result<Option<(String, Input)>> {
        let next = self.next();
        if next.is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
        next
    }

    fn next(&mut self) -> io::Result<Option<(String, Input)>> {
        let (mut long_name, mut long_size) = (None, None);
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
                b'0' | 0 | b'7' => {
                    let name = long_name.take().unwrap_or_else(|| short_name(&header));
                    return Ok(Some((name, Box::new(self.file()))));
                }
                b'L' => {
                    let name = self.content(size.min(NAME))?;
                    long_name = Some(text(&name));
                }
                b'x' => {
                    let records = text(&self.content(size.min(NAME))?);
                    long_name = record(&records, "path").map(str::to_owned).or(long_name);
                    // Headers have no room for one of 8 GiB. More than half of the range is no file.
                    let told = record(&records, "size").and_then(|size| size.parse().ok());
                    long_size = told.filter(|size| *size < u64::MAX / 2);
                }
                // What was told is of these, which are no files.
                b'1'..=b'6' => long_name = None,
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
