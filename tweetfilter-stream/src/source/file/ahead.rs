//! Reading files ahead, on a thread, for whoever waits in any runtime.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::cursor::{Before, Begun, Cursor, Mark, Start, another, known_again, name};
use super::held_back::HeldBack;
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
    /// Whether the first of them is the first of a file, or of one in a tar.
    pub(super) begins: bool,
    /// What of them counts, if they are to be read again when the file has grown.
    open: Option<Open>,
    /// What was read before and is read again, with the reason, or will be.
    pub(super) notice: Option<String>,
}

impl Given {
    fn notice(reason: String) -> Self {
        Self { notice: Some(reason), ..Self::default() }
    }

    /// Whether these are given again when the file has grown.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Where to read on once so many of the lines are safe.
    pub(super) fn cursor(&self, upto: usize) -> Option<Cursor> {
        let place = self.place.clone()?;
        let (lines, begun) = match &self.open {
            None => (place.lines + upto as u64, None),
            Some(open) => (place.lines - open.before, open.begun(upto)),
        };
        Some(Cursor { lines, begun, ..place })
    }

    /// Where a line stands, by its number among these.
    pub(super) fn place(&self, index: usize) -> Option<Place> {
        let (place, of) = (self.place.as_ref()?, self.of.clone()?);
        Some(Place { of, line: place.lines + index as u64 + 1 })
    }
}

/// Lines in which the file ends before it shows what they are.
struct Open {
    /// The number of the first of them.
    line: u64,
    /// Posts of that line that were given before.
    before: u64,
    /// Posts of that line, if it is all there is: a last line that is an array and breaks off.
    posts: usize,
}

impl Open {
    fn of(block: &Block) -> Option<Self> {
        let line = block.lines().next().filter(|_| block.is_open())?.number;
        let is_one = block.lines().all(|next| next.number == line);
        let is_post = |line: &Line<'_>| {
            !line.cut_off && serde_json::from_slice::<serde::de::IgnoredAny>(line.bytes).is_ok()
        };
        let posts = if is_one { block.lines().take_while(is_post).count() } else { 0 };
        Some(Self { line, before: 0, posts })
    }

    /// What was given of the line with so many of those that are there.
    fn begun(&self, upto: usize) -> Option<Begun> {
        let posts = self.before + upto.min(self.posts) as u64;
        (posts > 0).then_some(Begun { line: self.line, posts })
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
            let Start { mut before, skip, begun, reason, .. } = start;
            let mut behind = (skip, begun);
            if reason.is_some_and(|reason| !far.0.push(Ok(Given::notice(reason)))) {
                return;
            }
            for input in inputs {
                let reading = Reading { shared: &far.0, options, count: &count };
                if !reading.input(input, &mut before, std::mem::take(&mut behind)) {
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

/// Lines that were given, and posts of the one behind them.
type Behind = (u64, Option<Begun>);

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
    fn input(&self, input: Input, before: &mut Before, given: Behind) -> bool {
        let Input::File(path) = &input else {
            let Input::Stream { name, .. } = &input else { return true };
            let name = name.clone();
            return !matches!(self.lines(input, &name, None, (0, None)), End::Left);
        };
        let (path, file) = (path.clone(), name(path));
        // As it is before it is read: what is added meanwhile makes it no other.
        let mark = Mark::of(&path);
        let place = |lines| Cursor {
            file: file.clone(),
            mark: mark.clone(),
            before: before.clone(),
            lines,
            begun: None,
            held_back: HeldBack::default(),
        };
        let mut read = self.lines(input, &file, Some(place(given.0)), given);
        if matches!(read, End::Shorter) {
            read = match self.shared.push(Ok(Given::notice(another(&file)))) {
                true => self.lines(Input::File(path), &file, Some(place(0)), (0, None)),
                false => End::Left,
            };
        }
        before.add(mark.as_ref());
        !matches!(read, End::Left)
    }

    /// Reads lines behind those that were given. A file in a tar that breaks off is told when the others were read.
    fn lines(&self, input: Input, shown: &str, mut place: Option<Cursor>, given: Behind) -> End {
        let said = |item| if self.shared.push(item) { End::Done } else { End::Left };
        let failed = |error| Err(SourceError::Read { name: shown.to_owned(), error });
        let (mut skip, mut begun) = given;
        let (mut damaged, mut open_lines, mut is_unsure) = (Vec::new(), 0, false);
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
                Ok(false) if is_unsure => return said(failed(unsure(open_lines))),
                Ok(false) if open_lines > 0 && place.is_some() => {
                    return said(Ok(Given::notice(later(shown, open_lines))));
                }
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
            let mut open = Open::of(&block);
            // What is read on, that is: a file in a tar does not grow.
            is_unsure = block.may_be_document() && block.member().is_none() && place.is_some();
            let (mut lines, mut passed) = (Lines::default(), 0);
            for line in block.lines() {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                begun = begun.filter(|begun| begun.posts > passed && begun.line == line.number);
                if begun.is_some() {
                    passed += 1;
                    continue;
                }
                match line.too_long {
                    true => lines.push_too_long(line.bytes),
                    false => lines.push(line.bytes, line.ending),
                }
                lines.last_is_cut_off(line.cut_off || is_unsure);
            }
            if let Some(place) = &mut place {
                place.lines += passed;
            }
            let given = lines.len() as u64;
            if let Some(open) = &mut open {
                let before = block.lines().len() - lines.len();
                (open.before, open.posts) = (before as u64, open.posts.saturating_sub(before));
            }
            open_lines = if open.is_some() { given } else { 0 };
            if given == 0 {
                continue;
            }
            let begins = block.begins_file() && lines.len() == block.lines().len();
            let item = Given { place: place.clone(), of: of.clone(), lines, begins, open, notice: None };
            if !self.shared.push(Ok(item)) {
                return End::Left;
            }
            if let Some(place) = &mut place {
                place.lines += given;
            }
        }
    }
}

/// Said of a file that ends in so many lines before it shows what they are.
fn later(file: &str, lines: u64) -> String {
    let what = match lines {
        1 => format!("the last line of {file} is cut off: it is passed over, and"),
        _ => {
            format!("the last {lines} lines of {file} are cut off, or the beginning of a document: they are")
        }
    };
    format!("{what} read again by the next run, when the rest of it may be there")
}

/// Of a file that ends in so many lines that are a document or not.
fn unsure(lines: u64) -> io::Error {
    let said = format!(
        "its last {lines} lines may be the beginning of a JSON document, or the first of them is broken: they are passed \
         over, and read again by the next run, when more of it may be there"
    );
    io::Error::new(io::ErrorKind::UnexpectedEof, said)
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
