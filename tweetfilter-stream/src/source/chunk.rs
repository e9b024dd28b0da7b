//! What a source gives at once.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tweetfilter_core::post::Millis;

use crate::buffer::Gap;
use crate::gather::Gather;

/// Lines that were received together, and what else happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// The lines, in order.
    pub lines: Lines,
    /// Where the first of them stands, in a source that has the same lines in the same places when it is read again. The
    /// others follow it.
    pub place: Option<Place>,
    /// When they were received.
    pub at: Millis,
    /// Where the source can be read on from once these lines are safe. Store it as it is. `None` leaves the one
    /// before in force.
    pub cursor: Option<String>,
    /// What is known to be missing before these lines.
    pub gaps: Vec<Gap>,
    /// What happened to the connection, in order.
    pub notices: Vec<Notice>,
}

impl Chunk {
    /// Gives the lines and gaps to whoever collects them, but for what a document breaks off in: it is told as that, once.
    pub fn gather(&self, gather: &mut Gather) {
        for (index, line) in self.lines.iter().enumerate().filter(|(_, line)| !line.cut_off) {
            match line.too_long {
                true => gather.too_long(),
                false => {
                    gather.line_of(line.bytes, self.at, self.place.as_ref().map(|place| place.behind(index)))
                }
            }
        }
        self.gaps.iter().cloned().for_each(|gap| gather.gap(gap));
    }
}

/// Where a line stands in its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is a line of, such as a file.
    pub of: Arc<str>,
    /// Its number in that, from 1 on.
    pub line: u64,
}

impl Place {
    /// The place so many lines further on.
    fn behind(&self, lines: usize) -> Self {
        Self { of: self.of.clone(), line: self.line + lines as u64 }
    }
}

/// What happened to the connection of a source, for whoever runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A connection stands.
    Connected {
        /// With whom.
        address: String,
    },
    /// A connection has ended or could not be made.
    Disconnected {
        /// Why, for people.
        reason: String,
    },
    /// The source waits before it tries again.
    BackingOff {
        /// How long.
        wait: Duration,
    },
    /// Something that was read before is read once more, now or by a later run: a file was replaced, or breaks off within
    /// a line.
    ReadAgain {
        /// What and why, for people.
        reason: String,
    },
    /// The server no longer has what follows the cursor. A gap stands beside this.
    CursorTooOld {
        /// What was asked for.
        wanted: Millis,
        /// The first that it has.
        got: Millis,
    },
}

/// Many lines in one piece of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    line: Range<usize>,
    /// Bytes of the line end behind it.
    ending: usize,
    too_long: bool,
    cut_off: bool,
}

/// One line as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'l> {
    /// Its own bytes; of a line that is too long its beginning.
    pub bytes: &'l [u8],
    /// The line end as it was received; empty where none was.
    pub ending: &'l [u8],
    /// Whether it is longer than the source accepts.
    pub too_long: bool,
    /// Whether a document breaks off in it, or may: it is the beginning of a post or page, and an error behind it says so.
    pub cut_off: bool,
}

impl Line<'_> {
    /// Whether it says nothing: a keep-alive.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.bytes.trim_ascii().is_empty()
    }
}

/// Bytes that are kept of a line that is too long.
const BEGINNING: usize = 256;

impl Lines {
    /// The lines.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Line<'_>> + DoubleEndedIterator {
        self.pieces.iter().map(|piece| Line {
            bytes: &self.bytes[piece.line.clone()],
            ending: &self.bytes[piece.line.end..piece.line.end + piece.ending],
            too_long: piece.too_long,
            cut_off: piece.cut_off,
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes of all of them, line ends included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a line and its end.
    pub fn push(&mut self, line: &[u8], ending: &[u8]) {
        self.push_parts(&[line], ending);
    }

    /// Adds a line that is longer than what is accepted, of which some bytes at its beginning are given.
    pub fn push_too_long(&mut self, beginning: &[u8]) {
        self.push(&beginning[..beginning.len().min(BEGINNING)], b"");
        if let Some(piece) = self.pieces.last_mut() {
            piece.too_long = true;
        }
    }

    /// Adds a line that lies in parts.
    pub(super) fn push_parts(&mut self, parts: &[&[u8]], ending: &[u8]) {
        let start = self.bytes.len();
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        let line = start..self.bytes.len();
        self.bytes.extend_from_slice(ending);
        self.pieces.push(Piece { line, ending: ending.len(), too_long: false, cut_off: false });
    }

    /// Adds a line of another.
    #[cfg(feature = "files")]
    pub(super) fn push_line(&mut self, line: Line<'_>) {
        self.push(line.bytes, line.ending);
        if let Some(piece) = self.pieces.last_mut() {
            (piece.too_long, piece.cut_off) = (line.too_long, line.cut_off);
        }
    }

    /// Says of the last line whether a document breaks off in it.
    #[cfg(feature = "files")]
    pub(super) fn last_is_cut_off(&mut self, cut_off: bool) {
        if let Some(piece) = self.pieces.last_mut() {
            piece.cut_off = cut_off;
        }
    }
}
