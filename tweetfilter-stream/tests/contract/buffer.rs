//! What every buffer keeps, whichever engine it is: included by the tests of each.
//!
//! Each function wants an empty buffer, and `pass`, which lets time go by for it: an engine with a clock of its own moves
//! that, another has what it holds made so much older. Nobody waits, and on a slow machine nothing runs out by itself.

use std::collections::HashSet;
use std::time::Duration;

use tweetfilter_stream::buffer::{
    Batch, Buffer, BufferError, Counts, Encoded, EntryId, Fence, Gap, LONGEST_LEASE, Leased, MOST_GAPS, Most,
};

/// A lease that runs out when [`OVER`] has passed.
const SHORT: Duration = Duration::from_secs(60);
/// Longer than a short lease.
const OVER: Duration = Duration::from_secs(90);
/// A lease that lasts for the whole test.
const LONG: Duration = Duration::from_secs(600);

/// Claims a source and appends texts, all about one post, so that their order is kept.
async fn append(buffer: &impl Buffer, texts: &[&str]) -> Fence {
    let fence = buffer.claim("s", "a", LONG).await.unwrap().fence;
    buffer.append(&batch(fence, texts, None)).await.unwrap();
    fence
}

fn batch(fence: Fence, texts: &[&str], cursor: Option<&str>) -> Batch {
    let entries = texts.iter().map(|text| Encoded { key: 7, bytes: text.as_bytes().to_vec() });
    Batch {
        source: "s".into(),
        fence,
        entries: entries.collect(),
        cursor: cursor.map(str::to_owned),
        counts: Counts { lines: 1, posts: 1, entries: 1, ..Counts::default() },
        gaps: Vec::new(),
    }
}

fn texts(leased: &[Leased]) -> Vec<String> {
    leased.iter().map(|one| String::from_utf8_lossy(&one.bytes).into_owned()).collect()
}

fn ids(leased: &[Leased]) -> Vec<EntryId> {
    leased.iter().map(|one| one.id.clone()).collect()
}

/// One instance reads a source; it comes back at once, another when the lease has run out. Who waits hears how far it
/// is read, and who claims it whether anybody did before.
pub async fn a_source_has_one_reader(buffer: &impl Buffer, pass: impl AsyncFn(Duration)) {
    let first = buffer.claim("s", "a", SHORT).await.unwrap();
    assert!(first.cursor.is_none() && first.is_new, "{first:?}");
    let taken = buffer.claim("s", "b", SHORT).await.unwrap_err();
    let BufferError::Taken { holder, free_in, cursor, .. } = &taken else { panic!("{taken}") };
    assert!(holder == "a" && *free_in <= SHORT && cursor.is_none(), "{taken}");
    assert!(buffer.claim("other", "b", SHORT).await.unwrap().is_new);
    let again = buffer.claim("s", "a", SHORT).await.unwrap();
    assert!(again.fence > first.fence && !again.is_new);
    buffer.append(&batch(again.fence, &["1"], Some("one"))).await.unwrap();
    let taken = buffer.claim("s", "b", SHORT).await.unwrap_err();
    assert!(
        matches!(&taken, BufferError::Taken { cursor: Some(cursor), .. } if cursor == "one"),
        "{taken:?}"
    );
    pass(OVER).await;
    let next = buffer.claim("s", "b", SHORT).await.unwrap();
    assert!(next.fence > again.fence && !next.is_new && next.cursor.as_deref() == Some("one"), "{next:?}");
}

/// Who renews in time keeps the source; who was replaced is told.
pub async fn a_renewed_lease_lasts(buffer: &impl Buffer, pass: impl AsyncFn(Duration)) {
    let fence = buffer.claim("s", "a", SHORT).await.unwrap().fence;
    buffer.renew("s", fence, LONG).await.unwrap();
    pass(OVER).await;
    assert!(matches!(buffer.claim("s", "b", SHORT).await, Err(BufferError::Taken { .. })));
    let newer = buffer.claim("s", "a", LONG).await.unwrap().fence;
    assert!(matches!(buffer.renew("s", fence, LONG).await, Err(BufferError::Fenced { .. })));
    buffer.renew("s", newer, LONG).await.unwrap();
    let unknown = buffer.renew("unknown", Fence(1), LONG).await;
    assert!(matches!(unknown, Err(BufferError::Fenced { .. } | BufferError::Forgotten { .. })));
}

