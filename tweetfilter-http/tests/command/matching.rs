//! `match`: filters, owners, outputs.

use crate::support::{Files, for_user, tweet};

fn posts() -> String {
    let lines = [
        tweet("11", "bob", "Snow in Oslo"),
        tweet("12", "al", "rain, again"),
        tweet("13", "bob", "snow and rain, \"both\""),
        "{\"delete\":{\"status\":{\"id\":1,\"id_str\":\"1\",\"user_id\":3,\"user_id_str\":\"3\"}}}"
            .to_owned(),
        "{broken".to_owned(),
        String::new(),
        tweet("11", "bob", "Snow in Oslo"),
    ];
    lines.join("\r\n")
}

#[test]
fn piped_output_is_ndjson_in_input_order_repeats_included() {
    let files = Files::new().with("posts.ndjson", posts());
    let ended = files.run(&["match", "--expr", "snow", "--expr", "from:bob -rain", "posts.ndjson"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(
        ended.out,
        "{\"post\":\"11\",\"filters\":[\"e1\",\"e2\"]}\n\
         {\"post\":\"13\",\"filters\":[\"e1\"]}\n\
         {\"post\":\"11\",\"filters\":[\"e1\",\"e2\"]}\n"
    );
}

#[test]
fn the_summary_counts_all_that_was_read() {
    let files = Files::new().with("posts.ndjson", posts());
    let err = files.run(&["match", "--expr", "snow", "posts.ndjson"]).err;
    assert!(err.contains("4 posts, 3 with a match, 3 matches\n"), "{err}");
    assert!(err.contains("other messages: 1 delete\n"), "{err}");
    assert!(err.contains("skipped, not JSON: 1 (line 5)\n"), "{err}");
    assert!(err.contains("1 filter"), "{err}");
    assert!(err.contains(" posts/s, ") && err.contains(" MB/s\n"), "{err}");
    assert_eq!(files.run(&["match", "-q", "--expr", "snow", "posts.ndjson"]).err, "");
}

#[test]
fn files_and_expressions_keep_the_order_of_the_command_line() {
    let files = Files::new()
        .with("a.txt", "\nsnow\n")
        .with("b.ndjson", "{\"id\":\"z\",\"filter\":\"oslo\"}\n")
        .with("posts.ndjson", posts());
    let arguments = [
        "match",
        "--expr",
        "in",
        "--filters",
        "b.ndjson",
        "--expr",
        "snow",
        "--filters",
        "a.txt",
        "posts.ndjson",
    ];
    let out = files.run(&arguments).out;
    assert!(out.starts_with("{\"post\":\"11\",\"filters\":[\"e1\",\"z\",\"e2\",\"2\"]}\n"), "{out}");
}

#[test]
fn posts_are_given_byte_for_byte() {
    let files = Files::new().with("posts.ndjson", posts());
    for threads in ["1", "2", "7"] {
        let out = files
            .run(&["match", "--threads", threads, "--output", "posts", "--expr", "rain", "posts.ndjson"])
            .out;
        let lines = posts();
        let expected: Vec<&str> = lines.split_inclusive('\n').filter(|line| line.contains("rain")).collect();
        assert_eq!(out, expected.concat());
    }
}

#[test]
fn split_writes_one_file_a_filter() {
    let filters = "{\"id\":\"a/b\",\"filter\":\"rain\"}\n{\"id\":\"none\",\"filter\":\"hail\"}\n";
    let files = Files::new().with("posts.ndjson", posts()).with("f.ndjson", filters);
    let ended = files.run(&["match", "--filters", "f.ndjson", "--split", "found", "posts.ndjson"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{}", ended.err);
    let rain = files.read("found/a%2Fb.ndjson");
    assert_eq!(rain.lines().count(), 2);
    assert!(posts().contains(&rain.split_inclusive('\n').next().unwrap().to_owned()));
    assert_eq!(files.read("found/none.ndjson"), "");
    // A second run starts anew.
    files.run(&["match", "--filters", "f.ndjson", "--split", "found", "posts.ndjson"]);
    assert_eq!(files.read("found/a%2Fb.ndjson"), rain);
}

#[test]
fn counts_are_tsv_with_zero_rows_in_filter_order() {
    let files = Files::new().with("posts.ndjson", posts()).with("f.txt", "zebra\nsnow\n");
    let out = files
        .run(&["match", "--output", "count", "--filters", "f.txt", "--expr", "rain", "posts.ndjson"])
        .out;
    assert_eq!(out, "1\t0\n2\t3\ne1\t2\n");
}

#[test]
fn counts_by_period_use_the_posts_own_time() {
    let later = tweet("14", "al", "snow").replace("Thu Mar 04 05", "Fri Mar 05 07");
    let files = Files::new().with("posts.ndjson", format!("{}\n{later}\n{{\"text\":\"snow\"}}\n", posts()));
    let run = |by| files.run(&["match", "--by", by, "--expr", "rain", "--expr", "snow", "posts.ndjson"]).out;
    assert_eq!(
        run("day"),
        "e1\t-\t0\ne1\t2021-03-04\t2\ne1\t2021-03-05\t0\ne2\t-\t1\ne2\t2021-03-04\t3\ne2\t2021-03-05\t1\n"
    );
    assert!(run("hour").contains("e2\t2021-03-05T07:00Z\t1\n"));
}

#[test]
fn csv_has_a_row_a_match_and_quotes_what_it_must() {
    let filters =
        "{\"id\":\"a\",\"filter\":\"rain\",\"name\":\"Wet, cold\"}\n{\"id\":\"b\",\"filter\":\"both\"}\n";
    let files = Files::new().with("posts.ndjson", posts()).with("f.ndjson", filters);
    let out = files.run(&["match", "--output", "csv", "--filters", "f.ndjson", "posts.ndjson"]).out;
    assert_eq!(
        out,
        "post,owner,filter,name,time,author,text\n\
         12,,a,\"Wet, cold\",2021-03-04T05:06:07Z,al,\"rain, again\"\n\
         13,,a,\"Wet, cold\",2021-03-04T05:06:07Z,bob,\"snow and rain, \"\"both\"\"\"\n\
         13,,b,,2021-03-04T05:06:07Z,bob,\"snow and rain, \"\"both\"\"\"\n"
    );
}

#[test]
fn a_retweet_is_shown_with_whose_words_it_has() {
    let original = tweet("4", "bob", "=1+1 snow");
    let retweet = tweet("14", "al", "RT @bob: =1+1 snow");
    let retweet = format!("{},\"retweeted_status\":{original}}}", retweet.strip_suffix('}').unwrap());
    let files = Files::new().with("posts.ndjson", format!("{retweet}\n{original}\n"));
    let run = |output| files.run(&["match", "--output", output, "--expr", "snow", "posts.ndjson"]).out;
    assert_eq!(
        run("csv"),
        "post,owner,filter,name,time,author,text\n\
         14,,e1,,2021-03-04T05:06:07Z,al,RT @bob: =1+1 snow\n\
         4,,e1,,2021-03-04T05:06:07Z,bob,'=1+1 snow\n"
    );
    let table = run("table");
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert!(rows[0].contains("  al ") && rows[0].ends_with("  RT @bob: =1+1 snow"), "{table}");
    assert!(rows[1].contains("  bob ") && rows[1].ends_with("  =1+1 snow"), "{table}");
}

#[test]
fn tables_are_rows_for_people() {
    let files = Files::new().with("posts.ndjson", posts());
    let out = files.run(&["match", "--output", "table", "--expr", "oslo", "posts.ndjson"]).out;
    let first = out.lines().nth(1).unwrap();
    assert!(out.starts_with("TIME (UTC)") && !out.contains('\x1b'), "{out}");
    assert!(first.starts_with("2021-03-04 05:06  bob") && first.ends_with("Snow in Oslo"), "{first}");
}

const OWNED: &str = "\
{\"id\":\"a\",\"filter\":\"snow\",\"owner\":\"7\"}
{\"id\":\"a\",\"filter\":\"rain\",\"owner\":\"8\"}
{\"id\":\"b\",\"filter\":\"oslo\"}
";

#[test]
fn a_filter_with_an_owner_is_tried_on_what_reached_the_owner() {
    let snow = tweet("11", "bob", "Snow in Oslo");
    let lines = [for_user("7", &snow), for_user("8", &snow), for_user("9", &snow), snow.clone()];
    let files = Files::new().with("posts.ndjson", lines.join("\n")).with("f.ndjson", OWNED);
    let ended = files.run(&["match", "--filters", "f.ndjson", "posts.ndjson"]);
    assert_eq!(
        ended.out,
        "{\"post\":\"11\",\"owner\":\"7\",\"filters\":[\"a\",\"b\"]}\n\
         {\"post\":\"11\",\"owner\":\"8\",\"filters\":[\"b\"]}\n\
         {\"post\":\"11\",\"owner\":\"9\",\"filters\":[\"b\"]}\n\
         {\"post\":\"11\",\"filters\":[\"b\"]}\n"
    );
    assert!(!ended.err.contains("--ignore-owners"), "{}", ended.err);
    let csv = files.run(&["match", "--output", "csv", "--filters", "f.ndjson", "posts.ndjson"]).out;
    assert!(csv.contains("\n11,7,a,,2021-03-04T05:06:07Z,bob,Snow in Oslo\n"), "{csv}");
    let count = files.run(&["match", "--output", "count", "--filters", "f.ndjson", "posts.ndjson"]).out;
    assert_eq!(count, "a\t1\t7\na\t0\t8\nb\t4\t\n");
}

#[test]
fn filters_with_owners_and_no_audience_are_spoken_of() {
    let files = Files::new().with("posts.ndjson", tweet("11", "bob", "Snow in Oslo")).with("f.ndjson", OWNED);
    let ended = files.run(&["match", "--filters", "f.ndjson", "posts.ndjson"]);
    assert_eq!(ended.out, "{\"post\":\"11\",\"filters\":[\"b\"]}\n");
    assert!(ended.err.contains("2 filters") && ended.err.contains("--ignore-owners"), "{}", ended.err);
}

#[test]
fn owners_can_be_ignored_if_ids_differ() {
    let files = Files::new()
        .with("posts.ndjson", tweet("11", "bob", "Snow in Oslo"))
        .with("f.ndjson", OWNED)
        .with("g.ndjson", OWNED.replace("\"a\",\"filter\":\"rain\"", "\"c\",\"filter\":\"rain\""));
    let ended = files.run(&["match", "--ignore-owners", "--filters", "g.ndjson", "posts.ndjson"]);
    assert_eq!(ended.out, "{\"post\":\"11\",\"filters\":[\"a\",\"b\"]}\n", "{}", ended.err);
    let ended = files.run(&["match", "--ignore-owners", "--filters", "f.ndjson", "posts.ndjson"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("f.ndjson:2: id `a`") && ended.err.contains("f.ndjson:1"), "{}", ended.err);
}

#[test]
fn ids_differ_within_an_owner_and_between_owned_and_not() {
    let files = Files::new()
        .with("twice.ndjson", "{\"id\":\"a\",\"filter\":\"x\"}\n{\"id\":\"a\",\"filter\":\"y\"}\n")
        .with(
            "mixed.ndjson",
            "{\"id\":\"a\",\"filter\":\"x\"}\n{\"id\":\"a\",\"filter\":\"y\",\"owner\":\"7\"}\n",
        );
    for (file, what) in [("twice.ndjson", "taken"), ("mixed.ndjson", "both with and without an owner")] {
        let ended = files.run(&["match", "--filters", file, "-"]);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""));
        assert!(
            ended.err.contains(&format!("{file}:2: id `a`")) && ended.err.contains(what),
            "{}",
            ended.err
        );
    }
}

#[test]
fn an_invalid_filter_stops_all_unless_told_to_keep_going() {
    let files = Files::new().with("posts.ndjson", posts()).with("f.txt", "snow\nform:bob\n(rain\n");
    let ended = files.run(&["match", "--filters", "f.txt", "posts.ndjson"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("f.txt:2:") && ended.err.contains("f.txt:3:"), "{}", ended.err);
    let ended = files.run(&["match", "--keep-going", "--filters", "f.txt", "posts.ndjson"]);
    assert_eq!((ended.code, ended.out.lines().count()), (0, 3), "{}", ended.err);
    assert!(ended.err.contains("f.txt:2:") && ended.err.contains("2 invalid and left out"), "{}", ended.err);
}

#[test]
fn named_sets_are_read_from_files() {
    let files = Files::new().with("posts.ndjson", posts()).with("wet.txt", "hail\n\"and rain\"\n");
    let ended = files.run(&["match", "--expr", "{wet}", "--set", "wet=wet.txt", "posts.ndjson"]);
    assert_eq!(ended.out, "{\"post\":\"13\",\"filters\":[\"e1\"]}\n", "{}", ended.err);
    let ended = files.run(&["match", "--expr", "{dry}", "--set", "wet=wet.txt", "posts.ndjson"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("set_unknown"), "{}", ended.err);
}

#[test]
fn me_is_the_owner_of_the_filter() {
    let files = Files::new()
        .with("posts.ndjson", [for_user("77", &tweet("1", "bob", "hi")), for_user("8", &tweet("1", "bob", "hi"))].join("\n"))
        .with("f.ndjson", "{\"id\":\"a\",\"filter\":\"from:me\",\"owner\":\"77\"}\n{\"id\":\"b\",\"filter\":\"from:me\",\"owner\":\"8\"}\n");
    let out = files.run(&["match", "--filters", "f.ndjson", "posts.ndjson"]).out;
    assert_eq!(out, "{\"post\":\"1\",\"owner\":\"77\",\"filters\":[\"a\"]}\n");
    let ended = files.run(&["match", "--expr", "from:me", "posts.ndjson"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("me_without_owner"), "{}", ended.err);
}

#[test]
fn the_dialect_is_for_filters_that_name_none() {
    let quoting = format!(
        "{},\"is_quote_status\":true,\"quoted_status\":{}}}",
        tweet("1", "bob", "look at this").trim_end_matches('}').to_owned() + "}",
        tweet("2", "al", "snow")
    );
    let filters = "{\"id\":\"n\",\"filter\":\"snow\",\"dialect\":\"native\"}\n{\"id\":\"x\",\"filter\":\"snow\",\"dialect\":\"x\"}\n{\"id\":\"d\",\"filter\":\"snow\"}\n";
    let files = Files::new()
        .with("posts.ndjson", quoting)
        .with("f.ndjson", filters)
        .with("x.json", "{\"data\":[{\"id\":\"12\",\"value\":\"snow\"}]}");
    let run = |arguments: &[&str]| files.run(&[&["match"], arguments, &["posts.ndjson"]].concat()).out;
    assert_eq!(run(&["--filters", "f.ndjson"]), "{\"post\":\"1\",\"filters\":[\"x\"]}\n");
    assert_eq!(
        run(&["--dialect", "x", "--filters", "f.ndjson"]),
        "{\"post\":\"1\",\"filters\":[\"x\",\"d\"]}\n"
    );
    assert_eq!(run(&["--filters", "x.json"]), "{\"post\":\"1\",\"filters\":[\"12\"]}\n");
    assert_eq!(run(&["--dialect", "native", "--filters", "x.json"]), "");
}

#[test]
fn the_summary_counts_cost_classes() {
    let files = Files::new().with("posts.ndjson", posts()).with("f.txt", "snow\ncontains:\"now\"\n-rain\n");
    let err = files.run(&["match", "--filters", "f.txt", "posts.ndjson"]).err;
    assert!(err.contains("3 filters: 1 indexed, 1 guarded, 1 scanned\n"), "{err}");
}

#[test]
fn nothing_of_a_post_or_an_id_steers_the_terminal() {
    let files = Files::new()
        .with("posts.ndjson", tweet("1", "b\\u001b[2Jb", "snow \u{1b}[31m"))
        .with("f.ndjson", "{\"id\":\"a\\u001b[1m\",\"filter\":\"snow\"}\n");
    for output in ["table", "count", "matches"] {
        let out = files.run(&["match", "--output", output, "--filters", "f.ndjson", "posts.ndjson"]).out;
        assert!(!out.contains('\u{1b}') && out.contains('a'), "{out:?}");
    }
}

#[test]
fn the_owner_of_a_row_is_that_of_the_filter() {
    let snow = tweet("11", "bob", "Snow in Oslo");
    let filters = OWNED.replace("\"a\",\"filter\":\"rain\"", "\"c\",\"filter\":\"snow\"");
    let files = Files::new().with("posts.ndjson", for_user("7", &snow)).with("f.ndjson", filters);
    let arguments = ["match", "--ignore-owners", "--output", "csv", "--filters", "f.ndjson", "posts.ndjson"];
    let out = files.run(&arguments).out;
    for start in ["\n11,7,a,", "\n11,8,c,", "\n11,7,b,"] {
        assert!(out.contains(start), "{out}");
    }
}

#[test]
fn warnings_of_filters_that_are_run_are_told() {
    let files = Files::new().with("posts.ndjson", posts()).with("f.txt", "snow or rain\nsnow\n");
    let arguments = ["match", "--filters", "f.txt", "posts.ndjson"];
    let ended = files.run(&arguments);
    assert_eq!(ended.code, 0);
    assert!(ended.err.contains("warning[") && ended.err.contains("--> f.txt:1:6"), "{}", ended.err);
    assert!(ended.err.contains("1 filter has warnings; `tweetfilter check`"), "{}", ended.err);
    assert_eq!(files.run(&[&arguments[..], &["-q"]].concat()).err, "");
}

#[test]
fn every_bad_line_of_a_set_is_named() {
    let files = Files::new()
        .with("posts.ndjson", posts())
        .with("wet.txt", "hail\n(\n\n~~~\n")
        .with("dry.txt", "@ b\n");
    let arguments = ["match", "--expr", "{wet} {dry}", "--set", "wet=wet.txt", "--set", "dry=dry.txt", "-"];
    let ended = files.run(&arguments);
    assert_eq!(ended.code, 1, "{}", ended.err);
    for place in ["wet.txt:2 can't", "wet.txt:4 can't", "dry.txt:1 can't", " --> --expr:1:7\n"] {
        assert!(ended.err.contains(place), "{}", ended.err);
    }
    let files = files.with("many.txt", "(\n".repeat(90_000));
    let err = files.run(&["match", "--expr", "{many}", "--set", "many=many.txt", "-"]).err;
    assert!(err.contains("many.txt:20 can't") && err.contains("Further lines"), "{err}");
    assert_eq!(err.matches("error[").count(), 21);
    let ended = files.run(&["match", "--expr", "{a}", "--set", "a=wet.txt", "--set", "a=dry.txt", "-"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("the set a is wet.txt already"), "{}", ended.err);
}

#[test]
fn two_files_of_plain_text_are_told_the_way_out() {
    let files = Files::new().with("a.txt", "snow\n").with("b.txt", "rain\n");
    let ended = files.run(&["match", "--filters", "a.txt", "--filters", "b.txt", "-"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("b.txt:1: id `1` is taken"), "{}", ended.err);
    assert!(ended.err.contains("write {\"id\":\"…\",\"filter\":\"…\"} on each line"), "{}", ended.err);
    assert_eq!(files.run(&["check", "a.txt", "b.txt"]).code, 0);
}
