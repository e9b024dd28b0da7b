//! `match`: the formats, found out by themselves, and how their posts are named.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use crate::support::{Files, tweet};

#[test]
fn compressed_files_are_known_by_their_bytes() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(format!("{}\n", tweet("5", "bob", "snow")).as_bytes()).unwrap();
    // The name says nothing.
    let files = Files::new().with("posts.txt", packed.finish().unwrap());
    let out = files.run(&["match", "--expr", "snow", "posts.txt"]).out;
    assert_eq!(out, "{\"post\":\"5\",\"filters\":[\"e1\"]}\n");
}

#[test]
fn an_input_that_breaks_off_gives_what_it_had_and_ends_with_two() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    for n in 0..3_000 {
        packed.write_all(format!("{}\n", tweet(&n.to_string(), "bob", "snow")).as_bytes()).unwrap();
    }
    let packed = packed.finish().unwrap();
    let files =
        Files::new().with("cut.gz", &packed[..packed.len() - 20]).with("posts", tweet("x1", "b", "snow"));
    let ended = files.run(&["match", "--expr", "snow", "cut.gz", "posts"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("cut.gz: breaks off"), "{}", ended.err);
    assert!(ended.out.lines().count() > 1_000, "{}", ended.out.lines().count());
}

#[test]
fn an_array_that_breaks_off_gives_what_is_whole_of_it_and_ends_with_two() {
    let posts: Vec<String> = (0..500).map(|n| tweet(&n.to_string(), "bob", "snow")).collect();
    let files = Files::new()
        .with("line.json", format!("[{}", posts.join(",")))
        .with("lines.json", format!("[\n{},\n", posts.join(",\n")))
        .with("whole.json", format!("[{}]", posts.join(",")));
    for (file, code) in [("line.json", 2), ("lines.json", 2), ("whole.json", 0)] {
        let ended = files.run(&["match", "--expr", "snow", file]);
        assert_eq!((ended.out.lines().count(), ended.code), (500, code), "{file}: {}", ended.err);
        let said = format!("{file}: breaks off: the JSON document ends before its last bracket");
        assert_eq!(ended.err.contains(&said), code == 2, "{}", ended.err);
    }
}

#[test]
fn a_broken_first_line_loses_no_array_behind_it() {
    let [one, three] = ["1", "3"].map(|id| format!("[{}]", tweet(id, "bob", "snow")));
    let cut = r#"[{"id":"2","text":"snow"},{"id":"4","te"#;
    let files = Files::new()
        .with("first", format!("{cut}\n{one}\n{three}\n"))
        .with("second", format!("{one}\n{cut}\n{three}\n"));
    for file in ["first", "second"] {
        let ended = files.run(&["match", "--expr", "snow", file]);
        let posts = ["1", "3"].map(|id| format!("{{\"post\":\"{id}\",\"filters\":[\"e1\"]}}\n"));
        assert_eq!((ended.out, ended.code), (posts.concat(), 0), "{file}: {}", ended.err);
        assert!(ended.err.contains("not JSON: 1"), "{file}: {}", ended.err);
    }
    // Also one of two, and right behind a sign behind which a document might go on.
    for cut in [r#"[{"id":"2","text":"snow"},"#, r#"[{"id":"2","text":"snow"},{"id":"#] {
        let files = Files::new().with("two", format!("{cut}\n{one}\n"));
        let ended = files.run(&["match", "--expr", "snow", "two"]);
        assert_eq!((ended.out.as_str(), ended.code), ("{\"post\":\"1\",\"filters\":[\"e1\"]}\n", 0), "{cut}");
        assert!(ended.err.contains("not JSON: 1"), "{cut}: {}", ended.err);
    }
}

#[test]
fn a_document_over_several_lines_that_breaks_off_ends_with_two() {
    let post = "{\n  \"id\": \"5\",\n  \"text\": \"snow\"\n}\n";
    let page = "{\n  \"data\": [\n    {\"id\": \"5\", \"text\": \"snow\"}\n  ]\n}\n";
    let (several, array) = (post.repeat(2), format!("[\n{post}]\n"));
    for (whole, cut, posts) in [
        (post, 20, 0),
        (page, page.len() - 4, 0),
        (several.as_str(), post.len() + 20, 1),
        (array.as_str(), 20, 0),
    ] {
        let files = Files::new().with("cut.json", &whole[..cut]).with("whole.json", whole);
        let ended = files.run(&["match", "--expr", "snow", "cut.json"]);
        assert_eq!(ended.out, "{\"post\":\"5\",\"filters\":[\"e1\"]}\n".repeat(posts), "{whole}");
        let said = "cut.json: breaks off: the JSON document ends before its last bracket";
        assert!(ended.code == 2 && ended.err.contains(said), "{whole}: {}", ended.err);
        let explained = files.run(&["explain", "--expr", "snow", "cut.json"]);
        assert!(explained.code == 2 && explained.err.contains(said), "{whole}: {}", explained.err);
        // A pipe has a name for people.
        let said = said.replace("cut.json", "standard input");
        for command in ["match", "explain"] {
            let piped = files.run_with(&[command, "--expr", "snow", "-"], &whole.as_bytes()[..cut]);
            assert!(piped.code == 2 && piped.err.contains(&said), "{command}: {whole}: {}", piped.err);
        }
        assert_eq!(files.run(&["match", "--expr", "snow", "whole.json"]).code, 0, "{whole}");
    }
}

