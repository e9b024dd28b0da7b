//! The lines of one file.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use super::beginning::{Beginning, Shape};
use super::block::{Block, Piece};
use super::document;
use super::elements::{Cutter, Found};
use super::reader::Options;
use super::tar::Input;

/// Bytes that are kept of a line that is too long.
const BEGINNING: usize = 256;

/// A file that is being read.
pub(super) struct Open {
    name: Option<Arc<str>>,
    input: Input,
    /// The beginning of a line whose end was not read yet.
    tail: Vec<u8>,
    /// Lines that were read, blank ones included.
    lines: u64,
    /// It was looked whether a document begins here. Behind one another may.
    looked: bool,
    ended: bool,
    /// Cuts the elements of a document that is longer than what is held at once.
    cutter: Option<Cutter>,
    /// An element is passed over, since it is too long.
    passing: bool,
    /// A failure that waits until the lines before it were given.
    failure: Option<io::Error>,
}

impl Open {
    pub(super) fn new(name: Option<Arc<str>>, input: Input) -> Self {
        Self {
            name,
            input,
            tail: Vec::new(),
            lines: 0,
            looked: false,
            ended: false,
            cutter: None,
            passing: false,
            failure: None,
        }
    }

    /// Its name, and the number of the last line that was read of it.
    pub(super) fn place(&self) -> (Option<Arc<str>>, u64) {
        (self.name.clone(), self.lines.max(1))
    }

