//! Commands that ask for something that is not there say so, and what is there is shown in one line.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tweetfilter_sql::Database;
use tweetfilter_stream::store::{DeadLetter, Outcome, Store};

use crate::chain::ok;
use crate::support::{Ended, Files, command, for_user, tweet};

fn with_a_post() -> Files {
    let files = Files::new().with("posts.ndjson", for_user("1", &tweet("7", "bob", "snow")));
    ok(files.run(&["account", "add", "ann", "--identity", "x:1"]));
    ok(files.run(&["filter", "add", "ann", "snow"]));
    ok(files.run(&["replay", "--audience", "envelope", "posts.ndjson"]));
    files
}

#[test]
fn who_asks_where_no_store_is_makes_none() {
    for arguments in [
        &["timeline", "ann"][..],
        &["tail"],
        &["status"],
        &["account", "list"],
        &["filter", "list", "ann"],
        &["filter", "add", "ann", "snow"],
        &["set", "list", "--for-all"],
        &["token", "list"],
        &["dead-letters", "list"],
        &["reapply", "ann"],
    ] {
        let files = Files::new();
        let ended = files.run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}");
        assert!(ended.err.contains("there is no store at tweetfilter.db"), "{arguments:?}: {}", ended.err);
        assert!(!files.path("tweetfilter.db").exists(), "{arguments:?}");
    }
}

#[test]
fn what_is_not_there_is_an_error() {
    let files = with_a_post();
    assert!(ok(files.run(&["timeline", "ann", "--filter", "1"])).contains("snow"));
    for arguments in [
        &["timeline", "ann", "--filter", "9"][..],
        &["dead-letters", "retry", "9"],
        &["filter", "order", "ann", "1", "9"],
    ] {
        let ended = files.run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}");
        assert!(ended.err.contains('9') && ended.err.contains(" list"), "{arguments:?}: {}", ended.err);
    }
    // What a filter matched stays when it is gone.
    ok(files.run(&["filter", "remove", "1"]));
    assert!(ok(files.run(&["timeline", "ann", "--filter", "1"])).contains("snow"));
    // One that has matched nothing is no error.
    ok(files.run(&["filter", "add", "ann", "rain"]));
    assert_eq!(ok(files.run(&["timeline", "ann", "--filter", "2"])), "");
}

#[test]
fn dead_letters_are_listed_and_put_back_however_many_they_are() {
    let files = with_a_post();
    let path = files.path("tweetfilter.db").display().to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database::open(&path).await.unwrap();
        let letter = |n: u32| DeadLetter::new(format!("garbage {n}").into_bytes(), format!("reason {n}"), 5);
        let outcome = Outcome { dead: (0..1_200).map(letter).collect(), ..Outcome::default() };
        database.commit(&outcome, &[]).await.unwrap();
        database.close().await;
    });
    let listed = ok(files.run(&["dead-letters", "list"]));
    assert_eq!(listed.lines().count(), 1_200);
    assert!(listed.starts_with("1\t1970-01-01T00:00:00") && listed.ends_with("\treason 1199\n"), "{listed}");
    assert_eq!(ok(files.run(&["dead-letters", "retry", "2", "2", "7"])), "2 put back\n");
    let first = ok(files.run(&["dead-letters", "list", "--json"]));
    let first: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!((&first["id"], &first["reason"], &first["bytes"]), (&1.into(), &"reason 0".into(), &9.into()));
    // Who comes second waits for the first, and neither takes anything from the other.
    let both = std::thread::scope(|scope| {
        let retry = || scope.spawn(|| ok(files.run(&["dead-letters", "retry"])));
        [retry(), retry()].map(|retried| retried.join().unwrap())
    });
    let counts = both.iter().map(|said| said.split(' ').next().unwrap().parse::<u32>().unwrap());
    assert_eq!(counts.sum::<u32>(), 1_198, "{both:?}");
    assert_eq!(ok(files.run(&["dead-letters", "list"])), "");
}

