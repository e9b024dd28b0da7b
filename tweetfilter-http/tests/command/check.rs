//! `check`: diagnostics and canonical forms.

use crate::support::Files;

#[test]
fn valid_filters_show_their_canonical_form() {
    let files = Files::new();
    let ended = files.run(&["check", "--expr", "NOT(a) OR(b)"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("-a OR b"), "{}", ended.out);
    assert!(ended.out.contains("1 filter: 0 invalid"), "{}", ended.out);
}

#[test]
fn any_error_ends_with_one() {
    let files = Files::new().with("f.txt", "cat\n\n(dog\n");
    let ended = files.run(&["check", "f.txt"]);
    assert_eq!(ended.code, 1);
    assert!(ended.out.contains("--> f.txt:3:"), "{}", ended.out);
    assert!(ended.out.contains("2 filters: 1 invalid"), "{}", ended.out);
}

#[test]
fn json_has_one_object_a_filter() {
    let files = Files::new().with("f.txt", "cat\n(dog\n");
    let ended = files.run(&["check", "--json", "f.txt"]);
    let lines: Vec<serde_json::Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), ended.code), (2, 1));
    assert_eq!(lines[0]["canonical"], "cat");
    assert_eq!((&lines[1]["valid"], &lines[1]["line"]), (&false.into(), &2.into()));
    assert_eq!(lines[1]["diagnostics"][0]["severity"], "error");
}

#[test]
fn what_is_to_be_checked_comes_from_standard_input_too() {
    let files = Files::new();
    for command in ["check", "match"] {
        let ended = match command {
            "check" => files.run_with(&["check", "-"], b"cat\n\xffdog\n"),
            _ => files.run_with(&["match", "--filters", "-", "/dev/null"], b"cat\n\xffdog\n"),
        };
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains("standard input:2: not UTF-8; save it as UTF-8 text"), "{}", ended.err);
    }
    assert_eq!(files.run_with(&["check"], b"cat dog\n").code, 0);
    assert_eq!(files.run(&["check", "gone.txt"]).code, 2);
}

#[test]
fn diagnostics_have_carets_and_ways_out() {
    let out = Files::new().run(&["check", "--expr", "cat form:bob"]).out;
    assert!(out.contains(" --> --expr:1:5\n") && out.contains("\n  |     ^"), "{out}");
    assert!(out.contains("from:bob") && out.contains("help: "), "{out}");
}

#[test]
fn cost_classes_are_told() {
    let files = Files::new().with("f.txt", "snow\ncontains:\"now\"\n-rain\n");
    let out = files.run(&["check", "f.txt"]).out;
    for line in ["1  indexed  snow\n", "2  guarded  contains:\"now\"\n", "3  scanned  -rain\n"] {
        assert!(out.contains(line), "{out}");
    }
    let json = files.run(&["check", "--json", "f.txt"]).out;
    assert!(json.lines().next().unwrap().contains("\"cost\":{\"class\":\"indexed\""), "{json}");
}

#[test]
fn a_set_that_is_kept_elsewhere_is_a_warning() {
    let files = Files::new().with("w.txt", "hail\n");
    let ended = files.run(&["check", "--expr", "{wet} -{dry}", "--set", "wet=w.txt"]);
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(ended.out.contains("warning[set_unknown]"), "{}", ended.out);
}

