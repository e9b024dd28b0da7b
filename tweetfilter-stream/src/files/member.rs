//! Taking the wrappings off: compression and tars, found by their first bytes.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::sync::Arc;

use flate2::bufread::GzDecoder;

use super::glue::Follow;
use super::tar::{Failing, Input, Packed, RECORD, Tar, WithoutZeros, is_tar};
use super::unread;

/// Wrappings inside each other that are taken off.
const LAYERS: usize = 4;

/// The files in a file, one after the other.
pub(super) struct Members {
    /// The tars that are open, the innermost last.
    tars: Vec<Opened>,
    /// What was not looked into yet.
    next: Option<Input>,
}

struct Opened {
    tar: Tar,
    /// The tar's own name where it is in another, with a colon.
    prefix: String,
    /// Wrappings around what is in it.
    layers: usize,
}

/// What was found, and is to be looked into.
struct Found {
    input: Input,
    /// Wrappings around it.
    layers: usize,
    /// It is in a tar, without its holes.
    is_sparse: bool,
}

impl Members {
    pub(super) fn new(input: Input) -> Self {
        Self { tars: Vec::new(), next: Some(input) }
    }

    /// The next file: its name where it is in a tar, `OUTER:INNER` in a tar in a tar, and its unwrapped content.
    pub(super) fn next_member(&mut self) -> io::Result<Option<Member>> {
        let mut name = None;
        match self.find(&mut name) {
            Ok(found) => Ok(found.map(|input| Member::File(name, input))),
            Err(error) => self.blame(name, error).map(|damage| Some(Member::Damaged(damage))),
        }
    }

    /// The content of the next file. Its name is told even where it can't be unwrapped.
    fn find(&mut self, name: &mut Option<Arc<str>>) -> io::Result<Option<Input>> {
        let mut next = match self.next.take() {
            Some(input) => Some(Found { input, layers: 0, is_sparse: false }),
            None => self.next_in_tar(name)?,
        };
        while let Some(Found { input, layers, is_sparse }) = next {
            let (kind, input) = peek(input)?;
            next = match kind {
                _ if layers == LAYERS => return Ok(Some(input)),
                Kind::Plain if is_sparse => return Ok(Some(Box::new(WithoutZeros(input)))),
                Kind::Plain => return Ok(Some(input)),
                Kind::Unread(error) => return Err(error),
                _ if is_sparse => return Err(unread::sparse()),
                Kind::Compressed(open) => {
                    Some(Found { input: open(input)?, layers: layers + 1, is_sparse: false })
                }
                Kind::Tar => {
                    let prefix = name.as_ref().map(|name| format!("{name}:")).unwrap_or_default();
                    self.tars.push(Opened { tar: Tar::new(input), prefix, layers: layers + 1 });
                    self.next_in_tar(name)?
                }
            };
        }
        Ok(None)
    }

    fn next_in_tar(&mut self, name: &mut Option<Arc<str>>) -> io::Result<Option<Found>> {
        while let Some(Opened { tar, prefix, layers }) = self.tars.last_mut() {
            if let Some(Packed { name: found, input, is_sparse }) = tar.next_file()? {
                *name = Some(format!("{prefix}{found}").into());
                return Ok(Some(Found { input, layers: *layers, is_sparse }));
            }
            self.tars.pop();
        }
        Ok(None)
    }

    /// What an error in a file means: damage to that file, or to a tar in a tar, behind which the outer tar is read
    /// on; or else the end of all reading, since the outermost is broken itself.
    pub(super) fn blame(&mut self, name: Option<Arc<str>>, error: io::Error) -> io::Result<Damage> {
        let broken = self.tars.iter().position(|opened| opened.tar.is_broken());
        let damaged = match (broken, name) {
            (None, Some(name)) if !self.tars.is_empty() => Some(name),
            (Some(inner @ 1..), _) => {
                let tar = self.tars.drain(inner..).next();
                tar.and_then(|opened| opened.prefix.strip_suffix(':').map(Arc::from))
            }
            _ => None,
        };
        match damaged {
            Some(member) => Ok(Damage { member, error: Arc::new(error) }),
            None => {
                self.tars.clear();
                Err(error)
            }
        }
    }
}

/// A file that was found.
pub(super) enum Member {
    File(Option<Arc<str>>, Input),
    /// It is in a tar, and can't be read from its beginning on.
    Damaged(Damage),
}

/// A file in a tar that can't be read on, while the tar can.
#[derive(Clone, Debug)]
pub(super) struct Damage {
    pub(super) member: Arc<str>,
    pub(super) error: Arc<io::Error>,
}

enum Kind {
    Plain,
    Compressed(fn(Input) -> io::Result<Input>),
    Tar,
    /// It is of a kind that is not read.
    Unread(io::Error),
}

