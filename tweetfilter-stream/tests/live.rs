//! Keeping a connection: schedule, silence, gaps and cursors, on a scripted network in paused time.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::Gap;
use tweetfilter_stream::source::net::{BoxFuture, Connection, Fault, Live, Received, Trouble, Wire};
use tweetfilter_stream::source::{Chunk, Clock, Notice, Source, SourceError};

/// The runtime's time, from a moment that is known, and how long the machine slept, in milliseconds.
struct Virtual(tokio::time::Instant, Arc<AtomicI64>);

impl Clock for Virtual {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall(&self) -> Millis {
        let awake = Millis::try_from(self.now().as_millis()).expect("small");
        1_000_000 + awake + self.1.load(Ordering::Relaxed)
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// What a connection does: wait so many milliseconds, then give or fail.
type Step = (u64, Result<Received, Fault>);

enum Attempt {
    Fails(Fault),
    Hangs,
    Opens(Vec<Step>),
    /// Opens, gives the steps, and never says anything again.
    Stays(Vec<Step>),
}

/// A network that does as it is told; each piece of bytes is a line, but for those that end in `…`. While one that ends in
/// `zz` is read, the machine sleeps for 30 s.
struct Script {
    attempts: VecDeque<Attempt>,
    made: Arc<Mutex<Vec<Duration>>>,
    start: tokio::time::Instant,
    slept: Arc<AtomicI64>,
}

impl Wire for Script {
    fn address(&self) -> String {
        "script".to_owned()
    }

    fn silence(&self) -> Duration {
        Duration::from_secs(90)
    }

    fn connect(&mut self) -> BoxFuture<Result<Connection, Fault>> {
        self.made.lock().expect("whole").push(self.start.elapsed());
        let attempt = self.attempts.pop_front().unwrap_or(Attempt::Hangs);
        let slept = self.slept.clone();
        Box::pin(async move {
            let (steps, stays) = match attempt {
                Attempt::Fails(fault) => return Err(fault),
                Attempt::Hangs => return std::future::pending().await,
                Attempt::Opens(steps) => (steps, false),
                Attempt::Stays(steps) => (steps, true),
            };
            let from = (steps.into_iter(), slept);
            let connection: Connection =
                Box::pin(stream::unfold(from, move |(mut steps, slept)| async move {
                    match steps.next() {
                        Some((wait, given)) => {
                            if wait > 0 {
                                tokio::time::sleep(Duration::from_millis(wait)).await;
                            }
                            if matches!(&given, Ok(Received::Bytes(bytes)) if bytes.ends_with(b"zz")) {
                                slept.fetch_add(30_000, Ordering::Relaxed);
                            }
                            Some((given, (steps, slept)))
                        }
                        None if stays => std::future::pending().await,
                        None => None,
                    }
                }));
            Ok(connection)
        })
    }

