//! Reading files ahead, on a thread, for whoever waits in any runtime.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::cursor::{Before, Cursor, Mark, Start, another, known_again, name};
use crate::files::{Block, Line, Options, Reader};
use crate::source::{Lines, Place, SourceError};

/// Blocks that are read ahead.
const AHEAD: usize = 2;

/// One thing to read.
pub(super) enum Input {
    File(PathBuf),
    Stream { name: String, read: Box<dyn Read + Send> },
}

/// Lines of one file.
#[derive(Default)]
pub(super) struct Given {
    /// Behind the lines that come before these; `None` where no cursor can be kept.
    place: Option<Cursor>,
    /// What these are lines of; `None` where other lines come when it is read again.
    of: Option<Arc<str>>,
    pub(super) lines: Lines,
    /// Whether the last of them is cut off, so that it is to be read again when it is whole.
    unfinished: bool,
    /// What was read before and is read again, with the reason, or will be.
    pub(super) notice: Option<String>,
}

impl Given {
    fn notice(reason: String) -> Self {
        Self { notice: Some(reason), ..Self::default() }
    }

    /// Where to read on once so many of the lines are safe.
    pub(super) fn cursor(&self, upto: usize) -> Option<String> {
        let place = self.place.clone()?;
        let whole = self.lines.len() - usize::from(self.unfinished);
        let lines = place.lines + upto.min(whole) as u64;
        serde_json::to_string(&Cursor { lines, ..place }).ok()
    }
}

impl Given {
    /// Where a line stands, by its number among these.
    pub(super) fn place(&self, index: usize) -> Option<Place> {
        let (place, of) = (self.place.as_ref()?, self.of.clone()?);
        Some(Place { of, line: place.lines + index as u64 + 1 })
    }
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
    pub(super) fn start(inputs: VecDeque<Input>, options: Options, start: Start, count: Arc<Count>) -> Self {
        let shared = Arc::new(Shared { state: Mutex::default(), room: Condvar::new() });
        let far = Far(shared.clone());
        let started = std::thread::Builder::new().name("source".into()).spawn(move || {
            let Start { mut before, mut skip, reason, .. } = start;
            if reason.is_some_and(|reason| !far.0.push(Ok(Given::notice(reason)))) {
                return;
            }
            for input in inputs {
                let reading = Reading { shared: &far.0, options, count: &count };
                if !reading.input(input, &mut before, std::mem::take(&mut skip)) {
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

/// What reading an input takes.
struct Reading<'r> {
    shared: &'r Shared,
    options: Options,
    count: &'r Arc<Count>,
}

/// What became of an input.
enum End {
    /// It was read, or can't be.
    Done,
    /// It has fewer lines than were read of it.
    Shorter,
    /// Nobody wants more.
    Left,
}

impl Reading<'_> {
    /// Reads one input to its end; `false` if nobody wants more.
    fn input(&self, input: Input, before: &mut Before, skip: u64) -> bool {
        let Input::File(path) = &input else {
            let Input::Stream { name, .. } = &input else { return true };
            let name = name.clone();
            return !matches!(self.lines(input, &name, None, 0), End::Left);
        };
        let (path, file) = (path.clone(), name(path));
        // As it is before it is read: what is added meanwhile makes it no other.
        let mark = Mark::of(&path);
        let place = |lines| Cursor { file: file.clone(), mark: mark.clone(), before: before.clone(), lines };
        let mut read = self.lines(input, &file, Some(place(skip)), skip);
        if matches!(read, End::Shorter) {
            read = match self.shared.push(Ok(Given::notice(another(&file)))) {
                true => self.lines(Input::File(path), &file, Some(place(0)), 0),
                false => End::Left,
            };
        }
        before.add(mark.as_ref());
        !matches!(read, End::Left)
    }

    /// Reads lines behind so many. A file in a tar that breaks off is told when the others were read.
    fn lines(&self, input: Input, shown: &str, mut place: Option<Cursor>, mut skip: u64) -> End {
        let said = |item| if self.shared.push(item) { End::Done } else { End::Left };
        let failed = |error| Err(SourceError::Read { name: shown.to_owned(), error });
        let (mut damaged, mut cut_off) = (Vec::new(), false);
        let mut reader = match open(input, self.options, self.count) {
            Ok(reader) => reader,
            Err(error) => return said(failed(error)),
        };
        let (mut block, mut of) = (Block::default(), None);
        loop {
            match reader.read(&mut block) {
                Ok(true) => {}
                Ok(false) if skip > 0 => return End::Shorter,
                Ok(false) if !damaged.is_empty() => return said(failed(in_tar(&damaged))),
                Ok(false) if cut_off && place.is_some() => return said(Ok(Given::notice(later(shown)))),
                Ok(false) => return End::Done,
                Err(error) => return said(failed(behind(&damaged, error))),
            }
            if let (Some((error, line)), Some(member)) = (block.damage(), block.member()) {
                if damaged.len() < NAMED + 1 {
                    // Of what is not read it says so itself.
                    let is_cut = error.kind() != io::ErrorKind::Unsupported;
                    let cut = if is_cut { "breaks off: " } else { "" };
                    damaged.push(format!("{member}:{line}: {cut}{error}"));
                }
                continue;
            }
            if of.is_none()
                && let Some(Cursor { file, mark: Some(_), .. }) = &place
                && let Some(first) = block.lines().find(|line| !line.bytes.trim_ascii().is_empty())
            {
                of = Some(known_again(file, first.bytes).into());
            }
            let mut lines = Lines::default();
            for line in block.lines() {
                match (skip, line.too_long) {
                    (1.., _) => {
                        skip -= 1;
                        continue;
                    }
                    (0, true) => lines.push_too_long(line.bytes),
                    (0, false) => lines.push(line.bytes, line.ending),
                }
                lines.last_is_cut_off(line.cut_off);
            }
            let given = lines.len() as u64;
            if given == 0 {
                continue;
            }
            cut_off = !self.options.text && block.lines().next_back().is_some_and(is_cut_off);
            let item =
                Given { place: place.clone(), of: of.clone(), lines, unfinished: cut_off, notice: None };
            if !self.shared.push(Ok(item)) {
                return End::Left;
            }
            if let Some(place) = &mut place {
                place.lines += given;
            }
        }
    }
}

/// Whether a line has no end yet and is no whole message either: more of it may follow, if it is the last one.
fn is_cut_off(line: Line<'_>) -> bool {
    line.ending.is_empty()
        && !line.too_long
        && serde_json::from_slice::<serde::de::IgnoredAny>(line.bytes).is_err()
}

/// Said of a file whose last line is cut off.
fn later(file: &str) -> String {
    format!(
        "the last line of {file} is cut off: it is passed over, and read again by the next run, when the rest of it may \
         be there"
    )
}

/// Files in a tar that are named where they break off.
const NAMED: usize = 10;

fn in_tar(damaged: &[String]) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}; the rest of the tar was read", named(damaged)))
}

/// An error behind which nothing is read, with the files in the tar that were damaged before it.
fn behind(damaged: &[String], error: io::Error) -> io::Error {
    match damaged {
        [] => error,
        damaged => io::Error::new(error.kind(), format!("{}; {error}", named(damaged))),
    }
}

fn named(damaged: &[String]) -> String {
    let more = if damaged.len() > NAMED { "; and further ones" } else { "" };
    format!("{}{more}", damaged[..damaged.len().min(NAMED)].join("; "))
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
