//! Files that are still being written when they are read, and read on when they have grown.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tweetfilter_stream::entry::{Audience, Content, Entry};
use tweetfilter_stream::gather::Gather;
use tweetfilter_stream::source::Source;
use tweetfilter_stream::source::file::FileSource;

#[path = "support/tar.rs"]
mod packed;
#[path = "support/packers.rs"]
mod packers;

use packed::tar;
use packers::{bzip2, gzip, zstd};

/// A file that goes with the test.
struct Growing(PathBuf);

impl Growing {
    fn new(name: &str) -> Self {
        let name = format!("growing-{name}-{}", std::process::id());
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    fn write(&self, content: &[u8]) -> &Path {
        std::fs::write(&self.0, content).expect("written");
        &self.0
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What is stored of a post: what it is known again by, and what it says.
type Stored = BTreeSet<(String, Option<String>, String)>;

/// What one run stores, behind a cursor, and the cursor at its end.
async fn run(path: &Path, cursor: Option<&str>) -> (Stored, Option<String>) {
    let mut source = FileSource::open([path]);
    if let Some(cursor) = cursor {
        source = source.resume(cursor).expect("its own cursor");
    }
    let (mut gather, mut last) = (Gather::new("file", Audience::Public), cursor.map(str::to_owned));
    loop {
        match source.next().await {
            Ok(Some(chunk)) => {
                chunk.gather(&mut gather);
                last = chunk.cursor.or(last);
            }
            Ok(None) => break,
            // Of what breaks off.
            Err(_) => {}
        }
    }
    let batch = gather.take();
    let stored = batch.entries.iter().map(|entry| {
        let entry = Entry::from_slice(&entry.bytes).expect("an entry");
        let Content::Post(post) = entry.content else { panic!("no post") };
        (post.id.clone(), entry.place, format!("{post:?}"))
    });
    (stored.collect(), last)
}

/// Whatever a file was cut to when it was read first, all of it is stored, and nothing twice.
async fn grows(file: &Growing, whole: &[u8], posts: usize) {
    let expected = run(file.write(whole), None).await.0;
    let shown = String::from_utf8_lossy(whole);
    assert_eq!(expected.len(), posts, "{shown}");
    for end in 0..whole.len() {
        let (mut stored, cursor) = run(file.write(&whole[..end]), None).await;
        // It may be read once more before it grows.
        let (again, cursor) = match cursor {
            Some(cursor) if end % 5 == 0 => run(&file.0, Some(&cursor)).await,
            cursor => (Stored::new(), cursor),
        };
        stored.extend(again);
        stored.extend(run(file.write(whole), cursor.as_deref()).await.0);
        assert_eq!(stored, expected, "cut at {end}: {}|{}", &String::from_utf8_lossy(&whole[..end]), shown);
    }
}

/// Three objects that are posts, without an id or with one.
fn objects(with_ids: bool) -> Vec<Value> {
    let mut objects = vec![
        json!({"text": "a"}),
        json!({"text": "b]}\"[{雪\\\n,"}),
        json!({"x": [{"y": [1, 2.5]}, {}], "text": "c"}),
    ];
    if with_ids {
        for (n, object) in objects.iter_mut().enumerate() {
            object["id"] = json!((n + 1).to_string());
        }
    }
    objects
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON")
}

/// Arrays in every layout.
fn arrays(objects: &[Value]) -> Vec<String> {
    let [a, b, c] = objects else { panic!("three") };
    vec![
        format!("[{a},{b},{c}]"),
        format!("[\n{a},\n{b},\n{c}\n]"),
        format!("[{a},\n{b},\n{c}]"),
        format!("[{a}\n,{b}\n,{c}\n]"),
        format!("[\n  {a}\n, {b}\n, {c}\n]"),
        format!("[ {a} , {b} , {c} ]"),
        pretty(&json!(objects)),
    ]
}

#[tokio::test]
async fn lines_are_read_whatever_the_file_was_cut_to() {
    let file = Growing::new("lines");
    for with_ids in [false, true] {
        let objects = objects(with_ids);
        let lines: Vec<_> = objects.iter().map(Value::to_string).collect();
        for end in ["\n", "\r\n", "\n\n"] {
            grows(&file, (lines.join(end) + end).as_bytes(), 3).await;
        }
        grows(&file, format!("\u{feff}{}", lines.join("\n")).as_bytes(), 3).await;
        // Documents over several lines, and such that are glued to each other.
        let documents: Vec<_> = objects.iter().map(pretty).collect();
        for between in ["\n", ""] {
            grows(&file, documents.join(between).as_bytes(), 3).await;
            grows(&file, lines.join(between).as_bytes(), 3).await;
        }
        grows(&file, format!("{}\n{}", lines[0], documents[1..].join("\n")).as_bytes(), 3).await;
    }
}

#[tokio::test]
async fn arrays_and_searches_are_read_whatever_the_file_was_cut_to() {
    let file = Growing::new("arrays");
    for with_ids in [false, true] {
        let objects = objects(with_ids);
        for array in arrays(&objects) {
            grows(&file, array.as_bytes(), 3).await;
            if with_ids {
                continue;
            }
            grows(&file, format!("{{\"text\":\"d\"}}\n{array}\n{{\"text\":\"d\"}}\n").as_bytes(), 5).await;
            grows(&file, format!("{{\"statuses\":{array}}}\n").as_bytes(), 3).await;
            grows(&file, format!("{{\"statuses\":{array},\n\"x\":[\n]}}\n").as_bytes(), 3).await;
            grows(&file, format!("{{\"meta\":{{\"n\":[1]}},\"statuses\":{array}}}\n").as_bytes(), 3).await;
            grows(
                &file,
                format!("{{\"text\":\"d\"}}\n{{\"meta\":{{}},\"statuses\":{array}}}\n").as_bytes(),
                4,
            )
            .await;
            grows(&file, format!("{{\n\"statuses\":\n{array}\n}}\n").as_bytes(), 3).await;
        }
        if with_ids {
            continue;
        }
        grows(&file, pretty(&json!({"statuses": objects, "x": {}})).as_bytes(), 3).await;
        let line = json!(objects).to_string();
        grows(&file, format!("{line}\n{line}\n").as_bytes(), 6).await;
        grows(&file, format!("{line}{line}\n{{\"text\":\"d\"}}\n").as_bytes(), 7).await;
    }
}

#[tokio::test]
async fn pages_are_read_whatever_the_file_was_cut_to() {
    let file = Growing::new("pages");
    let user = json!({"id": "7", "username": "ann", "name": "Ann"});
    let tweet = |id: &str| json!({"id": id, "text": "snow", "author_id": "7"});
    let [one, two] = [tweet("1"), tweet("2")];
    let page = json!({"data": [one, two], "includes": {"users": [user]}});
    for text in [
        format!("{page}\n"),
        pretty(&page),
        format!("{{\"data\":[\n{one},\n{two}\n],\n\"includes\":{{\"users\":[{user}]}}}}\n"),
        format!("{{\"data\":[{one},\n{two}],\"includes\":{{\"users\":[\n{user}\n]}}}}\n"),
        format!("{{\"data\":[{one}\n,{two}\n],\"includes\":{{\"users\":[{user}\n]}}\n}}\n"),
        format!("{{\"data\":\n[\n{one}\n,\n{two}\n]\n,\"includes\":\n{{\"users\":\n[{user}]\n}}\n}}\n"),
        format!("{{\"includes\":{{\"users\":[{user}]}},\"data\":[\n{one},{two}\n]}}\n"),
        format!(
            "{{\"meta\":{{\"result_count\":2}},\n\"includes\":{{\"users\":[{user}]}},\n\"data\":[{one},{two}]}}"
        ),
    ] {
        grows(&file, text.as_bytes(), 2).await;
        grows(&file, format!("{{\"text\":\"line\"}}\n{text}").as_bytes(), 3).await;
    }
}

#[tokio::test]
async fn packed_files_are_read_whatever_they_were_cut_to() {
    let file = Growing::new("packed");
    let lines: String = (0..9).map(|n| format!("{}\n", json!({"text": format!("snow {n}")}))).collect();
    // A line goes on in the second one.
    let (first, second) = lines.as_bytes().split_at(lines.len() / 2);
    for pack in [gzip, bzip2, zstd] {
        grows(&file, &[pack(first), pack(second)].concat(), 9).await;
    }
    let files = [("a.json", first.to_vec()), ("b.json.gz", gzip(lines.as_bytes()))];
    grows(&file, &gzip(&[tar(&files[..1]), tar(&files[1..])].concat()), 13).await;
}

/// A run is killed within a line, and the next one writes on behind it.
#[tokio::test]
async fn what_follows_a_line_that_stays_broken_is_read() {
    let file = Growing::new("broken");
    let [a, b, c] = ["a", "b", "c"].map(|text| json!({ "text": text }));
    let array = format!("[{a},{b},{c}]");
    for whole in [&array, &format!("{a}"), &format!("{{\"statuses\":{array}}}"), &format!("{{\"x\":[\n{a}")] {
        for end in 1..whole.len() {
            for line in [format!("[{a},{b}]\n{c}\n"), format!("{a}\n{b}\n{c}\n{a}\n")] {
                for between in ["\n", ""] {
                    let cut = &whole[..end];
                    let (mut stored, cursor) = run(file.write(cut.as_bytes()), None).await;
                    let all = format!("{cut}{between}{line}");
                    let expected = run(file.write(all.as_bytes()), None).await.0;
                    stored.extend(run(&file.0, cursor.as_deref()).await.0);
                    assert!(stored.is_superset(&expected), "{all}: {stored:?} and not {expected:?}");
                }
            }
        }
    }
}
