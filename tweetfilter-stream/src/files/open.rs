//! The lines of one file.

use std::io::{self, Read};
use std::sync::Arc;

use super::block::Block;
use super::reader::Options;
use super::split::{self, Splitter};
use super::tar::Input;
use super::work;

/// A file that is being read.
pub(super) struct Open {
    name: Option<Arc<str>>,
    input: Input,
    splitter: Splitter,
    /// What was read and not given yet.
    rest: Vec<u8>,
    /// Nothing more can be read, and what was left of it was given.
    ended: bool,
    done: bool,
    /// Lines were given.
    begun: bool,
    /// A failure that waits until the lines before it were given.
    failure: Option<io::Error>,
}

impl Open {
    pub(super) fn new(name: Option<Arc<str>>, input: Input) -> Self {
        Self {
            name,
            input,
            splitter: Splitter::default(),
            rest: Vec::new(),
            ended: false,
            done: false,
            begun: false,
            failure: None,
        }
    }

    /// Its name, and the number of the last line that was read of it.
    pub(super) fn place(&self) -> (Option<Arc<str>>, u64) {
        (self.name.clone(), self.splitter.line())
    }

    /// Reads at least one line; `false` at the end.
    pub(super) fn read(&mut self, block: &mut Block, options: &Options) -> io::Result<bool> {
        block.clear();
        block.member.clone_from(&self.name);
        let Block { bytes, pieces, is_open, is_unsure, begins, .. } = block;
        std::mem::swap(bytes, &mut self.rest);
        while !self.done {
            // That all is there is told last: what shows without it is what it is if the file grows, too.
            self.done = self.ended;
            if !self.ended {
                self.fill(bytes, options);
            }
            let mut input = split::Input { bytes, is_all: self.done, options, pieces };
            *is_open = self.done && self.splitter.is_open(&input);
            let kept = self.splitter.split(&mut input);
            *is_unsure = self.splitter.is_unsure();
            if pieces.is_empty() {
                work::add(bytes.len() - kept);
                bytes.drain(..kept);
                continue;
            }
            work::add(bytes.len() - kept);
            self.rest.extend_from_slice(&bytes[kept..]);
            bytes.truncate(kept);
            *begins = !std::mem::replace(&mut self.begun, true);
            return Ok(true);
        }
        match self.failure.take().or_else(|| self.splitter.failure()) {
            Some(failure) => Err(failure),
            None => Ok(false),
        }
    }

    /// Reads up to a block's bytes more; live, what is there.
    fn fill(&mut self, bytes: &mut Vec<u8>, options: &Options) {
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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::work;
    use crate::files::{Block, Options, Reader};

    /// Pieces that are given, and bytes that were looked at or copied for that.
    fn read(text: &str, options: Options) -> (usize, u64) {
        work::take();
        let mut reader =
            Reader::with_options(Cursor::new(text.to_owned().into_bytes()), options).expect("opens");
        let (mut block, mut pieces) = (Block::default(), 0);
        while let Ok(true) = reader.read(&mut block) {
            pieces += block.lines().len();
        }
        (pieces, work::take())
    }

    #[test]
    fn each_byte_is_looked_at_a_bounded_number_of_times() {
        let whole = Options::default();
        let small = Options { line: 1 << 10, document: 4 << 10, block: 512, ..whole };
        for part in [
            "{\"a\":1}\n",
            "[\n{\"text\":\"snow\"},\n]\n",
            "[\n{\"text\":\"snow\",}\n]\n",
            "[\n{\"text\":\"snow\"}\n,]\n",
            "[\n{}\n]\n",
            "[\n]\n",
            "[ ]\n",
            "{\n\"a\":1\n}\n",
            "{\n\"a\":1,\n}\n",
            "{\n\"a\":1\n}",
            "{\"a\":1}{\"b\":[]}",
            "{\"a\":1}\t{\"b\":[]} ",
            "{\"a\":1}x",
            "{\"a\":\"}x",
            "{a}{",
            "{\"a\":1}\n} {\n",
            "} ",
            "[{\"a\":1}][{}]",
            "[{\"a\":1},\n{}][{\n}]",
            "{\"statuses\":[\n{},\n{}],\n\"x\":1}\n",
            "{\"a\":\"sno\n",
            "{\"a\":\n",
            "{\"a\":[\n{\"b\":1}\n",
            "{\"a\":[\n{\"b\":1}\n{",
            "[{},\n{\"a\":\"sno\n",
            "[\n",
            "{\n",
            "{\"a\":1,\n",
            "{\"a\":{}\n",
            "{}\n{\"a\":{}\n\n",
            "{}\n{\"a\":{}\n,x\n",
            "{}\n{\"a\":{}\n}\n",
            "{\"a\":{}\n,",
            "{}\u{feff}",
            "\u{feff}",
            "{\"a\":x}{",
            "{\"a\":1,\"statuses\":[{}]}\n",
            "[1,\n",
            "[\n{},\n[\n",
            "\n",
            " ",
            "\"",
            "}{",
            "{\"statuses\":1,",
        ] {
            for options in [whole, small, Options { live: true, ..small }] {
                let (few, many) = (part.repeat(500), part.repeat(4_000));
                let ((_, less), (_, more)) = (read(&few, options), read(&many, options));
                // A line that is too long, or a document, is looked at as far as it may go.
                let most = |text: &str| 24 * text.len() as u64 + 100_000;
                assert!(
                    less < most(&few) && more < most(&many),
                    "{part:?}: {less}, {more} of {}",
                    many.len()
                );
            }
        }
    }
}
