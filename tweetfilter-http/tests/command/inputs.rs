//! `match`: inputs of every kind, usage, ends.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::support::{Files, command, tweet};

#[test]
fn posts_without_an_id_have_their_line() {
    let files = Files::new()
        .with("a.ndjson", "\n{\"text\":\"snow\"}\n{\"text\":\"snow\",\"id\":\"n1\"}\n")
        .with("b.ndjson", "{\"text\":\"snow\",\"lang\":\"en\"}\n");
    let out = files.run(&["match", "--expr", "snow", "a.ndjson"]).out;
    assert_eq!(out, "{\"post\":\"2\",\"filters\":[\"e1\"]}\n{\"post\":\"n1\",\"filters\":[\"e1\"]}\n");
    let out = files.run(&["match", "--expr", "snow", "a.ndjson", "b.ndjson"]).out;
    assert!(
        out.starts_with("{\"post\":\"a.ndjson:2\",") && out.contains("{\"post\":\"b.ndjson:1\","),
        "{out}"
    );
}

#[test]
fn lines_of_text_are_posts() {
    let files = Files::new().with("log.txt", "disk full\r\nall well\nDISK \u{1F525} full\nlast disk full");
    let out = files.run(&["match", "--text", "--expr", "disk full", "log.txt"]).out;
    let ids = ["1", "3", "4"].map(|id| format!("{{\"post\":\"{id}\",\"filters\":[\"e1\"]}}\n"));
    assert_eq!(out, ids.concat());
}

#[test]
fn the_mark_of_a_text_is_printed_with_its_line_and_is_none_of_its_words() {
    let text = "\u{feff}disk full\r\nall well\r\n";
    let files = Files::new().with("log.txt", text);
    let run = |more: &[&str]| files.run(&[&["match", "--text", "log.txt", "--expr"], more].concat()).out;
    assert_eq!(run(&["full OR well", "--output", "posts"]), text);
    assert_eq!(run(&["/^disk/", "--output", "csv"]).lines().count(), 2);
    let csv = run(&["disk", "--output", "csv"]);
    assert!(csv.contains(",disk full") && !csv.contains('\u{feff}'), "{csv}");
    let explained = files.run(&["explain", "--text", "--expr", "disk", "log.txt"]).out;
    assert!(explained.contains("text 0..4 disk"), "{explained}");
}

#[test]
fn fields_of_ones_own_are_found_by_their_names() {
    let files = Files::new().with(
        "log.ndjson",
        concat!(
            r#"{"text":"slow","id":"1","attr":{"host":"db-1","load":3.5,"up":true,"to":["ann","bob"]}}"#,
            "\n",
            r#"{"text":"slow","id":"2","attr":{"host":"web-1","load":"high","up":false,"code":404}}"#,
            "\n{\"text\":\"slow\",\"id\":\"3\"}\n"
        ),
    );
    for (filter, expected) in [
        ("attr.host:db", &["1"][..]),
        ("-attr.host:db", &["2", "3"]),
        ("attr.load:>3", &["1"]),
        ("-attr.load:>3", &[]),
        ("attr.load:high", &["2"]),
        ("attr.up:true", &["1"]),
        ("attr.to:bob attr.TO:ann", &["1"]),
        ("attr.code:404 attr.code:>=404", &["2"]),
    ] {
        let out = files.run(&["match", &format!("--expr={filter}"), "log.ndjson"]).out;
        let expected: String =
            expected.iter().map(|id| format!("{{\"post\":\"{id}\",\"filters\":[\"e1\"]}}\n")).collect();
        assert_eq!(out, expected, "{filter}");
    }
}