/// What an input is, and the input as if nothing had been read of it.
///
/// A whole record tells; a line that came alone, on a pipe, is not kept waiting for the rest of one.
fn peek(mut input: Input) -> io::Result<(Kind, Input)> {
    let mut start = vec![0; RECORD];
    let mut read = 0;
    while read < RECORD {
        match input.read(&mut start[read..]) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if read == 0 => return Err(error),
            Err(error) => {
                input = Box::new(Failing(Some(error)));
                break;
            }
        }
        // No compression begins with bytes among which is a line end, and neither that nor a tar with a document behind
        // which another one follows.
        let begun = &start[..read];
        let is_line = begun.contains(&b'\n') && compression(begun).is_none();
        if is_line || Follow::default().next(begun).is_some() {
            break;
        }
    }
    start.truncate(read);
    let kind = match compression(&start) {
        Some(open) => Kind::Compressed(open),
        None if is_tar(&start) => Kind::Tar,
        None if start == [0; RECORD] => {
            let (is_tar, zeros) = ends_in_zeros(&mut input, &mut start);
            let whole = io::repeat(0).take(zeros).chain(Cursor::new(start)).chain(input);
            return Ok((if is_tar { Kind::Tar } else { Kind::Plain }, Box::new(whole)));
        }
        None => unread::kind(&start).map_or(Kind::Plain, Kind::Unread),
    };
    let whole: Chain<Cursor<Vec<u8>>, Input> = Cursor::new(start).chain(input);
    Ok((kind, Box::new(whole)))
}

/// Bytes of an empty tar at most; usual are 10 KiB, and `tar -b` makes more.
const EMPTY: u64 = 8 << 20;

/// Whether all is zeros, as an empty tar is, up to its end or to a tar behind it; and how many of them were read whole records
/// at a time. What was read behind those takes the place of the start, which is a record of them.
fn ends_in_zeros(input: &mut Input, start: &mut Vec<u8>) -> (bool, u64) {
    let mut zeros = 0;
    while start[..] == [0; RECORD] {
        if zeros == EMPTY {
            return (false, zeros);
        }
        zeros += RECORD as u64;
        start.clear();
        if let Err(error) = input.by_ref().take(RECORD as u64).read_to_end(start) {
            *input = Box::new(Failing(Some(error)));
            return (false, zeros);
        }
    }
    (is_tar(start) || start.iter().all(|byte| *byte == 0), zeros)
}

fn compression(start: &[u8]) -> Option<fn(Input) -> io::Result<Input>> {
    match start {
        [0x1f, 0x8b, 8, ..] => Some(gzip),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Some(bzip2),
        // An ordinary frame, or one to be skipped that comes before it.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(zstd),
        _ => None,
    }
}

/// More costs the allocator memory of a size of its own, which the system clears, and saves few calls.
fn buffered(input: Input) -> BufReader<Input> {
    BufReader::with_capacity(64 << 10, input)
}

fn gzip(input: Input) -> io::Result<Input> {
    Ok(Box::new(Gzip { open: Some(GzDecoder::new(buffered(input))) }))
}

/// Gzip files one after the other; zeros behind them pad a tape or a disk and are nothing, as for gzip itself.
struct Gzip {
    /// `None` at the end.
    open: Option<GzDecoder<BufReader<Input>>>,
}

impl Read for Gzip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(open) = &mut self.open {
            let read = open.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let Some(open) = self.open.take() else { break };
            let mut rest = open.into_inner();
            if rest.fill_buf()?.first().is_some_and(|byte| *byte != 0) {
                // Behind a file another one may stand, but behind padding nothing more.
                if rest.fill_buf()?.starts_with(&[0x1f]) {
                    self.open = Some(GzDecoder::new(rest));
                    continue;
                }
                return Err(trailing());
            }
            while !rest.fill_buf()?.is_empty() {
                let buffer = rest.fill_buf()?;
                if buffer.iter().any(|byte| *byte != 0) {
                    return Err(trailing());
                }
                let length = buffer.len();
                rest.consume(length);
            }
        }
        Ok(0)
    }
}

fn trailing() -> io::Error {
    let what = "what stands behind the end of the gzip file is no gzip file; all before it was read";
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn bzip2(input: Input) -> io::Result<Input> {
    Ok(Box::new(bzip2::bufread::MultiBzDecoder::new(buffered(input))))
}

fn zstd(input: Input) -> io::Result<Input> {
    Ok(Box::new(Zstd(zstd::stream::read::Decoder::with_buffer(buffered(input))?)))
}

/// Zstd files one after the other. A window may have 128 MiB, as for zstd itself if nothing else is said.
struct Zstd(zstd::stream::read::Decoder<'static, BufReader<Input>>);

impl Read for Zstd {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(unread::of_zstd)
    }
}