/// Who claims a source believes nobody that has it for longer than a lease lasts, whatever is written there, and takes it
/// from none that lives.
pub async fn a_lease_that_lies_far_ahead_ends_like_any_other(
    buffer: &impl Buffer,
    pass: impl AsyncFn(Duration),
) {
    let fence = buffer.claim("s", "a", LONG).await.unwrap().fence;
    buffer.claim("of one who is gone", "a", LONG).await.unwrap();
    let taken = async |source| {
        let taken = buffer.claim(source, "b", SHORT).await.unwrap_err();
        let BufferError::Taken { holder, free_in, .. } = &taken else { panic!("{taken}") };
        assert!(holder == "a" && *free_in <= SHORT, "{taken}");
    };
    taken("s").await;
    taken("of one who is gone").await;
    pass(SHORT / 2).await;
    buffer.renew("s", fence, SHORT).await.unwrap();
    pass(SHORT / 2).await;
    taken("s").await;
    // Nobody prolongs it, and it ends when it was said to.
    buffer.claim("of one who is gone", "b", SHORT).await.unwrap();
    pass(OVER).await;
    assert!(buffer.claim("s", "b", SHORT).await.unwrap().fence > fence);
}

/// A predecessor who only slept appends nothing, neither entries nor cursor.
pub async fn a_fenced_reader_appends_nothing(buffer: &impl Buffer) {
    let old = buffer.claim("s", "a", LONG).await.unwrap().fence;
    let new = buffer.claim("s", "a", LONG).await.unwrap().fence;
    let refused = buffer.append(&batch(old, &["late"], Some("9"))).await;
    assert!(matches!(refused, Err(BufferError::Fenced { .. })), "{refused:?}");
    assert!(buffer.lease("w", Most::entries(9), LONG).await.unwrap().is_empty());
    assert_eq!(buffer.stats().await.unwrap().entries, 0);
    buffer.append(&batch(new, &["good"], Some("5"))).await.unwrap();
    assert_eq!(texts(&buffer.lease("w", Most::entries(9), LONG).await.unwrap()), ["good"]);
    assert_eq!(buffer.claim("s", "a", LONG).await.unwrap().cursor.as_deref(), Some("5"));
}

/// The cursor moves with the entries, and stays where a batch says nothing of it.
pub async fn the_cursor_goes_with_its_batch(buffer: &impl Buffer) {
    let fence = buffer.claim("s", "a", LONG).await.unwrap().fence;
    buffer.append(&batch(fence, &["1"], Some("one"))).await.unwrap();
    buffer.append(&batch(fence, &["2"], None)).await.unwrap();
    let gap = Gap { from: 1, to: 2, reason: "stall".into(), missing: None };
    buffer.append(&Batch { entries: Vec::new(), gaps: vec![gap], ..batch(fence, &[], None) }).await.unwrap();
    assert_eq!(buffer.claim("s", "a", LONG).await.unwrap().cursor.as_deref(), Some("one"));
    let fence = buffer.claim("s", "a", LONG).await.unwrap().fence;
    buffer.append(&batch(fence, &[], Some("two"))).await.unwrap();
    assert_eq!(buffer.claim("s", "a", LONG).await.unwrap().cursor.as_deref(), Some("two"));
    assert_eq!(buffer.stats().await.unwrap().entries, 2);
}

/// Oldest first, no more than asked for, any bytes.
pub async fn entries_come_in_order_as_they_were(buffer: &impl Buffer) {
    let fence = append(buffer, &["1", "2", "3"]).await;
    let odd = Encoded { key: 7, bytes: vec![0, 255, b'\r', b'\n', 0xc3] };
    let more = Batch { entries: vec![odd.clone()], ..batch(fence, &[], None) };
    buffer.append(&more).await.unwrap();
    let first = buffer.lease("w", Most::entries(2), LONG).await.unwrap();
    assert_eq!(texts(&first), ["1", "2"]);
    assert!(first.iter().all(|one| one.attempts == 1));
    let rest = buffer.lease("w", Most::entries(9), LONG).await.unwrap();
    assert_eq!((rest.len(), &rest[1].bytes), (2, &odd.bytes));
    assert!(buffer.lease("w", Most::entries(9), LONG).await.unwrap().is_empty());
}

