//! A part, and how it is.

use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tweetfilter_core::post::Millis;
use tweetfilter_sql::CrashEvent;
use tweetfilter_stream::buffer::BufferError;
use tweetfilter_stream::source::Chunk;

use super::connection::{AWAY, Connection};
use super::counters::Counters;
use super::figures::{PartState, Refusal};
use super::needed::{Asked, Away, Needed, SILENCE, Server, began};
use crate::parts::now;

/// Crashes that are kept while the store is away.
const CRASHES: usize = 100;
/// Why a part waits that does not run yet.
const BEGINS: &str = "it has not answered since the process began";

/// How a part is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It does what it is there for, or would if there were something to do.
    #[default]
    Running,
    /// It holds what it has until the store answers.
    WaitingForStore,
    /// It holds what it has until the buffer answers, or has room.
    WaitingForBuffer,
    /// Its source can't be reached, gives nothing, or ends its connections again and again: it is tried again.
    SourceAway,
    /// Another instance reads its source; it takes over if that one falls silent.
    StandingBy,
    /// It broke, and is started again in a moment.
    Restarting,
    /// Its source refused it, or can't be set up: somebody has to do something. It is tried again now and then.
    Refused,
    /// It came to its end.
    Ended,
}

impl State {
    /// For programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::WaitingForStore => "waiting_for_store",
            Self::WaitingForBuffer => "waiting_for_buffer",
            Self::SourceAway => "source_away",
            Self::StandingBy => "standing_by",
            Self::Restarting => "restarting",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }

    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::WaitingForStore => "waiting for the store",
            Self::WaitingForBuffer => "waiting for the buffer",
            Self::SourceAway => "without a connection",
            Self::StandingBy => "standing by",
            Self::Restarting => "starting again",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }

    /// Whether a part that has been so for so long does what it is there for, or need not.
    pub(super) fn is_well(self, lasted: Millis) -> bool {
        match self {
            Self::Running | Self::StandingBy | Self::Ended => true,
            Self::SourceAway => lasted < AWAY,
            Self::WaitingForStore | Self::WaitingForBuffer | Self::Restarting | Self::Refused => false,
        }
    }
}

/// A part of the product that runs in this process.
#[derive(Debug)]
pub struct Part {
    name: String,
    /// What it counts.
    pub counters: Counters,
    started_at: AtomicI64,
    restarts: AtomicU64,
    /// Whether it runs (0), broke (1), ended (2) or was refused (3), and since when.
    life: AtomicU8,
    life_at: AtomicI64,
    store: Needed,
    buffer: Needed,
    claim: Needed,
    /// For which server it holds what it has, and how that is away: its questions alone do not say, where the server answers
    /// some of them and not those that matter.
    holds: Mutex<Option<Holds>>,
    standing_by: AtomicI64,
    connection: Connection,
    refusal: Mutex<Option<Refusal>>,
    nobody: Mutex<Option<String>>,
    newer: AtomicU64,
    crashes: Mutex<Vec<CrashEvent>>,
}

/// For which server a part holds what it has: for how long it had when it said so, when that was, and why.
#[derive(Clone, Debug)]
struct Holds {
    server: Server,
    lasted: Duration,
    told: Instant,
    reason: String,
}

