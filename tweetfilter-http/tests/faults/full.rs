//! Disks that are full: of the file, of Redis, of MariaDB.
//!
//! Each disk is a small tmpfs in a namespace of its own, which needs no rights on most systems.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::chain::{Chain, stream};
use crate::embedded::Embedded;
use crate::maria::Folder;
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
            println!("skipped: no tmpfs");
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
    with_disks("full::servers_on_full_disks_lose_nothing", &["12m", "140m"], |disks| {
        let log = disks[0].display().to_string();
        let options = [&FIT[..], &["--dir", &log]].concat();
        let Some(mut chain) = Chain::start_in(&stream(2_500, 20), Folder::within(&disks[1]), &options) else {
            return;
        };
        // MariaDB first, with the buffer still roomy.
        let ballast = fill(&disks[1], 256 << 10);
        chain.set_rate(Some(250.0));
        let ingest = chain.part("ingest");
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