/// A lease has no more bytes than asked for, but one entry in any case; what did not fit is as if nobody had had it.
pub async fn a_lease_is_bounded_by_bytes(buffer: &impl Buffer, pass: impl AsyncFn(Duration)) {
    let all: Vec<String> = (0..40).map(|n| format!("{n:0100}")).collect();
    append(buffer, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let most = |bytes| Most { entries: 100, bytes };
    let two = buffer.lease("a", most(299), SHORT).await.unwrap();
    assert_eq!(texts(&two), all[..2]);
    let one = buffer.lease("b", most(5), LONG).await.unwrap();
    assert_eq!(texts(&one), all[2..3]);
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.leased, stats.redelivered), (40, 3, 0));
    let exactly = buffer.lease("b", most(1_000), LONG).await.unwrap();
    assert_eq!(texts(&exactly), all[3..13]);
    assert!(one.iter().chain(&exactly).all(|entry| entry.attempts == 1));
    // Leases that have run out are bounded as well.
    pass(OVER).await;
    let again = buffer.lease("b", most(150), LONG).await.unwrap();
    assert_eq!((texts(&again), again[0].attempts), (all[..1].to_vec(), 2));
    let rest = buffer.lease("b", most(5_000), LONG).await.unwrap();
    assert_eq!(texts(&rest), [&all[1..2], &all[13..]].concat());
    assert_eq!((rest[0].attempts, rest[1].attempts), (2, 1));
    assert_eq!(buffer.stats().await.unwrap().redelivered, 2);
    assert!(buffer.lease("c", most(5_000), LONG).await.unwrap().is_empty());
}

/// Two workers never hold one entry, and together they get all of them.
pub async fn two_workers_never_hold_one_entry(buffer: &impl Buffer) {
    let all: Vec<String> = (0..100).map(|n| format!("entry {n}")).collect();
    append(buffer, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut seen = HashSet::new();
    loop {
        let (a, b) = futures_join(
            buffer.lease("a", Most::entries(7), LONG),
            buffer.lease("b", Most::entries(5), LONG),
        )
        .await;
        let (a, b) = (a.unwrap(), b.unwrap());
        if a.is_empty() && b.is_empty() {
            break;
        }
        for one in a.iter().chain(&b) {
            assert!(seen.insert(one.bytes.clone()), "{one:?} was leased twice");
        }
    }
    assert_eq!(seen.len(), 100);
}

/// A lease that has run out is another's, with a count of it.
pub async fn a_lease_runs_out(buffer: &impl Buffer, pass: impl AsyncFn(Duration)) {
    append(buffer, &["1", "2"]).await;
    let mine = buffer.lease("a", Most::entries(1), SHORT).await.unwrap();
    assert_eq!(texts(&buffer.lease("b", Most::entries(9), LONG).await.unwrap()), ["2"]);
    assert_eq!(buffer.stats().await.unwrap().redelivered, 0);
    pass(OVER).await;
    let theirs = buffer.lease("b", Most::entries(9), LONG).await.unwrap();
    assert_eq!((texts(&theirs), theirs[0].attempts), (vec!["1".to_owned()], 2));
    assert_eq!(ids(&mine), ids(&theirs));
    assert_eq!(buffer.stats().await.unwrap().redelivered, 1);
}

/// Where the clock was set back, what was leased before that seems to be leased for long. That ends too, but not at once:
/// whoever has it may live. `jump` sets the clock.
pub async fn a_lease_from_before_the_clock_was_set_back_ends(buffer: &impl Buffer, jump: impl AsyncFn(i64)) {
    append(buffer, &["1", "2", "3"]).await;
    let mine = buffer.lease("a", Most::entries(2), SHORT).await.unwrap();
    let day = 86_400;
    jump(-day).await;
    assert_eq!(texts(&buffer.lease("b", Most::entries(9), SHORT).await.unwrap()), ["3"]);
    assert!(buffer.lease("b", Most::entries(9), SHORT).await.unwrap().is_empty());
    // Who lives goes on.
    buffer.extend("a", &ids(&mine)[1..], SHORT).await.unwrap();
    jump(OVER.as_secs().cast_signed() - day).await;
    let others = buffer.lease("b", Most::entries(9), LONG).await.unwrap();
    assert_eq!(texts(&others), ["2", "3"]);
    buffer.ack("b", &ids(&others)).await.unwrap();
    jump((LONGEST_LEASE + OVER).as_secs().cast_signed() - day).await;
    let late = buffer.lease("c", Most::entries(9), LONG).await.unwrap();
    let late: Vec<_> = texts(&late).into_iter().zip(late.iter().map(|one| one.attempts)).collect();
    assert_eq!(late, [("1".to_owned(), 2)]);
}

/// A worker that needs longer says so; for entries that others hold by now it says nothing.
pub async fn a_lease_is_extended(buffer: &impl Buffer, pass: impl AsyncFn(Duration)) {
    append(buffer, &["1", "2"]).await;
    let mine = buffer.lease("a", Most::entries(9), SHORT).await.unwrap();
    buffer.extend("a", &ids(&mine)[..1], LONG).await.unwrap();
    pass(OVER).await;
    assert_eq!(texts(&buffer.lease("b", Most::entries(9), SHORT).await.unwrap()), ["2"]);
    // The second is another's now: it still runs out when that one's lease does.
    buffer.extend("a", &ids(&mine), LONG).await.unwrap();
    pass(OVER).await;
    assert_eq!(texts(&buffer.lease("c", Most::entries(9), LONG).await.unwrap()), ["2"]);
}

/// What is acknowledged is gone, once and for all; again does no harm.
pub async fn what_is_acknowledged_is_gone(buffer: &impl Buffer, pass: impl AsyncFn(Duration)) {
    append(buffer, &["1", "2", "3"]).await;
    let leased = buffer.lease("a", Most::entries(2), SHORT).await.unwrap();
    buffer.ack("a", &ids(&leased)[..1]).await.unwrap();
    buffer.ack("a", &ids(&leased)[..1]).await.unwrap();
    assert_eq!(buffer.stats().await.unwrap().entries, 2);
    pass(OVER).await;
    assert_eq!(texts(&buffer.lease("b", Most::entries(9), LONG).await.unwrap()), ["2", "3"]);
    // Its outcome is stored, though the lease was lost meanwhile.
    buffer.ack("a", &ids(&leased)).await.unwrap();
    assert_eq!(buffer.stats().await.unwrap().entries, 1);
    buffer.ack("a", &[]).await.unwrap();
}

/// What is given back is there at once; what others hold is not.
pub async fn what_is_released_is_there_at_once(buffer: &impl Buffer) {
    append(buffer, &["1", "2"]).await;
    let mine = buffer.lease("a", Most::entries(1), LONG).await.unwrap();
    let theirs = buffer.lease("b", Most::entries(1), LONG).await.unwrap();
    buffer.release("a", &[ids(&mine), ids(&theirs)].concat()).await.unwrap();
    assert_eq!(texts(&buffer.lease("c", Most::entries(9), LONG).await.unwrap()), ["1"]);
}

/// How full it is.
pub async fn stats_say_how_full_it_is(buffer: &impl Buffer, now: i64) {
    assert_eq!(buffer.stats().await.unwrap().oldest, None);
    append(buffer, &["1234", "5678", "9"]).await;
    let leased = buffer.lease("a", Most::entries(2), LONG).await.unwrap();
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.leased, stats.redelivered), (3, 2, 0));
    assert!(stats.bytes >= 9, "{stats:?}");
    assert!(stats.oldest.is_some_and(|oldest| oldest.abs_diff(now) < 60_000), "{stats:?}");
    buffer.ack("a", &ids(&leased)).await.unwrap();
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.leased), (1, 0));
}