impl Part {
    /// A part of a name such as `work`, or `ingest NAME` with the name of the source.
    #[must_use]
    pub fn new(name: &str) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            counters: Counters::default(),
            started_at: AtomicI64::new(now()),
            restarts: AtomicU64::new(0),
            life: AtomicU8::new(0),
            life_at: AtomicI64::new(now()),
            store: Needed::default(),
            buffer: Needed::default(),
            claim: Needed::default(),
            holds: Mutex::default(),
            standing_by: AtomicI64::new(0),
            connection: Connection::default(),
            refusal: Mutex::default(),
            nobody: Mutex::default(),
            newer: AtomicU64::new(0),
            crashes: Mutex::default(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How often it was started again.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// How it is, and since when.
    #[must_use]
    pub fn state(&self) -> (State, Millis) {
        let since = self.life_at.load(Ordering::Relaxed);
        let taken = self.standing_by.load(Ordering::Relaxed);
        match self.life.load(Ordering::Relaxed) {
            1 => return (State::Restarting, since),
            2 => return (State::Ended, since),
            3 => return (State::Refused, since),
            _ => {}
        }
        match self.waits() {
            Some((Server::Store, away)) => (State::WaitingForStore, away.since),
            Some((Server::Buffer | Server::Claim, away)) => (State::WaitingForBuffer, away.since),
            None if taken > 0 => (State::StandingBy, taken),
            None => match self.connection.lost(now()) {
                Some(lost) => (State::SourceAway, lost.since),
                None => (State::Running, since),
            },
        }
    }

    /// Whether it does what it is there for, or need not; a source may be without a connection for a moment.
    pub(super) fn is_up(&self) -> bool {
        let (state, since) = self.state();
        state.is_well(now() - since)
    }

    /// For which server it waits, and how that is away.
    fn waits(&self) -> Option<(Server, Away)> {
        let holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let held = holds.and_then(|Holds { server, lasted, told, reason }| {
            let lasted = lasted.saturating_add(told.elapsed());
            // What is over in a moment, such as a deadlock, is no waiting.
            (lasted > SILENCE).then(|| (server, Away { since: began(lasted), reason }))
        });
        held.or_else(|| {
            let servers = [Server::Store, Server::Buffer, Server::Claim];
            servers.into_iter().find_map(|server| Some((server, self.needed(server).away()?)))
        })
    }

    /// It broke, and is started again soon.
    pub(crate) fn broke(&self) {
        self.lives(1);
    }

    /// It was refused, and is tried again later.
    pub(crate) fn refused(&self, refusal: Refusal) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
        self.lives(3);
    }

    /// What its source gives is for an account of this name, and there is none; or there is one.
    pub(crate) fn reaches_nobody(&self, account: Option<String>) {
        *self.nobody.lock().unwrap_or_else(PoisonError::into_inner) = account;
    }

    /// So many entries of a newer version are in the buffer, and it leaves them there.
    pub(crate) fn leaves_newer(&self, entries: u64) {
        self.newer.store(entries, Ordering::Relaxed);
    }

    /// How many these are.
    pub(super) fn newer(&self) -> u64 {
        self.newer.load(Ordering::Relaxed)
    }

    /// It is started again after it broke.
    pub(crate) fn started_again(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
        self.begins();
    }

    /// It begins anew.
    pub(crate) fn begins(&self) {
        self.started_at.store(now(), Ordering::Relaxed);
        for needed in [&self.store, &self.buffer, &self.claim] {
            needed.answered(None);
        }
        self.goes_on();
        self.standing_by.store(0, Ordering::Relaxed);
        self.connection.forget();
        self.leaves_newer(0);
        self.lives(0);
    }

    /// It came to its end.
    pub(crate) fn ended(&self) {
        self.lives(2);
    }

    fn lives(&self, life: u8) {
        self.life.store(life, Ordering::Relaxed);
        self.life_at.store(now(), Ordering::Relaxed);
    }

    fn needed(&self, server: Server) -> &Needed {
        match server {
            Server::Store => &self.store,
            Server::Buffer => &self.buffer,
            Server::Claim => &self.claim,
        }
    }

    /// A server answered, or is away for a reason.
    pub(crate) fn heard(&self, server: Server, away: Option<String>) {
        self.needed(server).answered(away);
    }

    /// Its process has just begun, and waits for the store before it runs; or waits no more.
    pub fn waits_for_store(&self, waits: bool) {
        self.heard(Server::Store, waits.then(|| BEGINS.to_owned()));
    }

    /// The same of the buffer.
    pub fn waits_for_buffer(&self, waits: bool) {
        self.heard(Server::Buffer, waits.then(|| BEGINS.to_owned()));
    }

    /// It has held for so long what it has, since a server does not do what it is asked for.
    pub(crate) fn holds(&self, server: Server, lasted: Duration, reason: String) {
        let holds = Holds { server, lasted, told: Instant::now(), reason };
        *self.holds.lock().unwrap_or_else(PoisonError::into_inner) = Some(holds);
    }

    /// It holds nothing any more.
    pub(crate) fn goes_on(&self) {
        *self.holds.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A question to a server begins.
    pub(crate) fn asks(&self, server: Server) -> Asked<'_> {
        self.needed(server).asks()
    }