#[test]
fn all_that_keeps_a_filter_out_is_told_at_once() {
    let files = Files::new().with("w.txt", "hail\n");
    let filter = "{wet} {gone} from:me url:{wet} @me -{lost}";
    let out = files.run(&["check", "--expr", filter, "--set", "wet=w.txt"]).out;
    for part in ["There is no set named gone", "There is no set named lost", "me_without_owner"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert_eq!(out.matches("error[me_without_owner]").count(), 2, "{out}");
    // Regexes are measured where an expression is read, so that nothing hides the other errors.
    let ended = files.run(&["match", "--expr", r"/abc\w{6}/ from:", "/dev/null"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("limit_regex_size") && ended.err.contains("missing_value"), "{}", ended.err);
}

#[test]
fn filters_written_for_x_are_compared() {
    let rules = "{\"data\":[\n{\"id\":\"1\",\"value\":\"from:bob lang:en\"},\n{\"id\":\"2\",\"value\":\"snow -is:retweet\"}]}";
    let files = Files::new().with("rules.json", rules);
    let out = files.run(&["check", "--to", "native", "rules.json"]).out;
    assert!(out.contains("    means the same here"), "{out}");
    assert!(out.contains("      snow: Words without accents also find words with them\n"), "{out}");
    assert!(
        out.contains("    native: (snow OR url:snow OR in:quote(snow OR url:snow)) -is:retweet\n"),
        "{out}"
    );
    let json = files.run(&["check", "--json", "rules.json"]).out;
    let same: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["same_as_at_x"].clone())
        .collect();
    assert_eq!(same, [true, false]);
}

#[test]
fn what_a_source_never_carries_is_a_warning() {
    let files = Files::new();
    let of = |source: &str, filter: &str| {
        let ended = files.run(&["check", "--source", source, "--expr", filter]);
        assert_eq!(ended.code, 0, "{}", ended.err);
        ended.out
    };
    let out = of("jetstream", "from:ann.bsky.social followers:>100 -is:verified");
    assert!(
        out.contains("warning[never_carried]: Posts of jetstream never carry what followers reads"),
        "{out}"
    );
    assert!(out.contains("what is:verified reads") && out.contains("1 with warnings"), "{out}");
    assert!(!of("x-v1", "followers:>100 snow").contains("never_carried"));
    assert!(of("x-v1", "cw:spoiler snow").contains("never_carried"));
    let json = files.run(&["check", "--json", "--source", "mastodon", "--expr", "listed:>1"]).out;
    assert!(json.contains("\"code\":\"never_carried\""), "{json}");
    let ended = files.run(&["check", "--source", "usenet", "--expr", "snow"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("jetstream, x-v1, x-v2, mastodon"), "{}", ended.err);
}

#[test]
fn ids_are_checked_as_match_does() {
    let files = Files::new()
        .with("twice.ndjson", "{\"id\":\"a\",\"filter\":\"x\"}\n{\"id\":\"a\",\"filter\":\"y\"}\n")
        .with(
            "mixed.ndjson",
            "{\"id\":\"a\",\"filter\":\"x\"}\n{\"id\":\"a\",\"filter\":\"y\",\"owner\":\"7\"}\n",
        );
    for file in ["twice.ndjson", "mixed.ndjson"] {
        let ended = files.run(&["check", file]);
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains(&format!("{file}:2: id `a`")), "{}", ended.err);
    }
}

#[test]
fn a_place_within_json_names_the_filter() {
    let rules = "{\"data\":[{\"id\":\"12\",\"value\":\"cat\"},\n{\"id\":\"13\",\"value\":\"cat (dog\",\"tag\":\"pets\"}]}";
    let files = Files::new().with("rules.json", rules);
    let out = files.run(&["check", "rules.json"]).out;
    assert!(out.contains(" --> rules.json:2, filter 13 (pets):1:5\n"), "{out}");
    let err = files.run(&["match", "--expr", "a", "--expr", "(b", "-"]).err;
    assert!(err.contains(" --> --expr e2:1:1\n"), "{err}");
}

#[test]
fn invalid_filters_have_the_keys_of_valid_ones() {
    let rules = "{\"data\":[{\"value\":\"cat\"},{\"value\":\"(dog\"}]}";
    let files = Files::new().with("rules.json", rules);
    let out = files.run(&["check", "--json", "--to", "native", "rules.json"]).out;
    let keys: Vec<Vec<String>> = out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Map<_, _>>(line).unwrap().into_iter())
        .map(|object| object.map(|(key, _)| key).collect())
        .collect();
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn examples_of_the_help_can_be_pasted_from_narrow_terminals() {
    for command in ["", "match", "check", "explain", "gen", "demo"] {
        let arguments: Vec<&str> = [command, "--help"].into_iter().filter(|a| !a.is_empty()).collect();
        let out = Files::new().run(&arguments).out;
        let (_, examples) = out.split_once("Examples:").unwrap();
        for line in examples.lines().filter(|line| line.starts_with("  ")) {
            assert!(line.chars().count() <= 76, "{command}: {line}");
        }
    }
}

#[test]
fn what_the_native_form_of_a_filter_for_x_lacks_is_told() {
    let files = Files::new();
    let native =
        |filter: &str| files.run(&["check", "--dialect", "x", "--to", "native", "--expr", filter]).out;
    let out = native("rain -snow");
    assert!(
        out.contains("      snow: Negated, this does not match where a post is quoted and not carried"),
        "{out}"
    );
    let out = native("rain snow");
    assert!(!out.contains("not carried"), "{out}");
}
