//! Cutting bytes that come in pieces into lines, documents and their elements.

mod cutting;
mod ended;

use std::io;
use std::ops::Range;

use super::block::Piece;
use super::document::{self, is_message, parts};
use super::elements::Cutter;
use super::glue::{Follow, before, may_be_glued};
use super::opening::{Opening, Shape, behind_brace, opens};
use super::reader::Options;
use super::value::Value;
use super::work;
use cutting::Cutting;

/// Bytes that are kept of a line that is too long.
const BEGINNING: usize = 256;

/// The mark that may stand before a text.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// Cuts the bytes of one file. Each is looked at a bounded number of times.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    state: State,
    /// The place up to which all is done, among the bytes that are there.
    at: usize,
    /// Line ends before a place, both.
    lines: u64,
    counted: usize,
    /// The last byte before what is there ends no line.
    is_within_line: bool,
    /// Up to where the end of a line was looked for, from where it begins.
    searched: usize,
    /// A line was read last: the next one that looks like a whole object is taken for one unseen.
    is_lines: bool,
    /// A post or page over several lines was read last of those: others follow, and what has no end breaks off.
    is_values: bool,
    /// The last lines may be a document that breaks off.
    is_unsure: bool,
    /// What of a line of which the end is not there yet shows of a document behind its first.
    follow: Follow,
    failure: Option<io::Error>,
}

/// What stands at the place up to which all is done.
#[derive(Debug, Default)]
enum State {
    /// A line or a document begins, or what is left of a line behind a document.
    #[default]
    Between,
    /// A line that opens a value and does not close it: it shows later whether that is a document.
    Opening(Opening),
    /// An array is cut into its elements while it is read.
    Cutting(Cutting),
    /// The rest of a line that is too long.
    LongLine,
    /// The rest of a document that is too long.
    LongDocument(Value),
}

/// The bytes that are there, and where the pieces of them go.
pub(super) struct Input<'b> {
    pub(super) bytes: &'b [u8],
    /// Nothing follows them.
    pub(super) is_all: bool,
    pub(super) options: &'b Options,
    pub(super) pieces: &'b mut Vec<Piece>,
}

impl Input<'_> {
    /// Adds a line or an element; of one that is too long the beginning.
    fn piece(&mut self, number: u64, range: Range<usize>, longest: usize) {
        let too_long = range.len() > longest;
        let length = if too_long { BEGINNING.min(self.options.line) } else { range.len() };
        let range = range.start..range.start + length;
        self.pieces.push(Piece { number, range, too_long, cut_off: false });
    }

    /// Adds what a document breaks off in.
    fn cut_off(&mut self, number: u64, range: Range<usize>) {
        self.pieces.push(Piece { number, range, too_long: false, cut_off: true });
    }

    /// Adds a line, or the several messages of one, unless it is blank.
    fn line(&mut self, number: u64, range: Range<usize>) {
        let line = &self.bytes[range.clone()];
        let line = if self.options.text { without_return(line) } else { without_end(line) };
        if line.trim_ascii().is_empty() && !self.options.text {
            return;
        }
        if !self.options.text
            && document::may_have_parts(line)
            && let Some(parts) = parts(line)
        {
            for part in parts {
                self.piece(number, range.start + part.start..range.start + part.end, self.options.line);
            }
            return;
        }
        self.piece(number, range.start..range.start + line.len(), self.options.line);
    }
}

impl Splitter {
    /// Cuts what is there. Gives the place from which on bytes are to be there again, with more behind them.
    pub(super) fn split(&mut self, input: &mut Input<'_>) -> usize {
        (self.at, self.counted) = (0, 0);
        while self.step(input) {}
        self.number(input.bytes, self.at);
        if let Some(last) = input.bytes[..self.at].last() {
            self.is_within_line = *last != b'\n';
        }
        self.at
    }

    /// The number of the last line that was read.
    pub(super) fn line(&self) -> u64 {
        (self.lines + u64::from(self.is_within_line)).max(1)
    }

