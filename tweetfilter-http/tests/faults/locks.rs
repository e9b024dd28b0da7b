//! Four workers on one MariaDB, and a stranger who takes locks in the wrong order.

use crate::chain::{Chain, stream};

/// Locks what a commit needs last, and then what it has locked first. Whoever changed less is given up, so this one
/// changes much.
const DEADLOCK: &str = "START TRANSACTION; INSERT INTO stranger SELECT seq FROM seq_1_to_20000; \
    UPDATE outcome_count SET stored = stored; DO SLEEP(0.3); \
    SELECT COUNT(*) FROM state WHERE name IN ('commit', 'post') FOR UPDATE; ROLLBACK";

/// Keeps every commit waiting for longer than a lock is waited for.
const HOLD: &str = "START TRANSACTION; SELECT COUNT(*) FROM state WHERE name IN ('commit', 'post') FOR UPDATE; DO SLEEP(11); ROLLBACK";

#[test]
fn four_workers_get_over_deadlocks_and_locks_that_are_held() {
    let Some(mut chain) = Chain::start(&stream(5_000, 13)) else { return };
    chain.set_rate(Some(80.0));
    let mut ingest = chain.part("ingest");
    let _workers = ["worker-1", "worker-2", "worker-3", "worker-4"].map(|name| chain.part(name));
    chain.maria.say("CREATE TABLE tf.stranger (n BIGINT) ENGINE=InnoDB");
    chain.until("they work", || chain.commit() > 5);
    let mut tries = 0;
    chain.until("a worker meets a deadlock", || {
        // Whether the stranger is given up or a worker, the other goes on.
        let _ = chain.maria.try_ask("tf", DEADLOCK);
        tries += 1;
        tries >= 6 && chain.log().contains("Deadlock found")
    });
    // A worker waits for a lock only once it is over the last deadlock.
    let before = chain.commit();
    chain.until("they work again", || chain.commit() > before + 4);
    // One that begins to wait late is not held up for long enough.
    chain.until("a worker waits for a lock in vain", || {
        let _ = chain.maria.try_ask("tf", HOLD);
        chain.log().contains("Lock wait timeout")
    });
    assert!(ingest.ended().is_none(), "all was read meanwhile");
    ingest.kill();
    chain.set_rate(None);
    let mut ingest = chain.part("ingest");
    chain.drain(&mut ingest);
    chain.assert_held();
    let deadlocks = chain.maria.ask("", "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")[0][1].clone();
    let log = chain.log();
    let (met, waited) = (log.matches("Deadlock found").count(), log.matches("Lock wait timeout").count());
    println!("{deadlocks} deadlocks, {met} met by a worker, {waited} locks waited for in vain");
    assert_ne!(deadlocks, "0");
    assert!(met > 0 && waited > 0, "{met} {waited} {log}");
}
