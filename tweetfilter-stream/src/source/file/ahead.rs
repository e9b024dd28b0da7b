//! Reading files ahead, on a thread, for whoever waits in any runtime.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::name;
use crate::files::{Block, Options, Reader};
use crate::source::{Lines, SourceError};

/// Blocks that are read ahead.
const AHEAD: usize = 2;

/// One thing to read.
pub(super) enum Input {
    File(PathBuf),
    Stream { name: String, read: Box<dyn Read + Send> },
}

/// Lines of one file.
pub(super) struct Given {
    /// The file; `None` where no cursor can be kept.
    pub(super) name: Option<String>,
    /// Lines of the file that come before these.
    pub(super) before: u64,
    pub(super) lines: Lines,
}

type Item = Result<Given, SourceError>;

/// The near end of the thread.
pub(super) struct Ahead(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    room: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Item>,
    waker: Option<Waker>,
    /// Nothing more will come.
    ended: bool,
    /// Nobody waits any longer.
    left: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over; `false` if nobody wants it.
    fn push(&self, item: Item) -> bool {
        let mut state = self.lock();
        while state.ready.len() >= AHEAD && !state.left {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.ready.push_back(item);
        state.waker.take().into_iter().for_each(Waker::wake);
        !state.left
    }
}

/// Says at the thread's end that it has ended, however it came about.
struct Far(Arc<Shared>);

impl Drop for Far {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.ended = true;
        if std::thread::panicking() {
            let error = io::Error::other("the reader of the file panicked");
            state.ready.push_back(Err(SourceError::Read { name: "a file".into(), error }));
        }
        state.waker.take().into_iter().for_each(Waker::wake);
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.lock().left = true;
        self.0.room.notify_one();
    }
}

impl Ahead {
    pub(super) fn start(inputs: VecDeque<Input>, options: Options, skip: u64, count: Arc<Count>) -> Self {
        let shared = Arc::new(Shared { state: Mutex::default(), room: Condvar::new() });
        let far = Far(shared.clone());
        let started = std::thread::Builder::new().name("source".into()).spawn(move || {
            let mut skip = skip;
            for input in inputs {
                if !read(&far.0, input, options, std::mem::take(&mut skip), &count) {
                    return;
                }
            }
        });
        if let Err(error) = started {
            shared.lock().ready.push_back(Err(SourceError::Read { name: "no thread".into(), error }));
        }
        Self(shared)
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.0.lock();
        if let Some(item) = state.ready.pop_front() {
            self.0.room.notify_one();
            return Poll::Ready(Some(item));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Reads one input to its end; `false` if nobody wants more. A file in a tar that breaks off is told when the others
/// were read.
fn read(shared: &Shared, input: Input, options: Options, mut skip: u64, count: &Arc<Count>) -> bool {
    let (shown, cursor) = match &input {
        Input::File(path) => (name(path), Some(name(path))),
        Input::Stream { name, .. } => (name.clone(), None),
    };
    let failed = |error| Err(SourceError::Read { name: shown.clone(), error });
    let mut damaged = Vec::new();
    let mut reader = match open(input, options, count) {
        Ok(reader) => reader,
        Err(error) => return shared.push(failed(error)),
    };
    let (mut block, mut before) = (Block::default(), skip);
    loop {
        match reader.read(&mut block) {
            Ok(true) => {}
            Ok(false) if skip > 0 => {
                let less =
                    format!("{shown} has fewer lines than were read of it before; is it another file?");
                return shared.push(Err(SourceError::Cursor(less)));
            }
            Ok(false) => return damaged.is_empty() || shared.push(failed(in_tar(&damaged))),
            Err(error) => return shared.push(failed(error)),
        }
        if let (Some((error, line)), Some(member)) = (block.damage(), block.member()) {
            if damaged.len() < NAMED + 1 {
                damaged.push(format!("{member}:{line}: breaks off: {error}"));
            }
            continue;
        }
        let mut lines = Lines::default();
        for line in block.lines() {
            match (skip, line.too_long) {
                (1.., _) => skip -= 1,
                (0, true) => lines.push_too_long(line.bytes),
                (0, false) => lines.push(line.bytes, line.ending),
            }
        }
        let given = lines.len() as u64;
        if given > 0 && !shared.push(Ok(Given { name: cursor.clone(), before, lines })) {
            return false;
        }
        before += given;
    }
}

/// Files in a tar that are named where they break off.
const NAMED: usize = 10;

fn in_tar(damaged: &[String]) -> io::Error {
    let more = if damaged.len() > NAMED { "; and further ones" } else { "" };
    let named = damaged[..damaged.len().min(NAMED)].join("; ");
    io::Error::new(io::ErrorKind::InvalidData, format!("{named}{more}; the rest of the tar was read"))
}

fn open(input: Input, options: Options, count: &Arc<Count>) -> io::Result<Reader> {
    match input {
        Input::File(path) => {
            let file = File::open(path)?;
            let kind = file.metadata()?;
            if kind.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            let live = options.live || !kind.is_file();
            Reader::with_options(Counted { read: file, count: count.clone() }, Options { live, ..options })
        }
        Input::Stream { read, .. } => {
            Reader::with_options(Counted { read, count: count.clone() }, Options { live: true, ..options })
        }
    }
}

/// Bytes that were read.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Counted<R> {
    read: R,
    count: Arc<Count>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.read.read(buffer)?;
        self.count.add(read as u64);
        Ok(read)
    }
}
