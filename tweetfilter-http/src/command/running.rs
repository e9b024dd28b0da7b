//! A file beside a store that says that a server runs on it, for there is to be one.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use tweetfilter_http::parts::now;
use tweetfilter_sql::Database;

use super::Failure;
use super::settings::Settings;

/// A file beside the store that is there, and locked, while a server runs. One that is found unlocked was left by a run
/// that was killed.
pub(super) struct Running(Option<Held>);

struct Held {
    path: PathBuf,
    _lock: File,
    /// Who had it before and was killed.
    killed: Option<u32>,
}

impl Running {
    /// Says that a server runs on the store of the settings, unless that is no file.
    ///
    /// # Errors
    /// If another one does.
    pub(super) fn begin(settings: &Settings, database: &Database, serves: bool) -> Result<Self, Failure> {
        if !serves || database.buffer().is_none() {
            return Ok(Self(None));
        }
        let store = settings.database.strip_prefix("sqlite://").unwrap_or(&settings.database);
        let path = PathBuf::from(format!("{store}.running"));
        match locked(&path) {
            Ok((lock, killed)) => Ok(Self(Some(Held { path, _lock: lock, killed }))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let who = std::fs::read_to_string(&path).unwrap_or_default();
                Err(Failure::Input(format!(
                    "another server runs on {store} ({}): end that one first, or give this one a store of its own by \
                     --database. Several processes share a store on MariaDB",
                    who.trim()
                )))
            }
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "a second server on this store would not be noticed");
                Ok(Self(None))
            }
        }
    }

    /// The process that had the store before, if it was killed; unknown to who does not have it now.
    pub(super) fn killed(&self) -> Option<u32> {
        self.0.as_ref()?.killed
    }
}

/// Who ends with an error has said so as well.
impl Drop for Running {
    fn drop(&mut self) {
        // Before it is unlocked.
        if let Some(held) = &self.0 {
            let _ = std::fs::remove_file(&held.path);
        }
    }
}

/// Locks the file, and writes there who runs now; says who was killed.
fn locked(path: &Path) -> io::Result<(File, Option<u32>)> {
    loop {
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        file.try_lock()?;
        // Whoever ended just now may have removed it.
        if !is_at(&file, path) {
            continue;
        }
        let started = super::time::rfc3339(now());
        let mut left = String::new();
        // What can't be read says nothing.
        let _ = file.read_to_string(&mut left);
        file.rewind()?;
        file.set_len(0)?;
        file.write_all(format!("process {}, started {started}\n", std::process::id()).as_bytes())?;
        return Ok((file, process(&left)));
    }
}

/// The process that a file names.
fn process(text: &str) -> Option<u32> {
    text.strip_prefix("process ")?.split(',').next()?.parse().ok()
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |m: std::fs::Metadata| (m.dev(), m.ino());
    file.metadata().ok().map(id) == path.metadata().ok().map(id)
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