    /// What is to be told once all pieces were given.
    pub(super) fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Goes on to the next state; `false` once that takes more bytes.
    fn step(&mut self, input: &mut Input<'_>) -> bool {
        match std::mem::take(&mut self.state) {
            State::Between => self.between(input),
            State::Opening(opening) => self.opening(opening, input),
            State::Cutting(cutting) => self.cut(cutting, input),
            State::LongLine => self.pass_line(input),
            State::LongDocument(value) => self.pass_document(value, input),
        }
    }

    /// The number of the line in which a place is. Places never go back.
    fn number(&mut self, bytes: &[u8], place: usize) -> u64 {
        let passed = &bytes[self.counted..place];
        work::add(passed.len());
        self.lines += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.counted = place;
        self.lines + 1
    }

    /// Lines, as long as they are whole and nothing else begins.
    fn between(&mut self, input: &mut Input<'_>) -> bool {
        let bytes = input.bytes;
        loop {
            if self.awaits_mark(input) {
                return false;
            }
            let from = self.at + self.searched;
            let found = memchr::memchr(b'\n', &bytes[from..]).map(|n| from + n);
            work::add(found.unwrap_or(bytes.len()) - from);
            let end = match found {
                Some(end) => end,
                None if input.is_all && self.at < bytes.len() => bytes.len(),
                None => {
                    self.searched = bytes.len() - self.at;
                    return self.unended(input);
                }
            };
            (self.searched, self.follow) = (0, Follow::default());
            let line = &bytes[self.at..end];
            if line.len() > input.options.line {
                return self.long_line(end, input);
            }
            if input.options.text {
                self.give_line(end, input);
                continue;
            }
            let is_like_line = self.is_lines && is_object_by_its_ends(line) && !may_be_glued(line);
            let goes_on = if is_like_line { GoesOn::BehindBrace } else { GoesOn::Anyhow };
            if is_like_line && self.is_followed_by_line(end, input) {
                self.give_message(end, input);
            } else if !self.begin(end, goes_on, input) {
                return true;
            }
        }
    }

    /// Whether what is there behind a line that ends in a brace shows that no value goes on in it.
    fn is_followed_by_line(&self, end: usize, input: &Input<'_>) -> bool {
        let bytes = &input.bytes[..input.bytes.len().min(self.at + most_of(end - self.at, input.options))];
        behind_brace(&bytes[end.min(bytes.len())..]) == Some(false)
    }

    /// Goes behind the mark at the beginning of the file, which is none of what stands in it, unless that is text. Tells
    /// whether the rest of it is to come.
    fn awaits_mark(&mut self, input: &Input<'_>) -> bool {
        let is_first = self.at == 0 && self.lines == 0 && !self.is_within_line && !input.options.text;
        if is_first && input.bytes.starts_with(MARK) {
            self.at = MARK.len();
            self.searched = self.searched.saturating_sub(MARK.len());
        }
        is_first && !input.is_all && input.bytes.len() < MARK.len() && MARK.starts_with(input.bytes)
    }

    /// A line of which the end is not there yet: of documents that follow each other in it, each that is whole is given.
    fn unended(&mut self, input: &mut Input<'_>) -> bool {
        let (end, longest) = (input.bytes.len(), input.options.line);
        let line = &input.bytes[self.at..];
        if !input.options.text
            && let Some((close, next)) = self.follow.next(line)
            && next <= longest
        {
            if self.is_glued(close, end, input) {
                self.follow = Follow::default();
                self.give_glued(close, end, input);
                self.searched = end - self.at;
                return true;
            }
            self.follow = Follow::none();
        }
        line.len() > longest && self.long_line(end, input)
    }

    /// Gives the line up to its end, and goes behind it.
    fn give_line(&mut self, end: usize, input: &mut Input<'_>) {
        let number = self.number(input.bytes, self.at);
        input.line(number, self.at..end);
        self.pass_line_end(end, input);
    }

    /// The same for one message, which has no parts.
    fn give_message(&mut self, end: usize, input: &mut Input<'_>) {
        let number = self.number(input.bytes, self.at);
        let length = without_end(&input.bytes[self.at..end]).len();
        input.piece(number, self.at..self.at + length, input.options.line);
        self.pass_line_end(end, input);
    }

    /// Goes behind a line that was given.
    fn pass_line_end(&mut self, end: usize, input: &Input<'_>) {
        self.at = input.bytes.len().min(end + 1);
        // In it is no line end but its own.
        self.lines += (self.at - end) as u64;
        self.counted = self.at;
        self.is_lines = true;
    }

