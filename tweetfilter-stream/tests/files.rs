//! Lines and documents out of plain files.

use std::io::{Cursor, Read};

use tweetfilter_stream::files::{Block, Options, Reader};

#[path = "support/given.rs"]
mod given_by;

use given_by::each_block;

const OPTIONS: Options = Options { line: 100, document: 4096, block: 7, live: false, text: false };

/// Lines with their numbers.
type Numbered = Vec<(u64, String)>;

/// What a reader gives, and how it fails if it does.
fn read_of(input: impl Read + Send + 'static, options: Options) -> (Numbered, Option<String>) {
    let mut lines = Vec::new();
    let end = each_block(input, options, |block| {
        lines.extend(block.lines().map(|line| {
            let mark = if line.too_long { "!" } else { "" };
            (line.number, format!("{}{mark}", String::from_utf8_lossy(line.bytes)))
        }));
    });
    (lines, end)
}

/// The same in small blocks, in one, and as a pipe gives it.
fn read_anyhow(bytes: &[u8]) -> (Numbered, Option<String>) {
    let small = read_of(Cursor::new(bytes.to_vec()), OPTIONS);
    let large = Options { block: 1 << 20, ..OPTIONS };
    for options in [large, Options { live: true, ..OPTIONS }] {
        assert_eq!(small, read_of(Cursor::new(bytes.to_vec()), options), "the size of blocks shows");
    }
    small
}

fn lines(bytes: &[u8]) -> Numbered {
    let (lines, failure) = read_anyhow(bytes);
    assert_eq!(failure, None);
    lines
}

/// The lines of a document that breaks off, which is told behind them.
fn lines_of_broken(bytes: &[u8]) -> Numbered {
    let (lines, failure) = read_anyhow(bytes);
    let failure = failure.expect("it breaks off");
    assert!(failure.contains("the JSON document ends before its last bracket"), "{failure}");
    lines
}

fn numbered(expected: &[(u64, &str)]) -> Numbered {
    expected.iter().map(|&(n, text)| (n, text.to_owned())).collect()
}

fn expect(bytes: &[u8], expected: &[(u64, &str)]) {
    assert_eq!(lines(bytes), numbered(expected), "{}", String::from_utf8_lossy(bytes));
}

fn expect_broken(bytes: &[u8], expected: &[(u64, &str)]) {
    assert_eq!(lines_of_broken(bytes), numbered(expected), "{}", String::from_utf8_lossy(bytes));
}

#[test]
fn lines_keep_their_numbers_and_bytes() {
    expect(b"", &[]);
    expect(b"\r\n\r\n", &[]);
    expect(b"{\"a\":1}\r\n\r\n{\"b\" : 2} \n7", &[(1, "{\"a\":1}"), (3, "{\"b\" : 2} "), (4, "7")]);
    expect(b"\xef\xbb\xbf{}\n{}", &[(1, "{}"), (2, "{}")]);
    expect(b"\xff\n{}", &[(1, "\u{fffd}"), (2, "{}")]);
}

#[test]
fn documents_are_cut_into_elements() {
    expect(b"[\n{\"a\":1},\n\n {\n\"b\":2}]\n", &[(2, "{\"a\":1}"), (4, "{\n\"b\":2}")]);
    expect(b"{\"statuses\":[\n{\"a\":1}, {}],\n\"x\":1}", &[(2, "{\"a\":1}"), (2, "{}")]);
    expect(b"[{\"a\":1},{\"b\":2}]\n[{}]", &[(1, "{\"a\":1}"), (1, "{\"b\":2}"), (2, "{}")]);
    expect(b"{\n \"data\": []\n}", &[(1, "{\n \"data\": []\n}")]);
}

