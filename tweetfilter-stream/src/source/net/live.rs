//! Keeping a connection.

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tweetfilter_core::post::Millis;

use super::backoff::{Backoff, HEALTHY, Trouble};
use super::time::TokioClock;
use super::wire::{BoxFuture, Connection, Fault, Received, Wire};
use crate::buffer::Gap;
use crate::source::{Chunk, Clock, Notice, Source, SourceError};

/// Bytes after which a chunk is given, though more is there.
const CHUNK: usize = 256 << 10;

/// Lines after which it is: blank ones have hardly any bytes, and each takes its place in memory all the same.
const LINES: usize = 16 << 10;

/// Pieces after which it is, however small they are.
const PIECES: usize = 1024;

/// How long a connection may take to be made and answered.
const CONNECTING: Duration = Duration::from_secs(30);

/// How often it is looked whether it still runs, while nothing comes.
const BEAT: Duration = Duration::from_millis(500);

/// Who comes back so long after the last look had something else to do, or did not run: a process that was stopped, a
/// machine that slept.
const BUSY: Duration = Duration::from_secs(1);

/// Who has read again for so long, and found nothing more for a moment, has read all that lay there.
const SETTLED: Duration = Duration::from_secs(2);

/// A live stream, connected again whenever it ends.
///
/// A network without a cursor leaves a gap between two connections, from the last line (a keep-alive is one) to
/// the first. Its stored cursor is the time of the last line, so that a restart leaves such a gap as well. Lines that
/// lay there while nobody asked, or while the process or its machine was stopped, came at an unknown time: until all of
/// them are read, the last line is the one before.
///
/// Use it within a Tokio runtime with I/O and time. It spawns nothing.
pub struct Live<W> {
    wire: W,
    clock: Arc<dyn Clock>,
    state: State,
    backoff: Backoff,
    /// When the last line came.
    last: Option<Millis>,
    /// When it was looked after last, by either clock: the one that never goes back stands still while the machine sleeps.
    looked: Option<(Duration, Millis)>,
    /// When to look next, though nothing has come.
    beat: Option<BoxFuture<()>>,
    /// Since when lines are read that may have come long ago, and whether nothing more was there for a moment.
    behind: Option<(Duration, bool)>,
    /// Why the connection before ended, until the next one has given a line.
    broken: Option<String>,
    /// What happened since the last chunk.
    notices: Vec<Notice>,
}

impl<W: fmt::Debug> fmt::Debug for Live<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("wire", &self.wire)
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}

enum State {
    Idle,
    Waiting(BoxFuture<()>),
    Connecting {
        connection: BoxFuture<Result<Connection, Fault>>,
        limit: BoxFuture<()>,
    },
    Open(Open),
    /// To be said once the lines before it were given.
    Refused(Fault),
}

struct Open {
    connection: Connection,
    since: Duration,
    /// When something last came that shows that it lives.
    alive: Duration,
    /// When to look at that again.
    look: BoxFuture<()>,
    /// Whether it gave anything.
    gave: bool,
}

impl<W: Wire> Live<W> {
    /// Connects when it is first asked for lines.
    pub fn new(wire: W) -> Self {
        Self::with_clock(wire, Arc::new(TokioClock::default()))
    }

    /// The same with another clock.
    pub fn with_clock(wire: W, clock: Arc<dyn Clock>) -> Self {
        Self {
            wire,
            clock,
            state: State::Idle,
            backoff: Backoff::default(),
            last: None,
            looked: None,
            beat: None,
            behind: None,
            broken: None,
            notices: Vec::new(),
        }
    }