    /// Gives the line if it is one, or the documents that stand in it one behind the other; `false` if another state begins
    /// in it, where one may.
    fn begin(&mut self, end: usize, goes_on: GoesOn, input: &mut Input<'_>) -> bool {
        let bytes = input.bytes;
        loop {
            let gap = before(&bytes[self.at..end]);
            if bytes[self.at..self.at + gap].contains(&MARK[0]) {
                self.at += gap;
            }
            let line = &bytes[self.at..end];
            let blank = line.len() - line.trim_ascii_start().len();
            if blank == line.len() {
                self.at = bytes.len().min(end + 1);
                return true;
            }
            if !matches!(line[blank], b'[' | b'{') {
                self.give_line(end, input);
                return true;
            }
            if blank > 0 && self.is_behind(bytes) {
                self.at += blank;
                continue;
            }
            let opening = match Opening::new(&bytes[self.at..], blank..line.len()) {
                Err(close) if self.is_glued(close, end, input) => {
                    self.give_glued(close, end, input);
                    continue;
                }
                Ok(opening) if goes_on == GoesOn::Anyhow => opening,
                Ok(opening) if goes_on == GoesOn::BehindBrace => opening.behind_brace(),
                _ => {
                    self.give_line(end, input);
                    return true;
                }
            };
            if input.is_all && end == bytes.len() {
                self.last_line(blank, input);
            } else {
                self.state = State::Opening(opening);
            }
            return false;
        }
    }

    /// Whether something stands in the same line before the place up to which all is done.
    fn is_behind(&self, bytes: &[u8]) -> bool {
        bytes[..self.at].last().map_or(self.is_within_line, |last| *last != b'\n')
    }

    /// Whether another document follows in the same line behind one of which the brackets close. One that is broken loses
    /// none but itself if it begins as one does.
    fn is_glued(&self, close: usize, end: usize, input: &Input<'_>) -> bool {
        let (document, rest) = input.bytes[self.at..end].split_at(close);
        let document = &document[before(document)..];
        let is_followed = matches!(rest.get(before(rest)), Some(b'[' | b'{'));
        is_followed && (opens(document) || is_message(document))
    }

    fn give_glued(&mut self, close: usize, end: usize, input: &mut Input<'_>) {
        let bytes = input.bytes;
        let number = self.number(bytes, self.at);
        let close = self.at + close;
        input.line(number, self.at + before(&bytes[self.at..close])..close);
        self.at = close + before(&bytes[close..end]);
        self.is_lines = false;
    }

    /// A line that is longer than one may be, up to its end or to what is there of it: an array is cut.
    fn long_line(&mut self, end: usize, input: &mut Input<'_>) -> bool {
        let (bytes, longest) = (input.bytes, input.options.line);
        let line = &bytes[self.at..end];
        (self.searched, self.follow) = (0, Follow::default());
        if !input.options.text {
            // What stands at its beginning shows, however much of it is there.
            let gap = before(&line[..=longest]);
            if line[..gap].contains(&MARK[0]) {
                self.at += gap;
                return true;
            }
            let blank = line.len() - line.trim_ascii_start().len();
            let close = Value::default().end(&line[blank.min(longest)..longest]).map(|end| blank + end);
            if matches!(line.get(blank), Some(b'[' | b'{'))
                && let Some(close) = close
                && self.is_glued(close, self.at + longest + 1, input)
            {
                self.give_glued(close, end, input);
                self.searched = end - self.at;
                return true;
            }
            if let Some(cutter) = Cutter::new(&line[..=longest]) {
                self.state = State::Cutting(Cutting::new(cutter, longest));
                return true;
            }
        }
        let number = self.number(bytes, self.at);
        input.piece(number, self.at..end, longest);
        self.state = State::LongLine;
        true
    }