#[test]
fn behind_a_line_a_value_over_several_lines_may_end_its_first_in_a_brace() {
    let line = "{\"a\":{\"b\":1}}";
    for (value, elements) in [
        ("{\"data\":[{\"id\":\"1\"}\n,{\"id\":\"2\"}\n]}", vec![]),
        ("{\"data\":[{\"id\":\"1\"}\n\n ]}", vec![]),
        ("{\"a\":{\"b\":1}\n}", vec![]),
        ("{\"a\":{\"b\":1}\n , \"c\":[\n]}", vec![]),
        ("{\"m\":{},\"statuses\":[{\"a\":1}\n,{\"b\":2}\n]}", vec![(0, "{\"a\":1}"), (1, "{\"b\":2}")]),
    ] {
        for end in ["\n", "\r\n", "\n\n"] {
            let value = value.replace('\n', end);
            let step = end.matches('\n').count() as u64;
            let of_value = match elements.is_empty() {
                true => vec![(1 + step, value.as_str())],
                false => elements.iter().map(|(n, part)| (1 + step + n * step, *part)).collect(),
            };
            let rest = 1 + step + value.matches('\n').count() as u64 + step;
            let expected = [vec![(1, line)], of_value, vec![(rest, line)]].concat();
            expect(format!("{line}{end}{value}{end}{line}{end}").as_bytes(), &expected);
        }
    }
    // What comes next can't go on there, or nothing does.
    for next in ["{\"c\":1}", "[{}]", "snow", "\"c\":1}", "7", ""] {
        let cut = "{\"a\":{\"b\":1}";
        let text = format!("{line}\n{cut}\n\n{next}\n");
        let next: &[_] = match next {
            "" => &[],
            "[{}]" => &[(4, "{}")],
            next => &[(4, next)],
        };
        expect(text.as_bytes(), &[&[(1, line), (2, cut)], next].concat());
    }
}

#[test]
fn a_broken_first_line_is_no_document() {
    expect(b"{\"a\":\n{}\n{}", &[(1, "{\"a\":"), (2, "{}"), (3, "{}")]);
    expect(b"[1,\n{}\n", &[(1, "[1,"), (2, "{}")]);
    expect(b"{\"data\":[\n{\"id\":1}\n", &[(1, "{\"data\":["), (2, "{\"id\":1}")]);
    expect(b"{\"data\":[\n", &[(1, "{\"data\":[")]);
    // By its key it is.
    expect_broken(b"{\"statuses\":[\n{\"id\":1}\n", &[(2, "{\"id\":1}")]);
}

#[test]
fn a_broken_first_line_loses_only_itself_where_each_line_is_an_array() {
    let [first, cut, third] = ["[{\"a\":1}]", "[{\"b\":2},{\"c\":\"te", "[{\"d\":4}]"];
    expect(format!("{cut}\n{first}\n{third}\n").as_bytes(), &[(1, cut), (2, "{\"a\":1}"), (3, "{\"d\":4}")]);
    expect(format!("{first}\n{cut}\n{third}\n").as_bytes(), &[(1, "{\"a\":1}"), (2, cut), (3, "{\"d\":4}")]);
    expect(format!("{cut}\n{cut}\n{third}").as_bytes(), &[(1, cut), (2, cut), (3, "{\"d\":4}")]);
    // More than is held of a document.
    let many = format!("{cut}\n{}", format!("{first}\n").repeat(900));
    assert_eq!(lines(many.as_bytes()).len(), 901);
    // Behind a sign behind which a document might go on.
    for end in [",", ",{\"c\":", ",{\"c\":[", ",{\"c\":[1,"] {
        let cut = format!("[{{\"b\":2}}{end}");
        expect(format!("{cut}\n{first}\n").as_bytes(), &[(1, &cut), (2, "{\"a\":1}")]);
        expect(
            format!("\n{cut}\n{first}\r\n{third}").as_bytes(),
            &[(2, &cut), (3, "{\"a\":1}"), (4, "{\"d\":4}")],
        );
    }
    expect(format!("[\n{first}\n").as_bytes(), &[(1, "["), (2, "{\"a\":1}")]);
    // An array of arrays is a document.
    expect(b"[\n[{\"a\":1}],\n[{\"b\":2}]\n]\n", &[(2, "[{\"a\":1}]"), (3, "[{\"b\":2}]")]);
    expect(b"[\n[{\"a\":1}]\n]\n", &[(2, "[{\"a\":1}]")]);
}

