//! Files that were replaced, that are still written, or that go by many names.

use std::process::Stdio;

use serde_json::Value;

use crate::chain::{Server, ok, status, until};
use crate::support::{Ended, Files, tweet};

/// An account that finds snow.
fn with_ann() -> Files {
    let files = Files::new();
    ok(files.run(&["account", "add", "ann"]));
    ok(files.run(&["filter", "add", "ann", "snow"]));
    files
}

/// Lines of tweets about snow.
fn snow(ids: impl IntoIterator<Item = u32>) -> String {
    ids.into_iter().map(|id| format!("{}\n", tweet(&id.to_string(), "bob", "snow"))).collect()
}

/// How many posts ann has.
fn found(files: &Files) -> usize {
    ok(files.run(&["timeline", "ann", "--json", "--limit", "1000"])).lines().count()
}

fn replay(files: &Files, arguments: &[&str]) -> Ended {
    let ended = files.run(&[&["replay"], arguments].concat());
    assert_eq!(ended.code, 0, "{}", ended.err);
    ended
}

#[test]
fn another_file_under_the_same_name_is_read_and_that_is_said() {
    let files = with_ann().with("day.ndjson", snow(1..4));
    replay(&files, &["day.ndjson"]);
    let again = replay(&files, &["day.ndjson"]);
    assert!(again.err.contains("0 messages") && !again.err.contains("another file"), "{}", again.err);
    for (ids, expected) in [(4..7, 6), (7..8, 7)] {
        let files = &files;
        std::fs::write(files.path("day.ndjson"), snow(ids)).unwrap();
        let replaced = replay(files, &["day.ndjson"]);
        assert_eq!(found(files), expected, "{}", replaced.err);
        assert!(replaced.err.contains("day.ndjson is another file"), "{}", replaced.err);
    }
    // A name of a source is no promise of one file.
    std::fs::write(files.path("a.ndjson"), snow(10..12)).unwrap();
    std::fs::write(files.path("b.ndjson"), snow(12..14)).unwrap();
    for name in ["a.ndjson", "b.ndjson", "a.ndjson"] {
        replay(&files, &["--source", "archive", name]);
    }
    assert_eq!(found(&files), 11);
}

#[test]
fn a_post_that_was_cut_off_is_found_when_the_file_has_grown() {
    let (first, second) = (snow([1]), snow([2]));
    let (begun, rest) = second.split_at(second.len() / 2);
    let files = with_ann().with("day.ndjson", format!("{first}{begun}"));
    let cut = replay(&files, &["day.ndjson"]);
    assert!(cut.err.contains("1 unreadable") && cut.err.contains("cut off"), "{}", cut.err);
    std::fs::write(files.path("day.ndjson"), format!("{first}{begun}{rest}{}", snow([3]))).unwrap();
    let grown = replay(&files, &["day.ndjson"]);
    assert!(found(&files) == 3 && grown.err.contains("2 messages: 2 posts"), "{}", grown.err);
}

#[test]
fn of_an_array_that_breaks_off_what_is_whole_is_kept_and_it_is_told() {
    let array = format!("[{},{}", tweet("1", "bob", "snow"), tweet("2", "bob", "snow"));
    let files = with_ann().with("page.json", &array);
    let ended = files.run(&["replay", "page.json"]);
    let said = "page.json: the JSON document ends before its last bracket";
    assert!(ended.code == 2 && ended.err.contains(said), "{}", ended.err);
    // What was read of it is not read again when the rest is there.
    std::fs::write(files.path("page.json"), format!("{array},{}]\n", tweet("3", "bob", "snow"))).unwrap();
    let grown = replay(&files, &["page.json"]);
    assert!(grown.err.contains("1 messages: 1 posts"), "{}", grown.err);
    assert_eq!(found(&files), 3);
}

#[test]
fn pages_that_are_still_written_are_read_when_they_are_whole() {
    let [a, b] = ["1", "2"].map(|id| tweet(id, "bob", "snow"));
    for (key, end) in [("data", "]}"), ("statuses", "\n]}\n")] {
        let page = format!("{{\"{key}\":[\n{a},\n{b}{end}");
        let behind = |part: &str| page.find(part).unwrap() + part.len();
        for (end, code) in [(behind("[\n"), 0), (behind("[\n") + 20, 2), (behind(&a), 2), (behind(&b), 2)] {
            let files = with_ann().with("page.json", &page[..end]);
            let cut = files.run(&["replay", "page.json"]);
            let is_unsure = key == "data" && end <= behind(&a);
            let said = match code {
                0 => "cut off",
                _ if is_unsure => "may be the beginning of a JSON document",
                _ => "ends before its last bracket",
            };
            assert!(cut.code == code && cut.err.contains(said), "{end} of {page}: {}", cut.err);
            std::fs::write(files.path("page.json"), &page).unwrap();
            replay(&files, &["page.json"]);
            assert_eq!((found(&files), &status(&files)["posts"]), (2, &2.into()), "{end} of {page}");
        }
    }
}

