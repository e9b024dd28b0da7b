//! What every engine keeps.

use super::*;

/// What holds of every engine.
mod contract {
    use super::*;

    pub async fn a_source_is_one_instances(buffer: &impl Buffer) {
        let first = buffer.claim("s", "one", LONG).await.unwrap();
        assert_eq!(first.cursor, None);
        let taken = buffer.claim("s", "two", SHORT).await.unwrap_err();
        assert!(
            matches!(&taken, BufferError::Taken { holder, free_in, .. } if holder == "one" && *free_in <= LONG)
        );
        let again = buffer.claim("s", "one", SHORT).await.unwrap();
        assert!(again.fence > first.fence);
        assert!(matches!(buffer.renew("s", first.fence, LONG).await, Err(BufferError::Fenced { .. })));
        buffer.renew("s", again.fence, LONG).await.unwrap();
        tokio::time::sleep(OVER).await;
        assert!(
            matches!(buffer.claim("s", "two", LONG).await, Err(BufferError::Taken { .. })),
            "it was renewed"
        );
        buffer.renew("s", again.fence, SHORT).await.unwrap();
        tokio::time::sleep(OVER).await;
        let second = buffer.claim("s", "two", LONG).await.unwrap();
        assert!(second.fence > again.fence);
        assert!(matches!(buffer.renew("s", again.fence, LONG).await, Err(BufferError::Fenced { .. })));
    }

    pub async fn a_fenced_append_leaves_nothing(buffer: &impl Buffer) {
        let old = filled(buffer, 3).await;
        let new = buffer.claim("s", "one", LONG).await.unwrap();
        assert_eq!(new.cursor.as_deref(), Some("c"));
        let late = buffer.append(&batch(old, some(9), "late")).await;
        assert_eq!(late, Err(BufferError::Fenced { source_name: "s".into() }));
        assert_eq!(buffer.stats().await.unwrap().entries, 3);
        buffer.append(&Batch { cursor: None, ..batch(new.fence, some(2), "") }).await.unwrap();
        let claim = buffer.claim("s", "one", LONG).await.unwrap();
        assert_eq!(claim.cursor.as_deref(), Some("c"), "a batch without a cursor leaves the one before");
        assert_eq!(buffer.stats().await.unwrap().entries, 5);
        let unclaimed = Batch { source: "t".into(), ..batch(Fence(0), some(1), "") };
        assert!(matches!(buffer.append(&unclaimed).await, Err(BufferError::Forgotten { .. })));
    }

    pub async fn entries_are_leased_once_and_in_order(buffer: &impl Buffer) {
        let fence = filled(buffer, 40).await;
        let first = buffer.lease("a", Most::entries(15), LONG).await.unwrap();
        assert_eq!(first.len(), 15);
        assert!(first.iter().all(|entry| entry.attempts == 1));
        let second = buffer.lease("b", Most::entries(15), LONG).await.unwrap();
        let third = buffer.lease("a", Most::entries(15), LONG).await.unwrap();
        assert_eq!((second.len(), third.len()), (15, 10));
        let all: BTreeSet<_> =
            [&first, &second, &third].into_iter().flat_map(|leased| bodies(leased)).collect();
        assert_eq!(all.len(), 40, "nobody holds what another does");
        assert_eq!(buffer.lease("b", Most::entries(15), LONG).await.unwrap(), []);
        // All of one key: in order, and as many as are asked for.
        for key in (0..4).rev() {
            let same = (0..5).map(|n| Encoded { key, bytes: vec![b'0' + n] }).collect();
            buffer.append(&batch(fence, same, "d")).await.unwrap();
            let in_order = buffer.lease("a", Most::entries(5), LONG).await.unwrap();
            assert_eq!(in_order.iter().map(|entry| entry.bytes[0]).collect::<Vec<_>>(), *b"01234");
        }
    }

    pub async fn a_lease_runs_out_unless_extended(buffer: &impl Buffer) {
        filled(buffer, 10).await;
        let kept = buffer.lease("a", Most::entries(4), SHORT).await.unwrap();
        buffer.extend("a", &ids(&kept), LONG).await.unwrap();
        let lost = buffer.lease("a", Most::entries(10), SHORT).await.unwrap();
        assert_eq!((kept.len(), lost.len()), (4, 6));
        tokio::time::sleep(OVER).await;
        let theirs = buffer.lease("b", Most::entries(10), LONG).await.unwrap();
        assert_eq!(bodies(&theirs), bodies(&lost));
        assert!(theirs.iter().all(|entry| entry.attempts == 2));
        // What another holds by now is neither extended nor given back.
        buffer.extend("a", &ids(&lost), Duration::ZERO).await.unwrap();
        buffer.release("a", &ids(&lost)).await.unwrap();
        assert_eq!(buffer.lease("c", Most::entries(10), LONG).await.unwrap(), []);
        let stats = buffer.stats().await.unwrap();
        assert_eq!((stats.entries, stats.leased, stats.redelivered, stats.lost), (10, 10, 6, 0));
    }

    pub async fn what_is_acknowledged_is_gone(buffer: &impl Buffer) {
        filled(buffer, 10).await;
        let before = buffer.stats().await.unwrap();
        assert!(before.bytes >= 70 && before.leased == 0 && before.oldest.is_some(), "{before:?}");
        let leased = buffer.lease("a", Most::entries(6), LONG).await.unwrap();
        assert_eq!(buffer.stats().await.unwrap().leased, 6);
        for _ in 0..2 {
            buffer.ack("a", &ids(&leased)).await.unwrap();
            let stats = buffer.stats().await.unwrap();
            assert_eq!((stats.entries, stats.leased, stats.lost), (4, 0, 0));
        }
        let strangers = ["", "x", "99:1-1", "0:1", "0:1-1 0:2-2"].map(|id| EntryId(id.into()));
        buffer.ack("a", &strangers).await.unwrap();
        buffer.release("a", &strangers).await.unwrap();
        buffer.extend("a", &strangers, LONG).await.unwrap();
        let rest = buffer.lease("b", Most::entries(10), LONG).await.unwrap();
        assert_eq!(rest.len(), 4);
        buffer.ack("b", &ids(&rest)).await.unwrap();
        assert_eq!(buffer.stats().await.unwrap(), Stats::default());
    }

