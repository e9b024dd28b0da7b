//! `--split`: one file of posts for each filter.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::Failure;
use super::super::filters::Entry;
use super::evaluate::Outcome;
use super::input::{Chunk, push_line};

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
    /// Makes the directory and an empty file for each filter.
    pub(super) fn create(dir: &Path, entries: &[Entry]) -> Result<Self, Failure> {
        let mut files = Vec::with_capacity(entries.len());
        for entry in entries {
            let mut path = dir.to_owned();
            if let Some(owner) = &entry.owner {
                path.push(file_name(owner));
            }
            let made = fs::create_dir_all(&path);
            path.push(format!("{}.ndjson", file_name(&entry.id)));
            made.and_then(|()| File::create(&path))
                .map_err(|error| Failure::reading(path.display(), &error))?;
            files.push(Part { path, waiting: Vec::new() });
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
    fn write(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let append = || -> io::Result<()> {
            OpenOptions::new().append(true).open(&self.path)?.write_all(&self.waiting)
        };
        append().map_err(|error| Failure::reading(self.path.display(), &error))?;
        self.waiting.clear();
        Ok(())
    }
}

/// A file's name for an id: what names can't hold everywhere is written `%XX`.
fn file_name(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for (n, c) in id.chars().enumerate() {
        let allowed = c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '+') || (c == '.' && n > 0);
        if allowed {
            name.push(c);
        } else {
            let mut buffer = [0; 4];
            c.encode_utf8(&mut buffer).bytes().for_each(|byte| name.push_str(&format!("%{byte:02X}")));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leaves_the_directory() {
        assert_eq!(file_name("../etc/passwd"), "%2E.%2Fetc%2Fpasswd");
        assert_eq!(file_name("a.b_c-1 é"), "a.b_c-1%20é");
    }
}
