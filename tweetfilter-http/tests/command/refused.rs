//! A source that is refused says so and what is to be done, and goes on when that is done.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::chain::{Server, ok, status, until};
use crate::support::{Files, for_user, tweet};

/// Answers with a stream of one line, to those who have the valid token.
fn stream(listener: &TcpListener, line: &str) {
    let mut open: Vec<TcpStream> = Vec::new();
    while let Ok((mut connection, _)) = listener.accept() {
        let (mut request, mut some) = (Vec::new(), [0; 1024]);
        while !request.ends_with(b"\r\n\r\n") {
            match connection.read(&mut some) {
                Ok(0) | Err(_) => break,
                Ok(read) => request.extend_from_slice(&some[..read]),
            }
        }
        let request = String::from_utf8_lossy(&request).into_owned();
        let answer = if request.contains("Bearer valid") {
            let length = line.len() + 2;
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{line}\r\n\r\n")
        } else {
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!".to_owned()
        };
        let _ = connection.write_all(answer.as_bytes());
        if request.contains("Bearer valid") {
            open.push(connection);
        }
    }
}

/// The part that reads the source `people`.
fn people(files: &Files) -> serde_json::Value {
    let status = status(files);
    let parts = status["processes"][0]["parts"].as_array().cloned().unwrap_or_default();
    parts.into_iter().find(|part| part["name"] == "ingest people").unwrap_or_default()
}

#[test]
fn a_token_that_is_refused_is_told_and_read_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let line = for_user("1", &tweet("7", "bob", "snow"));
    std::thread::spawn(move || stream(&listener, &line));
    let settings = format!(
        "[source.people]\nkind = \"x-site\"\naddress = \"http://127.0.0.1:{port}/site.json\"\n\
         token-file = \"hush.token\"\n"
    );
    let files = Files::new().with("hush.token", "revoked").with("tweetfilter.toml", settings);
    ok(files.run(&["account", "add", "ann", "--identity", "x:1"]));
    let mut server = Server::start(&files, &["serve"]);
    let part = || people(&files);
    until("it is refused", &files, || part()["state"] == "refused");
    let shown = ok(files.run(&["status"]));
    for told in ["refused for ", "tried again at ", "status 401: no!; put a valid token into hush.token"] {
        assert!(shown.contains(told), "{told:?} in {shown}");
    }
    assert_eq!(status(&files)["crashes"], 0);
    let files = files.with("hush.token", "valid");
    until("it is read", &files, || status(&files)["posts"] == 1);
    assert!(ok(files.run(&["timeline", "ann"])).contains("snow"));
    server.tell_to_end();
    assert!(!files.read("log").contains("revoked"), "no token is shown");
}

#[test]
fn a_file_that_is_not_there_and_a_name_that_another_kind_of_source_had_are_refused() {
    let settings = "[source.people]\nkind = \"file\"\nfiles = [\"posts.ndjson\"]\n";
    let files = Files::new().with("tweetfilter.toml", settings);
    ok(files.run(&["account", "add", "ann"]));
    let refused = |told: &str| {
        let mut server = Server::start(&files, &["serve"]);
        let part = || people(&files);
        until("it is refused", &files, || part()["state"] == "refused");
        let reason = part()["refused"].as_str().unwrap().to_owned();
        assert!(reason.contains(told), "{reason}");
        assert_eq!((status(&files)["crashes"].clone(), part()["restarts"].clone()), (0.into(), 0.into()));
        server.tell_to_end();
        reason
    };
    refused("posts.ndjson: No such file");
    std::fs::write(files.path("posts.ndjson"), tweet("7", "bob", "snow") + "\n").unwrap();
    let mut server = Server::start(&files, &["serve"]);
    until("it is read", &files, || status(&files)["posts"] == 1);
    server.tell_to_end();
    for kind in ["kind = \"jetstream\"\naddress = \"ws://127.0.0.1:9\"", "kind = \"generated\""] {
        std::fs::write(files.path("tweetfilter.toml"), format!("[source.people]\n{kind}\n")).unwrap();
        let reason = refused("Give it another name, or the kind that it had");
        assert!(!reason.contains("posts.ndjson") && !reason.contains('{'), "{reason}");
    }
}

#[test]
fn a_name_under_which_posts_were_invented_is_refused_to_a_file() {
    let settings = "[source.people]\nkind = \"generated\"\nparameters = { posts = \"9\" }\n";
    let files =
        Files::new().with("tweetfilter.toml", settings).with("posts.ndjson", tweet("7", "bob", "snow"));
    ok(files.run(&["account", "add", "ann"]));
    // Of the same kind it begins again, however often.
    let posts = || status(&files)["sources"][0]["counts"]["posts"].as_u64().unwrap_or_default();
    for before in [0, 9] {
        let mut server = Server::start(&files, &["serve"]);
        until("they are read", &files, || posts() >= before + 9);
        server.tell_to_end();
    }
    let settings = "[source.people]\nkind = \"file\"\nfiles = [\"posts.ndjson\"]\n";
    std::fs::write(files.path("tweetfilter.toml"), settings).unwrap();
    let mut server = Server::start(&files, &["serve"]);
    until("it is refused", &files, || people(&files)["state"] == "refused");
    let reason = people(&files)["refused"].as_str().unwrap().to_owned();
    assert!(reason.contains("something else than files was read before"), "{reason}");
    server.tell_to_end();
}

#[test]
fn a_source_for_an_account_that_is_not_there_is_named_with_the_way_out() {
    let settings = "[source.home]\nkind = \"generated\"\naudience = \"account ben\"\n";
    let files = Files::new().with("tweetfilter.toml", settings);
    ok(files.run(&["account", "add", "ann"]));
    let mut server = Server::start(&files, &["serve", "--instance", "box-1"]);
    let unwell = || {
        let unwell = status(&files)["unwell"].as_array().cloned().unwrap_or_default();
        unwell.into_iter().find(|one| one["code"] == "source_for_nobody")
    };
    until("it is told", &files, || unwell().is_some());
    let message = unwell().unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("ingest home of serve box-1 on "), "{message}");
    assert!(message.contains("the account ben, which is not there: `tweetfilter account add`"), "{message}");
    assert!(ok(files.run(&["status"])).contains(", for the account ben, which is not there"));
    server.tell_to_end();
}

#[test]
fn what_a_source_lacks_for_ever_is_told_at_the_start() {
    for (lacks, told) in [
        ("kind = \"file\"", "needs files"),
        ("kind = \"x-site\"", "needs a token"),
        ("kind = \"x-user\"\ntoken-file = \"t\"", "audience = "),
        ("kind = \"mastodon\"\naudience = \"account ann\"\ntoken-file = \"t\"", "say which server"),
        ("kind = \"x-v2\"\ntoken-variable = \"TWEETFILTER_NONE\"", "TWEETFILTER_NONE is not set"),
    ] {
        let files = Files::new().with("tweetfilter.toml", format!("[source.lacking]\n{lacks}\n"));
        let mut server = Server::start(&files, &["ingest"]);
        until("it ends", &files, || server.has_ended());
        let log = files.read("log");
        assert!(log.contains("source lacking: ") && log.contains(told), "{lacks}: {log}");
    }
}
