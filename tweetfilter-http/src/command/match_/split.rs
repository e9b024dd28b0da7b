//! `--split`: one file of posts for each filter.

mod names;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::Failure;
use super::super::filters::Entry;
use super::super::terminal::{fit, one_line};
use super::evaluate::Outcome;
use super::input::{Chunk, push_line};
use names::Names;

/// Files that get posts in pieces, so that any number of them needs one open file.
#[derive(Debug)]
pub(super) struct Split {
    files: Vec<Part>,
    waiting: usize,
}

#[derive(Debug)]
struct Part {
    path: PathBuf,
    waiting: Vec<u8>,
}

/// Bytes of one file that are written at once, and of all of them that wait.
const PIECE: usize = 64 << 10;
const ALL: usize = 64 << 20;

impl Split {
    /// Makes the directory and an empty file for each filter. Nothing is emptied before it is known that all
    /// files can be written, and never a file that is read.
    pub(super) fn create(dir: &Path, entries: &[Entry], read: &[&str], quiet: bool) -> Result<Self, Failure> {
        if fs::metadata(dir).is_ok_and(|facts| !facts.is_dir()) {
            let message = format!("{}: is a file; --split writes into a directory", dir.display());
            return Err(Failure::Input(message));
        }
        let mut names = Names::default();
        let mut files = Vec::with_capacity(entries.len());
        let mut renamed = Vec::new();
        for entry in entries {
            let (path, plain) = names.give(entry.owner.as_deref(), &entry.id);
            let path = dir.join(path);
            if !plain {
                renamed.push((entry, path.clone()));
            }
            files.push(Part { path, waiting: Vec::new() });
        }
        let read: Vec<_> = read.iter().filter_map(|name| file_of(name)).collect();
        files.iter().try_for_each(|part| part.is_not_among(&read))?;
        files.iter().try_for_each(|part| part.open(false))?;
        files.iter().try_for_each(|part| part.open(true))?;
        if !quiet {
            tell_renamed(&renamed);
        }
        Ok(Self { files, waiting: 0 })
    }

    /// Adds what a chunk gave.
    pub(super) fn add(&mut self, chunk: &Chunk, outcome: &Outcome) -> Result<(), Failure> {
        let mut last = None;
        for &(filter, line) in &outcome.split {
            // A line that holds several posts is written to a file once.
            if last == Some((filter, line)) {
                continue;
            }
            last = Some((filter, line));
            let Some(line) = chunk.line(line as usize) else { continue };
            let part = &mut self.files[filter as usize];
            let before = part.waiting.len();
            push_line(&mut part.waiting, &line);
            self.waiting += part.waiting.len() - before;
            if part.waiting.len() >= PIECE {
                self.waiting -= part.waiting.len();
                part.write()?;
            }
        }
        if self.waiting >= ALL { self.finish() } else { Ok(()) }
    }

    /// Writes all that waits.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.waiting = 0;
        self.files.iter_mut().try_for_each(Part::write)
    }
}

impl Part {
    fn is_not_among(&self, read: &[FileId]) -> Result<(), Failure> {
        if read.is_empty() || !file_id(&self.path).is_some_and(|id| read.contains(&id)) {
            return Ok(());
        }
        let path = self.path.display();
        Err(Failure::Input(format!(
            "{path}: --split would write over this file, which is read; name another DIR"
        )))
    }

    /// Makes the file, or empties it.
    fn open(&self, empty: bool) -> Result<(), Failure> {
        let make = || -> io::Result<()> {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            OpenOptions::new().write(true).create(true).truncate(empty).open(&self.path).map(drop)
        };
        make().map_err(|error| Failure::making(self.path.display(), &error))
    }

    fn write(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let append = || -> io::Result<()> {
            OpenOptions::new().append(true).open(&self.path)?.write_all(&self.waiting)
        };
        append().map_err(|error| Failure::making(self.path.display(), &error))?;
        // Its room too: of many files each would keep that of its largest piece.
        self.waiting = Vec::new();
        Ok(())
    }
}

/// Says which files are not called as their filters are.
fn tell_renamed(renamed: &[(&Entry, PathBuf)]) {
    const SHOWN: usize = 3;
    for (entry, path) in renamed.iter().take(SHOWN) {
        let id = fit(&one_line(&entry.id), 60);
        told!("tweetfilter: the posts of filter `{id}` go to {}", path.display());
    }
    if renamed.len() > SHOWN {
        told!("tweetfilter: and {} more have such names: too long, or taken", renamed.len() - SHOWN);
    }
}

/// What two names of the same file have in common.
#[cfg(unix)]
type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|facts| (facts.dev(), facts.ino()))
}

/// What two names of the same file have in common.
#[cfg(not(unix))]
type FileId = PathBuf;

#[cfg(not(unix))]
fn file_id(path: &Path) -> Option<FileId> {
    fs::canonicalize(path).ok()
}

/// The file that an input's name stands for.
fn file_of(name: &str) -> Option<FileId> {
    file_id(Path::new(if name == "-" { "/dev/stdin" } else { name }))
}
