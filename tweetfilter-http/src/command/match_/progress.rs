//! The bar on a terminal: how far, how fast, how long still.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;

use crate::command::bar::bar;
use crate::command::stderr;

/// Bytes taken from the inputs, as they are stored, counted by whoever reads them.
pub(super) type BytesRead = Arc<AtomicU64>;

/// The bar; nothing where stderr is no terminal.
#[derive(Debug)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    read: BytesRead,
    posts: AtomicU64,
}

impl Progress {
    /// A bar for so many bytes; without a total it only counts.
    pub(super) fn new(wanted: bool, total: Option<u64>) -> Self {
        let template = match total {
            Some(_) => "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec}, {msg}, {eta} left",
            None => "{spinner} {bytes} {bytes_per_sec}, {msg}",
        };
        let bar = if wanted { bar(total, template) } else { None };
        if let Some(bar) = &bar {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, read: BytesRead::default(), posts: AtomicU64::new(0) }
    }

    /// Where readers count their bytes.
    pub(super) fn bytes_read(&self) -> BytesRead {
        Arc::clone(&self.read)
    }

    /// More posts were evaluated.
    pub(super) fn add(&self, posts: u64) {
        if let Some(bar) = &self.bar {
            let posts = self.posts.fetch_add(posts, Ordering::Relaxed) + posts;
            bar.set_position(self.read.load(Ordering::Relaxed));
            let seconds = bar.elapsed().as_secs_f64().max(1e-3);
            bar.set_message(format!("{posts} posts, {:.0}/s", posts as f64 / seconds));
        }
    }

    /// Writes to standard output, without the bar in between where that is a terminal too.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) if std::io::stdout().is_terminal() => bar.suspend(|| {
                // The bar is taken away before anything else is written.
                stderr::flush();
                write()
            }),
            _ => write(),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
