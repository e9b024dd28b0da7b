//! Notes how this process and its host are, every 15 seconds, and keeps it while the store is away.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tweetfilter_core::post::Millis;
use tweetfilter_sql::{Database, ProcessRow, Sample, SampleKind};
use tweetfilter_stream::buffer::{Buffer, BufferError};
use tweetfilter_stream::redis_streams::{self, RedisBuffer};
use tweetfilter_stream::store::StoreError;

use super::elsewhere;
use super::figures::{BufferFigures, ProcessFigures, ProcessState};
use super::gone::Doubts;
use super::needed::Server;
use super::probe::{Look, Probe};
use super::process::Process;
use crate::parts::{Buffers, HeldUp, Stop, now};

/// How often. All processes do it at the same moments, those that this divides the time of day by.
pub const EVERY: Duration = Duration::from_secs(15);
/// The first time comes soon, so that a part shows as soon as it runs.
const FIRST: Duration = Duration::from_secs(1);
/// Samples that are kept in memory while the store is away: half a day of a process.
const KEPT: usize = 3 * 4 * 60 * 12;
/// Samples that are written at once.
const AT_ONCE: usize = 256;
/// How long store or buffer may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same when the process ends, which has two seconds for all of this.
const LAST: Duration = Duration::from_millis(900);
/// After how long it is written again where another was in the way.
const AGAIN: Duration = Duration::from_millis(50);

/// Notes how a process is.
#[derive(Debug)]
pub struct Recorder {
    process: Arc<Process>,
    database: Database,
    buffer: Option<Buffers>,
    /// Where it is, as long as it is not opened.
    elsewhere: Option<(String, redis_streams::Options)>,
    probe: Option<Probe>,
    every: Duration,
    kept: VecDeque<Sample>,
    dropped: u64,
    away: bool,
    /// Whether it is known to the store, and those before it are found out, but for those of whom that takes time.
    begun: bool,
    doubts: Doubts,
    gaps_held: HeldUp,
}

impl Recorder {
    /// Notes how a process is, and the buffer if it has one.
    #[must_use]
    pub fn new(
        process: Arc<Process>,
        database: Database,
        buffer: Option<Buffers>,
        probe: Option<Probe>,
    ) -> Self {
        Self {
            process,
            database,
            buffer,
            elsewhere: None,
            probe,
            every: EVERY,
            kept: VecDeque::new(),
            dropped: 0,
            away: false,
            begun: false,
            doubts: Doubts::default(),
            gaps_held: HeldUp::default(),
        }
    }

