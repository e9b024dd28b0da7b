//! Reading the lines of a file, or of the files in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::block::Block;
use super::member::{Member, Members};
use super::open::Open;

/// What a reader accepts and how much it reads at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of one line, or of one element of an array in a longer one; what is longer is given as
    /// [`too_long`](super::Line::too_long).
    pub line: usize,
    /// Bytes of one document over several lines that are held at once, or of one element of it. An array, and
    /// `{"statuses":[…]}`, is cut into its elements while it is read, whatever its length; any other document that is longer
    /// is given as one line that is too long.
    pub document: usize,
    /// Bytes of one block of lines.
    pub block: usize,
    /// Lines are given as soon as they are there, in smaller blocks: for pipes that may make us wait.
    pub live: bool,
    /// Lines are text and not JSON: each is given as it is, blank ones too, and no document is looked for.
    pub text: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { line: 16 << 20, document: 64 << 20, block: 512 << 10, live: false, text: false }
    }
}

/// The lines of one input, in blocks.
pub struct Reader {
    members: Members,
    options: Options,
    open: Option<Open>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens a file.
    ///
    /// # Errors
    /// When it can't be opened or is a folder.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Self::new(file)
    }

    /// Reads anything, such as standard input.
    ///
    /// # Errors
    /// None so far; reading begins with the first block.
    pub fn new(input: impl Read + Send + 'static) -> io::Result<Self> {
        Self::with_options(input, Options::default())
    }

    /// The same with other limits.
    ///
    /// # Errors
    /// As [`Reader::new`].
    pub fn with_options(input: impl Read + Send + 'static, options: Options) -> io::Result<Self> {
        Ok(Self { members: Members::new(Box::new(input)), options, open: None })
    }

    /// Reads the next lines into a block, whose memory it uses again; `false` at the end of the input.
    ///
    /// A file in a tar that breaks off ends nothing but itself: after its lines comes a block that has
    /// [`damage`](Block::damage) in place of lines, then the next file.
    ///
    /// # Errors
    /// When the input can't be read on: broken compression, a tar, a JSON array or a document over several lines that is
    /// cut off, a failing disk. The lines before that were given. What is of a kind that is not read, such as xz, UTF-16,
    /// or zstd with a window of more than 128 MiB, is [`Unsupported`](io::ErrorKind::Unsupported), and the error says the
    /// way out.
    pub fn read(&mut self, block: &mut Block) -> io::Result<bool> {
        loop {
            let open = match &mut self.open {
                Some(open) => open,
                None => match self.members.next_member()? {
                    Some(Member::File(name, input)) => self.open.insert(Open::new(name, input)),
                    Some(Member::Damaged(damage)) => {
                        block.damaged(damage, 1);
                        return Ok(true);
                    }
                    None => {
                        block.clear();
                        return Ok(false);
                    }
                },
            };
            match open.read(block, &self.options) {
                Ok(true) => return Ok(true),
                Ok(false) => self.open = None,
                Err(error) => {
                    let (name, line) = open.place();
                    self.open = None;
                    block.damaged(self.members.blame(name, error)?, line);
                    return Ok(true);
                }
            }
        }
    }
}
