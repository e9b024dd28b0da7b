//! What has no end where the file ends.

use std::io;

use super::cutting::Cutting;
use super::{Input, Splitter, State};
use crate::files::document::{self, Ending};
use crate::files::elements::Cutter;
use crate::files::opening::Opening;

impl Splitter {
    /// Whether what is left where nothing follows may be something else once more does.
    pub(in crate::files) fn is_open(&self, input: &Input<'_>) -> bool {
        match self.state {
            _ if input.options.text => false,
            State::Between => !document::are_values(input.bytes),
            _ => true,
        }
    }

    /// Whether what was given as lines at last may as well be a document that breaks off.
    pub(in crate::files) fn is_unsure(&self) -> bool {
        self.is_unsure
    }

    /// The last line, which has no end and opens a value that has none either.
    pub(super) fn last_line(&mut self, blank: usize, input: &mut Input<'_>) {
        let line = &input.bytes[self.at..];
        if let Some(cutter) = Cutter::of_broken(line) {
            self.state = State::Cutting(Cutting::new(cutter, input.options.line));
        } else if self.is_values && document::is_begun(line) {
            self.give_begun(blank, input);
        } else {
            self.give_line(input.bytes.len(), input);
        }
    }

    /// What was no document so far has no end.
    pub(super) fn break_off(&mut self, opening: &Opening, held: &[u8], input: &mut Input<'_>) {
        let first_end = opening.first_end();
        let ending = match document::ending(held, first_end) {
            Ending::Unsure if self.is_values => Ending::Document,
            ending => ending,
        };
        let cutter = match ending {
            Ending::Document => match Cutter::new(held) {
                Some(cutter) => Some(cutter),
                None => {
                    let blank = held.len() - held.trim_ascii_start().len();
                    return self.give_begun(blank, input);
                }
            },
            _ if document::is_whole(held, first_end) => Cutter::of_objects(held),
            _ => None,
        };
        match cutter {
            Some(cutter) => self.array(cutter, input),
            None => {
                let given = input.pieces.len();
                self.give_lines(held.len(), input);
                // One line alone is one that is cut off.
                self.is_unsure = ending == Ending::Unsure && input.pieces.len() > given + 1;
            }
        }
    }

    /// Gives a document that has no parts and breaks off: to its last byte, so that it is seen to be cut off.
    fn give_begun(&mut self, blank: usize, input: &mut Input<'_>) {
        let begin = self.at + blank;
        let number = self.number(input.bytes, begin);
        input.cut_off(number, begin..input.bytes.len());
        self.breaks_off(match self.is_values {
            true => "what stands before it was read",
            false => "nothing of it was read, since only a whole post or page can be",
        });
        self.at = input.bytes.len();
    }

    /// Keeps the failure to tell it at the end.
    pub(super) fn breaks_off(&mut self, what: &str) {
        let said = format!("the JSON document ends before its last bracket; {what}");
        self.failure.get_or_insert_with(|| io::Error::new(io::ErrorKind::UnexpectedEof, said));
    }
}