    /// Notes it more often or less.
    #[must_use]
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every.max(Duration::from_millis(10));
        self
    }

    /// Notes a buffer on a server of its own that no part of the process needs: nobody else may run who does. It is opened once
    /// it answers.
    #[must_use]
    pub fn looking_at(mut self, address: String, options: redis_streams::Options) -> Self {
        self.elsewhere = Some((address, options));
        self
    }

    /// States in the store that this process runs, so that an end without notice is found out, and finds out those before
    /// it. Where the store is away, [`Recorder::run`] does it later.
    pub async fn begin(&mut self) {
        if !self.begun {
            let begun = tokio::time::timeout(PATIENCE, self.replace()).await;
            self.begun = matches!(begun, Ok(Ok(())));
        }
    }

    /// Goes on until it is told to stop, and then says that the process ends.
    pub async fn run(mut self, mut stop: Stop) {
        tokio::select! {
            () = self.begin() => {}
            () = stop.told() => {}
        }
        stop.sleep(FIRST.min(self.every)).await;
        self.note_unless_told(now(), &mut stop).await;
        while !stop.is_told() {
            let every = Millis::try_from(self.every.as_millis()).unwrap_or(Millis::MAX);
            let due = (now() / every + 1) * every;
            stop.sleep(Duration::from_millis((due - now()).max(0).cast_unsigned())).await;
            self.note_unless_told(due, &mut stop).await;
        }
        let look = self.look().await;
        if self.begun {
            self.take(now(), look, LAST).await;
        } else {
            // Where it was cut off in that, what stands there may be its own, and nobody would know that it ended.
            let _ = tokio::time::timeout(LAST, self.begin()).await;
        }
        self.write(ProcessState { ended: true, ..self.told() }, LAST).await;
        if self.away && self.begun {
            // There is no other place of which whoever takes this one's would know.
            tracing::warn!(
                "the store did not take it that this process ends; the next one that runs the same will report it as one \
                 that ended without saying so"
            );
        }
    }

    /// Notes how it is, until it is told to stop: what is cut off is written again, which changes nothing, and who ends has
    /// little time.
    async fn note_unless_told(&mut self, at: Millis, stop: &mut Stop) {
        if stop.is_told() {
            return;
        }
        let look = self.look().await;
        tokio::select! {
            () = self.note(at, look) => {}
            () = stop.told() => {}
        }
    }

    async fn note(&mut self, at: Millis, look: Look) {
        self.begin().await;
        self.open().await;
        self.take(at, look, PATIENCE).await;
        // What is not settled now is the next time.
        let _ = tokio::time::timeout(PATIENCE, self.doubts.settle(&self.process, &self.database)).await;
        self.write(self.told(), PATIENCE).await;
        if let Some(buffer) = self.buffer.clone().filter(|_| !self.away) {
            // What is not taken now is the next time.
            let taken = tokio::time::timeout(PATIENCE, self.take_gaps(&buffer)).await;
            if let Ok(taken) = taken {
                self.tell_gaps(&taken);
            }
            let crossed_out =
                tokio::time::timeout(PATIENCE, elsewhere::cross_out(&buffer, &self.database, now())).await;
            if let Ok(Err(error)) = crossed_out {
                tracing::debug!(%error, "what was committed before stays noted");
            }
        }
    }

    /// Takes the gaps of the store's own buffer. One whose keys were removed has no store until a worker says so again.
    async fn take_gaps(&self, buffer: &Buffers) -> Result<(), BufferError> {
        if self.process.parts().iter().any(|part| part.name() == "work") {
            buffer.claim_for(&self.database).await?;
        } else {
            buffer.check_owner(&self.database).await?;
        }
        elsewhere::take_gaps(buffer, &self.database).await
    }

    async fn open(&mut self) {
        let Some((address, options)) = self.elsewhere.clone() else { return };
        // One that is away, or is not fit, is tried again; whoever asks `/status` is told why.
        if let Ok(Ok(buffer)) = tokio::time::timeout(PATIENCE, RedisBuffer::open(&address, options)).await {
            (self.buffer, self.elsewhere) = (Some(Buffers::Redis(buffer)), None);
        }
    }

    /// Says why gaps can't be taken until somebody does something.
    fn tell_gaps(&mut self, taken: &Result<(), BufferError>) {
        match taken {
            Ok(()) => self.gaps_held = HeldUp::default(),
            Err(error @ BufferError::Unfit(_)) => {
                if let Some(lasted) = self.gaps_held.holds() {
                    tracing::warn!(for_seconds = lasted.as_secs(), %error, "gaps stay in the buffer");
                }
            }
            Err(_) => {}
        }
    }

    /// Reads of the machine on a thread that may wait for it.
    async fn look(&mut self) -> Look {
        let Some(mut probe) = self.probe.take() else { return Look::default() };
        let looked = tokio::task::spawn_blocking(move || (probe.look(), probe)).await;
        // A probe that panicked is not asked again.
        let Ok((look, probe)) = looked else { return Look::default() };
        self.probe = Some(probe);
        look
    }

    /// Takes a sample of everything.
    async fn take(&mut self, at: Millis, look: Look, patience: Duration) {
        let (host, name) = (self.process.host.clone(), self.process.name.clone());
        let parts = self.process.parts();
        let figures = ProcessFigures {
            began: self.process.started_at(),
            usage: look.own,
            parts: parts.iter().map(|part| (part.name().to_owned(), part.counters.figures())).collect(),
        };
        self.keep(at, SampleKind::Process, host.clone(), name, &figures);
        if self.probe.is_some() {
            self.keep(at, SampleKind::Host, host, String::new(), &look.host);
        }
        let Some(buffer) = self.buffer.clone() else { return };
        let room = async {
            match &buffer {
                // As the buffer looks at it that takes nothing more then.
                Buffers::Embedded(_) => self.database.room().await.ok().flatten().map(|room| room.left()),
                Buffers::Redis(redis) => redis.room().await.ok().flatten(),
            }
        };
        let asked = async { tokio::join!(buffer.stats(), room) };
        let Ok((Ok(stats), room)) = tokio::time::timeout(patience, asked).await else { return };
        let figures = BufferFigures { room, ..BufferFigures::of(&stats, now()) };
        self.keep(at, SampleKind::Buffer, String::new(), String::new(), &figures);
    }

    fn keep(
        &mut self,
        at: Millis,
        kind: SampleKind,
        host: String,
        name: String,
        body: &impl serde::Serialize,
    ) {
        let body = serde_json::to_string(body).unwrap_or_default();
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
            self.dropped += 1;
        }
        self.kept.push_back(Sample { at, kind, host, name, body });
    }

    /// Writes what is kept, as far as the store takes it.
    async fn write(&mut self, state: ProcessState, patience: Duration) {
        let writing = async {
            loop {
                match self.write_all(&state).await {
                    Err(StoreError::Retry(_)) => tokio::time::sleep(AGAIN).await,
                    written => break written,
                }
            }
        };
        let written = tokio::time::timeout(patience, writing).await;
        let away = match written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("no answer".to_owned()),
        };
        match &away {
            Some(reason) if !self.away => tracing::info!(reason, "samples are kept in memory"),
            None if self.away => tracing::info!(dropped = self.dropped, "samples are written again"),
            _ => {}
        }
        self.away = away.is_some();
        for part in self.process.parts().iter().filter(|part| part.name() == "api") {
            // It asks only when somebody asks it.
            part.heard(Server::Store, away.clone());
        }
        if !self.away {
            self.dropped = 0;
            if self.begun {
                self.doubts.written();
            }
        }
    }

    async fn write_all(&mut self, state: &ProcessState) -> Result<(), StoreError> {
        loop {
            let some: Vec<_> = self.kept.iter().take(AT_ONCE).cloned().collect();
            let is_last = some.len() == self.kept.len();
            // Before it has begun, what stands there may be what one says that was killed.
            let process = (is_last && self.begun).then(|| ProcessRow {
                host: self.process.host.clone(),
                name: self.process.name.clone(),
                at: now(),
                body: serde_json::to_string(state).unwrap_or_default(),
            });
            self.database.keep_samples(&some, process.as_ref()).await?;
            // Cut off before this, they are written again, which changes nothing.
            self.kept.drain(..some.len());
            if is_last {
                break;
            }
        }
        for part in self.process.parts() {
            // Cut off in between, one may be told twice, and none is lost.
            while let Some(event) = part.crash() {
                self.database.record_crash(&event).await?;
                part.crash_recorded();
            }
        }
        Ok(())
    }

    /// How the process is, and whom it has not found out about yet: one that takes its place before goes on with them.
    fn told(&self) -> ProcessState {
        ProcessState { doubted: self.doubts.of_name(&self.process.name), ..self.process.told() }
    }

    /// Finds out those of this host that are gone, and states that this one runs.
    async fn replace(&mut self) -> Result<(), StoreError> {
        self.doubts.begin(&self.process, &self.database).await?;
        let body = serde_json::to_string(&self.told()).unwrap_or_default();
        let (host, name) = (self.process.host.clone(), self.process.name.clone());
        self.database.keep_samples(&[], Some(&ProcessRow { host, name, at: now(), body })).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::logged::Log;
    use crate::parts::test_store::TestStore;

    #[tokio::test]
    async fn who_has_not_found_out_about_the_one_before_it_does_not_write_over_that() {
        let store = TestStore::open().await;
        // Of a number that no process has.
        let mut identity = serde_json::to_value(tweetfilter_stream::process::Identity::here()).unwrap();
        (identity["pid"], identity["began"]) = (u32::MAX.into(), "1".into());
        let (mut recorder, process, row) = after_another(&store, identity);
        store.keep_samples(&[], Some(&row)).await.unwrap();
        // The store did not answer when it began, and is back since.
        recorder.take(now(), Look::default(), PATIENCE).await;
        recorder.write(recorder.told(), PATIENCE).await;
        assert!(!recorder.away && recorder.kept.is_empty());
        assert_eq!(store.processes().await.unwrap(), [row]);
        recorder.note(now(), Look::default()).await;
        let crashes = store.crashes(9).await.unwrap();
        assert!(crashes.len() == 1 && crashes[0].reason.contains(&u32::MAX.to_string()), "{crashes:?}");
        let rows = store.processes().await.unwrap();
        assert!(rows.len() == 1 && rows[0].body.contains(&process.started_at().to_string()), "{rows:?}");
    }

    /// A recorder and its process, and a row of one that ran the same before, of which this is said.
    fn after_another(store: &TestStore, identity: serde_json::Value) -> (Recorder, Arc<Process>, ProcessRow) {
        let process = Process::new("ingest", Some("one"));
        let body =
            serde_json::json!({"pid": u32::MAX, "identity": identity, "command": "ingest", "started_at": 7});
        let (host, name) = (process.host.clone(), process.name.clone());
        let row = ProcessRow { host, name, at: now() - 60_000, body: body.to_string() };
        (Recorder::new(process.clone(), (**store).clone(), None, None), process, row)
    }

    #[tokio::test]
    async fn how_often_it_was_written_down_before_it_had_begun_says_nothing_of_others() {
        let store = TestStore::open().await;
        // Of whom nobody can see from here whether it runs.
        let (mut recorder, process, row) = after_another(&store, serde_json::json!({"space": "elsewhere"}));
        let row = ProcessRow { name: "ingest two".to_owned(), ..row };
        store.keep_samples(&[], Some(&row)).await.unwrap();
        for _ in 0..9 {
            recorder.take(now(), Look::default(), PATIENCE).await;
            recorder.write(recorder.told(), PATIENCE).await;
        }
        recorder.note(now(), Look::default()).await;
        assert!(recorder.begun);
        assert_eq!(store.crashes(9).await.unwrap(), []);
        // It is not heard of in three rounds since.
        for _ in 0..3 {
            recorder.note(now(), Look::default()).await;
        }
        assert_eq!(store.crashes(9).await.unwrap().len(), 1);
        assert!(store.processes().await.unwrap().iter().all(|row| row.name == process.name));
    }

    #[tokio::test]
    async fn who_is_told_to_end_while_it_begins_says_so_all_the_same() {
        let store = TestStore::open().await;
        let process = Process::new("ingest", Some("one"));
        let mut recorder = Recorder::new(process.clone(), (*store).clone(), None, None);
        // It stands there, and was cut off before it knew that.
        recorder.begin().await;
        recorder.begun = false;
        let (tell, stop) = Stop::new();
        tell.send(true).unwrap();
        recorder.run(stop).await;
        let rows = store.processes().await.unwrap();
        assert!(rows.len() == 1 && rows[0].body.contains(r#""ended":true"#), "{rows:?}");
        // Whoever takes its place finds nothing to report.
        let mut next = Recorder::new(Process::new("ingest", Some("one")), (*store).clone(), None, None);
        next.begin().await;
        assert!(next.begun);
        assert_eq!(store.crashes(9).await.unwrap(), []);
    }

    #[tokio::test]
    async fn samples_are_kept_while_the_store_does_not_answer_the_newest_of_them() {
        let (store, gone, (log, _guard)) = (TestStore::open().await, TestStore::open().await, Log::begin());
        let mut recorder = Recorder::new(Process::new("work", None), (*store).clone(), None, None);
        recorder.begin().await;
        gone.close().await;
        recorder.database = (*gone).clone();
        let before = now() - 60_000;
        for at in 0..3 {
            recorder.take(before + at, Look::default(), PATIENCE).await;
            recorder.write(recorder.told(), PATIENCE).await;
            assert!(recorder.away);
        }
        assert_eq!((recorder.kept.len(), log.count("samples are kept in memory")), (3, 1));
        recorder.database = (*store).clone();
        recorder.note(before + 3, Look::default()).await;
        assert!(!recorder.away && recorder.kept.is_empty());
        let kept = store.samples_since(before).await.unwrap();
        assert_eq!(kept.iter().map(|sample| sample.at - before).collect::<Vec<_>>(), [0, 1, 2, 3]);
        // More than are written at once, and more than memory is for.
        let far = before - 3_600_000;
        for at in 0..KEPT as Millis + 5 {
            recorder.keep(far + at, SampleKind::Process, "box".to_owned(), String::new(), &0);
        }
        assert_eq!((recorder.kept.len(), recorder.dropped, recorder.kept[0].at), (KEPT, 5, far + 5));
        recorder.write(recorder.told(), Duration::from_secs(600)).await;
        assert_eq!((recorder.kept.len(), recorder.dropped, recorder.away), (0, 0, false));
        assert_eq!(store.samples_since(far).await.unwrap().len(), KEPT + 4);
    }

    #[tokio::test]
    async fn why_gaps_stay_in_the_buffer_is_said_now_and_then_until_they_are_taken() {
        let store = TestStore::open().await;
        let mut recorder = Recorder::new(Process::new("work", None), (*store).clone(), None, None);
        tokio::time::pause();
        let (log, _guard) = Log::begin();
        let mut told = |taken: Result<(), BufferError>| {
            let before = log.count("gaps stay in the buffer");
            recorder.tell_gaps(&taken);
            log.count("gaps stay in the buffer") - before
        };
        let unfit = || Err(BufferError::Unfit("tf:gaps:s is no list".to_owned()));
        assert_eq!((told(Ok(())), told(Err(BufferError::Away("no route".to_owned())))), (0, 0));
        assert_eq!((told(unfit()), told(unfit())), (1, 0));
        // Who does not answer in between mends nothing.
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(
            (told(Err(BufferError::Away("no route".to_owned()))), told(unfit()), told(unfit())),
            (0, 1, 0)
        );
        assert!(
            log.text().contains("for_seconds=61") && log.text().contains("tf:gaps:s is no list"),
            "{}",
            log.text()
        );
        // The next time is another one.
        assert_eq!((told(Ok(())), told(unfit())), (0, 1));
    }
}
