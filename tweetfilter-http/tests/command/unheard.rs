//! Logs that nobody takes: whoever read them has gone or has stopped reading, or their disk is full.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::process::Stdio;

use crate::chain::{Server, ok, status, until, with_accounts};
use crate::support::{Files, command, tweet};

const SETTINGS: &str = "[source.live]\nkind = \"generated\"\nrate = 200.0\n";

/// A disk without room.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// What is filtered is found, by filters that come now, and who is told to end does.
fn goes_on(files: &Files, mut server: Server) {
    until("posts", files, || status(files)["posts"].as_u64() > Some(0));
    let number = ok(files.run(&["filter", "add", "5", "-from:nobody"]));
    // The worker says that it is live.
    until("a match of the new filter", files, || {
        !ok(files.run(&["timeline", "5", "--filter", number.trim(), "--json"])).is_empty()
    });
    let before = status(files)["posts"].as_u64();
    until("more posts", files, || status(files)["posts"].as_u64() > before);
    until("it is known to run", files, || status(files)["processes"][0]["state"] == "running");
    assert_eq!(status(files)["crashes"], 0);
    server.tell_to_end();
}

/// With an empty log: nothing goes there.
fn files() -> Files {
    with_accounts(Files::new().with("tweetfilter.toml", SETTINGS).with("log", ""))
}

#[test]
fn a_server_runs_on_when_whoever_read_its_log_has_gone() {
    let files = files();
    let mut server = Server::start_with(&files, &["serve"], Stdio::piped());
    let mut first = String::new();
    BufReader::new(server.stderr()).read_line(&mut first).unwrap();
    assert!(!first.is_empty());
    goes_on(&files, server);
}

#[test]
fn a_server_runs_on_where_its_log_has_no_room() {
    let files = files();
    let server = Server::start_with(&files, &["serve", "--log", "debug", "--log-format", "json"], full());
    goes_on(&files, server);
}

/// As a terminal does after Ctrl-S, or `less` that waits for a key.
#[test]
fn a_server_runs_on_when_whoever_reads_its_log_has_stopped_reading() {
    let (_reader, mut pipe) = std::io::pipe().unwrap();
    // As much as a pipe holds.
    pipe.write_all(&[b'x'; 1 << 16]).unwrap();
    let files = files();
    let server = Server::start_with(&files, &["serve", "--log", "debug"], pipe);
    goes_on(&files, server);
}

#[test]
fn files_are_read_where_the_log_has_no_room() {
    let files = files();
    let lines: String = (1..=3).map(|id| format!("{}\n", tweet(&id.to_string(), "bob", "snow"))).collect();
    let files = files.with("day.ndjson", lines);
    for command_line in
        [&["replay", "--no-work", "--audience", "account 5", "day.ndjson"][..], &["work", "--until-empty"]]
    {
        let mut child = command();
        child.args(command_line).args(["--log", "debug"]).current_dir(files.path("")).stderr(full());
        assert_eq!(child.status().unwrap().code(), Some(0), "{command_line:?}");
    }
    assert_eq!(ok(files.run(&["timeline", "5", "--hidden", "--json"])).lines().count(), 3);
}

/// A terminal after Ctrl-S, and who reads what is shown on it.
#[cfg(target_os = "linux")]
fn stopped_terminal() -> (OwnedFd, File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let reader = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&reader).unwrap();
    unlockpt(&reader).unwrap();
    let name = ptsname(&reader, Vec::new()).unwrap();
    let terminal = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    rustix::termios::tcflow(&terminal, rustix::termios::Action::OOff).unwrap();
    (reader, terminal)
}

/// Longer than a bar waits before it is drawn, and than its steady ticks.
#[cfg(target_os = "linux")]
const SECOND: &[&str] = &["--rate", "20"];

#[test]
#[cfg(target_os = "linux")]
fn what_has_a_bar_goes_on_where_the_terminal_was_stopped_and_is_told_to_end() {
    let lines = |count: u32| -> String {
        (1..=count).map(|id| format!("{}\n", tweet(&id.to_string(), "bob", "snow"))).collect()
    };
    let files = files().with("short.ndjson", lines(30)).with("long.ndjson", lines(2_000));
    let start = |arguments: &[&str]| {
        let (reader, terminal) = stopped_terminal();
        (reader, Server::start_with(&files, arguments, terminal))
    };
    let audience = ["--audience", "account 5"];
    let (_reader, mut short) = start(&[&["replay", "short.ndjson"], SECOND, &audience].concat());
    assert_eq!(short.ended().code(), Some(0));
    let (_reader, mut matching) = start(&["match", "--expr", "snow", "long.ndjson"]);
    assert_eq!(matching.ended().code(), Some(0));
    let posts = || status(&files)["posts"].as_u64();
    assert_eq!(posts(), Some(30));
    let (_reader, mut long) = start(&[&["replay", "long.ndjson"], SECOND, &audience].concat());
    until("more posts", &files, || posts() > Some(30));
    long.tell_to_end();
    let (_reader, mut again) = start(&["reapply", "--all", "--rate", "1"]);
    // It heeds signals by then.
    std::thread::sleep(std::time::Duration::from_secs(1));
    again.tell_to_end();
}
