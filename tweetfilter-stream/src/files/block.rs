//! Lines, many at a time.

use std::io;
use std::ops::Range;
use std::str::Utf8Error;
use std::sync::Arc;

use tweetfilter_core::Parts;

use super::member::Damage;
use crate::wire::{DecodeError, Event, Reason, decode_parts};

/// Lines of one file, or of one file in a tar, in order.
#[derive(Clone, Debug, Default)]
pub struct Block {
    pub(super) bytes: Vec<u8>,
    pub(super) pieces: Vec<Piece>,
    pub(super) is_open: bool,
    pub(super) is_unsure: bool,
    pub(super) begins: bool,
    pub(super) member: Option<Arc<str>>,
    pub(super) damage: Option<(Arc<io::Error>, u64)>,
}

#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) number: u64,
    pub(super) range: Range<usize>,
    pub(super) too_long: bool,
    pub(super) cut_off: bool,
}

/// One line that is not blank, or one element of a document.
#[derive(Clone, Copy, Debug)]
pub struct Line<'b> {
    /// Its number in the file, from 1; of an element the number of the line on which it begins.
    pub number: u64,
    /// Its own bytes, without the line end; of a line that is too long its beginning. Only an element of a
    /// document over several lines has line breaks in it.
    pub bytes: &'b [u8],
    /// The line end as it stands there; empty where none follows.
    pub ending: &'b [u8],
    /// Whether it is longer than the reader accepts.
    pub too_long: bool,
    /// Whether a document breaks off in it: it is the beginning of a post or page, and an error behind it says so.
    pub cut_off: bool,
}

impl Block {
    /// The lines.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = Line<'_>> + DoubleEndedIterator {
        self.pieces.iter().map(|piece| self.line_of(piece))
    }

    /// The line of an index in [`Block::lines`].
    #[must_use]
    pub fn line(&self, index: usize) -> Option<Line<'_>> {
        self.pieces.get(index).map(|piece| self.line_of(piece))
    }

    fn line_of(&self, piece: &Piece) -> Line<'_> {
        let rest = &self.bytes[piece.range.end..];
        let ending = match rest {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => 0,
        };
        Line {
            number: piece.number,
            bytes: &self.bytes[piece.range.clone()],
            ending: &rest[..ending],
            too_long: piece.too_long,
            cut_off: piece.cut_off,
        }
    }

    /// The name of the file in the tar that the lines are from.
    #[must_use]
    pub fn member(&self) -> Option<&str> {
        self.member.as_deref()
    }

    /// Whether the first line is the first of its file.
    pub(crate) fn begins_file(&self) -> bool {
        self.begins
    }

    /// Why the file in the tar breaks off behind the lines before, and the number of the line at which it does.
    /// A block that says so has no lines.
    #[must_use]
    pub fn damage(&self) -> Option<(&io::Error, u64)> {
        self.damage.as_ref().map(|(error, line)| (&**error, *line))
    }

    /// Whether the file ends before it shows what these lines are: one that has no end, or the beginning of a document.
    /// If more is written to it, they may be others. All that is not open is given just so, whatever the file still gets.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether these lines, with which the file ends, are the beginning of a document if they are not several of which
    /// the first is broken.
    #[must_use]
    pub fn may_be_document(&self) -> bool {
        self.is_unsure
    }

    /// Bytes of all lines, line ends included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.pieces.clear();
        (self.is_open, self.is_unsure, self.begins) = (false, false, false);
        self.member = None;
        self.damage = None;
    }

    pub(super) fn damaged(&mut self, Damage { member, error }: Damage, line: u64) {
        self.clear();
        self.member = Some(member);
        self.damage = Some((error, line));
    }
}

impl<'b> Line<'b> {
    /// Its text, where lines are that: the mark at a file's beginning is none of it.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn text(&self) -> Result<&'b str, Utf8Error> {
        let text = str::from_utf8(self.bytes)?;
        Ok(if self.number == 1 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text })
    }
}

impl Line<'_> {
    /// Decodes the line's message.
    ///
    /// # Errors
    /// As [`wire::decode`](crate::wire::decode); or the line is too long.
    pub fn decode(&self) -> Result<Event, DecodeError> {
        self.decode_parts(Parts::ALL)
    }

    /// The same for who reads only some parts of posts, as [`wire::decode_parts`](crate::wire::decode_parts) does.
    ///
    /// # Errors
    /// As [`Line::decode`].
    pub fn decode_parts(&self, parts: Parts) -> Result<Event, DecodeError> {
        if self.too_long {
            let message = "the line, or the document, is longer than the limit".to_owned();
            return Err(DecodeError { reason: Reason::TooLong, message });
        }
        decode_parts(self.bytes, parts)
    }
}
