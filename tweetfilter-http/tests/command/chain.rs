//! The whole chain on one file: what was read is evaluated for everyone who saw it, once.

use std::collections::BTreeMap;
use std::process::{Child, ChildStderr, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::oracle::{self, FILTERS, Said};
use crate::support::{Ended, Files, command, for_user, tweet};

pub fn ok(ended: Ended) -> String {
    assert_eq!(ended.code, 0, "{}", ended.err);
    ended.out
}

/// Five accounts with filters.
pub fn with_accounts(files: Files) -> Files {
    for name in ["1", "2", "3", "4", "5"] {
        ok(files.run(&["account", "add", name, "--identity", &format!("x:{name}")]));
    }
    for (account, filter, action) in FILTERS {
        ok(files.run(&["filter", "add", account, filter, "--action", action]));
    }
    files
}

/// Account and post, and whether it is hidden and the numbers of the filters that match.
pub type Seen = BTreeMap<(String, String), (bool, Vec<usize>)>;

/// What the oracle says of an accepted stream.
pub fn by_oracle(lines: &str) -> Seen {
    let lines: String =
        lines.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
    let (said, filters) = (Said::read(&lines), oracle::filters(1..));
    let seen = said.audience.iter().filter(|(_, id)| !said.is_gone(id));
    let verdict = |(account, id): &(String, String)| {
        let (hidden, found) = oracle::verdict(&said.posts[id], account, &filters);
        let found = found.into_iter().map(|number| number as usize).collect();
        ((account.clone(), id.clone()), (hidden, found))
    };
    seen.map(verdict).collect()
}

/// What the store says.
pub fn stored(files: &Files) -> Seen {
    let mut seen = Seen::new();
    for name in ["1", "2", "3", "4", "5"] {
        let out = ok(files.run(&["timeline", name, "--json", "--hidden", "--limit", "1000000"]));
        for line in out.lines() {
            let post: Value = serde_json::from_str(line).unwrap();
            let filters = post["filters"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize);
            let key = (post["account"].as_str().unwrap().to_owned(), post["id"].as_str().unwrap().to_owned());
            let value = (post["hidden"].as_bool().unwrap(), filters.collect());
            assert_eq!(seen.insert(key.clone(), value), None, "{key:?} twice");
        }
    }
    seen
}

pub fn assert_same(found: &Seen, expected: &Seen) {
    let differ: Vec<_> = expected
        .iter()
        .filter(|(key, value)| found.get(*key) != Some(*value))
        .map(|(key, value)| format!("{key:?}: {value:?}, stored {:?}", found.get(key)))
        .chain(found.keys().filter(|key| !expected.contains_key(*key)).map(|key| format!("{key:?} too much")))
        .take(10)
        .collect();
    assert!(differ.is_empty(), "of {} and {}:\n{}", expected.len(), found.len(), differ.join("\n"));
}

/// What passes by itself, as a command that asks tells it: a server that was just started has made no store yet; who has the
/// store, or a machine with much else to do, holds others up for longer than they wait.
const PASSES: [&str; 3] = ["there is no store at ", "the store wants it again: ", "the store is away: "];

/// What `status` says, once it is there to be asked. Whatever else goes wrong is a fault, however seldom it does.
pub fn status(files: &Files) -> Value {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let ran = files.run(&["status", "--json"]);
        let passes = ran.code != 0 && PASSES.iter().any(|reason| ran.err.contains(reason));
        if !passes || Instant::now() > end {
            return serde_json::from_str(&ok(ran)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn assert_balanced(status: &Value) {
    for source in status["sources"].as_array().unwrap() {
        let counts = &source["counts"];
        let number = |name: &str| counts[name].as_u64().unwrap();
        let undecodable: u64 =
            counts["undecodable"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(
            number("lines"),
            number("keep_alives") + number("control") + number("posts") + undecodable,
            "{source}"
        );
        assert_eq!(number("posts"), number("entries") + number("merged"), "{source}");
        if status["buffer"]["entries"] == 0 {
            let ended = ["stored", "suppressed", "repeated", "stale", "dead", "unmatched"];
            let ended: u64 = ended.iter().map(|name| source[name].as_u64().unwrap()).sum();
            assert_eq!(number("entries"), ended, "{source}");
        }
    }
}

#[test]
fn what_was_replayed_is_what_the_oracle_says_however_often() {
    let stream = ok(Files::new().run(&["gen", "--posts", "600", "--accounts", "5", "--audience", "3"]));
    let files = with_accounts(Files::new().with("site.ndjson", &stream));
    let expected = by_oracle(&stream);
    assert!(expected.len() > 500 && expected.values().filter(|seen| !seen.1.is_empty()).count() > 200);
    ok(files.run(&["replay", "--audience", "envelope", "site.ndjson"]));
    assert_same(&stored(&files), &expected);
    let commit = status(&files)["commit"].clone();
    // The same file again is read on from its end; under another name, all of it comes again.
    ok(files.run(&["replay", "--audience", "envelope", "site.ndjson"]));
    ok(files.run(&["replay", "--audience", "envelope", "--source", "again", "site.ndjson"]));
    assert_same(&stored(&files), &expected);
    let status = status(&files);
    assert_balanced(&status);
    assert!(status["commit"].as_i64() > commit.as_i64(), "{status}");
    assert_eq!((&status["buffer"]["entries"], &status["dead_letters"]), (&0.into(), &0.into()));
}

#[test]
fn results_do_not_depend_on_the_order_of_copies_and_deletes() {
    let files = with_accounts(Files::new());
    let delete = r#"{"delete":{"status":{"id_str":"2","user_id_str":"77"}}}"#;
    let lines = [
        for_user("1", delete),
        for_user("1", &tweet("1", "bob", "snow")),
        for_user("2", &tweet("2", "bob", "gone")),
        for_user("3", &tweet("1", "bob", "snow")),
        for_user("9", &tweet("3", "bob", "for a stranger")),
    ];
    // Each line alone, so that no copy meets another in the buffer.
    for (number, line) in lines.iter().enumerate() {
        let name = format!("{number}");
        let ended =
            files.run_with(&["replay", "--audience", "envelope", "--source", &name, "-"], line.as_bytes());
        ok(ended);
    }
    let keys: Vec<_> = stored(&files).into_keys().collect();
    assert_eq!(keys, [("1".to_owned(), "1".to_owned()), ("3".to_owned(), "1".to_owned())]);
}

#[test]
fn where_only_matches_are_kept_what_is_left_out_is_counted() {
    let stream = ok(Files::new().run(&["gen", "--posts", "600", "--accounts", "5", "--audience", "3"]));
    let files = with_accounts(Files::new().with("site.ndjson", &stream));
    ok(files.run(&["replay", "--keep", "matched", "--audience", "envelope", "site.ndjson"]));
    let matched = |seen: Seen| seen.into_iter().filter(|(_, (_, found))| !found.is_empty()).collect::<Seen>();
    assert_same(&matched(stored(&files)), &matched(by_oracle(&stream)));
    let status = status(&files);
    assert_balanced(&status);
    let source = &status["sources"][0];
    assert!(source["unmatched"].as_u64() > Some(50) && source["stored"].as_u64() > Some(50), "{source}");
    let shown = ok(files.run(&["status"]));
    assert!(
        shown.contains(&format!("stale {}, unmatched {}", source["stale"], source["unmatched"])),
        "{shown}"
    );
}

/// A server that is killed with the test.
pub struct Server(Child);

impl Server {
    pub fn start(files: &Files, arguments: &[&str]) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(files.path("log")).unwrap();
        Self::start_with(files, arguments, log)
    }

    /// The same with another stderr.
    pub fn start_with(files: &Files, arguments: &[&str], stderr: impl Into<Stdio>) -> Self {
        let child = command()
            .args(arguments)
            .current_dir(files.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn();
        Self(child.unwrap())
    }

    /// Its stderr, if that is a pipe.
    pub fn stderr(&mut self) -> ChildStderr {
        self.0.stderr.take().unwrap()
    }

    /// Tells it to end, and waits until it has.
    pub fn tell_to_end(&mut self) {
        let id = self.0.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> std::process::ExitStatus {
        self.0.wait().unwrap()
    }

    /// Stops it (`STOP`), or lets it go on (`CONT`).
    pub fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.unwrap().success());
    }

    /// The number of the process.
    pub fn number(&self) -> u32 {
        self.0.id()
    }

    pub fn has_ended(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(Some(_)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many ended of which the store did not say in time that it was told so: those may be found out later, like those that were
/// killed, and say so themselves.
pub fn untold(files: &Files) -> usize {
    let log = std::fs::read_to_string(files.path("log")).unwrap_or_default();
    log.matches("report it as one that ended without saying so").count()
}

/// Waits until something holds.
pub fn until(what: &str, files: &Files, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(180);
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}\n{}", files.read("log"));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_server_takes_new_filters_at_once_and_its_sudden_end_is_found_out() {
    let settings = "[source.live]\nkind = \"generated\"\nrate = 400.0\n";
    let files = with_accounts(Files::new().with("tweetfilter.toml", settings));
    let server = Server::start(&files, &["serve"]);
    until("posts", &files, || status(&files)["posts"].as_u64() > Some(50));
    let number = ok(files.run(&["filter", "add", "5", "-from:nobody"]));
    let added = Instant::now();
    let timeline = || ok(files.run(&["timeline", "5", "--filter", number.trim(), "--json"]));
    let mut looks = 0;
    until("a match of the new filter", &files, || {
        looks += 1;
        !timeline().is_empty()
    });
    // Two seconds, and three for a machine of two cores that has other tests to run. What holds up this test as well makes no
    // more looks.
    let took = added.elapsed();
    assert!(took < Duration::from_secs(5) || looks < 20, "{took:?}, {looks} looks");
    // Killed, and started again: the end without notice is a crash event.
    drop(server);
    let server = Server::start(&files, &["serve"]);
    until("the crash is recorded", &files, || status(&files)["crashes"].as_u64() == Some(1));
    let before = status(&files)["commit"].as_i64();
    until("it goes on", &files, || status(&files)["commit"].as_i64() > before);
    assert_balanced(&status(&files));
    // Told to end, it does so by itself and leaves nothing to be found out.
    let mut server = server;
    let id = server.0.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let ended = server.0.wait().unwrap();
    assert_eq!(ended.code(), Some(0), "{}", files.read("log"));
    let _server = Server::start(&files, &["serve"]);
    until("it runs again", &files, || status(&files)["commit"].as_i64() > before);
    let crashes = status(&files)["crashes"].as_u64().unwrap() as usize;
    assert!((1..=1 + untold(&files)).contains(&crashes), "{crashes}");
}

#[test]
fn an_invalid_filter_is_refused_with_its_place() {
    let files = with_accounts(Files::new());
    let ended = files.run(&["filter", "add", "1", "(cat"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("missing_parenthesis"), "{}", ended.err);
    assert_eq!(files.run(&["filter", "add", "nobody", "cat"]).code, 2);
    assert_eq!(files.run(&["serve"]).code, 2);
}

#[test]
fn filters_over_the_budget_are_refused_and_harm_nobody_when_it_is_lowered() {
    let files = with_accounts(Files::new());
    let dear = r"/\w+ \d/";
    let budget = |micros: &'static str| ["--owner-budget", micros];
    let add = |account, filter, micros| {
        let [option, value] = budget(micros);
        files.run(&["filter", "add", account, filter, option, value])
    };
    let refused = add("5", dear, "0.1");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains(dear) && refused.err.contains("may cost 100 ns"), "{}", refused.err);
    assert!(
        refused.err.contains("put a word beside it") && refused.err.contains("owner-budget"),
        "{}",
        refused.err
    );
    assert_eq!(ok(files.run(&["filter", "list", "5"])), "");
    // Who only asks what would come in is told so too.
    std::fs::write(files.path("dear.txt"), dear).unwrap();
    let [option, value] = budget("0.1");
    let refused = files.run(&["filter", "import", "5", "dear.txt", "--dry-run", option, value]);
    assert!(refused.code == 1 && refused.err.contains("may cost 100 ns"), "{}", refused.err);
    assert_eq!(refused.out, "");
    // Where some is invalid nothing comes in, whatever the others would cost.
    std::fs::write(files.path("broken.txt"), format!("{dear}\n(fire\n")).unwrap();
    for dry_run in [&["--dry-run"][..], &[]] {
        let refused = files.run(&[&["filter", "import", "5", "broken.txt", option, value], dry_run].concat());
        assert!(refused.code == 1 && refused.err.contains("1 of 2 filters invalid"), "{}", refused.err);
        assert!(!refused.err.contains("may cost"), "{}", refused.err);
    }
    let number = ok(add("5", dear, "0"));
    ok(files.run(&["filter", "add", "5", "snow"]));
    // Lowered: the dear one is not used, whatever else there is.
    let line = for_user("5", &tweet("1", "bob", "walking 7 miles and snow melted"));
    let stream = [line, for_user("1", &tweet("2", "bob", "singing adored"))].join("\n");
    let [option, value] = budget("0.2");
    let arguments = ["replay", "--audience", "envelope", "-", option, value];
    ok(files.run_with(&arguments, stream.as_bytes()));
    let found = stored(&files);
    assert_eq!(found[&("5".to_owned(), "1".to_owned())].1, [number.trim().parse::<usize>().unwrap() + 1]);
    assert_eq!(found.len(), 2);
    let unused = |value: &'static str| {
        let out = ok(files.run(&["status", "--json", option, value]));
        serde_json::from_str::<Value>(&out).unwrap()["unused_filters"].clone()
    };
    assert_eq!(unused("0.2")[0]["account"], "5");
    assert_eq!(unused("10").as_array().unwrap().len(), 0);
    assert!(ok(files.run(&["status", option, value])).contains("unused    filter"));
}

#[test]
fn looking_back_gives_what_the_oracle_says_however_often_it_is_killed() {
    let stream = ok(Files::new().run(&["gen", "--posts", "600", "--accounts", "5", "--audience", "3"]));
    let mut files = Files::new().with("site.ndjson", &stream);
    // Other filters at first, under the numbers of those to come; two come later.
    for name in ["1", "2", "3", "4", "5"] {
        ok(files.run(&["account", "add", name, "--identity", &format!("x:{name}")]));
    }
    for (account, _, _) in &FILTERS[..6] {
        ok(files.run(&["filter", "add", account, "-has:links", "--action", "hide"]));
    }
    ok(files.run(&["replay", "--audience", "envelope", "site.ndjson"]));
    let (before, expected) = (stored(&files), by_oracle(&stream));
    assert!(before.len() == expected.len() && before != expected);
    for (number, (_, filter, action)) in FILTERS[..6].iter().enumerate() {
        ok(files.run(&["filter", "edit", &(number + 1).to_string(), "--filter", filter, "--action", action]));
    }
    for (account, filter, action) in &FILTERS[6..] {
        ok(files.run(&["filter", "add", account, filter, "--action", action]));
    }
    files = files.with("log", "");
    let (mut kills, mut halfway) = (0, 0);
    loop {
        // Slow, so that it is under way when it is killed, also where that is late, and each time longer, so that it comes on in
        // the end.
        let mut back = Server::start(&files, &["reapply", "--all", "--rate", "60"]);
        std::thread::sleep(Duration::from_millis(if kills == 0 { 3_200 } else { 400 + 100 * kills }));
        if back.has_ended() {
            break;
        }
        drop(back);
        kills += 1;
        let now = stored(&files);
        halfway += u64::from(now != before && now != expected);
        assert!(kills < 60, "it does not come to its end");
    }
    assert!(kills > 3 && halfway > 1, "{kills} {halfway}");
    assert_same(&stored(&files), &expected);
    // One account's again, and for one filter alone, changes nothing, and nothing of others.
    let again = files.run(&["reapply", "1", "--rate", "1000000"]);
    assert!(again.err.contains("0 changed, 0 added, 0 removed"), "{}", again.err);
    ok(files.run(&["filter", "edit", "3", "--filter", "-has:links"]));
    ok(files.run(&["reapply", "1", "--filter", "3", "--until", "2020-01-01"]));
    assert_same(&stored(&files), &expected);
    ok(files.run(&["reapply", "1", "--filter", "3"]));
    let now = stored(&files);
    assert_ne!(now, expected);
    let others = |seen: &Seen| {
        seen.iter().filter(|(key, _)| key.0 != "1").map(|(k, v)| (k.clone(), v.clone())).collect::<Seen>()
    };
    assert_eq!(others(&now), others(&expected));
    assert_eq!(files.run(&["reapply", "2", "--filter", "3"]).code, 2);
}

#[test]
fn a_source_of_follows_delivers_by_the_lists_that_streams_said() {
    let files = with_accounts(Files::new());
    let replay = |audience: &str, lines: &[String]| {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let name = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
        let arguments = ["replay", "--audience", audience, "--source", &name, "-"];
        ok(files.run_with(&arguments, lines.join("\n").as_bytes()));
    };
    let seen = || stored(&files).into_keys().collect::<Vec<_>>();
    let key = |account: &str, id: &str| (account.to_owned(), id.to_owned());
    // The author of the tweets is 77.
    replay("follows", &[tweet("1", "bob", "snow")]);
    assert!(seen().is_empty());
    // Of an envelope, and of a stream that is one account's; the third has no account here.
    let list = |ids: &str| format!(r#"{{"friends":[{ids}]}}"#);
    replay("envelope", &[for_user("1", &list("5,77")), for_user("99", &list("77"))]);
    replay("account 2", &[r#"{"friends_str":["77"]}"#.to_owned()]);
    replay("public", &[list("1")]);
    replay("follows", &[tweet("2", "bob", "snow")]);
    assert_eq!(seen(), [key("1", "2"), key("2", "2")]);
    // A later list takes the place of the earlier one.
    replay("envelope", &[for_user("1", &list("5"))]);
    replay("follows", &[tweet("3", "bob", "snow")]);
    assert_eq!(seen(), [key("1", "2"), key("2", "2"), key("2", "3")]);
}

#[test]
fn lists_are_of_an_account_or_explicitly_of_all() {
    let files = with_accounts(Files::new().with("a", "snow\n\nice\n").with("b", "rain\n"));
    assert_eq!(files.run(&["set", "add", "weather=a"]).code, 2);
    ok(files.run(&["set", "add", "weather=a", "--account", "5"]));
    assert_eq!(files.run(&["filter", "add", "4", "{weather}"]).code, 1);
    ok(files.run(&["set", "add", "weather=b", "--for-all"]));
    let numbers = ["4", "5"].map(|account| ok(files.run(&["filter", "add", account, "{weather}"])));
    let numbers = numbers.map(|number| number.trim().parse::<usize>().unwrap());
    let lines = ["4", "5"].map(|viewer| for_user(viewer, &tweet("1", "bob", "snow")));
    ok(files.run_with(&["replay", "--audience", "envelope", "-"], lines.join("\n").as_bytes()));
    let found = stored(&files);
    let of = |account: &str| found[&(account.to_owned(), "1".to_owned())].1.clone();
    assert_eq!((of("4"), of("5")), (vec![], vec![numbers[1]]));
    assert_eq!(ok(files.run(&["set", "list", "--account", "5"])), "weather\t2\n");
    assert_eq!(ok(files.run(&["set", "show", "weather", "--for-all"])), "rain\n");
    ok(files.run(&["set", "remove", "weather", "--account", "5"]));
    assert_eq!(files.run(&["set", "show", "weather", "--account", "5"]).code, 2);
}

#[test]
fn what_begins_with_a_hyphen_is_no_option_where_it_can_be_none() {
    let files = Files::new().with("a", "snow\nice\n").with("posts", "snow\nrain\n");
    ok(files.run(&["account", "add", "ann"]));
    ok(files.run(&["set", "add", "-x1=a", "--account", "ann"]));
    ok(files.run(&["set", "add", "--for-all", "--", "-x2=a"]));
    assert_eq!(ok(files.run(&["set", "list", "--account", "ann"])), "-x1\t2\n");
    assert_eq!(ok(files.run(&["set", "show", "-x2", "--for-all"])), "snow\nice\n");
    for filter in [
        &["-word", "--name", "a"][..],
        &["--name", "a", "-word"],
        &["--", "-word"],
        &["--name", "a", "--", "-word"],
        &["-{-x1}"],
    ] {
        ok(files.run(&[&["filter", "add", "ann"], filter].concat()));
    }
    ok(files.run(&["filter", "edit", "1", "--filter", "-other"]));
    let listed = ok(files.run(&["filter", "list", "ann"]));
    assert_eq!((listed.matches("-word").count(), listed.matches("-other").count()), (3, 1), "{listed}");
    assert_eq!(ok(files.run(&["check", "--expr", "-word"])).lines().next(), Some("e1  scanned  -word"));
    let matched = ["match", "--text", "--expr", "-{-x2}", "--set", "-x2=a", "--output", "posts", "posts"];
    assert_eq!(ok(files.run(&matched)), "rain\n");
    ok(files.run(&["set", "remove", "-x1", "--account", "ann"]));
    // Where it may be one, there is a hint.
    let mistyped = files.run(&["account", "remove", "-x1"]);
    assert!(mistyped.code == 2 && mistyped.err.contains("-- -x"), "{}", mistyped.err);
}

#[test]
#[should_panic(expected = "is not a database")]
fn what_does_not_pass_by_itself_is_asked_for_once() {
    status(&Files::new().with("tweetfilter.db", "no store".repeat(1_000)));
}
