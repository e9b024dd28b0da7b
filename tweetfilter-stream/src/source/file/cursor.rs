//! Where files are read on, and whether they are still the files that were read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ahead::Input;
use super::held_back::HeldBack;
use crate::gather::fnv;
use crate::source::SourceError;

/// Bytes at the beginning of a file by which it is known again.
const BEGINNING: u64 = 64 << 10;

/// The cursor, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) file: String,
    /// The file as it was; cursors of older versions lack this, and what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<Mark>,
    #[serde(default, skip_serializing_if = "Before::is_none")]
    pub(super) before: Before,
    pub(super) lines: u64,
    /// Behind those lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) begun: Option<Begun>,
    /// What of all lines before says that posts are missing.
    #[serde(default, skip_serializing_if = "HeldBack::is_none")]
    pub(super) held_back: HeldBack,
}

/// Posts that were given of an array on a last line that breaks off. Once the line is whole they are what it begins with;
/// if it stays broken, it is one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// The line's number in its file.
    pub(super) line: u64,
    pub(super) posts: u64,
}

/// By what a file is known again: it may have grown meanwhile, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Its bytes when it was opened.
    size: u64,
    /// FNV-1a of its beginning.
    hash: String,
}

/// The files that were read before this one, all together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Before {
    files: u64,
    hash: String,
}

impl Mark {
    /// What a file is now; `None` of what is no file, or can't be read.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let size = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?.len();
        Some(Self { size, hash: beginning(path, size)? })
    }

    /// Whether a file is the one that was read, perhaps longer. One that can't be read says so when it is read.
    fn is_of(&self, path: &Path) -> bool {
        let Ok(now) = std::fs::metadata(path) else { return true };
        now.is_file() && now.len() >= self.size && beginning(path, self.size).is_none_or(|h| h == self.hash)
    }
}

impl Before {
    fn is_none(&self) -> bool {
        self.files == 0
    }

    /// Goes on behind a file.
    pub(super) fn add(&mut self, mark: Option<&Mark>) {
        let Mark { size, hash } = mark.cloned().unwrap_or(Mark { size: 0, hash: String::new() });
        self.files += 1;
        self.hash = hex(fnv(format!("{} {size} {hash}", self.hash).bytes()));
    }
}

fn beginning(path: &Path, size: u64) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(size.min(BEGINNING)).read_to_end(&mut bytes).ok()?;
    Some(hex(fnv(bytes.into_iter())))
}

fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

/// Where to begin.
#[derive(Debug, Default)]
pub(super) struct Start {
    /// Inputs that were read.
    pub(super) inputs: usize,
    pub(super) before: Before,
    /// Lines of the next one that were given.
    pub(super) skip: u64,
    pub(super) begun: Option<Begun>,
    pub(super) held_back: HeldBack,
    /// Why something that was read is read again.
    pub(super) reason: Option<String>,
}

impl Cursor {
    /// As it is stored.
    pub(super) fn text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    pub(super) fn read(text: &str) -> Result<Self, SourceError> {
        serde_json::from_str(text).map_err(|_| SourceError::Cursor("files"))
    }

    /// Where this is among files to read. What was replaced is read from its beginning: nothing is stored twice, and
    /// what would be passed over is lost.
    pub(super) fn find<'i>(&self, inputs: impl Iterator<Item = &'i Input>) -> Start {
        let mut start = Start::default();
        for input in inputs {
            let Input::File(path) = input else {
                start.inputs += 1;
                continue;
            };
            if name(path) == self.file {
                return self.begin(path, start);
            }
            start.before.add(Mark::of(path).as_ref());
            start.inputs += 1;
        }
        let reason = format!("{} was read last, and is not among the files: they are read whole", self.file);
        Start { reason: Some(reason), ..Start::default() }
    }

    fn begin(&self, path: &Path, start: Start) -> Start {
        let Self { file, mark, before, lines, begun, held_back } = self;
        let is_same = mark.as_ref().is_none_or(|mark| mark.is_of(path));
        if before.files == start.before.files && *before != start.before {
            let reason =
                format!("files before {file} are others than those that were read: all are read again");
            return Start { reason: Some(reason), ..Start::default() };
        }
        match is_same {
            true => Start { skip: *lines, begun: *begun, held_back: held_back.clone(), ..start },
            false => Start { reason: Some(another(file)), ..start },
        }
    }
}

/// Said of a file in the place of one that was read.
pub(super) fn another(file: &str) -> String {
    format!(
        "{file} is another file than the one that was read under this name: it is read from its beginning"
    )
}

/// The name by which lines of a file are known again: that of the file, and what it begins with, which is another where a
/// new file took the place of an old one.
pub(super) fn known_again(file: &str, first: &[u8]) -> String {
    format!("{file}@{}", hex(fnv(first.iter().copied())))
}

/// The name of a file in its cursor.
pub(super) fn name(path: &Path) -> String {
    PathBuf::from(path).to_string_lossy().into_owned()
}