#[test]
fn tail_ends_when_nobody_reads_it_any_more() {
    let files = with_a_post();
    let mut tail = command()
        .arg("tail")
        .current_dir(files.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let before = tail.try_wait().unwrap();
    drop(tail.stdout.take());
    let closed = Instant::now();
    let mut ended = None;
    while ended.is_none() && closed.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(50));
        ended = tail.try_wait().unwrap();
    }
    let _ = tail.kill();
    let _ = tail.wait();
    assert_eq!((before, ended.and_then(|ended| ended.code())), (None, Some(0)));
}

#[test]
fn tail_refuses_what_it_would_wait_for_in_vain() {
    let files = with_a_post();
    ok(files.run(&["account", "add", "ben"]));
    let tail = |arguments: &[&str]| {
        let mut tail = command();
        tail.arg("tail").args(arguments).current_dir(files.path("")).stdin(Stdio::null());
        tail.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for (arguments, said) in [
        (&["--filter", "9"][..], "there is no filter 9"),
        (&["--filter", "9", "--after", "0"], "there is no filter 9"),
        (&["--account", "ann", "--filter", "9"], "ann has no filter 9"),
        (&["--account", "ben", "--filter", "1"], "ben has no filter 1"),
        (&["--account", "nobody"], "there is no account nobody"),
    ] {
        let mut tail = tail(arguments);
        // One that waits ends well when nobody reads it.
        drop(tail.stdout.take());
        let ended = tail.wait_with_output().unwrap();
        let err = String::from_utf8(ended.stderr).unwrap();
        assert!(
            ended.status.code() == Some(2) && err.contains(said) && err.contains(" list"),
            "{arguments:?}: {err}"
        );
    }
    // What a filter matched is there when it is gone.
    ok(files.run(&["filter", "remove", "1"]));
    let mut tail = tail(&["--account", "ann", "--filter", "1", "--after", "0"]);
    let mut line = String::new();
    BufReader::new(tail.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let _ = tail.kill();
    let _ = tail.wait();
    assert!(line.contains("snow"), "{line}");
}

#[test]
fn what_waits_for_a_removed_account_is_not_for_the_next_of_its_name() {
    let files = with_a_post().with("more.ndjson", tweet("8", "bob", "snow for the first ann"));
    ok(files.run(&["replay", "--no-work", "--audience", "account ann", "more.ndjson"]));
    ok(files.run(&["account", "remove", "ann"]));
    // Clocks of both tell milliseconds.
    std::thread::sleep(Duration::from_millis(20));
    ok(files.run(&["account", "add", "ann"]));
    ok(files.run(&["filter", "add", "ann", "snow"]));
    ok(files.run(&["work", "--until-empty"]));
    assert_eq!(ok(files.run(&["timeline", "ann", "--hidden"])), "");
    let files = files.with("later.ndjson", tweet("9", "bob", "snow for the second ann"));
    ok(files.run(&["replay", "--audience", "account ann", "later.ndjson"]));
    assert!(ok(files.run(&["timeline", "ann"])).contains("the second ann"));
}

#[test]
fn filters_are_put_in_an_order() {
    let files = with_a_post();
    for filter in ["rain", "fog", "hail"] {
        ok(files.run(&["filter", "add", "ann", filter]));
    }
    ok(files.run(&["filter", "order", "ann", "3", "2", "3"]));
    let out = ok(files.run(&["filter", "list", "ann"]));
    let order: Vec<_> = out.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(order, ["3", "2", "1", "4"]);
}

#[test]
fn an_expiry_is_set_and_lifted() {
    let files = with_a_post();
    let listed = || ok(files.run(&["filter", "list", "ann"]));
    ok(files.run(&["filter", "edit", "1", "--expires-in", "0.00001"]));
    // Whoever takes the filters next switches it off.
    std::thread::sleep(Duration::from_millis(100));
    ok(files.run(&["status"]));
    assert!(listed().contains("off"), "{}", listed());
    let ended = files.run(&["filter", "edit", "1", "--enabled", "true"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("--expires-in never"), "{}", ended.err);
    ok(files.run(&["filter", "edit", "1", "--enabled", "true", "--expires-in", "never"]));
    ok(files.run(&["status"]));
    assert!(!listed().contains("off") && !listed().contains("until"), "{}", listed());
}

#[test]
fn names_are_shown_in_one_line_without_control_characters() {
    let files = with_a_post();
    ok(files.run(&["filter", "edit", "1", "--name", "a\u{1b}[31m\nb", "--filter", "snow\n-rain"]));
    let out = ok(files.run(&["filter", "list", "ann"]));
    assert_eq!(out, "1\thighlight\ta [31m b\tsnow -rain\n");
}

#[test]
fn whom_an_account_follows_is_named_as_posts_name_them() {
    let files = Files::new();
    ok(files.run(&["account", "add", "ann", "--identity", "X:77", "--identity", "M.example:ann"]));
    let listed = ok(files.run(&["account", "list"]));
    assert!(listed.contains("x:77") && listed.contains("m.example:ann@m.example"), "{listed}");
    for (arguments, said) in [
        (&["account", "add", "ben", "--identity", "twitter:77"][..], "networks are x, bluesky, or the host"),
        (&["account", "follow", "ann", "m.example", "bob"], "write @bob"),
        (&["account", "follow", "ann", "twitter", "bob"], "networks are"),
        (&["account", "follow", "ann", "x", "bob", "--not"], "ann does not follow bob on x"),
    ] {
        let Ended { code, err, .. } = files.run(arguments);
        assert!(code == 2 && err.contains(said), "{arguments:?}: {code} {err}");
    }
    ok(files.run(&["account", "follow", "ann", "M.example", "@bob"]));
    ok(files.run(&["account", "follow", "ann", "m.example", "bob@m.example", "--not"]));
    let again = files.run(&["account", "follow", "ann", "m.example", "@bob", "--not"]);
    assert_eq!(again.code, 2, "{}", again.err);
}

#[test]
fn who_an_account_is_and_whom_it_follows_is_shown() {
    let files = Files::new().with("friends", r#"{"for_user":"77","message":{"friends":[7,42]}}"#);
    ok(files.run(&["account", "add", "ann", "--identity", "x:77:ann", "--identity", "x:@1888"]));
    ok(files.run(&["account", "add", "ben"]));
    ok(files.run(&["account", "follow", "ann", "x", "@42"]));
    ok(files.run(&["account", "follow", "ann", "bluesky", "did:plc:abc"]));
    // And the friends that its stream tells of.
    ok(files.run(&["replay", "friends", "--audience", "envelope"]));
    let shown = ok(files.run(&["account", "show", "ann"]));
    assert_eq!(
        shown,
        "identity\tx:@1888\nidentity\tx:77:ann\nfollows\tbluesky\tdid:plc:abc\town\n\
         follows\tx\t42\tnetwork\nfollows\tx\t7\tnetwork\nfollows\tx\t@42\town\n"
    );
    assert_eq!(ok(files.run(&["account", "show", "ben"])), "");
    let json: serde_json::Value =
        serde_json::from_str(&ok(files.run(&["account", "show", "ann", "--json"]))).unwrap();
    assert_eq!(json["identities"][1], serde_json::json!({"network": "x", "id": "77", "handle": "ann"}));
    assert_eq!(
        json["follows"][0],
        serde_json::json!({"network": "bluesky", "author": "did:plc:abc", "by": "own"})
    );
    let listed = ok(files.run(&["account", "list", "--json"]));
    let listed: Vec<serde_json::Value> =
        listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ben = serde_json::json!({"name": "ben", "identities": []});
    assert_eq!(listed, [serde_json::json!({"name": "ann", "identities": json["identities"]}), ben]);
    let Ended { code, err, .. } = files.run(&["account", "show", "cid"]);
    assert!(code == 2 && err.contains("there is no account cid"), "{code} {err}");
}
