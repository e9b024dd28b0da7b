//! Files and standard input as a source: everything that [`files::Reader`](crate::files::Reader) reads.
//!
//! A thread of its own reads ahead, so that a pipe that makes us wait holds up nothing else. The cursor is the
//! file and how many of its lines were given; reading on passes over those. It says by what the file is known again, too:
//! one that was put in its place is read from its beginning. Lines in which the file ends before it shows what they are, such
//! as one that is cut off, are given, and given again when the file has grown; where a document breaks off in them, or may,
//! they are marked, and an error follows. Standard input has no cursor: what follows in it are other lines. What X held back
//! while they were recorded is a gap, at the times that were recorded.
//!
//! ```
//! use tweetfilter_stream::source::Source;
//! use tweetfilter_stream::source::file::FileSource;
//! # fn ready<T>(future: impl Future<Output = T>) -> T {
//! #     let mut future = std::pin::pin!(future);
//! #     let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
//! #     loop {
//! #         match future.as_mut().poll(&mut cx) {
//! #             std::task::Poll::Ready(value) => return value,
//! #             std::task::Poll::Pending => std::thread::yield_now(),
//! #         }
//! #     }
//! # }
//! # let path = std::env::temp_dir().join(format!("tweetfilter-source-doc-{}", std::process::id()));
//! # std::fs::write(&path, "{\"text\":\"a\"}\n{\"text\":\"b\"}\n")?;
//! # ready(async {
//! let mut source = FileSource::open([&path]);
//! let chunk = source.next().await?.expect("lines");
//! assert_eq!(chunk.lines.len(), 2);
//!
//! // Later, in another process:
//! let mut source = FileSource::open([&path]).resume(chunk.cursor.as_deref().expect("of a file"))?;
//! assert!(source.next().await?.is_none());
//! # Ok::<(), tweetfilter_stream::source::SourceError>(())
//! # }).expect("reads");
//! # std::fs::remove_file(&path)?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod ahead;
mod cursor;
mod held_back;
mod pace;

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::Read;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tweetfilter_core::post::Millis;

use super::{Chunk, Clock, Lines, Notice, Source, SourceError, clock};
use crate::files::Options;
use ahead::{Ahead, Given, Input};
use cursor::{Cursor, Start};
use held_back::HeldBack;
pub use pace::Pace;
use pace::Schedule;

/// Files, one after the other.
pub struct FileSource {
    inputs: VecDeque<Input>,
    options: Options,
    /// What was read by a run before this one.
    start: Start,
    ahead: Option<Ahead>,
    read: Arc<ahead::Count>,
    total: Option<u64>,
    pace: Option<(Schedule, Arc<dyn Clock>)>,
    /// What was read and not given yet, and how many lines of it were.
    open: Option<(Given, usize)>,
    held_back: HeldBack,
    /// Behind what was given.
    stands: Option<Cursor>,
    /// To be said once the gaps before it were given.
    failed: Option<SourceError>,
    sleep: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl std::fmt::Debug for FileSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSource").field("progress", &self.progress()).finish_non_exhaustive()
    }
}

/// How far the files were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were read of the files as they lie there, compressed or not; a little ahead of the lines.
    pub read: u64,
    /// Bytes of all files; `None` if one of them is no file.
    pub total: Option<u64>,
}

