//! Disks that are full: of the file, of Redis, of MariaDB.
//!
//! Each disk is a small tmpfs in a namespace of its own, which needs no rights on most systems.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::chain::{Chain, stream};
use crate::embedded::Embedded;
use crate::maria::Folder;
use crate::oracle::Said;
use crate::redis::FIT;
use crate::support::Files;

/// Runs a test again in a namespace where it may mount, or there, with as many disks as sizes are given.
fn with_disks(test: &str, sizes: &[&str], run: impl FnOnce(&[PathBuf])) {
    const INSIDE: &str = "TWEETFILTER_DISKS";
    let unshared = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.arg("-rm").args(arguments);
        command
    };
    if std::env::var_os(INSIDE).is_none() {
        let can = unshared(&["mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
        if !can.is_ok_and(|done| done.status.success()) {
            println!("skipped: no user namespaces, in which a small disk could be mounted");
            return;
        }
        let this = std::env::current_exe().expect("this program");
        let done = unshared(&[&this.display().to_string(), "--exact", test, "--nocapture"])
            .env(INSIDE, "1")
            .output()
            .expect("it ran a moment ago");
        let said =
            [done.stdout, done.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        println!("{said}");
        assert!(done.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let files = Files::new();
    let disk = |(number, size): (usize, &&str)| {
        let folder = files.path(&format!("disk-{number}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size},mode=777"), "tmpfs"]).arg(&folder);
        assert!(mount.status().expect("mount").success());
        folder
    };
    let disks: Vec<_> = sizes.iter().enumerate().map(disk).collect();
    run(&disks);
    for disk in &disks {
        let _ = Command::new("umount").arg("-l").arg(disk).status();
    }
}

/// Leaves so many bytes free on a disk.
fn fill(disk: &Path, leave: u64) -> PathBuf {
    let ballast = disk.join("ballast");
    let mut file = File::create(&ballast).expect("a file");
    let some = vec![0; 64 << 10];
    while file.write_all(&some).is_ok() {}
    let size = file.metadata().expect("its size").len();
    file.set_len(size.saturating_sub(leave)).expect("it shrinks");
    ballast
}

/// Whether not even a little more fits.
fn is_full(disk: &Path) -> bool {
    let probe = disk.join("probe");
    let full = std::fs::write(&probe, vec![0; 1 << 20]).is_err();
    let _ = std::fs::remove_file(probe);
    full
}

#[test]
fn a_file_on_a_full_disk_holds_everything_until_there_is_room() {
    with_disks("full::a_file_on_a_full_disk_holds_everything_until_there_is_room", &["20m"], |disks| {
        let chain = Embedded::start(&stream(1_500, 19), Some(&disks[0]));
        let ballast = fill(&disks[0], 2 << 20);
        let mut server = chain.serve(None, &[]);
        chain.until("the disk is full", || {
            chain.log().contains("nothing is read until") || chain.log().contains("holds its entries until")
        });
        assert!(chain.log().contains("full"), "{}", chain.log());
        assert!(is_full(&disks[0]));
        std::thread::sleep(std::time::Duration::from_secs(2));
        assert!(server.ended().is_none(), "{}", chain.log());
        std::fs::remove_file(ballast).expect("it is there");
        chain.drain();
        chain.assert_held();
        println!("{}", chain.log());
    });
}

#[test]
fn servers_on_full_disks_lose_nothing() {
    with_disks("full::servers_on_full_disks_lose_nothing", &["24m", "140m"], |disks| {
        let log = disks[0].display().to_string();
        let options = [&FIT[..], &["--dir", &log]].concat();
        let Some(mut chain) = Chain::start_in(&stream(2_500, 20), Folder::within(&disks[1]), &options) else {
            return;
        };
        // MariaDB first, with the buffer still roomy.
        let ballast = fill(&disks[1], 256 << 10);
        // They are to last until Redis has ended, on a slow machine too.
        chain.set_rate(Some(50.0));
        let mut ingest = chain.part("ingest");
        let _worker = chain.part("worker-1");
        chain.until("its disk is full", || chain.log().contains("holds its entries until"));
        let read = chain.lines_read();
        chain.until("reading goes on", || chain.lines_read() > read + 100);
        println!("{}", chain.log().lines().filter(|line| line.contains("holds its")).collect::<String>());
        std::fs::remove_file(ballast).expect("it is there");
        if chain.maria.kill() {
            println!("MariaDB lived on");
        }
        chain.maria.restart();
        chain.until("it works again", || chain.waiting() < 50);
        // Redis ends when it can't write what it is about to acknowledge.
        let ballast = fill(&disks[0], 128 << 10);
        assert!(ingest.ended().is_none(), "all was read");
        chain.until("Redis ends", || !chain.redis.runs());
        assert!(is_full(&disks[0]));
        std::fs::remove_file(ballast).expect("it is there");
        chain.redis.restart(None);
        drop(ingest);
        chain.set_rate(None);
        let mut ingest = chain.part("ingest");
        chain.drain(&mut ingest);
        chain.assert_held();
    });
}

/// What is stored is right, and what is missing was forgotten and is counted.
fn assert_forgotten(chain: &Embedded) {
    let status = chain.status();
    let count = |of: &Value, name: &str| of[name].as_u64().unwrap_or_else(|| panic!("{name}: {of}"));
    let (stored, forgotten) = (count(&status["sources"][0], "stored"), count(&status, "forgotten_for_room"));
    println!("{forgotten} of {stored} posts forgotten; {}", status["disk"]);
    assert!(forgotten > 0, "{status}");
    assert_eq!(count(&status, "posts") + forgotten, stored, "{status}");
    assert!(chain.ok(&["status"]).contains(&format!("forgotten {forgotten} posts for want of room")));
    assert!(chain.log().contains("the oldest posts are forgotten"), "{}", chain.log());
    chain.assert_balanced();
    let delivered = chain.delivered();
    let known: BTreeSet<_> = delivered.iter().map(|d| (d.account.clone(), d.post.clone())).collect();
    let left = chain.said.audience.intersection(&known).cloned().collect();
    let posts = chain.said.posts.clone();
    let said = Said { posts, audience: left, deleted: chain.said.deleted.clone(), ..Said::default() };
    said.assert_held(&delivered, &chain.history);
}

#[test]
fn the_oldest_posts_are_forgotten_before_a_disk_is_full() {
    with_disks("full::the_oldest_posts_are_forgotten_before_a_disk_is_full", &["64m"], |disks| {
        let mut chain = Embedded::start(&stream(6_000, 21), Some(&disks[0]));
        fill(&disks[0], 34 << 20);
        // Half of it takes what comes at once, and what becomes of that, after who looks after the disk was held up.
        chain.reserve = "24MiB";
        // Slower than those who look after the disk.
        let mut server = chain.serve(Some(1_000.0), &[]);
        chain.drain();
        assert!(server.ended().is_none_or(|ended| ended.success()), "{}", chain.log());
        // It may be forgetting some still, between two looks of this test.
        server.kill();
        assert_forgotten(&chain);
        assert!(!chain.log().contains("(code: 13)"), "it was full: {}", chain.log());
    });
}

#[test]
fn nothing_more_is_read_before_others_have_filled_a_disk() {
    with_disks("full::nothing_more_is_read_before_others_have_filled_a_disk", &["64m"], |disks| {
        let mut chain = Embedded::start(&stream(1_500, 22), Some(&disks[0]));
        chain.reserve = "24MiB";
        let _server = chain.serve(Some(150.0), &[]);
        chain.until("it reads", || chain.lines_read() > 300);
        // Less than half of the reserve, and more than what forgetting takes at first.
        let ballast = fill(&disks[0], 8 << 20);
        chain.until("reading stops", || chain.log().contains("nothing is read until the buffer takes"));
        assert!(!is_full(&disks[0]), "{}", chain.log());
        chain.until("all is forgotten", || chain.log().contains("no post is left to be forgotten"));
        assert_eq!(chain.status()["disk"]["state"], "full, nothing is received");
        let read = chain.lines_read();
        std::thread::sleep(std::time::Duration::from_secs(2));
        assert!(chain.lines_read() == read && read < chain.said.lines, "{read}");
        std::fs::remove_file(ballast).expect("it is there");
        chain.drain();
        chain.until("it is said", || chain.log().contains("the disk has room again"));
        assert_forgotten(&chain);
    });
}