    /// Reads on behind the cursor of a chunk; what can't be read again becomes a gap.
    ///
    /// # Errors
    /// [`SourceError::Cursor`] if it is of another kind of source.
    pub fn resume(mut self, cursor: &str) -> Result<Self, SourceError> {
        if self.wire.resumes() {
            self.wire.resume(cursor)?;
        } else {
            let last = cursor.parse().ok().filter(|at| (0..super::MICROS).contains(at));
            self.last = Some(last.ok_or(SourceError::Cursor(super::OF_ITS_KIND))?);
            self.broken = Some("it was not read".to_owned());
        }
        Ok(self)
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Chunk>, SourceError>> {
        loop {
            let polled = match &mut self.state {
                State::Idle => {
                    self.connect();
                    continue;
                }
                State::Waiting(sleep) => match sleep.as_mut().poll(cx) {
                    Poll::Ready(()) => {
                        self.connect();
                        continue;
                    }
                    Poll::Pending => Poll::Pending,
                },
                State::Connecting { connection, limit } => match connection.as_mut().poll(cx) {
                    Poll::Ready(Ok(connection)) => {
                        self.opened(connection);
                        Poll::Pending
                    }
                    Poll::Ready(Err(fault)) => Poll::Ready(fault),
                    Poll::Pending => {
                        limit.as_mut().poll(cx).map(|()| Fault::network("no answer to the request in time"))
                    }
                },
                State::Refused(fault) => Poll::Ready(fault.clone()),
                State::Open(_) => match self.read(cx) {
                    (None, fault) => fault,
                    (Some(chunk), Poll::Pending) => return Poll::Ready(Ok(Some(chunk))),
                    (Some(mut chunk), Poll::Ready(fault)) => {
                        // The lines that came before it are given first.
                        if fault.trouble == Trouble::Refused {
                            self.state = State::Refused(fault);
                        } else {
                            let _ = self.failed(fault);
                        }
                        chunk.notices.append(&mut self.notices);
                        return Poll::Ready(Ok(Some(chunk)));
                    }
                },
            };
            let pending = polled.is_pending();
            if let Poll::Ready(fault) = polled
                && let Err(refused) = self.failed(fault)
            {
                return Poll::Ready(Err(refused));
            }
            if !self.notices.is_empty() {
                let notices = std::mem::take(&mut self.notices);
                return Poll::Ready(Ok(Some(Chunk { at: self.clock.wall(), notices, ..Chunk::default() })));
            }
            if pending {
                return Poll::Pending;
            }
        }
    }

    /// Notices if nobody has looked for a while: before something is read, and once more when it was, since it may be then
    /// that the process was stopped.
    fn look(&mut self) {
        let (now, wall) = (self.clock.now(), self.clock.wall());
        let Some((looked, looked_wall)) = self.looked.replace((now, wall)) else { return };
        let slept = Duration::from_millis(u64::try_from(wall.saturating_sub(looked_wall)).unwrap_or(0));
        if now.saturating_sub(looked).max(slept) > BUSY {
            self.behind = Some((now, false));
        }
    }

    /// Has it looked again soon.
    fn beat(&mut self, cx: &mut Context<'_>) {
        loop {
            let beat = self.beat.get_or_insert_with(|| self.clock.sleep(BEAT));
            if beat.as_mut().poll(cx).is_pending() {
                return;
            }
            self.beat = None;
        }
    }

    fn connect(&mut self) {
        let limit = self.clock.sleep(CONNECTING);
        self.state = State::Connecting { connection: self.wire.connect(), limit };
    }

    fn opened(&mut self, connection: Connection) {
        self.notices.push(Notice::Connected { address: self.wire.address() });
        let now = self.clock.now();
        let look = self.clock.sleep(self.wire.silence());
        self.behind = None;
        self.state = State::Open(Open { connection, since: now, alive: now, look, gave: false });
    }

    /// Reads what is there; gives a chunk if there are lines, and the fault if the connection has ended.
    fn read(&mut self, cx: &mut Context<'_>) -> (Option<Chunk>, Poll<Fault>) {
        let State::Open(open) = &mut self.state else { return (None, Poll::Pending) };
        let (now, at) = (self.clock.now(), self.clock.wall());
        self.behind = self.behind.filter(|(since, was_out)| !was_out || now.saturating_sub(*since) < SETTLED);
        let mut chunk = Chunk { at, ..Chunk::default() };
        let mut fault = Poll::Pending;
        let mut pieces = 0;
        while fault.is_pending() {
            let is_full = chunk.lines.size() >= CHUNK || chunk.lines.len() >= LINES;
            if is_full || (pieces >= PIECES && !chunk.lines.is_empty()) {
                break;
            }
            if pieces >= PIECES {
                // Much came and no line ended in it: others have their turn.
                cx.waker().wake_by_ref();
                break;
            }
            pieces += 1;
            match open.connection.as_mut().poll_next(cx) {
                Poll::Pending => {
                    // By itself that says little: what lies in the socket comes through other hands.
                    self.behind = self.behind.map(|(since, _)| (since, true));
                    break;
                }
                Poll::Ready(None) => fault = Poll::Ready(self.wire.ended(&mut chunk)),
                Poll::Ready(Some(Err(failed))) => fault = Poll::Ready(failed),
                Poll::Ready(Some(Ok(Received::Alive))) => open.alive = now,
                Poll::Ready(Some(Ok(Received::Bytes(bytes)))) => {
                    match self.wire.take(&bytes, at, &mut chunk) {
                        Ok(false) => continue,
                        Ok(true) => {}
                        Err(failed) => fault = Poll::Ready(failed),
                    }
                    open.alive = now;
                    open.gave = true;
                }
            }
        }
        let silence = self.wire.silence();
        while fault.is_pending() && open.look.as_mut().poll(cx).is_ready() {
            let quiet = now.saturating_sub(open.alive);
            // Who comes back after a long time waits a moment for what lies there.
            let moment =
                self.behind.map(|(since, _)| (since + SETTLED).saturating_sub(now)).unwrap_or_default();
            let left = silence.saturating_sub(quiet).max(moment);
            if left.is_zero() {
                let reason = format!("it stalled: nothing came for {} s", quiet.as_secs());
                fault = Poll::Ready(Fault::network(reason));
            } else {
                open.look = self.clock.sleep(left);
            }
        }
        self.look();
        (self.complete(chunk), fault)
    }

    /// Adds what is known beside the lines.
    fn complete(&mut self, mut chunk: Chunk) -> Option<Chunk> {
        if chunk.lines.is_empty() && chunk.gaps.is_empty() && chunk.notices.is_empty() {
            return None;
        }
        if self.wire.resumes() {
            chunk.cursor = self.wire.cursor();
        } else if !chunk.lines.is_empty() {
            if let (Some(reason), Some(from)) = (self.broken.take(), self.last) {
                chunk.gaps.push(Gap { from, to: chunk.at.max(from), reason, missing: None });
            }
            let last = self.last.filter(|_| self.behind.is_some()).unwrap_or(chunk.at);
            self.last = Some(last);
            chunk.cursor = Some(last.to_string());
        }
        Some(chunk)
    }

    /// Notes a fault and begins to wait; fails if waiting is of no use.
    fn failed(&mut self, fault: Fault) -> Result<(), SourceError> {
        let address = self.wire.address();
        if let State::Open(open) = &self.state
            && open.gave
            && self.clock.now().saturating_sub(open.since) >= HEALTHY
        {
            self.backoff = Backoff::default();
        }
        self.state = State::Idle;
        self.notices.push(Notice::Disconnected { reason: format!("{address}: {}", fault.reason) });
        if self.last.is_some() {
            self.broken.get_or_insert_with(|| fault.reason.clone());
        }
        let elsewhere = self.wire.turn(&fault);
        let trouble = match fault.trouble {
            Trouble::Refused if elsewhere => Trouble::Server,
            trouble => trouble,
        };
        let (backoff, wait) = self.backoff.after(trouble, fault.retry_after);
        let Some(wait) = wait else {
            return Err(SourceError::Refused { address, status: fault.status, reason: fault.reason });
        };
        self.backoff = backoff;
        self.notices.push(Notice::BackingOff { wait });
        self.state = State::Waiting(self.clock.sleep(wait));
        Ok(())
    }
}

impl<W: Wire> Source for Live<W> {
    fn next(&mut self) -> impl Future<Output = Result<Option<Chunk>, SourceError>> + Send {
        poll_fn(|cx| {
            self.look();
            let polled = self.poll_chunk(cx);
            self.look();
            if polled.is_pending() && matches!(self.state, State::Open(_)) {
                self.beat(cx);
            }
            polled
        })
    }

    fn rest(&mut self) -> Vec<Gap> {
        self.wire.rest()
    }
}