#[test]
fn of_a_document_that_breaks_off_the_whole_elements_are_given_and_it_is_told() {
    expect_broken(
        b"[\n{\"a\":1},\n{\"b\":\n2},\n{\"c\":",
        &[(2, "{\"a\":1}"), (3, "{\"b\":\n2}"), (5, "{\"c\":")],
    );
    // Between elements, at the end of a line, and behind the array in its object.
    expect_broken(b"{\"x\":1,\n\"statuses\":[\n{\"a\":1},{\"b\":2}", &[(3, "{\"a\":1}"), (3, "{\"b\":2}")]);
    expect_broken(b"[{\"a\":1}\n", &[(1, "{\"a\":1}")]);
    expect_broken(b"{\"statuses\":[\n{\"a\":1}],\n\"x\":", &[(2, "{\"a\":1}")]);
    // Within the first element, and behind it.
    expect_broken(b"[\n{\"a\":", &[(2, "{\"a\":")]);
    expect_broken(b"[\n{\"a\":1}", &[(2, "{\"a\":1}")]);
    expect_broken(b"[{\"a\":1},\n{\"b\":2}\n", &[(1, "{\"a\":1}"), (2, "{\"b\":2}")]);
    expect(b"[\n{\"a\":1},\n{}\n]\n[]x\n{}\n", &[(2, "{\"a\":1}"), (3, "{}"), (5, "[]x"), (6, "{}")]);
}

#[test]
fn a_page_or_a_post_over_several_lines_that_breaks_off_is_told() {
    let page = "\n{\n \"data\": [\n  {\"id\": \"1\"},\n  {\"id\"";
    for end in 4..page.len() {
        // To the last byte: who reads on behind a cursor does not count what has no end yet.
        expect_broken(&page.as_bytes()[..end], &[(2, &page[1..end])]);
    }
    expect_broken(b"{\"data\":[\n{\"id\":1},\n{\"id\":2}", &[(1, "{\"data\":[\n{\"id\":1},\n{\"id\":2}")]);
    expect_broken(b"{\n\"a\":1\n}\n{\n\"b\":", &[(1, "{\n\"a\":1\n}"), (4, "{\n\"b\":")]);
    // Within a number, which lacks digits.
    for number in ["-", "97.", "1e", "1E+", "-0.5e-"] {
        let page = format!("{{\n\"data\":[\n{{\"a\":{number}");
        expect_broken(page.as_bytes(), &[(1, &page)]);
        expect_broken(
            format!("[{{\"a\":1}},\n{{\"b\":{number}").as_bytes(),
            &[(1, "{\"a\":1}"), (2, &format!("{{\"b\":{number}"))],
        );
        expect_broken(
            format!("{{\n\"a\":1\n}}\n{{\n\"b\":{number}").as_bytes(),
            &[(1, "{\n\"a\":1\n}"), (4, &format!("{{\n\"b\":{number}"))],
        );
    }
    // A line that breaks off is a line.
    for line in ["{\"a\":1,\n", "{\"a\":1,"] {
        expect(line.as_bytes(), &[(1, line.trim())]);
    }
}