#[test]
fn many_files_have_a_name_that_the_store_takes() {
    let files = with_ann();
    let names: Vec<String> =
        (0..9).map(|n| format!("tweets-of-the-year-2026-month-11-day-{n}.ndjson")).collect();
    for (n, name) in (0..9).zip(&names) {
        std::fs::write(files.path(name), snow([n])).unwrap();
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    replay(&files, &names);
    assert_eq!((found(&files), &status(&files)["dead_letters"]), (9, &0.into()));
    let again = replay(&files, &names);
    assert!(again.err.contains("0 messages"), "read once under this name: {}", again.err);
    // Others are another source, though they begin alike.
    let fewer = replay(&files, &names[..8]);
    assert!(fewer.err.contains("8 messages"), "{}", fewer.err);
    let long = "s".repeat(191);
    for name in ["", &long, "archive ", "\tarchive"] {
        let refused = files.run(&["replay", "--source", name, names[0]]);
        assert!(refused.code == 2 && refused.err.contains("name of"), "{}", refused.err);
    }
    let settings = "[source.\"archive \"]\nkind = \"generated\"\n";
    std::fs::write(files.path("spaced.toml"), settings).unwrap();
    let refused = files.run(&["ingest", "--config", "spaced.toml"]);
    assert!(refused.code == 2 && refused.err.contains("white space"), "{}", refused.err);
    // A file may have any name.
    std::fs::write(files.path("day "), snow([1])).unwrap();
    replay(&files, &["day "]);
    replay(&files, &["--source", &long[1..], names[0]]);
    assert_eq!(status(&files)["dead_letters"], 0);
}

#[test]
fn a_rate_at_which_nothing_comes_is_refused() {
    let files = with_ann().with("day.ndjson", snow([1, 2]));
    for rate in ["0", "nan", "inf", "1e-300", "-1", "fast"] {
        let refused = files.run(&["replay", &format!("--rate={rate}"), "day.ndjson"]);
        assert!(refused.code == 2 && refused.err.contains("rate"), "{rate}: {}", refused.err);
    }
    let settings = "[source.slow]\nkind = \"generated\"\nrate = 0.0\n";
    std::fs::write(files.path("tweetfilter.toml"), settings).unwrap();
    let refused = files.run(&["serve"]);
    assert!(refused.code == 2 && refused.err.contains("source slow: rate is 0"), "{}", refused.err);
}

#[test]
fn what_x_held_back_while_it_was_recorded_is_a_gap_of_then_that_is_kept_once() {
    let limit = |track: u32, minute: i64| {
        let at = 1_614_834_367_000_i64 + minute * 60_000;
        format!("{{\"limit\":{{\"track\":{track},\"timestamp_ms\":\"{at}\"}}}}\n")
    };
    let day = [snow([1]), limit(3, 0), snow([2]), limit(8, 2), limit(9, 3), snow([3])].concat();
    let files = with_ann().with("day.ndjson", &day);
    let gaps = || {
        let shown = ok(files.run(&["status"]));
        let gaps = shown.lines().filter(|line| line.starts_with("gap ")).map(str::to_owned);
        gaps.collect::<Vec<_>>()
    };
    let missing = || status(&files)["sources"][0]["counts"]["missing"].clone();
    let first = replay(&files, &["--source", "archive", "day.ndjson"]);
    assert!(first.err.contains("6 messages: 3 posts") && first.err.contains(", 9 missing"), "{}", first.err);
    let told = gaps();
    assert_eq!((told.len(), missing()), (2, 9.into()), "{told:?}");
    for part in ["2021-03-04T05:08:07Z", "2021-03-04T05:09:07Z", "archive", "6 messages missing", "recorded"]
    {
        assert!(told[0].contains(part), "{part}: {told:?}");
    }
    // All of it is read once more, since it begins otherwise; posts are not stored again either.
    std::fs::write(files.path("day.ndjson"), snow([9]) + &day).unwrap();
    let again = replay(&files, &["--source", "archive", "day.ndjson"]);
    assert!(again.err.contains("1 new posts") && again.err.contains(", 9 missing"), "{}", again.err);
    assert_eq!((gaps(), found(&files)), (told, 4));
}

#[test]
fn an_audience_without_an_account_is_refused_before_anything_is_read() {
    let files = with_ann().with("day.ndjson", snow(1..4));
    let unknown = "there is no account nobody; `tweetfilter account list` shows them";
    for name in ["a.db", "tweetfilter.db"] {
        let refused =
            files.run(&["replay", "day.ndjson", "--audience", "account nobody", "--database", name]);
        let timeline = files.run(&["timeline", "nobody", "--database", name]);
        assert_eq!((refused.code, &refused.err), (2, &timeline.err));
        assert_eq!((timeline.code, refused.err.contains(unknown)), (2, name != "a.db"), "{}", refused.err);
    }
    assert!(!files.path("a.db").exists(), "a store was begun");
    let status = status(&files);
    assert_eq!(
        (&status["posts"], &status["sources"], &status["buffer"]["entries"]),
        (&0.into(), &serde_json::json!([]), &0.into())
    );
    replay(&files, &["day.ndjson", "--audience", "account ann"]);
    assert_eq!(found(&files), 3);
}

#[test]
fn posts_without_an_id_that_say_the_same_are_each_their_own_and_none_is_stored_twice() {
    let line = "{\"text\":\"snow\"}\n";
    let files = with_ann().with("day.ndjson", line.repeat(3));
    let first = replay(&files, &["day.ndjson"]);
    assert!(first.err.contains("3 new posts"), "{}", first.err);
    replay(&files, &["day.ndjson"]);
    assert_eq!(found(&files), 3);
    // What was added is new; where all of the file is read again, what was there is not.
    std::fs::write(files.path("day.ndjson"), line.repeat(4)).unwrap();
    replay(&files, &["day.ndjson"]);
    assert_eq!(found(&files), 4);
    std::fs::write(files.path("day.ndjson"), format!("{}{{\"text\":\"rain\"}}\n{line}", line.repeat(3)))
        .unwrap();
    let edited = replay(&files, &["day.ndjson"]);
    assert!(edited.err.contains("5 messages") && edited.err.contains("2 new posts"), "{}", edited.err);
    // A file that begins otherwise is another one, and so is another source.
    std::fs::write(files.path("day.ndjson"), format!("{{\"text\":\"rain\"}}\n{}", line.repeat(3))).unwrap();
    let rotated = replay(&files, &["day.ndjson"]);
    assert!(rotated.err.contains("4 new posts"), "{}", rotated.err);
    replay(&files, &["--source", "archive", "day.ndjson"]);
    assert_eq!(found(&files), 5 + 3 + 3);
    // A pipe gives others each time.
    for expected in [13, 15] {
        let ended = files.run_with(&["replay", "-"], line.repeat(2).as_bytes());
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert_eq!(found(&files), expected, "{}", ended.err);
    }
}

#[test]
fn who_reads_files_shows_in_the_status_until_it_has_ended() {
    let files = with_ann().with("day.ndjson", snow(1..2_000));
    let arguments = ["replay", "--rate", "20", "--source", "day", "day.ndjson"];
    let mut replay = Server::start_with(&files, &arguments, Stdio::null());
    let process = || {
        let status = status(&files);
        let of_it = |process: &&Value| process["command"] == "replay";
        let processes = status["processes"].as_array().unwrap().clone();
        processes.iter().find(of_it).cloned().unwrap_or_default()
    };
    until("it is known", &files, || process()["state"] == "running");
    let names = |process: &Value| -> Vec<String> {
        process["parts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&process()), ["ingest day", "work"]);
    until("posts", &files, || status(&files)["posts"].as_u64() > Some(0));
    replay.tell_to_end();
    assert_eq!(process()["state"], "ended");
    // The next ones find nothing that ended without saying so, and forget what has.
    ok(files.run(&["work", "--until-empty"]));
    ok(files.run(&["replay", "--no-work", "--source", "day", "--rate", "1000000", "day.ndjson"]));
    assert_eq!(status(&files)["crashes"], 0);
    assert_eq!(
        (&process()["state"], names(&process())),
        (&Value::from("ended"), vec!["ingest day".to_owned()])
    );
}
