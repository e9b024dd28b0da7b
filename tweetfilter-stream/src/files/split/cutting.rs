//! An array that is cut into its elements while it is read.

use super::{Input, Splitter, State};
use crate::files::document;
use crate::files::elements::{Cutter, Found};

/// What is known of it so far.
#[derive(Debug)]
pub(super) struct Cutting {
    cutter: Cutter,
    /// Bytes of the longest element.
    longest: usize,
    /// The open element is passed over, since it is longer.
    is_passing: bool,
}

impl Cutting {
    /// Begins, with elements of so many bytes.
    pub(super) fn new(cutter: Cutter, longest: usize) -> Self {
        Self { cutter, longest, is_passing: false }
    }
}

impl Splitter {
    /// An array over several lines, which is cut from here on.
    pub(super) fn array(&mut self, cutter: Cutter, input: &Input<'_>) {
        let longest = input.options.document.max(input.options.line);
        self.state = State::Cutting(Cutting::new(cutter, longest));
    }

    /// Gives the elements of an array that end among what is there.
    pub(super) fn cut(&mut self, mut cutting: Cutting, input: &mut Input<'_>) -> bool {
        let (base, bytes) = (self.at, input.bytes);
        let held = &bytes[base..];
        let Cutting { cutter, longest, is_passing } = &mut cutting;
        loop {
            match cutter.next(held, input.is_all) {
                Found::Element(range) | Found::Broken(range) => {
                    let range = base + range.start..base + range.end;
                    let is_long = range.len() > *longest;
                    // What is broken ends with its line.
                    let length =
                        if is_long { range.len() } else { bytes[range.clone()].trim_ascii_end().len() };
                    if !std::mem::take(is_passing) {
                        let number = self.number(bytes, range.start);
                        input.piece(number, range.start..range.start + length, *longest);
                    }
                }
                Found::End(end) => return self.leave(base + end),
                Found::Left(at) => {
                    if !cutter.has_broken() {
                        self.breaks_off("what is whole of it was read");
                    }
                    return self.leave(base + at);
                }
                Found::Nothing => break,
            }
        }
        let open = base + cutter.start()..bytes.len();
        if input.is_all {
            // It breaks off, perhaps within an element.
            let is_begun = *is_passing || document::is_begun(&bytes[open.clone()]);
            self.breaks_off("what is whole of it was read");
            if !open.is_empty() && !*is_passing {
                let number = self.number(bytes, open.start);
                input.piece(number, open, *longest);
                if let Some(last) = input.pieces.last_mut() {
                    last.cut_off = is_begun && !last.too_long;
                }
            }
            self.at = bytes.len();
            return false;
        }
        let looked = cutter.looked();
        if looked.len() > *longest && !*is_passing {
            let number = self.number(bytes, open.start);
            input.piece(number, base + looked.start..base + looked.end, *longest);
            *is_passing = true;
        }
        if *is_passing {
            cutter.forget_element();
        }
        let start = cutter.start();
        cutter.forget(start);
        self.at += start;
        self.state = State::Cutting(cutting);
        false
    }

    /// Goes behind an array.
    fn leave(&mut self, at: usize) -> bool {
        self.at = at;
        (self.is_lines, self.is_values) = (false, false);
        true
    }
}
