//! Logs that nobody takes: whoever read them has gone or has stopped reading, or their disk is full.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
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