impl FileSource {
    /// Takes files to read. Each is opened when its turn comes; `-` is standard input.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        let of = |path: P| match path.as_ref() {
            path if path == Path::new("-") => {
                Input::Stream { name: "-".into(), read: Box::new(std::io::stdin()) }
            }
            path => Input::File(path.to_owned()),
        };
        Self::new(paths.into_iter().map(of).collect())
    }

    /// Takes anything that can be read. It has no cursor.
    pub fn from_reader(name: impl Into<String>, read: impl Read + Send + 'static) -> Self {
        Self::new(VecDeque::from([Input::Stream { name: name.into(), read: Box::new(read) }]))
    }

    fn new(inputs: VecDeque<Input>) -> Self {
        let size = |input: &Input| match input {
            Input::File(path) => {
                std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|m| m.len())
            }
            Input::Stream { .. } => None,
        };
        Self {
            total: inputs.iter().map(size).sum(),
            inputs,
            options: Options::default(),
            start: Start::default(),
            ahead: None,
            read: Arc::default(),
            pace: None,
            open: None,
            held_back: HeldBack::default(),
            stands: None,
            failed: None,
            sleep: None,
        }
    }

    /// Reads with other limits. [`Options::live`] holds for what is no file in any case. A cursor is good for the
    /// limits with which it came.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Gives the lines at a pace of their own instead of as fast as they are asked for.
    #[must_use]
    pub fn paced(mut self, pace: Pace, clock: Arc<dyn Clock>) -> Self {
        self.pace = Some((Schedule::new(pace), clock));
        self
    }

    /// Reads on behind a cursor. A file that is another than the one that was read begins anew, and so do all of them
    /// if the one that was read last is not among them; a [notice](Notice::ReadAgain) says so.
    ///
    /// # Errors
    /// [`SourceError::Cursor`] if it is none of a file.
    pub fn resume(mut self, cursor: &str) -> Result<Self, SourceError> {
        let cursor = Cursor::read(cursor)?;
        self.start = cursor.find(self.inputs.iter());
        self.held_back = std::mem::take(&mut self.start.held_back);
        self.stands = Some(cursor).filter(|_| self.start.reason.is_none());
        for input in self.inputs.drain(..self.start.inputs) {
            if let Input::File(path) = input {
                self.read.add(std::fs::metadata(path).map_or(0, |m| m.len()));
            }
        }
        Ok(self)
    }

    /// How far the files were read.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress { read: self.read.get(), total: self.total }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Chunk>, SourceError>> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                ready!(sleep.as_mut().poll(cx));
                self.sleep = None;
            }
            if self.open.is_none() {
                let ahead = self.ahead.get_or_insert_with(|| {
                    let (inputs, start) = (std::mem::take(&mut self.inputs), std::mem::take(&mut self.start));
                    Ahead::start(inputs, self.options, start, self.read.clone())
                });
                if let Some(error) = self.failed.take() {
                    return Poll::Ready(Err(error));
                }
                match ready!(ahead.poll_next(cx)) {
                    Some(Ok(given)) => self.open = Some((given, 0)),
                    Some(Err(error)) => match self.rest() {
                        None => return Poll::Ready(Err(error)),
                        gaps => {
                            self.failed = Some(error);
                            return Poll::Ready(Ok(gaps));
                        }
                    },
                    None => return Poll::Ready(Ok(self.rest())),
                }
            }
            if let Some(chunk) = self.due() {
                return Poll::Ready(Ok(Some(chunk)));
            }
        }
    }

    /// The lines whose time has come; if none has, what must be waited for.
    fn due(&mut self) -> Option<Chunk> {
        let (mut given, from) = self.open.take()?;
        if let Some(reason) = given.notice.take() {
            let notices = vec![Notice::ReadAgain { reason }];
            return Some(Chunk { at: clock::wall(), notices, ..Chunk::default() });
        }
        let Some((schedule, clock)) = &mut self.pace else {
            let (lines, at) = (std::mem::take(&mut given.lines), clock::wall());
            return Some(self.chunk(&given, 0, lines, at));
        };
        let now = clock.now();
        let mut lines = Lines::default();
        let mut rest = given.lines.iter().skip(from).peekable();
        while let Some(line) = rest.peek() {
            let wait = schedule.wait(line.bytes, now);
            if !wait.is_zero() {
                if lines.is_empty() {
                    self.sleep = Some(clock.sleep(wait));
                }
                break;
            }
            schedule.given();
            lines.push_line(*line);
            rest.next();
        }
        let ended = rest.peek().is_none();
        drop(rest);
        let (upto, at) = (from + lines.len(), clock.wall());
        let chunk = (!lines.is_empty()).then(|| self.chunk(&given, from, lines, at));
        if !ended {
            self.open = Some((given, upto));
        }
        chunk
    }

    /// Lines behind so many of what was read, with what is known beside them.
    fn chunk(&mut self, given: &Given, from: usize, lines: Lines, at: Millis) -> Chunk {
        // What is given again tells it then.
        let gaps = if given.is_open() {
            Vec::new()
        } else {
            if given.begins && from == 0 {
                self.held_back.file_begins();
            }
            self.held_back.read(&lines, at)
        };
        self.stands = given.cursor(from + lines.len());
        Chunk { place: given.place(from), cursor: self.cursor(), lines, at, gaps, ..Chunk::default() }
    }

    /// The gaps that were not told yet, where nothing more is to be read.
    fn rest(&mut self) -> Option<Chunk> {
        let gaps = self.held_back.rest();
        (!gaps.is_empty()).then(|| Chunk {
            at: clock::wall(),
            cursor: self.cursor(),
            gaps,
            ..Chunk::default()
        })
    }

    /// Where to read on.
    fn cursor(&self) -> Option<String> {
        Cursor { held_back: self.held_back.clone(), ..self.stands.clone()? }.text()
    }
}

impl Source for FileSource {
    fn next(&mut self) -> impl Future<Output = Result<Option<Chunk>, SourceError>> + Send {
        poll_fn(|cx| self.poll_chunk(cx))
    }
}