    /// Reads at least one line; `false` at the end.
    pub(super) fn read(&mut self, block: &mut Block, options: &Options) -> io::Result<bool> {
        block.clear();
        block.member.clone_from(&self.name);
        while block.pieces.is_empty() {
            if self.ended && self.tail.is_empty() {
                return self.failure.take().map_or(Ok(false), Err);
            }
            block.bytes.clear();
            std::mem::swap(&mut block.bytes, &mut self.tail);
            let may_begin = !self.looked && self.cutter.is_none();
            // Behind a document what is there comes first: others may be whole in it, and each would have a block more read.
            if !may_begin || block.bytes.is_empty() {
                self.fill(&mut block.bytes, options);
            }
            if may_begin {
                let is_given = self.start(block, options);
                self.looked = self.cutter.is_none();
                if is_given {
                    continue;
                }
            }
            match self.cutter.take() {
                Some(cutter) => self.cut(cutter, block, options),
                None => self.split(block, options),
            }
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

    /// Looks whether a document over several lines begins here. Takes what is left whole if that is one.
    fn start(&mut self, block: &mut Block, options: &Options) -> bool {
        if block.bytes.starts_with(b"\xef\xbb\xbf") {
            block.bytes.drain(..3);
        }
        if options.text {
            return false;
        }
        let Some(Range { start: begin, end }) = self.first_line(&mut block.bytes, options) else {
            return false;
        };
        if !document::goes_on(&block.bytes[begin..end]) {
            return false;
        }
        match self.look(&mut block.bytes, options) {
            Shape::Unsure => {}
            Shape::Lines => return false,
            Shape::Documents(cutter) => {
                self.cutter = Some(cutter);
                return false;
            }
        }
        if !self.ended || block.bytes.len() > options.document {
            let is_whole = document::is_whole(&block.bytes, end);
            let several = || Cutter::several(&block.bytes).filter(|_| is_whole);
            self.cutter = Cutter::new(&block.bytes).or_else(several);
            return self.cutter.is_none() && is_whole && self.pass_document(block, begin);
        }
        let Some(parts) = document::parts(&block.bytes) else {
            // A document that breaks off, or several one behind the other, and not messages of which the first is
            // broken: what is whole of it is given.
            if document::breaks_off(&block.bytes, end) {
                self.cutter = Cutter::new(&block.bytes);
                return self.cutter.is_none() && self.give_begun(block, begin);
            }
            if document::is_whole(&block.bytes, end) {
                self.cutter = Cutter::whole(&block.bytes);
            }
            return false;
        };
        let (mut number, mut counted) = (self.lines + 1, 0);
        for range in parts {
            number += line_ends(&block.bytes[counted..range.start]);
            counted = range.start;
            block.pieces.push(Piece { number, range, too_long: false, cut_off: false });
        }
        true
    }

    /// The place of the first line that is not blank; `None` if its end is not in what is held of a document. An empty array
    /// stands on one line among others over several: those are passed over.
    fn first_line(&mut self, bytes: &mut Vec<u8>, options: &Options) -> Option<Range<usize>> {
        let (mut begin, mut searched, mut passed) = (0, 0, 0);
        loop {
            begin += bytes[begin..].iter().take_while(|b| b.is_ascii_whitespace()).count();
            searched = searched.max(begin);
            match memchr::memchr(b'\n', &bytes[searched..]).map(|n| searched + n) {
                Some(end) if bytes[begin..end].trim_ascii() == b"[]" => (begin, passed) = (end, end),
                Some(end) => {
                    self.pass(bytes, passed);
                    return Some(begin - passed..end - passed);
                }
                None if self.ended || bytes.len() - passed >= options.document => return None,
                None => {
                    self.pass(bytes, passed);
                    (begin, searched, passed) = (begin - passed, bytes.len(), 0);
                    self.fill(bytes, options);
                }
            }
        }
    }

    /// Drops what comes before a place, and counts its lines.
    fn pass(&mut self, bytes: &mut Vec<u8>, before: usize) {
        self.lines += line_ends(&bytes[..before]);
        bytes.drain(..before);
    }

    /// Reads until it shows what lines of which the first goes on are, and no more than is held of a document: a pipe
    /// may make us wait for its end.
    fn look(&mut self, bytes: &mut Vec<u8>, options: &Options) -> Shape {
        let mut beginning = Beginning::new(options.line);
        loop {
            // The same bytes in blocks of any size.
            let held = bytes.len().min(options.document);
            let shape = beginning.look(&bytes[..held], self.ended && held == bytes.len());
            let is_all = self.ended || bytes.len() >= options.document;
            if is_all || !matches!(shape, Shape::Unsure) {
                return shape;
            }
            self.fill(bytes, options);
        }
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
        let rest = &bytes[start..];
        let fits = rest.len() <= options.line;
        let cutter = match self.ended {
            _ if options.text => None,
            true => Cutter::of_broken(rest),
            false if fits => None,
            false => Cutter::new(rest),
        };
        if cutter.is_some() || (fits && !self.ended) {
            self.tail.extend_from_slice(rest);
            bytes.truncate(start);
            self.cutter = cutter;
        } else if self.ended {
            if start < bytes.len() {
                self.lines += 1;
                push(pieces, bytes, start..bytes.len(), self.lines, options);
            }
        } else {
            self.lines += 1;
            bytes.truncate(start + BEGINNING.min(options.line));
            pieces.push(Piece {
                number: self.lines,
                range: start..bytes.len(),
                too_long: true,
                cut_off: false,
            });
            self.pass_line(options);
        }
    }

    /// Cuts a block of a long document into its elements and keeps the one that has no end yet.
    fn cut(&mut self, mut cutter: Cutter, block: &mut Block, options: &Options) {
        let Block { bytes, pieces, .. } = block;
        let mut counted = 0;
        loop {
            match cutter.next(bytes) {
                Found::Element(range) => {
                    self.lines += line_ends(&bytes[counted..range.start]);
                    counted = range.start;
                    if !std::mem::take(&mut self.passing) {
                        pieces.push(piece(self.lines + 1, range, options));
                    }
                }
                Found::End(at) => {
                    self.lines += line_ends(&bytes[counted..at]);
                    self.tail.extend_from_slice(&bytes[at..]);
                    bytes.truncate(at);
                    return;
                }
                Found::Nothing => break,
            }
        }
        let start = cutter.start();
        self.lines += line_ends(&bytes[counted..start]);
        let open = start..bytes.len();
        if self.ended {
            // It breaks off, perhaps within an element. The line on which it does was read, too.
            let number = self.lines + 1;
            self.lines += line_ends(&bytes[open.clone()]) + unended(bytes);
            let is_begun = self.passing || document::is_begun(&bytes[open.clone()]);
            if let Some(what) = cutter.lacks_end(is_begun) {
                self.failure.get_or_insert_with(|| breaks_off(what));
            }
            if !open.is_empty() && !self.passing {
                pieces.push(Piece { cut_off: is_begun, ..piece(number, open, options) });
            }
            return;
        }
        if open.len() > options.line && !self.passing {
            pieces.push(piece(self.lines + 1, open.clone(), options));
            self.passing = true;
        }
        if self.passing {
            self.lines += line_ends(&bytes[open]);
            cutter.forget_all();
        } else {
            self.tail.extend_from_slice(&bytes[open]);
            bytes.truncate(start);
            cutter.forget(start);
        }
        self.cutter = Some(cutter);
    }

    /// Gives a document that has no parts and breaks off: to its last byte, so that it is seen to be cut off.
    fn give_begun(&mut self, block: &mut Block, begin: usize) -> bool {
        let number = self.lines + 1 + line_ends(&block.bytes[..begin]);
        self.lines += line_ends(&block.bytes) + unended(&block.bytes);
        let range = begin..block.bytes.len();
        block.pieces.push(Piece { number, range, too_long: false, cut_off: true });
        let what = "nothing of it was read, since only a whole post or page can be";
        self.failure.get_or_insert_with(|| breaks_off(what));
        true
    }

    /// Gives the beginning of a document that can't be cut, and passes over the rest.
    fn pass_document(&mut self, block: &mut Block, begin: usize) -> bool {
        let number = self.lines + 1 + line_ends(&block.bytes[..begin]);
        block.bytes.truncate(begin + BEGINNING);
        let range = begin..block.bytes.len();
        block.pieces.push(Piece { number, range, too_long: true, cut_off: false });
        if let Err(error) = io::copy(&mut self.input, &mut io::sink()) {
            self.failure = Some(error);
        }
        self.ended = true;
        true
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

/// Why a document that has no end can't be read on, and what became of it.
fn breaks_off(what: &str) -> io::Error {
    let said = format!("the JSON document ends before its last bracket; {what}");
    io::Error::new(io::ErrorKind::UnexpectedEof, said)
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// The last line, if it has no end.
fn unended(bytes: &[u8]) -> u64 {
    u64::from(bytes.last().is_some_and(|byte| *byte != b'\n'))
}

/// A line or an element; of one that is too long the beginning.
fn piece(number: u64, range: Range<usize>, options: &Options) -> Piece {
    let too_long = range.len() > options.line;
    let length = if too_long { BEGINNING.min(options.line) } else { range.len() };
    Piece { number, range: range.start..range.start + length, too_long, cut_off: false }
}

/// Adds a line, or the several messages of one, unless it is blank.
fn push(pieces: &mut Vec<Piece>, bytes: &[u8], range: Range<usize>, number: u64, options: &Options) {
    let line = &bytes[range.clone()];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.trim_ascii().is_empty() && !options.text {
        return;
    }
    if !options.text
        && document::may_have_parts(line)
        && let Some(parts) = document::parts(line)
    {
        let place = |part: Range<usize>| range.start + part.start..range.start + part.end;
        pieces.extend(parts.into_iter().map(|part| piece(number, place(part), options)));
        return;
    }
    pieces.push(piece(number, range.start..range.start + line.len(), options));
}