#[test]
fn a_file_of_a_kind_that_is_not_read_is_told_with_the_way_out() {
    // A zstd frame with a window of 2 GiB, as of `zstd --long=31` from a pipe.
    let long = [0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 0b1001, 0, 0, b'7'];
    let files = Files::new()
        .with("day.xz", b"\xfd7zXZ\0\0\x04")
        .with("day.txt", b"\xff\xfe{\0}\0\n\0")
        .with("day.zst", long)
        .with("posts", tweet("5", "bob", "snow"));
    for (file, way) in [
        (
            "day.xz",
            "day.xz: it is packed by xz, which is not read; pipe it in by `xz -dc FILE | tweetfilter … -`",
        ),
        ("day.txt", "day.txt: it is text in UTF-16"),
        ("day.zst", "zstd -dc --long=31 FILE"),
    ] {
        let ended = files.run(&["match", "--expr", "snow", file, "posts"]);
        assert!(ended.code == 2 && ended.err.contains(way), "{}", ended.err);
        assert!(!ended.err.contains("breaks off"), "{}", ended.err);
        assert_eq!(ended.out.lines().count(), 1, "the other file is read");
        let ended = files.run(&["explain", "--expr", "snow", file]);
        assert!(ended.code == 2 && ended.err.contains(way), "{}", ended.err);
    }
}

#[test]
fn one_document_gives_each_of_its_elements() {
    let [one, two] = [tweet("5", "bob", "snow"), tweet("6", "al", "rain")];
    let files = Files::new()
        .with("array.json", format!("[\n  {one},\n  {two}\n]\n"))
        .with("search.json", format!("{{\"statuses\": [{two},\n{one}],\n\"search_metadata\": {{}}}}"));
    for file in ["array.json", "search.json"] {
        let ended = files.run(&["match", "--output", "posts", "--expr", "snow", file]);
        assert_eq!(ended.out, format!("{one}\n"), "{file}: {}", ended.err);
    }
}

#[test]
fn arrays_over_several_lines_may_follow_each_other() {
    let array = |id: &str| format!("[\n  {{\n    \"id\": \"{id}\",\n    \"text\": \"snow\"\n  }}\n]\n");
    let files = Files::new().with("arrays.json", array("5") + "[]\n" + &array("6"));
    let ended = files.run(&["match", "--expr", "snow", "arrays.json"]);
    let posts = ["5", "6"].map(|id| format!("{{\"post\":\"{id}\",\"filters\":[\"e1\"]}}\n"));
    assert_eq!((ended.out, ended.code), (posts.concat(), 0), "{}", ended.err);
    assert!(!ended.err.contains("skipped"), "{}", ended.err);
}

#[test]
fn a_page_of_the_second_api_is_read() {
    let page = r#"{"data":[{"id":"5","text":"snow","author_id":"7"},{"id":"6","text":"rain","author_id":"7"}],"includes":{"users":[{"id":"7","username":"bob","name":"Bob"}]},"meta":{"result_count":2}}"#;
    let files = Files::new().with("page.json", page);
    let out = files.run(&["match", "--expr", "from:bob", "--expr", "rain", "page.json"]).out;
    assert_eq!(out, "{\"post\":\"5\",\"filters\":[\"e1\"]}\n{\"post\":\"6\",\"filters\":[\"e1\",\"e2\"]}\n");
}

#[test]
fn posts_of_other_networks_have_their_own_ids() {
    let bluesky = r#"{"did":"did:plc:abc","time_us":1783175888085434,"kind":"commit","commit":{"rev":"3m","operation":"create","collection":"app.bsky.feed.post","rkey":"3k","record":{"$type":"app.bsky.feed.post","createdAt":"2026-07-04T14:38:08.999Z","text":"snow"},"cid":"b"}}"#;
    let mastodon = r#"{"id":"117","created_at":"2026-08-01T13:49:42.878Z","uri":"https://example.social/users/bob/statuses/117","url":"https://example.social/@bob/117","content":"<p>snow</p>","language":"en","account":{"id":"1","username":"bob","acct":"bob","url":"https://example.social/@bob"}}"#;
    let files = Files::new().with("posts.ndjson", format!("{bluesky}\n{mastodon}\n"));
    let ended = files.run(&["match", "--expr", "snow", "posts.ndjson"]);
    assert_eq!(
        ended.out,
        "{\"post\":\"at://did:plc:abc/app.bsky.feed.post/3k\",\"filters\":[\"e1\"]}\n\
         {\"post\":\"117\",\"network\":\"example.social\",\"filters\":[\"e1\"]}\n",
        "{}",
        ended.err
    );
}

/// A real stream, where it is present: every line is a post, another message, or skipped with a reason.
#[test]
fn a_real_stream_is_accounted_for() {
    let Some(data) = std::env::var_os("TWEETFILTER_DATA") else {
        println!("skipped: no data");
        return;
    };
    let stream = std::path::Path::new(&data).join("v1_stream_2021.ndjson.gz");
    let stream = stream.to_string_lossy();
    let files = Files::new();
    let one = files.run(&["match", "--threads", "1", "--expr", "lang:ja has:media", "--expr", "な", &stream]);
    assert!(one.err.contains("\n3,173 posts, "), "{}", one.err);
    assert!(one.err.contains("other messages: 307 delete\n") && !one.err.contains("skipped"), "{}", one.err);
    let many =
        files.run(&["match", "--threads", "3", "--expr", "lang:ja has:media", "--expr", "な", &stream]);
    assert!(one.out.lines().count() > 100);
    assert_eq!(one.out, many.out);
}
