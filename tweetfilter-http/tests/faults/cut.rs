//! Connections that are cut in the middle of a commit, and answers that get lost.

use std::time::{Duration, Instant};

use crate::Lot;
use crate::chain::{Chain, stream};
use crate::maria::Maria;
use crate::proxy::{Cut, Proxy};

/// `COMMIT` as a statement of MariaDB's protocol, whose answer is `OK` if the fifth byte is 0. Transactions that only
/// read are shorter.
fn before_maria(chain: &Chain, least: usize) -> Proxy {
    Proxy::start(chain.port, b"\x03COMMIT", least, (4, 0))
}

#[test]
fn a_commit_of_which_nobody_knows_whether_it_happened_is_done_once() {
    let Some(mut chain) = Chain::start(&stream(5_000, 9)) else { return };
    let (maria, redis) =
        (before_maria(&chain, 3_000), Proxy::start(chain.redis.port(), b"EVALSHA", 0, (0, b':')));
    chain.database = Maria::address_at(maria.port, "tf");
    chain.buffer = format!("redis://127.0.0.1:{}", redis.port);
    chain.set_rate(Some(80.0));
    let mut ingest = chain.part("ingest");
    let _workers = [chain.part("worker-1"), chain.part("worker-2")];
    let mut lot = Lot::new();
    for number in 0..24 {
        let cut = if number % 2 == 0 { Cut::After } else { Cut::Before };
        let proxy = if number % 4 < 2 { &maria } else { &redis };
        let fired = proxy.fired();
        proxy.arm(cut);
        chain.until("it is cut", || proxy.fired() > fired);
        std::thread::sleep(Duration::from_millis(lot.below(200)));
    }
    assert!(ingest.ended().is_none(), "all was read before the last of them");
    ingest.kill();
    chain.set_rate(None);
    let mut ingest = chain.part("ingest");
    chain.drain(&mut ingest);
    chain.assert_held();
    println!("{} and {} cut, of {} commits the answer was lost", maria.fired(), redis.fired(), maria.lost());
    assert_eq!((maria.fired(), redis.fired()), (12, 12));
    assert!(maria.lost() > 0, "no commit happened of which the answer was lost");
    assert!(chain.log().contains("entries were committed before"), "what was stored came again");
}

#[test]
fn a_connection_that_falls_silent_in_a_commit_holds_nobody_up_for_long() {
    let Some(mut chain) = Chain::start(&stream(300, 10)) else { return };
    // What a process notes of itself is smaller than what becomes of a hundred entries, and holds nobody up.
    let maria = before_maria(&chain, 10_000);
    chain.set_rate(Some(200.0));
    let mut ingest = chain.part("ingest");
    chain.until("entries wait", || chain.waiting() > 100);
    let direct = std::mem::replace(&mut chain.database, Maria::address_at(maria.port, "tf"));
    maria.arm(Cut::Silent);
    let _silent = chain.part("worker-1");
    chain.until("it is silent", || maria.fired() == 1);
    let begin = Instant::now();
    let commit = chain.commit();
    // It holds the lock that every commit takes, so the other one waits as well.
    chain.database = direct;
    let _other = chain.part("worker-2");
    chain.until("others go on", || chain.commit() > commit);
    println!("locks were held for {:?}", begin.elapsed());
    chain.drain(&mut ingest);
    chain.assert_held();
    assert!(begin.elapsed() > Duration::from_secs(10), "nobody was held up");
    assert!(chain.log().contains("no answer for 25 s"), "{}", chain.log());
}