#[test]
fn what_a_document_breaks_off_in_is_marked() {
    for (text, cut_off) in [
        (&b"{\n\"data\":[\n{\"id\""[..], &[true][..]),
        (b"{\n\"a\":\"\xc3", &[true]),
        (b"[\n{\"a\":1},\n{\"b\":", &[false, true]),
        (b"[\n{\"a\":1},\n{\"b\":1}", &[false, false]),
        (b"{\n\"a\":1\n}\n{\n\"b\":", &[false, true]),
        // A line that breaks off is like any other.
        (b"{}\n{\"a\":", &[false, false]),
        (b"{}\n{\"a\":\n", &[false, false]),
    ] {
        let mut reader = Reader::with_options(Cursor::new(text.to_vec()), OPTIONS).expect("opens");
        let (mut block, mut found) = (Block::default(), Vec::new());
        while let Ok(true) = reader.read(&mut block) {
            found.extend(block.lines().map(|line| line.cut_off));
        }
        assert_eq!(found, cut_off, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn of_a_last_line_that_is_an_array_and_breaks_off_too() {
    expect_broken(b"[{\"a\":1},{\"b\":2}", &[(1, "{\"a\":1}"), (1, "{\"b\":2}")]);
    expect_broken(b"[{\"a\":1},{\"b\":2},", &[(1, "{\"a\":1}"), (1, "{\"b\":2}")]);
    expect_broken(b"7\n{\"statuses\":[{\"a\":1},{\"b", &[(1, "7"), (2, "{\"a\":1}"), (2, "{\"b")]);
    // Within a character.
    expect_broken(b"[{\"a\":1},{\"b\":\"\xc3", &[(1, "{\"a\":1}"), (1, "{\"b\":\"\u{fffd}")]);
    let elements: Vec<String> = (0..500).map(|n| format!("{{\"id\":{n}}}")).collect();
    let cut = format!("[{}", elements.join(","));
    assert_eq!(lines_of_broken(cut.as_bytes()), elements.into_iter().map(|e| (1_u64, e)).collect::<Vec<_>>());
    expect_broken(b"[{\"a\":", &[(1, "{\"a\":")]);
    // What has no object, or is no array, is a line.
    for line in ["[1, 2", "[warn, snow", "{\"a\":1", "{\"statuses\":[", "[snow"] {
        expect(line.as_bytes(), &[(1, line)]);
    }
    for line in ["{\"x\":1,\"statuses\":[{\"a\":1},{\"b\"", " [{\"a\":1},{\"b\""] {
        expect_broken(line.as_bytes(), &[(1, "{\"a\":1}"), (1, "{\"b\"")]);
    }
    // What would be one line if it were whole is one as well.
    for line in ["{\"x\":{\"statuses\":[{\"a\":1},{\"b\"", "{\"created_at\":1,\"statuses\":[{\"a\":1},{\"b\""]
    {
        expect(line.as_bytes(), &[(1, line)]);
    }
    let options = Options { text: true, ..OPTIONS };
    let text = read_of(Cursor::new(b"[{\"a\":1},".to_vec()), options);
    assert_eq!(text, (numbered(&[(1, "[{\"a\":1},")]), None));
}

#[test]
fn documents_over_several_lines_may_follow_each_other() {
    expect(b"{\n\"a\":1\n}\n{\n\"b\":[2]\n}\n", &[(1, "{\n\"a\":1\n}"), (4, "{\n\"b\":[2]\n}")]);
    expect_broken(
        b"{\n\"a\":1\n}\n{\"b\":2}\n{\"c\"",
        &[(1, "{\n\"a\":1\n}"), (4, "{\"b\":2}"), (5, "{\"c\"")],
    );
    // Lines that are broken are lines.
    expect(b"{\"a\":\n{\"b\":\n{}\n", &[(1, "{\"a\":"), (2, "{\"b\":"), (3, "{}")]);
}

#[test]
fn arrays_over_several_lines_may_follow_each_other() {
    let (array, search) = ("[\n{\"a\":1},\n{\n\"b\":2\n}\n]\n", "{\"statuses\":[\n{\"c\":3}\n]}\n");
    // An empty one, blank lines, and documents of other kinds; lines are lines.
    let others = "[]\n\n{\n\"d\":4\n}\n{\"e\":5}\n";
    let mut expected = vec![(2, "{\"a\":1}"), (3, "{\n\"b\":2\n}"), (8, "{\"a\":1}"), (9, "{\n\"b\":2\n}")];
    expected.extend([(14, "{\"c\":3}"), (18, "{\n\"d\":4\n}"), (21, "{\"e\":5}")]);
    expect(format!("{array}{array}{search}{others}").as_bytes(), &expected);
    expect(b"[]\n[\n{}\n]\n7\n{}\n", &[(3, "{}"), (5, "7"), (6, "{}")]);
    let blank = "\n".repeat(20);
    expect(
        format!("{blank}{array}{blank}{array}").as_bytes(),
        &[(22, "{\"a\":1}"), (23, "{\n\"b\":2\n}"), (48, "{\"a\":1}"), (49, "{\n\"b\":2\n}")],
    );
    // A broken line behind one is a line.
    expect(b"[\n{}\n]\n{\"a\":\"sno\n{}\n", &[(2, "{}"), (4, "{\"a\":\"sno"), (5, "{}")]);
    // The last one breaks off, can't be cut, or is of arrays.
    expect_broken(b"[\n{}\n]\n[\n{\"b\":2},\n{\"c\"", &[(2, "{}"), (5, "{\"b\":2}"), (6, "{\"c\"")]);
    expect_broken(b"[\n{}\n]\n\n{\n\"data\":[\n{\"b", &[(2, "{}"), (5, "{\n\"data\":[\n{\"b")]);
    expect(b"[\n{}\n]\n[\n[{\"b\":2}]\n]\n", &[(2, "{}"), (5, "[{\"b\":2}]")]);
    let page = format!("{{\n \"data\": [{}\n ]\n}}\n", "\n  {\"id\":\"1\"},".repeat(500));
    let found = lines(format!("[\n{{}}\n]\n{page}").as_bytes());
    assert_eq!((found.len(), found[1].0), (2, 4), "{found:?}");
    assert!(found[1].1.starts_with("{\n \"data\"") && found[1].1.ends_with('!'), "{found:?}");
}

#[test]
fn an_array_without_posts_keeps_no_others_from_being_read() {
    for first in ["[ ]", "[\n]", "[\n1\n]", "[\n\"a\",\n\"b\"\n]"] {
        let text = format!("{first}\n[\n{{\"a\":1}},\n{{\"b\":2}}\n]\n");
        let line = first.matches('\n').count() as u64 + 3;
        let found = lines(text.as_bytes());
        let posts = numbered(&[(line, "{\"a\":1}"), (line + 1, "{\"b\":2}")]);
        assert_eq!(found[found.len() - 2..], posts, "{first}");
    }
}

#[test]
fn documents_that_are_glued_to_each_other_are_read() {
    let (array, object) = ("[{\"a\":1},{\"b\":2}]", "{\"c\":\"}{ ][\"}");
    let parts = [(1, "{\"a\":1}"), (1, "{\"b\":2}"), (1, object)];
    expect(format!("{array}{object}{array}").as_bytes(), &[&parts[..], &parts[..2]].concat());
    expect(format!("{object}{object}").as_bytes(), &[parts[2]; 2]);
    // Behind a line, which is not looked at closely, and with what is broken behind them.
    let behind = |line, rest: &str| {
        let text = format!("{{}}\n{object}{array}{object}{rest}\n7\n");
        let mut expected = vec![(1, "{}"), (2, object), (2, "{\"a\":1}"), (2, "{\"b\":2}")];
        expected.extend([(2, line), (3, "7")]);
        expect(text.as_bytes(), &expected);
    };
    behind(object, "");
    behind(&format!("{object}snow"), "snow");
    // One goes on in the next line.
    expect(
        format!("{object}[\n{{\"a\":1}},\n{{}}\n]{object}").as_bytes(),
        &[(1, object), (2, "{\"a\":1}"), (3, "{}"), (4, object)],
    );
    // Blanks may stand between them.
    for blank in [" ", "\t", " \t  ", "\r"] {
        let glued = [object, array, array, object, object].join(blank);
        let expected = [parts[2], parts[0], parts[1], parts[0], parts[1], parts[2], parts[2]];
        expect(glued.as_bytes(), &expected);
        let behind: Vec<_> = expected.iter().map(|(_, part)| (2, *part)).collect();
        expect(format!("{{}}\n{glued}\n").as_bytes(), &[&[(1, "{}")], &behind[..]].concat());
    }
    expect(b"{}\n{\"a\":\"} {\"} \n", &[(1, "{}"), (2, "{\"a\":\"} {\"} ")]);
    // What is no document ends none: logs are lines.
    for line in ["[2021][INFO] {\"a\":1}", "{\"a\":1}x{\"a\":1}", "[1][2]", "[1] [2]", "{a} {\"a\":1}"] {
        expect(line.as_bytes(), &[(1, line)]);
        expect(format!("{{}}\n{line}\n{{}}").as_bytes(), &[(1, "{}"), (2, line), (3, "{}")]);
    }
}

#[test]
fn a_broken_document_loses_none_that_is_glued_to_it() {
    let (whole, other) = ("{\"a\":1}", "[{\"b\":2}]");
    for broken in ["{\"c\":tr}", "{\"c\" {}}", "{\"c\":[1}}"] {
        for blank in ["", " "] {
            let text = [whole, broken, other, broken, whole].join(blank);
            let parts = [whole, broken, "{\"b\":2}", broken, whole];
            let on = |line| parts.iter().map(|part| (line, *part)).collect::<Vec<_>>();
            expect(text.as_bytes(), &on(1));
            expect(format!("{whole}\n{text}\n").as_bytes(), &[&[(1, whole)], &on(2)[..]].concat());
        }
    }
}

#[test]
fn the_mark_of_a_file_that_was_added_to_another_is_none_of_it() {
    let mark = "\u{feff}";
    let parts = ["{\"a\":1}", "{\"b\":2}", "{\"c\":{\n}}"];
    for between in [mark.to_owned(), format!(" {mark}"), format!("{mark} "), format!("{mark}{mark}")] {
        let text = format!("{mark}{}{between}[{}]{between}{}", parts[0], parts[1], parts[2]);
        expect(text.as_bytes(), &[(1, parts[0]), (1, parts[1]), (1, parts[2])]);
        let text = format!("{}\n{text}\n{between}{}\n", parts[0], parts[1]);
        expect(text.as_bytes(), &[(1, parts[0]), (2, parts[0]), (2, parts[1]), (2, parts[2]), (4, parts[1])]);
    }
}

#[test]
fn what_stands_before_the_posts_of_a_line_does_not_hide_them() {
    let posts = "[{\"a\":1},{\"b\":[]}]";
    for line in [
        format!(" {posts}"),
        format!("\t{posts} "),
        format!("{{\"statuses\":{posts}}}"),
        format!(" {{ \"statuses\":{posts}}}"),
        format!("{{\"m\":1,\"statuses\" : {posts}}}"),
        format!("{{\"m\":{{\"statuses\":[7]}},\"statuses\":{posts},\"n\":[{{}}]}}"),
    ] {
        for before in ["", "{}\n"] {
            let at = before.len() as u64 / 3 + 1;
            let first: &[_] = if before.is_empty() { &[] } else { &[(1, "{}")] };
            let expected = [first, &[(at, "{\"a\":1}"), (at, "{\"b\":[]}"), (at + 1, "7")]].concat();
            expect(format!("{before}{line}\n7\n").as_bytes(), &expected);
        }
    }
    // Neither is one of several.
    for line in ["{\"a\":{\"statuses\":[{},{}]}}", "{\"a\":\"\\\"statuses\\\":[{},{}]\"}"] {
        expect(format!("{line}\n").as_bytes(), &[(1, line)]);
    }
}

#[test]
fn behind_a_broken_element_the_others_are_read() {
    // It ends within a string, or a word: the next line can't be inside it.
    for cut in ["{\"b\":\"sno", "{\"b\":tr", "{\"b\":{\"c\":[{}"] {
        expect(
            format!("[\n{{\"a\":1}},\n{cut}\n{{\"c\":3}},\n{{\"d\":4}}\n]\n{{\n}}\n").as_bytes(),
            &[(2, "{\"a\":1}"), (3, cut), (4, "{\"c\":3}"), (5, "{\"d\":4}"), (7, "{\n}")],
        );
        // The array breaks off there, and lines follow.
        expect(
            format!("[\n{{\"a\":1}},\n{cut}\n{{\"c\":3}}\n{{\"d\":4}}\n").as_bytes(),
            &[(2, "{\"a\":1}"), (3, cut), (4, "{\"c\":3}"), (5, "{\"d\":4}")],
        );
    }
    // A comma too many or too few, and a line end within a string.
    let array = "[\n{\"a\":1},\n{\"b\":\"sno\nw\"}\n{\"c\":3},\n]\n";
    let parts = [(2, "{\"a\":1}"), (3, "{\"b\":\"sno\nw\"}"), (5, "{\"c\":3}")];
    let again: Vec<_> = parts.iter().map(|(line, part)| (line + 6, *part)).collect();
    expect(format!("{array}{array}").as_bytes(), &[&parts[..], &again].concat());
    // Another array begins where one has no end, which is told.
    expect_broken(
        b"[\n{\"a\":1},\n{\"b\":2}\n[\n{\"c\":3}\n]\n",
        &[(2, "{\"a\":1}"), (3, "{\"b\":2}"), (5, "{\"c\":3}")],
    );
}

#[test]
fn lines_over_the_limit_are_told() {
    let long = format!("{{}}\n{}\n{{}}\n{}", "x".repeat(5000), "y".repeat(101));
    let found = lines(long.as_bytes());
    assert_eq!(found.len(), 4);
    assert_eq!((found[0].0, found[2].0, found[2].1.as_str()), (1, 3, "{}"));
    assert!(found[1].1.starts_with("xxx") && found[1].1.ends_with('!') && found[1].1.len() <= 257);
    assert!(found[3].1.ends_with("y!"));
    expect("z".repeat(100).as_bytes(), &[(1, &"z".repeat(100))]);
}

#[test]
fn a_document_over_the_limit_is_cut_while_it_is_read() {
    let element = |n: u32| format!("{{\n \"id\": {n},\n \"text\": \"a ] b\"\n}}");
    let elements: Vec<String> = (0..300).map(element).collect();
    let array = format!("[\n{}\n]\n", elements.join(",\n"));
    let search = format!("{{\"statuses\":\n[{}], \"x\":\n{{}}}}\n", elements.join(","));
    let expected = |from: u64, step: u64| -> Vec<_> {
        elements.iter().zip(0..).map(|(text, n)| (from + n * step, text.clone())).collect()
    };
    assert!(array.len() > OPTIONS.document);
    assert_eq!(lines(array.as_bytes()), expected(2, 4));
    assert_eq!(lines(search.as_bytes()), expected(2, 3));
    // As `jq .` writes them.
    assert_eq!(lines(elements.join("\n").as_bytes()), expected(1, 4));
    let broken = &array[..array.len() - 20];
    assert_eq!(lines_of_broken(broken.as_bytes()).len(), 300);
    assert_eq!(lines_of_broken(broken.as_bytes())[..299], expected(2, 4)[..299]);
}

#[test]
fn a_line_over_the_limit_that_is_an_array_is_cut() {
    let elements: Vec<String> = (0..900).map(|n| format!("{{\"id\":{n}}}")).collect();
    let huge = format!("{{\"id\":\"{}\"}}", "x".repeat(500));
    let array = format!("[{},{huge},{{\"id\":7}}]", elements.join(","));
    for text in [format!("{array}\n{{}}\n{array}\r\n\r\n"), format!("{{}}\n{array}\n{array}")] {
        let found = lines(text.as_bytes());
        assert_eq!(found.len(), 2 * 902 + 1);
        let first = usize::from(text.starts_with("{}"));
        assert_eq!(found[first + 17], (first as u64 + 1, elements[17].clone()));
        assert!(found[first + 900].1.ends_with("xx!") && found[first + 900].1.len() <= 101);
        assert_eq!(found[first + 901].1, "{\"id\":7}");
        assert!(found.contains(&(2 - first as u64, "{}".to_owned())));
        assert_eq!(found.last().unwrap().0, 3);
    }
}

#[test]
fn a_long_document_that_cannot_be_cut_is_one_line_that_is_too_long() {
    let page = format!("{{\n \"data\": [{}\n ]\n}}\n", "\n  {\"id\":\"1\"},".repeat(500));
    let found = lines(page.as_bytes());
    assert_eq!((found.len(), found[0].0), (1, 1));
    assert!(found[0].1.ends_with('!'), "{found:?}");
    // A broken line before many others is that.
    let messages = format!("{{\"a\":[\n{}", "{\"id\":1}\n".repeat(900));
    assert_eq!(lines(messages.as_bytes()).len(), 901);
}

#[test]
fn lines_of_text_are_given_as_they_are() {
    let options = Options { text: true, ..Options::default() };
    let mut reader = Reader::with_options("[\n\n  {\"statuses\":[]}\r\nend".as_bytes(), options).unwrap();
    let (mut block, mut lines) = (Block::default(), Vec::new());
    while reader.read(&mut block).unwrap() {
        lines.extend(
            block.lines().map(|line| (line.number, String::from_utf8_lossy(line.bytes).into_owned())),
        );
    }
    assert_eq!(lines, numbered(&[(1, "["), (2, ""), (3, "  {\"statuses\":[]}"), (4, "end")]));
}
