//! Files as a source: cursors, pace, progress, and what goes wrong.

use std::future::Future;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::{Counts, Gap};
use tweetfilter_stream::entry::Audience;
use tweetfilter_stream::files::Options;
use tweetfilter_stream::gather::Gather;
use tweetfilter_stream::source::file::{FileSource, Pace, Progress};
use tweetfilter_stream::source::{Chunk, Clock, Notice, Source};

#[path = "source_file/held_back.rs"]
mod held_back;
#[path = "support/tar.rs"]
mod packed;

use packed::tar;

/// The runtime's time, which the tests set.
struct Virtual(tokio::time::Instant);

impl Clock for Virtual {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall(&self) -> Millis {
        Millis::try_from(self.now().as_millis()).expect("small")
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("source-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("created");
        Self(path)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn gz(content: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(content).expect("packed");
    packed.finish().expect("packed")
}

fn texts(chunk: &Chunk) -> Vec<String> {
    chunk.lines.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned()).collect()
}

async fn all(mut source: FileSource) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(chunk) = source.next().await.expect("reads") {
        found.extend(texts(&chunk));
    }
    found
}

/// All lines, and the errors in between, each with how many lines came before it.
async fn all_with_errors(
    paths: impl IntoIterator<Item = impl AsRef<Path>>,
) -> (Vec<String>, Vec<(usize, String)>) {
    let (mut source, mut found, mut said) = (FileSource::open(paths), Vec::new(), Vec::new());
    loop {
        match source.next().await {
            Ok(Some(chunk)) => found.extend(texts(&chunk)),
            Ok(None) => return (found, said),
            Err(error) => said.push((found.len(), error.to_string())),
        }
    }
}

const SMALL: Options = Options { line: 100, document: 4096, block: 8, live: false, text: false };

#[tokio::test]
async fn every_cursor_reads_on_behind_its_chunk() {
    let folder = Folder::new("cursor");
    let plain = folder.file("a.ndjson", "{\"n\":1}\r\n\n{\"n\":2}\n{\"n\":3}");
    let packed = folder.file("b.gz", gz(b"[{\"n\":4},\n {\"n\":5}]"));
    let long = folder.file("c", format!("{{\"n\":6}}\n{}\n{{\"n\":7}}\n", "x".repeat(500)));
    let paths = [plain, packed, long];
    let expected = all(FileSource::open(&paths).with_options(SMALL)).await;
    assert_eq!(expected[..6], ["1", "2", "3", "4", "5", "6"].map(|n| format!("{{\"n\":{n}}}")));
    assert_eq!(expected[7..], ["{\"n\":7}"]);

    let mut source = FileSource::open(&paths).with_options(SMALL);
    let (mut before, mut chunks) = (Vec::new(), 0);
    while let Some(chunk) = source.next().await.expect("reads") {
        before.extend(texts(&chunk));
        chunks += 1;
        let cursor = chunk.cursor.expect("of a file");
        let rest = FileSource::open(&paths).with_options(SMALL).resume(&cursor).expect("its own cursor");
        assert_eq!([before.clone(), all(rest).await].concat(), expected, "{cursor}");
    }
    assert!(chunks >= 4, "{chunks} chunks try little");
}

/// What is read behind a cursor, and what is said beside it.
async fn behind(
    paths: impl IntoIterator<Item = impl AsRef<Path>>,
    cursor: &str,
) -> (Vec<String>, Vec<Notice>, Option<String>) {
    let mut source = FileSource::open(paths).resume(cursor).expect("a cursor of a file");
    let (mut found, mut said, mut last) = (Vec::new(), Vec::new(), None);
    while let Some(chunk) = source.next().await.expect("reads") {
        found.extend(texts(&chunk));
        last = chunk.cursor.or(last);
        said.extend(chunk.notices);
    }
    (found, said, last)
}

/// The gaps that are told behind a cursor, and each cursor with how many gaps came up to it.
async fn gaps(mut source: FileSource) -> (Vec<Gap>, Vec<(String, usize)>) {
    let (mut gaps, mut cursors) = (Vec::new(), Vec::new());
    loop {
        match source.next().await {
            Ok(Some(chunk)) => {
                gaps.extend(chunk.gaps);
                cursors.extend(chunk.cursor.map(|cursor| (cursor, gaps.len())));
            }
            Ok(None) => return (gaps, cursors),
            Err(_) => {}
        }
    }
}

/// The cursor at the end.
async fn read(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> String {
    let mut source = FileSource::open(paths);
    let mut last = None;
    while let Some(chunk) = source.next().await.expect("reads") {
        last = chunk.cursor.or(last);
    }
    last.expect("of a file")
}

fn assert_said(said: &[Notice], part: &str) {
    assert!(
        matches!(said, [Notice::ReadAgain { reason }] if reason.contains(part)),
        "not {part:?}: {said:?}"
    );
}

#[tokio::test]
async fn another_file_of_the_same_name_is_read_from_its_beginning() {
    let folder = Folder::new("replaced");
    let path = folder.file("a", "{\"n\":1}\n{\"n\":2}\n");
    let cursor = read([&path]).await;
    assert_eq!(behind([&path], &cursor).await.0, [""; 0]);
    // Longer by what was added, it is the same; shorter, as long, or longer, it is another.
    folder.file("a", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    let (found, said, grown) = behind([&path], &cursor).await;
    assert_eq!((found, said.len()), (vec!["{\"n\":3}".to_owned()], 0));
    let grown = grown.expect("a further cursor");
    for content in [
        "{\"n\":1}\n{\"n\":2}\n",
        "{\"n\":1}\n{\"n\":2}\n{\"n\":4}\n",
        "{\"n\":5}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n",
    ] {
        folder.file("a", content);
        let (found, said, last) = behind([&path], &grown).await;
        assert_eq!(found, content.lines().collect::<Vec<_>>());
        assert_said(&said, "another file");
        assert_eq!(behind([&path], &last.expect("a cursor")).await.0, [""; 0]);
    }
    // Beyond the beginning that is compared, the length tells.
    let long = format!("{{\"n\":\"{}\"}}\n", "x".repeat(70_000));
    folder.file("a", format!("{long}{{\"n\":1}}\n"));
    let cursor = read([&path]).await;
    folder.file("a", &long);
    assert_said(&behind([&path], &cursor).await.1, "another file");
}

#[tokio::test]
async fn a_file_that_was_replaced_before_the_one_that_was_read_last_is_read_again() {
    let folder = Folder::new("replaced-before");
    let paths = [folder.file("a", "{\"n\":1}\n"), folder.file("b", "{\"n\":2}\n"), folder.0.join("c")];
    let cursor = read(&paths[..2]).await;
    folder.file("c", "{\"n\":3}\n");
    assert_eq!(behind(&paths, &cursor).await.0, ["{\"n\":3}"]);
    folder.file("a", "{\"n\":4}\n");
    let (found, said, _) = behind(&paths, &cursor).await;
    assert_eq!(found, ["{\"n\":4}", "{\"n\":2}", "{\"n\":3}"]);
    assert_said(&said, "files before");
    // A list without it says nothing of it.
    assert_eq!(behind(&paths[1..], &cursor).await.0, ["{\"n\":3}"]);
    let (found, said, _) = behind(&paths[2..], &cursor).await;
    assert_eq!(found, ["{\"n\":3}"]);
    assert_said(&said, "not among the files");
}

#[tokio::test]
async fn cursors_of_older_versions_hold_and_those_of_other_sources_do_not() {
    let folder = Folder::new("older");
    let path = folder.file("a", "{}\n{\"n\":2}\n");
    let cursor = |lines: u32| format!("{{\"file\":{:?},\"lines\":{lines}}}", path.to_str().expect("a name"));
    assert_eq!(behind([&path], &cursor(1)).await.0, ["{\"n\":2}"]);
    assert_eq!(behind([&path], &cursor(2)).await.0, [""; 0]);
    let (found, said, _) = behind([&path], &cursor(3)).await;
    assert_eq!(found, ["{}", "{\"n\":2}"]);
    assert_said(&said, "another file");
    for cursor in ["17", "generated 1614834367089"] {
        let refused = FileSource::open([&path]).resume(cursor).expect_err("of another kind").to_string();
        assert!(
            refused.contains("something else than files") && refused.contains("another name"),
            "{refused}"
        );
        assert!(!refused.contains("17") && !refused.contains("1614834367089"), "{refused}");
    }
}

#[tokio::test]
async fn a_last_line_that_is_cut_off_is_read_again_when_the_file_has_grown() {
    let folder = Folder::new("cut-off");
    for (name, clock) in [("plain", false), ("paced", true)] {
        let path = folder.file(name, "{\"n\":1}\n{\"n\":2}\n{\"n\"");
        let open = || match clock {
            true => FileSource::open([&path])
                .paced(Pace::Rate(1e4), Arc::new(Virtual(tokio::time::Instant::now()))),
            false => FileSource::open([&path]),
        };
        let (mut source, mut found, mut said, mut last) = (open(), Vec::new(), Vec::new(), None);
        while let Some(chunk) = source.next().await.expect("reads") {
            found.extend(texts(&chunk));
            last = chunk.cursor.or(last);
            said.extend(chunk.notices);
        }
        assert_eq!(found, ["{\"n\":1}", "{\"n\":2}", "{\"n\""]);
        assert_said(&said, "cut off");
        let cursor = last.expect("of a file");
        // What is no whole message stays so, and is told again; then it is one, though no line end follows it.
        assert_said(&behind([&path], &cursor).await.1, "cut off");
        folder.file(name, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}");
        let (found, said, last) = behind([&path], &cursor).await;
        assert_eq!((found, said.len()), (vec!["{\"n\":3}".to_owned()], 0));
        folder.file(name, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n");
        assert_eq!(behind([&path], &last.expect("behind it")).await.0, ["{\"n\":4}"]);
    }
}

#[tokio::test]
async fn behind_a_page_that_broke_off_nothing_is_passed_over_when_the_file_has_grown() {
    let folder = Folder::new("growing-pages");
    for (begin, end) in [
        ("[", "]"),
        (" [", "]"),
        ("[\n", "\n]"),
        ("{\"statuses\":[", "]}"),
        ("{\"x\":1,\"statuses\":[", "]}"),
        ("{\n\"data\":[", "]}"),
    ] {
        let cut = format!("{begin}{{\"n\":1}},{{\"n\":2}},{{\"n\"");
        let path = folder.file("pages", &cut);
        let (mut source, mut last) = (FileSource::open([&path]), None);
        while let Ok(Some(chunk)) = source.next().await {
            last = chunk.cursor.or(last);
        }
        folder.file("pages", format!("{cut}:3}}{end}\n{{\"n\":4}}\n"));
        let found = behind([&path], &last.expect("of a file")).await.0;
        assert!(found.len() == 2 && found[0].contains("{\"n\":3}") && found[1] == "{\"n\":4}", "{found:?}");
    }
}

#[tokio::test]
async fn an_array_that_breaks_off_is_named_and_the_next_file_is_read() {
    let folder = Folder::new("broken-array");
    for array in ["[{\"n\":1},{\"n\":2}", "[\n{\"n\":1},\n{\"n\":2},\n"] {
        let (cut, good) = (folder.file("cut", array), folder.file("good", "{}\n"));
        let (found, said) = all_with_errors([&cut, &good]).await;
        assert_eq!(found, ["{\"n\":1}", "{\"n\":2}", "{}"]);
        let [(2, error)] = &said[..] else { panic!("{said:?}") };
        assert!(
            error.contains("cut: ") && error.contains("the JSON document ends before its last bracket"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn arrays_behind_a_broken_first_line_are_read_from_every_cursor() {
    let folder = Folder::new("broken-first");
    let path = folder.file("arrays", "[{\"n\":0},{\"te\n[{\"n\":1}]\n[{\"n\":2},{\"n\":3}]\n");
    let expected = ["[{\"n\":0},{\"te", "{\"n\":1}", "{\"n\":2}", "{\"n\":3}"];
    let (mut source, mut before) = (FileSource::open([&path]).with_options(SMALL), Vec::new());
    while let Some(chunk) = source.next().await.expect("reads") {
        before.extend(texts(&chunk));
        let rest = behind([&path], &chunk.cursor.expect("of a file")).await.0;
        assert_eq!([before.clone(), rest].concat(), expected);
    }
    assert_eq!(before, expected);
}

#[tokio::test]
async fn a_file_that_fails_is_named_and_the_next_is_read() {
    let folder = Folder::new("fails");
    let whole = gz("{\"text\":\"cut\"}\n".repeat(9000).as_bytes());
    let (cut, good) = (folder.file("cut.gz", &whole[..whole.len() - 9]), folder.file("good", "{}\n"));
    let (found, said) = all_with_errors([&folder.0.join("absent"), &cut, &folder.0, &good]).await;
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].1.contains("absent") && said[1].1.contains("cut.gz"), "{said:?}");
    assert!(said[1].0 > 0, "nothing before the cut");
    assert_eq!(found.last().map(String::as_str), Some("{}"));
}

#[tokio::test]
async fn progress_is_in_bytes_of_the_files() {
    let folder = Folder::new("progress");
    let content = gz("{\"text\":\"hello\"}\n".repeat(50_000).as_bytes());
    let path = folder.file("a.gz", &content);
    let mut source = FileSource::open([&path]);
    let total = Some(content.len() as u64);
    assert_eq!(source.progress(), Progress { read: 0, total });
    while source.next().await.expect("reads").is_some() {}
    assert_eq!(source.progress(), Progress { read: content.len() as u64, total });
    assert_eq!(FileSource::open([Path::new("-")]).progress(), Progress { read: 0, total: None });
}

/// Gives a line when it is told to.
struct Pipe(std::sync::mpsc::Receiver<&'static str>);

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Ok(text) = self.0.recv() else { return Ok(0) };
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        Ok(text.len())
    }
}

#[tokio::test]
async fn a_pipe_makes_nobody_wait_and_loses_nothing_when_it_is_not_waited_for() {
    let (pipe, input) = std::sync::mpsc::channel();
    let mut source = FileSource::from_reader("pipe", Pipe(input));
    let asked = tokio::time::timeout(Duration::from_millis(20), source.next()).await;
    assert!(asked.is_err(), "there was nothing to give");
    pipe.send("{\"n\":1}\n{\"n\"").expect("open");
    let first = source.next().await.expect("reads").expect("a line");
    assert_eq!((texts(&first), &first.cursor), (vec!["{\"n\":1}".to_owned()], &None));
    assert!(tokio::time::timeout(Duration::from_millis(20), source.next()).await.is_err(), "half a line");
    pipe.send(":2}\n").expect("open");
    drop(pipe);
    assert_eq!(texts(&source.next().await.expect("reads").expect("a line")), ["{\"n\":2}"]);
    assert!(source.next().await.expect("reads").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept() {
    let folder = Folder::new("rate");
    let path = folder.file("a", "{}\n".repeat(41));
    let clock = Arc::new(Virtual(tokio::time::Instant::now()));
    let mut source = FileSource::open([&path]).paced(Pace::Rate(20.0), clock.clone());
    let mut lines = 0;
    while let Some(chunk) = source.next().await.expect("reads") {
        lines += chunk.lines.len();
        let cursor = chunk.cursor.expect("of a file");
        assert!(cursor.ends_with(&format!("\"lines\":{lines}}}")), "{cursor} after {lines}");
        let most = 1 + usize::try_from(clock.now().as_millis() / 50).expect("few");
        assert!(lines <= most, "{lines} lines after {:?}", clock.now());
    }
    assert_eq!(lines, 41);
    assert!(
        clock.now() >= Duration::from_secs(2) && clock.now() < Duration::from_millis(2100),
        "{:?}",
        clock.now()
    );
}

#[tokio::test(start_paused = true)]
async fn recorded_times_are_kept_and_a_wait_that_is_given_up_goes_on() {
    let folder = Folder::new("recorded");
    let at = |ms: u32| format!("{{\"timestamp_ms\":\"{ms}\"}}\n");
    let path = folder.file("a", [at(1000), at(4000), at(3000), at(9000)].concat());
    let clock = Arc::new(Virtual(tokio::time::Instant::now()));
    let mut source = FileSource::open([&path]).paced(Pace::AsRecorded, clock.clone());
    let mut given = Vec::new();
    loop {
        match tokio::time::timeout(Duration::from_millis(700), source.next()).await {
            Ok(Ok(Some(chunk))) => given.push((chunk.lines.len(), clock.now())),
            Ok(end) => break assert!(end.expect("reads").is_none()),
            Err(_) => {}
        }
    }
    // The paused clock may run on while the thread opens the file: only the spaces between are certain.
    let first = given[0].1;
    let spaces: Vec<_> = given.iter().map(|(lines, at)| (*lines, (*at - first).as_secs())).collect();
    assert_eq!(spaces, [(1, 0), (2, 3), (1, 8)]);
}

#[tokio::test]
async fn what_is_gathered_balances() {
    let folder = Folder::new("gather");
    let path = folder.file("a", format!("{{\"text\":\"a\"}}\nx\n{}\n", "y".repeat(300)));
    let mut source = FileSource::open([&path]).with_options(Options { line: 200, ..Options::default() });
    let mut gather = Gather::new("file", Audience::Public);
    while let Some(chunk) = source.next().await.expect("reads") {
        chunk.gather(&mut gather);
    }
    let Counts { lines, posts, undecodable, .. } = gather.take().counts;
    assert_eq!((lines, posts, undecodable.len()), (3, 1, 2));
}

/// What is counted of a source: lines, posts, and those that can't be read. And the errors in between.
async fn counted(mut source: FileSource) -> ((u64, u64, usize), Vec<String>) {
    let (mut gather, mut said) = (Gather::new("file", Audience::Public), Vec::new());
    loop {
        match source.next().await {
            Ok(Some(chunk)) => chunk.gather(&mut gather),
            Ok(None) => break,
            Err(error) => said.push(error.to_string()),
        }
    }
    let Counts { lines, posts, undecodable, .. } = gather.take().counts;
    ((lines, posts, undecodable.len()), said)
}

#[tokio::test]
async fn what_a_document_breaks_off_in_is_told_and_not_counted_as_a_line_that_cannot_be_read() {
    let folder = Folder::new("cut-documents");
    let page = "{\n\"data\":[\n{\"id\":\"5\",\"te";
    let array = "[\n{\"text\":\"a\"},\n{\"text\":\"b\"},\n{\"te";
    for (text, whole) in [("[{\"text\":\"a\"},{\"te", 1), (array, 2), (page, 0)] {
        let path = folder.file("cut", text);
        let clock = Arc::new(Virtual(tokio::time::Instant::now()));
        let paced = FileSource::open([&path]).paced(Pace::Rate(1e4), clock);
        for source in [FileSource::open([&path]), paced] {
            let (counts, said) = counted(source).await;
            assert_eq!(counts, (whole, whole, 0), "{text}");
            assert!(said.len() == 1 && said[0].contains("ends before its last bracket"), "{text}: {said:?}");
        }
    }
    // In a tar the others are read.
    let days = [("m1", page.as_bytes().to_vec()), ("m2", b"{\"text\":\"c\"}\n".to_vec())];
    let (counts, said) = counted(FileSource::open([folder.file("days.tar", tar(&days))])).await;
    assert_eq!((counts, said.len()), ((1, 1, 0), 1), "{said:?}");
}

#[tokio::test]
async fn a_damaged_file_in_a_tar_is_told_when_the_others_were_read() {
    let folder = Folder::new("damaged");
    let cut = gz(b"2\n")[..11].to_vec();
    let days = folder.file("days.tar", tar(&[("m1", b"1\n".to_vec()), ("m2", cut), ("m3", b"3\n".to_vec())]));
    let next = folder.file("next", "4\n");
    let (found, said) = all_with_errors([&days, &next]).await;
    assert_eq!(found, ["1", "3", "4"]);
    let [(2, error)] = &said[..] else { panic!("{said:?}") };
    assert!(error.contains("days.tar: m2:1: breaks off: "), "{error}");
}

#[tokio::test]
async fn a_tar_that_breaks_off_tells_which_of_its_files_were_damaged_before() {
    let folder = Folder::new("damaged-and-cut");
    let bad = gz(b"2\n")[..11].to_vec();
    let packed = tar(&[("m1", b"1\n".to_vec()), ("m2", bad), ("m3", vec![b'3'; 2000])]);
    let days = folder.file("days.tar", &packed[..packed.len() - 2000]);
    let next = folder.file("next", "4\n");
    let (found, said) = all_with_errors([&days, &next]).await;
    assert_eq!((found.first().map(String::as_str), found.last().map(String::as_str)), (Some("1"), Some("4")));
    let [(2, error)] = &said[..] else { panic!("{said:?}") };
    assert!(error.contains("days.tar: m2:1: breaks off: "), "{error}");
    assert!(error.contains("; the tar ends within a file"), "{error}");
}

/// The place of each line, whatever the cursor is behind which it was read.
async fn places(mut source: FileSource) -> Vec<Option<(String, u64)>> {
    let mut found = Vec::new();
    while let Some(chunk) = source.next().await.expect("reads") {
        let place = |index| chunk.place.as_ref().map(|place| (place.of.to_string(), place.line + index));
        found.extend((0..chunk.lines.len() as u64).map(place));
    }
    found
}

#[tokio::test(start_paused = true)]
async fn a_line_has_the_same_place_whenever_it_is_read_and_another_file_has_others() {
    let folder = Folder::new("places");
    let a = folder.file("a", "snow\nsnow\n\nrain\n");
    let b = folder.file("b", "snow\nsnow\nsnow\n");
    let whole = places(FileSource::open([&a, &b])).await;
    let lines: Vec<u64> = whole.iter().flatten().map(|(_, line)| *line).collect();
    assert_eq!(lines, [1, 2, 3, 1, 2, 3]);
    assert_ne!(whole[0], whole[3], "the same line of another file");
    let paced = || {
        let clock = Arc::new(Virtual(tokio::time::Instant::now()));
        FileSource::open([&a, &b]).paced(Pace::Rate(1.0), clock)
    };
    assert_eq!(places(paced()).await, whole);
    for read in 1..whole.len() {
        let mut source = paced();
        let mut cursor = None;
        for _ in 0..read {
            cursor = source.next().await.expect("reads").expect("a line").cursor;
        }
        let behind = places(paced().resume(&cursor.expect("of a file")).expect("its own")).await;
        assert_eq!(behind, whole[read..], "behind {read}");
    }
    // One that has grown is the same, one that begins otherwise is not.
    std::fs::write(&a, "snow\nsnow\n\nrain\nfog\n").expect("written");
    assert_eq!(places(FileSource::open([&a])).await[..3], whole[..3]);
    std::fs::write(&a, "hail\nsnow\n\nrain\n").expect("written");
    let other = places(FileSource::open([&a])).await;
    assert!(other.iter().all(|place| place.is_some() && !whole.contains(place)), "{other:?}");
    // What comes through a pipe next time are other lines.
    assert_eq!(places(FileSource::from_reader("-", &b"snow\nsnow\n"[..])).await, [None, None]);
}