    /// What came of a claim on its source: another instance may have it. Of one that failed nobody knows, so that stays.
    pub(crate) fn claimed<T>(&self, claimed: &Result<T, BufferError>) {
        match claimed {
            Ok(_) if self.standing_by.swap(0, Ordering::Relaxed) > 0 => {
                self.life_at.store(now(), Ordering::Relaxed);
            }
            Err(BufferError::Taken { .. }) => {
                let _ = self.standing_by.compare_exchange(0, now(), Ordering::Relaxed, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Its source gave lines, or said how its connection is.
    pub(crate) fn gave(&self, chunk: &Chunk) {
        if self.connection.gave(chunk, now()) {
            self.life_at.store(now(), Ordering::Relaxed);
        }
    }

    /// Keeps a crash that could not be recorded, until it can.
    pub(crate) fn keep_crash(&self, event: CrashEvent) {
        let mut crashes = self.crashes.lock().unwrap_or_else(PoisonError::into_inner);
        if crashes.len() < CRASHES {
            crashes.push(event);
        }
    }

    /// The first of these, which stays until it [is recorded](Part::crash_recorded): whoever records it may be cut off.
    pub(super) fn crash(&self) -> Option<CrashEvent> {
        self.crashes.lock().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }

    /// The first of these is kept by the store.
    pub(super) fn crash_recorded(&self) {
        let mut crashes = self.crashes.lock().unwrap_or_else(PoisonError::into_inner);
        if !crashes.is_empty() {
            crashes.remove(0);
        }
    }

    pub(crate) fn told(&self) -> PartState {
        let (state, since) = self.state();
        let started_at = self.started_at.load(Ordering::Relaxed);
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refusal = refusal.filter(|_| state == State::Refused);
        let (waits, again_at) = match state {
            State::WaitingForStore | State::WaitingForBuffer => {
                (self.waits().map(|(_, away)| away.reason), None)
            }
            State::SourceAway => {
                let lost = self.connection.lost(now());
                (lost.as_ref().map(|lost| lost.reason.clone()), lost.and_then(|lost| lost.again_at))
            }
            _ => (None, None),
        };
        let nobody = self.nobody.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (name, restarts, newer) = (self.name.clone(), self.restarts(), self.newer());
        PartState { name, state, since, started_at, restarts, waits, again_at, refusal, nobody, newer }
    }
}

#[cfg(test)]
mod tests {
    use tweetfilter_stream::source::Notice;

    use super::*;

    #[test]
    fn a_part_waits_for_what_is_away_and_nothing_else() {
        let part = Part::new("work");
        assert_eq!(part.state().0, State::Running);
        let away = || Some("no route".to_owned());
        part.asks(Server::Store).answered(away());
        part.asks(Server::Buffer).answered(None);
        assert_eq!(part.state().0, State::WaitingForStore);
        assert_eq!(part.told().waits, away());
        let (_, since) = part.state();
        part.asks(Server::Store).answered(away());
        assert_eq!(part.state(), (State::WaitingForStore, since), "since the first time");
        part.asks(Server::Store).answered(None);
        // A question that somebody gave up.
        drop(part.asks(Server::Buffer));
        assert_eq!(part.state().0, State::WaitingForBuffer);
        part.broke();
        assert_eq!(part.state().0, State::Restarting);
        part.started_again();
        assert_eq!((part.state().0, part.restarts()), (State::Running, 1));
        let refusal = Refusal { reason: "no".into(), again_at: 7 };
        part.refused(refusal.clone());
        assert_eq!((part.told().state, part.told().refusal), (State::Refused, Some(refusal)));
        // That is no fault of its own.
        part.begins();
        assert_eq!((part.told().state, part.told().refusal, part.restarts()), (State::Running, None, 1));
        assert_eq!(part.told().waits, None);
    }

    #[test]
    fn a_part_that_stood_by_runs_since_it_took_over() {
        let (part, long_ago) = (Part::new("ingest a"), 1);
        part.life_at.store(long_ago, Ordering::Relaxed);
        part.claimed(&Ok(()));
        assert_eq!(part.state(), (State::Running, long_ago));
        let taken = Err::<(), _>(BufferError::Taken {
            source_name: "a".to_owned(),
            holder: "two".to_owned(),
            free_in: Duration::ZERO,
            cursor: None,
        });
        part.claimed(&taken);
        part.standing_by.store(2, Ordering::Relaxed);
        // Nor does it take over where no answer comes.
        part.claimed(&Err::<(), _>(BufferError::Away("no route".to_owned())));
        part.claimed(&taken);
        assert_eq!(part.state(), (State::StandingBy, 2));
        part.claimed(&Ok(()));
        let (state, since) = part.state();
        assert!(state == State::Running && since > 2, "{state:?} since {since}");
    }

    #[test]
    fn a_part_whose_source_is_away_says_why_and_when_it_is_tried_again() {
        let (part, wait) = (Part::new("ingest a"), Duration::from_secs(600));
        let reason = "x: 500".to_owned();
        let notices = vec![Notice::Disconnected { reason: reason.clone() }, Notice::BackingOff { wait }];
        part.gave(&Chunk { notices, ..Chunk::default() });
        let told = part.told();
        assert_eq!((told.state, told.waits.as_ref()), (State::SourceAway, Some(&reason)));
        assert!(told.again_at.is_some_and(|at| at >= told.since + 600_000), "{told:?}");
        let up = [0, AWAY - 1, AWAY].map(|lasted| told.state.is_well(lasted));
        assert_eq!(up, [true, true, false]);
        // The buffer is nearer.
        part.asks(Server::Buffer).answered(Some("full".to_owned()));
        assert_eq!(part.state().0, State::WaitingForBuffer);
        part.asks(Server::Buffer).answered(None);
        let mut chunk = Chunk::default();
        chunk.lines.push(b"", b"\r\n");
        part.gave(&chunk);
        let told = part.told();
        assert_eq!((told.state, told.waits, told.again_at), (State::Running, None, None));
    }

    #[test]
    fn a_crash_stays_with_its_part_until_it_is_recorded() {
        let part = Part::new("work");
        let crash = |reason: &str| CrashEvent { reason: reason.to_owned(), ..CrashEvent::default() };
        part.crash_recorded();
        part.keep_crash(crash("one"));
        part.keep_crash(crash("two"));
        // As where the store refuses it, or who records it is told to end.
        assert_eq!((part.crash(), part.crash()), (Some(crash("one")), Some(crash("one"))));
        part.crash_recorded();
        assert_eq!(part.crash(), Some(crash("two")));
        part.crash_recorded();
        assert_eq!(part.crash(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn how_long_a_server_owes_an_answer_no_wall_clock_says() {
        let seconds = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        let part = Part::new("work");
        let asked = part.asks(Server::Buffer);
        seconds(5).await;
        assert_eq!(part.state().0, State::Running);
        seconds(1).await;
        let (state, since) = part.state();
        assert!(state == State::WaitingForBuffer && (5_000..60_000).contains(&(now() - since)), "{since}");
        asked.answered(None);
        part.holds(Server::Store, Duration::from_secs(3), "deadlock".to_owned());
        seconds(2).await;
        assert_eq!(part.state().0, State::Running);
        seconds(1).await;
        let (state, since) = part.state();
        assert!(state == State::WaitingForStore && (5_000..60_000).contains(&(now() - since)), "{since}");
    }

    #[test]
    fn a_part_that_holds_what_it_has_waits_whatever_else_it_is_answered() {
        let part = Part::new("work");
        // A deadlock, over in a moment.
        part.holds(Server::Store, Duration::from_secs(1), "deadlock".to_owned());
        assert_eq!(part.state().0, State::Running);
        let (begun, hour) = (now(), Duration::from_secs(3_600));
        part.holds(Server::Store, hour, "read-only".to_owned());
        // It may read what it may not change.
        part.asks(Server::Store).answered(None);
        let told = part.told();
        assert_eq!((told.state, told.waits.as_deref()), (State::WaitingForStore, Some("read-only")));
        assert!((begun - 3_600_000..begun - 3_500_000).contains(&told.since), "{told:?}");
        part.goes_on();
        assert_eq!((part.told().state, part.told().waits), (State::Running, None));
        // A source may be this part's own in a buffer that is full.
        part.asks(Server::Buffer).answered(Some("full".to_owned()));
        part.asks(Server::Claim).answered(None);
        assert_eq!(part.state().0, State::WaitingForBuffer);
    }
}