    fn take(&mut self, bytes: &[u8], _: Millis, chunk: &mut Chunk) -> Result<bool, Fault> {
        if bytes.ends_with("…".as_bytes()) {
            return Ok(false);
        }
        chunk.lines.push(bytes, b"\n");
        match bytes {
            b"revoked" => Err(Fault::network("revoked").of(Trouble::Refused)),
            _ => Ok(true),
        }
    }
}

fn line(after: u64, text: &str) -> Step {
    (after, Ok(Received::Bytes(text.as_bytes().to_vec())))
}

struct Run {
    live: Live<Script>,
    made: Arc<Mutex<Vec<Duration>>>,
    slept: Arc<AtomicI64>,
}

fn run(attempts: impl IntoIterator<Item = Attempt>) -> Run {
    let (start, made) = (tokio::time::Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let slept = Arc::new(AtomicI64::new(0));
    let attempts = attempts.into_iter().collect();
    let script = Script { attempts, made: made.clone(), start, slept: slept.clone() };
    Run { live: Live::with_clock(script, Arc::new(Virtual(start, slept.clone()))), made, slept }
}

impl Run {
    /// Everything up to so many lines.
    async fn lines(&mut self, count: usize) -> Vec<Chunk> {
        let (mut chunks, mut lines) = (Vec::new(), 0);
        let latest = tokio::time::Instant::now() + Duration::from_secs(7200);
        while lines < count {
            let next = tokio::time::timeout_at(latest, self.live.next()).await;
            let chunk = next.expect("in two hours").expect("lines").expect("no end");
            lines += chunk.lines.len();
            chunks.push(chunk);
        }
        chunks
    }

    /// When connections were begun, in milliseconds.
    fn made(&self) -> Vec<u128> {
        self.made.lock().expect("whole").iter().map(Duration::as_millis).collect()
    }

    /// How long was waited before each, in milliseconds.
    fn spaces(&self) -> Vec<u128> {
        self.made().windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

fn status(status: u16) -> Fault {
    Fault { status: Some(status), ..Fault::network("no").of(Trouble::of_status(status)) }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_spaced_by_the_schedule() {
    for (fault, expected) in [
        (Fault::network("cut"), vec![250, 500, 750, 1000, 1250]),
        (status(503), vec![5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 320_000]),
        (status(420), vec![60_000, 120_000, 240_000]),
        (status(429), vec![60_000, 120_000, 240_000]),
        (Fault { retry_after: Some(Duration::from_secs(77)), ..status(503) }, vec![77_000; 4]),
    ] {
        let failures = expected.iter().map(|_| Attempt::Fails(fault.clone()));
        let mut run = run(failures.chain([Attempt::Stays(vec![line(0, "{}")])]));
        let chunks = run.lines(1).await;
        assert_eq!(run.spaces(), expected, "{fault:?}");
        let notices: Vec<_> = chunks.into_iter().flat_map(|chunk| chunk.notices).collect();
        let waits = notices.iter().filter_map(|notice| match notice {
            Notice::BackingOff { wait } => Some(wait.as_millis()),
            _ => None,
        });
        assert_eq!(waits.collect::<Vec<_>>(), expected, "what is said differs from what is done");
        assert_eq!(notices.last(), Some(&Notice::Connected { address: "script".to_owned() }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_stood_begins_the_schedule_anew() {
    let fails = || Attempt::Fails(status(500));
    let short = Attempt::Opens(vec![line(29_999, "a")]);
    let long = Attempt::Opens(vec![line(30_000, "b")]);
    let quiet = Attempt::Opens(vec![(60_000, Err(status(500)))]);
    let mut run = run([fails(), short, fails(), long, fails(), quiet, Attempt::Stays(vec![line(0, "c")])]);
    run.lines(3).await;
    // Waits 5 s; 29.999 + 250 ms; 10 s; 30 s + 250 ms; 5 s again; 60 s, and 10 s, since nothing was given in them.
    assert_eq!(run.spaces(), [5_000, 30_249, 10_000, 30_250, 5_000, 70_000]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_asked_again_unchanged() {
    for code in [401, 403, 404, 406, 413, 416] {
        let mut run = run([Attempt::Fails(status(code)), Attempt::Stays(vec![line(0, "after")])]);
        match run.live.next().await {
            Err(SourceError::Refused { address, status, .. }) => {
                assert_eq!((&*address, status), ("script", Some(code)));
            }
            other => panic!("{code}: {other:?}"),
        }
        assert_eq!(run.made().len(), 1, "{code}");
        // Whoever has mended it asks again.
        assert_eq!(run.lines(1).await.last().map(|chunk| chunk.lines.len()), Some(1));
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_lines_come_before_the_refusal() {
    let mut run = run([Attempt::Stays(vec![line(0, "a"), line(0, "revoked"), line(0, "never")])]);
    assert_eq!(run.lines(2).await.last().map(|chunk| chunk.lines.len()), Some(2));
    assert!(matches!(run.live.next().await, Err(SourceError::Refused { .. })));
    assert_eq!(run.made().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_stall_and_signs_of_life_are_not() {
    let steps = vec![
        line(0, "a"),
        (89_000, Ok(Received::Alive)),
        line(89_000, "b"),
        // A line that drips and never ends shows no life.
        line(60_000, "half…"),
        line(25_000, "half…"),
        line(1_000, "half…"),
        line(5_000, "late"),
    ];
    let mut run = run([Attempt::Opens(steps), Attempt::Stays(vec![line(0, "c")])]);
    let chunks = run.lines(3).await;
    // 89 + 89 s of life, 90 s of silence, and the first wait.
    assert_eq!(run.made(), [0, 178_000 + 90_000 + 250]);
    let said = format!("{:?}", chunks.iter().map(|chunk| &chunk.notices).collect::<Vec<_>>());
    assert!(said.contains("it stalled: nothing came for 90 s"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_left() {
    let mut run = run([Attempt::Hangs, Attempt::Stays(vec![line(0, "a")])]);
    run.lines(1).await;
    assert_eq!(run.made(), [0, 30_250]);
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_leaves_a_gap_from_last_line_to_first() {
    let cut = Attempt::Opens(vec![line(1_000, "a"), line(1_000, ""), line(1_000, "half…")]);
    let mut run = run([cut, Attempt::Fails(status(503)), Attempt::Stays(vec![line(700, "b"), line(1, "c")])]);
    let chunks = run.lines(4).await;
    let gaps: Vec<_> = chunks.iter().flat_map(|chunk| chunk.gaps.clone()).collect();
    // Up to the keep-alive nothing is missing: 2 s. Then 1 s more, 250 ms, 5 s, 700 ms.
    let reason = "the server has ended the connection".to_owned();
    assert_eq!(gaps, [Gap { from: 1_002_000, to: 1_008_950, reason, missing: None }]);
    let of_gap = chunks.iter().find(|chunk| !chunk.gaps.is_empty()).expect("one");
    assert_eq!(of_gap.lines.iter().next().map(|line| line.bytes), Some(&b"b"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_gap_begins_when_nobody_read_any_more_and_not_when_the_rest_was_found() {
    // What lies there may come at once, or a little after it is asked for; and who was waiting for it may be held up.
    for (wait, waited) in [(0, false), (300, false), (300, true)] {
        let steps = vec![line(1_000, "a"), line(1 + wait, "b"), (wait, Err(Fault::network("too slow")))];
        let mut run = run([Attempt::Opens(steps), Attempt::Stays(vec![line(700, "c"), line(1, "d")])]);
        assert_eq!(run.lines(1).await.last().and_then(|chunk| chunk.cursor.as_deref()), Some("1001000"));
        if waited {
            let chunk = tokio::time::timeout(Duration::from_millis(100), run.live.next()).await;
            assert!(chunk.is_err(), "{chunk:?}");
        }
        // The buffer is away, so nobody asks; b lies there, and when it came is not known.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let chunks = run.lines(2).await;
        let gaps: Vec<_> = chunks.iter().flat_map(|chunk| chunk.gaps.clone()).collect();
        assert!(
            gaps.len() == 1 && gaps[0].from == 1_001_000 && gaps[0].to > 1_031_700,
            "{wait} {waited}: {gaps:?}"
        );
        // On the new connection each line has its own time again.
        let next = run.lines(1).await.pop().and_then(|chunk| chunk.cursor);
        assert_eq!(next, Some((gaps[0].to + 1).to_string()), "{wait} {waited}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_reads_late_what_goes_on_has_missed_nothing() {
    let steps = vec![line(1_000, "a"), line(1, "b"), line(5_000, "c")];
    let mut run = run([Attempt::Opens(steps), Attempt::Stays(vec![line(700, "d")])]);
    run.lines(1).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let chunks = run.lines(3).await;
    let gaps: Vec<_> = chunks.iter().flat_map(|chunk| chunk.gaps.clone()).collect();
    assert!(gaps.len() == 1 && gaps[0].from >= 1_036_000, "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn who_was_stopped_while_waiting_may_have_missed_what_came_since() {
    // The process alone, or the machine: then the clock that timers go by stands still.
    for machine in [false, true] {
        let steps = vec![line(1_000, "a"), line(1_000, "b"), (0, Err(Fault::network("too slow")))];
        let mut run = run([Attempt::Opens(steps), Attempt::Stays(vec![line(700, "c")])]);
        run.lines(1).await;
        stopped(&mut run, 30_000, machine).await;
        // b lies there, or comes soon, and the rest never does.
        let gaps: Vec<_> = run.lines(2).await.into_iter().flat_map(|chunk| chunk.gaps).collect();
        assert!(
            gaps.len() == 1 && gaps[0].from == 1_001_000 && gaps[0].to > 1_032_000,
            "{machine}: {gaps:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_stopped_while_reading_may_have_missed_what_came_since() {
    // It happens between two looks, when b is there and its time was taken already.
    let steps =
        vec![line(1_000, "a"), line(1_000, "b zz"), line(1, "c"), (0, Err(Fault::network("too slow")))];
    let mut run = run([Attempt::Opens(steps), Attempt::Stays(vec![line(700, "d")])]);
    let gaps: Vec<_> = run.lines(4).await.into_iter().flat_map(|chunk| chunk.gaps).collect();
    assert!(gaps.len() == 1 && gaps[0].from == 1_001_000 && gaps[0].to > 1_032_000, "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn who_was_stopped_for_long_waits_for_what_lies_there_before_it_gives_up() {
    // It comes through other hands, 300 ms after it is asked for.
    let mut run = run([Attempt::Stays(vec![line(1_000, "a"), line(100_900, "b")])]);
    run.lines(1).await;
    stopped(&mut run, 100_000, false).await;
    let chunks = run.lines(1).await;
    assert_eq!((run.made(), chunks.iter().map(|chunk| chunk.gaps.len()).sum::<usize>()), (vec![0], 0));
}

/// Waits for lines, of which none comes, and is stopped then for so many milliseconds.
async fn stopped(run: &mut Run, time: u64, machine: bool) {
    let more = tokio::time::timeout(Duration::from_millis(600), run.live.next()).await;
    assert!(more.is_err(), "{more:?}");
    match machine {
        true => run.slept.store(time as i64, Ordering::Relaxed),
        false => tokio::time::advance(Duration::from_millis(time)).await,
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_leaves_a_gap_from_the_stored_time() {
    let mut before = run([Attempt::Stays(vec![line(5_000, "a")])]);
    let cursor = before.lines(1).await.pop().and_then(|chunk| chunk.cursor).expect("a time");
    assert_eq!(cursor, "1005000");
    // The clock of each run begins at 1,000,000.
    let Run { live, made, slept } = run([Attempt::Stays(vec![line(9_000, "b")])]);
    let mut after = Run { live: live.resume(&cursor).expect("its own cursor"), made, slept };
    let gaps = after.lines(1).await.pop().expect("a chunk").gaps;
    let reason = "it was not read".to_owned();
    assert_eq!(gaps, [Gap { from: 1_005_000, to: 1_009_000, reason, missing: None }]);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_another_kind_is_refused() {
    // The last is one of Jetstream, in microseconds.
    for cursor in ["", "{}", "-7", "yesterday", "generated 1614834367089", "1614834367089000"] {
        let refused = run([]).live.resume(cursor).err().expect(cursor);
        assert!(matches!(refused, SourceError::Cursor(_)), "{cursor}");
        let said = refused.to_string();
        assert!(said.contains("a stream of its kind") && !said.contains("1614834367089"), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_when_nobody_waits_any_longer() {
    let texts: Vec<_> = (0..200).map(|n| format!("{n}")).collect();
    let steps = |range: std::ops::Range<usize>| texts[range].iter().map(|text| line(70, text)).collect();
    let mut run = run([
        Attempt::Opens(steps(0..100)),
        Attempt::Fails(Fault::network("cut")),
        Attempt::Stays(steps(100..200)),
    ]);
    let mut given = Vec::new();
    while given.len() < 200 {
        if let Ok(next) = tokio::time::timeout(Duration::from_millis(33), run.live.next()).await {
            let chunk = next.expect("lines").expect("no end");
            given.extend(chunk.lines.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned()));
        }
    }
    assert_eq!(given, texts);
    assert_eq!(run.made(), [0, 7_250, 7_750]);
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_given_in_chunks_of_bounded_size() {
    let long = "x".repeat(10_000);
    let flood =
        (0..500).map(|_| line(0, &long)).chain((0..20_000).map(|_| line(0, "half…"))).chain([line(0, "end")]);
    let mut run = run([Attempt::Stays(flood.collect())]);
    let chunks = run.lines(501).await;
    let most = chunks.iter().map(|chunk| chunk.lines.size()).max();
    assert!(most <= Some((256 << 10) + 10_001), "{most:?}");
}