#[test]
fn standard_input_is_read_when_it_is_piped_or_named() {
    let files = Files::new();
    let input = tweet("5", "bob", "snow");
    for arguments in [&["match", "--expr", "snow"][..], &["match", "--expr", "snow", "-"]] {
        let ended = files.run_with(arguments, input.as_bytes());
        assert_eq!(ended.out, "{\"post\":\"5\",\"filters\":[\"e1\"]}\n", "{}", ended.err);
    }
    let filters = files.run_with(&["match", "--filters", "-", "-"], b"snow");
    assert_eq!(filters.code, 2);
    assert!(filters.err.contains("only once"), "{}", filters.err);
}

#[test]
fn empty_input_is_no_error() {
    let files = Files::new().with("empty", "");
    let ended = files.run(&["match", "--expr", "snow", "empty"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, ""));
    assert!(ended.err.contains("0 posts"), "{}", ended.err);
}

#[test]
fn what_cannot_be_read_is_named_and_nothing_is_run() {
    let files = Files::new().with("posts.ndjson", tweet("5", "bob", "snow")).with("latin1.txt", b"caf\xe9\n");
    for (arguments, message) in [
        (&["match", "--expr", "snow", "posts.ndjson", "gone"][..], "gone: no such file"),
        (&["match", "--expr", "snow", "."], ".: is a directory"),
        (&["match", "--filters", "gone", "posts.ndjson"], "gone: no such file"),
        (&["match", "--filters", "latin1.txt", "posts.ndjson"], "latin1.txt:1: not UTF-8"),
        (&["match", "posts.ndjson"], "--filters FILE or --expr"),
        (&["match", "--expr", "snow", "--output", "csv", "--by", "day", "posts.ndjson"], "--by counts"),
        (
            &["match", "--expr", "snow", "--output", "csv", "--split", "d", "posts.ndjson"],
            "--split writes posts",
        ),
        (&["match", "--expr", "snow", "--dialect", "gnip", "posts.ndjson"], "`native` or `x`"),
        (&["match", "--expr", "snow", "--set", "words", "posts.ndjson"], "NAME=FILE"),
    ] {
        let ended = files.run(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ended.err.contains(message), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn bad_lines_of_filter_files_are_all_named() {
    let files = Files::new().with("f.ndjson", "{\"id\":\"a\",\"filter\":\"x\"}\n{\"filter\":\"y\"}\nz\n");
    let ended = files.run(&["match", "--filters", "f.ndjson", "-"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("f.ndjson:2, ") && ended.err.contains("f.ndjson:3, "), "{}", ended.err);
    assert!(ended.err.contains("2 of 3 filters invalid, nothing was run"), "{}", ended.err);
    let files = files.with("posts.ndjson", tweet("5", "bob", "x"));
    let ended = files.run(&["match", "--filters", "f.ndjson", "--keep-going", "posts.ndjson"]);
    assert!(ended.code == 0 && ended.out.contains("\"a\""), "{} {}", ended.out, ended.err);
    let out = files.run(&["check", "--json", "f.ndjson"]).out;
    assert!(out.contains("\"code\":\"unreadable\"") && out.lines().count() == 3, "{out}");
    // Of a file in which nothing is as it must be, nothing is used.
    let files = files.with("bad.ndjson", "{\"filter\":\"y\"}\nz\n");
    let ended = files.run(&["match", "--filters", "bad.ndjson", "--keep-going", "posts.ndjson"]);
    assert!(ended.code == 2 && ended.err.contains("bad.ndjson:2: "), "{}", ended.err);
}

#[test]
fn many_threads_give_the_output_of_one() {
    let lines: Vec<String> = (0..4_000)
        .map(|n| tweet(&n.to_string(), "bob", &format!("word{} {}", n % 7, "filler ".repeat(n % 60))))
        .collect();
    let files = Files::new().with("posts.ndjson", lines.join("\n"));
    let run = |threads| {
        files.run(&["match", "--threads", threads, "--expr", "word3", "--expr", "word5", "posts.ndjson"]).out
    };
    let one = run("1");
    assert_eq!(one.lines().count(), (0..4_000).filter(|n| n % 7 == 3 || n % 7 == 5).count());
    assert_eq!(run("4"), one);
}

#[test]
fn a_reader_that_closes_early_is_no_error_even_while_input_is_open() {
    for threads in ["1", "3"] {
        let mut child = command()
            .args(["match", "--threads", threads, "--expr", "snow"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let post = format!("{}\n", tweet("5", "bob", "snow"));
        // The match arrives while the input stays open: lines are not held back.
        input.write_all(post.as_bytes()).unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "{\"post\":\"5\",\"filters\":[\"e1\"]}\n");
        drop(output);
        // A further match can't be written; the command ends without waiting for the end of its input. Not
        // always the first one: a process that is being started by another test has our end of the pipe still.
        let code = loop {
            let _ = input.write_all(post.as_bytes());
            match child.try_wait().unwrap() {
                Some(status) => break status.code(),
                None => std::thread::sleep(std::time::Duration::from_millis(5)),
            }
        };
        assert_eq!(code, Some(0));
    }
}

/// A tar of plain files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in files {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        out.extend_from_slice(&header);
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

#[test]
fn a_damaged_file_in_a_tar_is_named_and_the_others_are_read() {
    let (one, three) = (tweet("1", "bob", "snow"), tweet("3", "bob", "snow"));
    // The header of a gzip file, and nothing behind it.
    let cut = [0x1f_u8, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let days = tar(&[("m1", one.as_bytes()), ("m2.gz", &cut[..]), ("m3", three.as_bytes())]);
    // It ends within the third file, behind the damaged one.
    let both = &days[..5 * 512 + 10];
    let files = Files::new()
        .with("days.tar", &days)
        .with("empty.tar", [0_u8; 10_240])
        .with("cut.tar", &days[..600])
        .with("both.tar", both);
    let ended = files.run(&["match", "--expr", "snow", "days.tar"]);
    assert_eq!(ended.out, "{\"post\":\"1\",\"filters\":[\"e1\"]}\n{\"post\":\"3\",\"filters\":[\"e1\"]}\n");
    assert_eq!(ended.code, 2, "what is not whole is told by the exit too");
    for said in [
        "skipped, breaks off: ",
        ": 1 (line m2.gz:1)",
        "days.tar:m2.gz:1: breaks off: ",
        "the rest of the tar was read",
    ] {
        assert!(ended.err.contains(said), "{said}: {}", ended.err);
    }
    let ended = files.run(&["explain", "--expr", "snow", "--json", "days.tar"]);
    assert!(ended.code == 2 && ended.err.contains("days.tar:m2.gz:1: breaks off: "), "{}", ended.err);
    assert_eq!(ended.out.lines().count(), 2);
    for command in ["match", "explain"] {
        let ended = files.run(&[command, "--expr", "snow", "cut.tar"]);
        let said = "cut.tar: breaks off: the tar ends within a file";
        assert!(ended.code == 2 && ended.err.contains(said), "{command}: {}", ended.err);
    }
    // What was damaged before is told, too.
    for command in ["match", "explain"] {
        let ended = files.run(&[command, "--expr", "snow", "both.tar"]);
        for said in ["both.tar:m2.gz:1: breaks off: ", "both.tar: breaks off: the tar ends within a file"] {
            assert!(ended.err.contains(said), "{command}: {said}: {}", ended.err);
        }
        assert_eq!(ended.code, 2, "{command}");
    }
    let ended = files.run(&["match", "--expr", "snow", "empty.tar"]);
    assert!(ended.code == 0 && !ended.err.contains("skipped"), "{}", ended.err);
}

#[test]
fn a_page_that_breaks_off_is_told_once() {
    let page = "{\n  \"data\": [\n    {\"id\": \"5\", \"text\": \"snow é";
    let three = tweet("3", "bob", "snow");
    // The second is cut within a character.
    for length in [page.len(), page.len() - 1] {
        let page = &page.as_bytes()[..length];
        let days = tar(&[("page.json", page), ("m3", three.as_bytes())]);
        let files = Files::new().with("days.tar", &days).with("page.json", page);
        let ended = files.run(&["match", "--expr", "snow", "days.tar"]);
        assert_eq!(ended.out, "{\"post\":\"3\",\"filters\":[\"e1\"]}\n");
        assert!(ended.err.contains(": 1 (line page.json:3)"), "{}", ended.err);
        assert_eq!((ended.err.matches("skipped, ").count(), ended.code), (1, 2), "{}", ended.err);
        for command in ["match", "explain"] {
            let ended = files.run(&[command, "--expr", "snow", "page.json"]);
            let said = "page.json: breaks off: the JSON document ends before its last bracket";
            assert!(ended.err.contains(said), "{command}: {}", ended.err);
            assert!(ended.code == 2 && !ended.err.contains("skipped"), "{command}: {}", ended.err);
        }
    }
}

#[test]
fn a_file_of_filters_without_end_is_refused() {
    let files = Files::new().with("posts.ndjson", tweet("5", "bob", "snow"));
    for arguments in [
        ["match", "--filters", "/dev/zero", "posts.ndjson"],
        ["match", "--expr={zeros}", "--set=zeros=/dev/zero", "posts.ndjson"],
    ] {
        let ended = files.run(&arguments);
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains("/dev/zero: holds more than 256 MiB"), "{}", ended.err);
    }
}

#[test]
fn help_that_cannot_be_written_is_an_error() {
    for arguments in [&["--help"][..], &["match", "--help"], &["--version"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = command().args(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(ended.status.code() == Some(2) && said.contains("can't write the output"), "{said}");
    }
}

#[test]
fn ids_that_are_no_line_numbers_are_not_said_to_be() {
    let named = "{\"id\":\"e1\",\"filter\":\"snow\"}\n";
    let files = Files::new().with("f.ndjson", named).with("a.txt", "snow\n").with("b.txt", "rain\n");
    let taken = |arguments: &[&str]| {
        let ended = files.run(&[&["match"][..], arguments, &["-"]].concat());
        assert!(ended.code == 2 && ended.err.contains("is taken"), "{}", ended.err);
        ended.err.contains("numbers of their lines")
    };
    assert!(!taken(&["--filters", "f.ndjson", "--expr", "ice"]));
    assert!(taken(&["--filters", "a.txt", "--filters", "b.txt"]));
}

#[test]
fn ids_that_are_taken_on_one_line_are_told_by_their_places() {
    let rules = concat!(
        "{\"data\":[{\"id\":\"7\",\"value\":\"snow\",\"tag\":\"weather\"},{\"id\":\"8\",\"value\":\"ice\"},",
        "{\"id\":\"7\",\"value\":\"rain\"}]}"
    );
    let files = Files::new().with("rules.json", rules).with("lines.json", rules.replace("},{", "},\n{"));
    let said = |file: &str| {
        let ended = files.run(&["check", file]);
        assert_eq!(ended.code, 2, "{}", ended.err);
        ended.err
    };
    let one = said("rules.json");
    let expected = "rules.json:1, filter number 3: id `7` is taken; ids must differ, see rules.json:1, filter number 1 (weather)";
    assert!(one.contains(expected), "{one}");
    let each = said("lines.json");
    assert!(each.contains("lines.json:3: id `7` is taken; ids must differ, see lines.json:1\n"), "{each}");
}

#[test]
fn all_that_keeps_a_filter_from_being_used_is_told() {
    let files = Files::new().with("bad.txt", "bob\n#x\n");
    let filter = "from:me {nope} {nope2} from:{bad}";
    for command in ["match", "explain", "check"] {
        let ended = files.run(&[command, "--expr", filter, "--set", "bad=bad.txt"]);
        let said = ended.out + &ended.err;
        for code in ["me_without_owner", "named nope\n", "named nope2", "bad.txt:2 can't stand here"] {
            assert!(ended.code == 1 && said.contains(code), "{command}: {code}: {said}");
        }
    }
}