    /// Looks whether lines of which the first goes on are a document.
    fn opening(&mut self, mut opening: Opening, input: &mut Input<'_>) -> bool {
        let rest = &input.bytes[self.at..];
        // The same bytes however many there are.
        let most = most_of(opening.first_end(), input.options);
        let held = &rest[..rest.len().min(most)];
        let is_all = input.is_all && held.len() == rest.len();
        match opening.look(held, is_all) {
            Shape::Closed(end) => self.document(&opening, end, held, input),
            Shape::Array(cutter) => self.array(cutter, input),
            Shape::Lines(end) => self.give_lines(end, input),
            Shape::Unsure if is_all => self.break_off(&opening, held, input),
            Shape::Unsure if rest.len() > most => self.long_document(&opening, held, input),
            Shape::Unsure => {
                self.state = State::Opening(opening);
                return false;
            }
        }
        true
    }

    /// A document over several lines that is all there.
    fn document(&mut self, opening: &Opening, end: usize, held: &[u8], input: &mut Input<'_>) {
        let document = &held[..end];
        if let Some(parts) = parts(document) {
            self.is_values = document.trim_ascii_start().starts_with(b"{")
                && matches!(&parts[..], [whole] if whole.end == end);
            for part in parts {
                let place = self.at + part.start..self.at + part.end;
                let number = self.number(input.bytes, place.start);
                input.piece(number, place, input.options.document);
            }
            self.at += end;
            self.is_lines = false;
        } else if let Some(cutter) = Cutter::of_objects(document) {
            self.array(cutter, input);
        } else {
            self.give_lines(opening.line(), input);
        }
    }

    /// Gives what is there up to a place as lines.
    fn give_lines(&mut self, end: usize, input: &mut Input<'_>) {
        let end = self.at + end;
        work::add(end - self.at);
        while self.at < end {
            let line = memchr::memchr(b'\n', &input.bytes[self.at..end]).map_or(end, |n| self.at + n);
            self.begin(line, GoesOn::Not, input);
        }
        self.is_lines = true;
    }

    /// More than is held of a document, of which it does not show what it is: an array is cut, and of any other the
    /// beginning is given.
    fn long_document(&mut self, opening: &Opening, held: &[u8], input: &mut Input<'_>) {
        let (looked, value) = opening.rest();
        if let Some(cutter) = Cutter::new(held) {
            self.array(cutter, input);
        } else if document::is_whole(held, opening.first_end()) {
            let begin = self.at + held.len() - held.trim_ascii_start().len();
            let number = self.number(input.bytes, begin);
            let range = begin..(begin + BEGINNING).min(self.at + looked);
            input.pieces.push(Piece { number, range, too_long: true, cut_off: false });
            self.at += looked;
            self.state = State::LongDocument(value);
        } else {
            self.give_lines(opening.line(), input);
        }
    }

    fn pass_line(&mut self, input: &mut Input<'_>) -> bool {
        let rest = &input.bytes[self.at..];
        let end = memchr::memchr(b'\n', rest);
        self.at += end.map_or(rest.len(), |end| end + 1);
        if end.is_none() {
            self.state = State::LongLine;
        }
        end.is_some()
    }

    fn pass_document(&mut self, mut value: Value, input: &mut Input<'_>) -> bool {
        let rest = &input.bytes[self.at..];
        let end = value.end(rest);
        self.at += end.unwrap_or(rest.len());
        match end {
            Some(_) => (self.is_lines, self.is_values) = (false, true),
            None => self.state = State::LongDocument(value),
        }
        end.is_some()
    }
}

/// Where a value goes on that a line opens and does not close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GoesOn {
    /// Nowhere.
    Not,
    /// In the lines behind it, as far as these can be inside of it.
    Anyhow,
    /// There too, if they begin with what may follow the brace in which the line ends.
    BehindBrace,
}

/// Bytes that are held at most of a value of which the first line has so many.
fn most_of(first: usize, options: &Options) -> usize {
    options.document.max(first + 1)
}

/// Whether a line has the brackets of an object at its ends, and none of a page that is to be cut.
fn is_object_by_its_ends(line: &[u8]) -> bool {
    let line = without_return(line);
    matches!(line, [b'{', .., b'}']) && !document::may_have_parts(line)
}

/// A line without the first part of CRLF.
fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The same without the marks behind a document, which empty files leave that were added to another.
fn without_end(line: &[u8]) -> &[u8] {
    let mut line = without_return(line);
    while let Some(before) = line.trim_ascii_end().strip_suffix(MARK) {
        line = before.trim_ascii_end();
    }
    line
}