    pub async fn what_is_released_is_leased_at_once(buffer: &impl Buffer) {
        filled(buffer, 10).await;
        let leased = buffer.lease("a", Most::entries(10), LONG).await.unwrap();
        buffer.release("a", &ids(&leased[..7])).await.unwrap();
        assert_eq!(buffer.stats().await.unwrap().leased, 3);
        let again = buffer.lease("b", Most::entries(10), LONG).await.unwrap();
        assert_eq!(bodies(&again), bodies(&leased[..7]));
        assert!(again.iter().all(|entry| entry.attempts == 2));
    }

    pub async fn workers_at_once_never_share_an_entry(buffer: &(impl Buffer + Clone + 'static)) {
        filled(buffer, 2000).await;
        let worker = |name: &'static str| {
            let buffer = buffer.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                loop {
                    let leased = buffer.lease(name, Most::entries(37), LONG).await.unwrap();
                    if leased.is_empty() {
                        return seen;
                    }
                    buffer.ack(name, &ids(&leased)).await.unwrap();
                    seen.extend(leased.into_iter().map(|entry| entry.bytes));
                }
            })
        };
        let workers = ["a", "b", "c"].map(worker);
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        assert_eq!(all.len(), 2000);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 2000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    for partitions in [4, 1] {
        let options = || Options { partitions, ..patient() };
        macro_rules! each {
            ($($name:ident)*) => {$(
                server.say(&["FLUSHALL"]);
                contract::$name(&RedisBuffer::open(&server.url(), options()).await.unwrap()).await;
            )*};
        }
        each! {
            a_source_is_one_instances a_fenced_append_leaves_nothing entries_are_leased_once_and_in_order
            a_lease_runs_out_unless_extended what_is_acknowledged_is_gone what_is_released_is_leased_at_once
            workers_at_once_never_share_an_entry
        }
    }
}

#[tokio::test]
async fn whether_entries_are_there_is_told_of_those_that_wait_and_those_that_are_leased() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 10).await;
    let leased = buffer.lease("a", Most::entries(6), LONG).await.unwrap();
    let all = ids(&leased);
    assert!(buffer.holds_any(&all).await.unwrap());
    buffer.ack("a", &all[1..]).await.unwrap();
    assert!(buffer.holds_any(&all).await.unwrap() && !buffer.holds_any(&all[1..]).await.unwrap());
    buffer.release("a", &all[..1]).await.unwrap();
    assert!(buffer.holds_any(&all).await.unwrap());
    // Of what is no id of this buffer, and where there is nothing any more.
    assert!(!buffer.holds_any(&[]).await.unwrap());
    assert!(!buffer.holds_any(&["", "7", "99:1-1"].map(|id| EntryId(id.into()))).await.unwrap());
    server.say(&["FLUSHALL"]);
    assert!(!buffer.holds_any(&all).await.unwrap());
}

#[path = "../contract/buffer.rs"]
mod shared;

/// The suite that every engine passes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_of_all_engines_passes() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    macro_rules! each {
        ($($name:ident($($more:expr),*))*) => {$(
            server.say(&["FLUSHALL"]);
            shared::$name(&open(&server).await $(, $more)*).await;
        )*};
    }
    let now =
        || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    each! {
        a_source_has_one_reader(pass(&server)) a_renewed_lease_lasts(pass(&server))
        a_lease_that_lies_far_ahead_ends_like_any_other(pass(&server))
        a_fenced_reader_appends_nothing() the_cursor_goes_with_its_batch() entries_come_in_order_as_they_were()
        a_lease_is_bounded_by_bytes(pass(&server))
        two_workers_never_hold_one_entry() a_lease_runs_out(pass(&server))
        a_lease_is_extended(pass(&server)) what_is_acknowledged_is_gone(pass(&server))
        what_is_released_is_there_at_once() stats_say_how_full_it_is(now())
    }
    server.say(&["FLUSHALL"]);
    let buffer = open(&server).await;
    let known = async || {
        let mut sources = buffer.sources().await.unwrap().into_iter();
        let source = sources.find(|source| source.name == "s").unwrap();
        (source.gaps.iter().map(|gap| gap.from).collect::<Vec<_>>(), source.gaps_dropped)
    };
    shared::of_many_gaps_the_newest_are_kept(&buffer, known).await;
}

/// The one of the suite that needs a clock that can be set back.
#[tokio::test]
async fn a_lease_from_before_the_clock_was_set_back_ends() {
    let folder = std::env::temp_dir().join(format!("tweetfilter-clock-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let Some(clock) = ShiftedClock::new(&folder) else { return };
    let variables = clock.variables();
    let variables = variables.each_ref().map(|(name, value)| (*name, &**value));
    let Some(server) = RedisServer::start_with(&FIT, &variables) else { return };
    let jump = async |seconds| {
        let told = || server.say(&["TIME"]).lines().next().unwrap().parse::<i64>().unwrap();
        let before = told();
        clock.set(seconds);
        assert!(told().abs_diff(before) > 50, "the clock did not jump");
    };
    shared::a_lease_from_before_the_clock_was_set_back_ends(&open(&server).await, jump).await;
    let _ = std::fs::remove_dir_all(folder);
}