/// Of a source's gaps the newest are kept, and how many others there were is known: `known` tells both, in order and by
/// their beginnings.
pub async fn of_many_gaps_the_newest_are_kept(
    buffer: &impl Buffer,
    known: impl AsyncFn() -> (Vec<i64>, u64),
) {
    let fence = buffer.claim("s", "a", LONG).await.unwrap().fence;
    let gap = |from: i64| Gap { from, to: from + 1, reason: "stall".into(), missing: None };
    let with =
        |gaps: std::ops::Range<i64>| Batch { gaps: gaps.map(gap).collect(), ..batch(fence, &[], None) };
    let most = MOST_GAPS as i64;
    buffer.append(&with(0..most)).await.unwrap();
    assert_eq!(known().await, ((0..most).collect(), 0));
    buffer.append(&with(most..most + 2)).await.unwrap();
    buffer.append(&with(most + 2..most + 3)).await.unwrap();
    assert_eq!(known().await, ((3..most + 3).collect(), 3));
    // Those of another source take no place here.
    let fence = buffer.claim("other", "a", LONG).await.unwrap().fence;
    buffer.append(&Batch { source: "other".into(), fence, ..with(0..5) }).await.unwrap();
    assert_eq!(known().await, ((3..most + 3).collect(), 3));
}

/// Drives two futures at once, in one task.
async fn futures_join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut of_a, mut of_b) = (None, None);
    std::future::poll_fn(|cx| {
        use std::task::Poll;
        if of_a.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(cx)
        {
            of_a = Some(value);
        }
        if of_b.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(cx)
        {
            of_b = Some(value);
        }
        match (of_a.take(), of_b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (of_a, of_b) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}
