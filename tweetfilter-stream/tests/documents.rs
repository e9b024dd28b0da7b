//! Files that are composed of documents, held against an oracle.

use std::io::Cursor;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Deserializer, Value, json};
use tweetfilter_stream::files::{Block, Options, Reader};

#[path = "support/given.rs"]
mod given_by;

use given_by::each_block;

/// What is given: each with the line on which it begins.
type Given = Vec<(u64, String)>;

const LARGE: Options = Options { line: 1 << 16, document: 1 << 18, block: 1 << 20, live: false, text: false };

fn read(text: &str, options: Options) -> (Given, Option<String>) {
    let mut given = Vec::new();
    let end = each_block(Cursor::new(text.as_bytes().to_vec()), options, |block| {
        given.extend(block.lines().map(|line| {
            let mark = [(line.too_long, "!"), (line.cut_off, "?")];
            let marks: String = mark.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
            (line.number, format!("{}{marks}", String::from_utf8_lossy(line.bytes)))
        }));
    });
    (given, end)
}

/// The same in blocks of any size, and as a pipe gives it.
fn read_anyhow(text: &str, options: Options) -> (Given, Option<String>) {
    let whole = read(text, options);
    for block in [1, 7, 64] {
        for live in [false, true] {
            assert_eq!(read(text, Options { block, live, ..options }), whole, "blocks of {block}: {text:?}");
        }
    }
    whole
}

/// What shows of a file that is still being written.
fn settled(text: &str, options: Options) -> Given {
    let mut reader = Reader::with_options(Cursor::new(text.as_bytes().to_vec()), options).expect("opens");
    let (mut block, mut given) = (Block::default(), Vec::new());
    while let Ok(true) = reader.read(&mut block) {
        if !block.is_open() {
            given.extend(
                block.lines().map(|line| (line.number, String::from_utf8_lossy(line.bytes).into_owned())),
            );
        }
    }
    given
}

/// Slow and obvious: values one behind the other, arrays by their elements; marks are blanks.
fn oracle(text: &str) -> Given {
    let text = text.replace('\u{feff}', " ");
    let text = text.as_str();
    let line = |part: &str| {
        let before = part.as_ptr().addr() - text.as_ptr().addr();
        text[..before].matches('\n').count() as u64 + 1
    };
    let mut given = Vec::new();
    for document in Deserializer::from_str(text).into_iter::<&RawValue>() {
        let document = document.expect("well-formed").get();
        let elements = serde_json::from_str::<Vec<&RawValue>>(document).or_else(|_| {
            #[derive(serde::Deserialize)]
            struct Search<'t> {
                #[serde(borrow)]
                statuses: Vec<&'t RawValue>,
            }
            serde_json::from_str::<Search<'_>>(document).map(|search| search.statuses)
        });
        match elements {
            Ok(elements) => {
                given.extend(elements.iter().map(|part| (line(part.get()), part.get().to_owned())))
            }
            Err(_) => given.push((line(document), document.to_owned())),
        }
    }
    given
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,9}",
        Just("}{".to_owned()),
        Just("a}[{\"b\":\"][".to_owned()),
        Just("schön \\ \"\n{".to_owned()),
        Just("雪,[:".to_owned()),
    ]
}

fn object() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(json!({})),
        4 => text().prop_map(|text| json!({ "text": text })),
        2 => (any::<u16>(), text()).prop_map(|(id, text)| json!({"id": id, "user": {"name": text}})),
        2 => vec(text(), 0..3).prop_map(|texts| json!({"entities": {"tags": texts}, "x": [[], {}, null, -1.5]})),
    ]
}

/// One document: an object, an array, a page of a search; each on one line, over several, or as `jq` writes it.
fn document() -> impl Strategy<Value = String> {
    let array = (vec(object(), 0..4), 0..5_u8, 0..4_u8).prop_map(|(objects, style, around)| {
        let parts: Vec<String> = objects.iter().map(Value::to_string).collect();
        let array = match style {
            0 => format!("[{}]", parts.join(",")),
            1 => format!("[\n{}\n]", parts.join(",\n")),
            2 => format!("[ {} ]", parts.join(" , ")),
            3 => format!("[{}\n]", parts.join("\n,")),
            _ => serde_json::to_string_pretty(&objects).expect("JSON"),
        };
        match around {
            0 => format!("{{\"statuses\":{array}}}"),
            1 => format!("{{\"m\":{{}},\"statuses\":{array}}}"),
            2 => format!("{{\"data\":{array}}}"),
            _ => array,
        }
    });
    let object = (object(), any::<bool>()).prop_map(|(object, is_pretty)| match is_pretty {
        true => serde_json::to_string_pretty(&object).expect("JSON"),
        false => object.to_string(),
    });
    let document = prop_oneof![array, object, Just("[\n]".to_owned()), Just("[ ]".to_owned())];
    (document, any::<bool>()).prop_map(|(document, is_crlf)| match is_crlf {
        true => document.replace('\n', "\r\n"),
        false => document,
    })
}

/// What stands between two documents.
fn between() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => Just("\n"),
        3 => Just(""),
        1 => Just(" "),
        1 => Just("\t "),
        1 => Just("\r"),
        2 => Just("\r\n"),
        2 => Just("\n\n \n"),
        2 => Just("\r\n\r\n"),
        1 => Just("\u{feff}"),
        1 => Just(" \u{feff}"),
        1 => Just("\n\u{feff}"),
    ]
}

fn documents() -> impl Strategy<Value = String> {
    // Blanks behind the last one are of its line.
    vec((document(), between()), 0..9).prop_map(|parts| {
        let text: String = parts.into_iter().map(|(document, between)| document + between).collect();
        text.trim_end_matches([' ', '\t', '\r']).to_owned()
    })
}

/// A message on one line that is cut off, but not where what follows may belong to it.
fn cut_message() -> impl Strategy<Value = String> {
    (object(), any::<prop::sample::Index>()).prop_filter_map("may go on", |(object, at)| {
        let text = object.to_string();
        let end = text.floor_char_boundary(at.index(text.len()));
        let cut = &text[..end];
        (!cut.is_empty() && !cut.ends_with(['[', ',', ':'])).then(|| cut.to_owned())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_are_read_whatever_follows_what(text in documents()) {
        let (given, failure) = read_anyhow(&text, LARGE);
        prop_assert_eq!(failure, None, "{:?}", text);
        prop_assert_eq!(given, oracle(&text), "{:?}", text);
    }

    #[test]
    fn a_message_that_is_cut_off_loses_nothing_but_itself(
        before in documents(), cut in cut_message(), after in documents(),
    ) {
        let before = before + "\n";
        let broken = before.matches('\n').count() as u64 + 1;
        let text = format!("{before}{cut}\n{after}");
        let (mut given, _) = read_anyhow(&text, LARGE);
        prop_assert!(given.iter().any(|(line, _)| *line == broken), "{:?}", text);
        given.retain(|(line, _)| *line != broken);
        let mut expected = oracle(&before);
        expected.extend(oracle(&after).into_iter().map(|(line, part)| (line + broken, part)));
        prop_assert_eq!(given, expected, "{:?}", text);
    }

    #[test]
    fn what_shows_of_documents_is_what_they_are_once_the_file_has_grown(
        text in documents(), at in any::<prop::sample::Index>(),
    ) {
        let end = text.floor_char_boundary(at.index(text.len() + 1));
        let (mut shows, whole) = (settled(&text[..end], LARGE), oracle(&text));
        // Blanks behind the last one are of its line, as long as none follows.
        shows.iter_mut().for_each(|(_, line)| line.truncate(line.trim_end().len()));
        prop_assert_eq!(&shows[..], &whole[..shows.len().min(whole.len())], "{:?} of {:?}", &text[..end], text);
    }

    #[test]
    fn what_shows_before_a_line_end_is_what_it_is_whatever_is_broken(
        parts in vec((document(), any::<prop::sample::Index>(), any::<bool>(), between()), 1..9),
        at in any::<prop::sample::Index>(), line in 1..60_usize, document in 60..200_usize,
    ) {
        let text: String = parts.iter().map(|(document, at, is_whole, between)| {
            let end = if *is_whole { document.len() } else { at.index(document.len() + 1) };
            format!("{}{between}", &document[..document.floor_char_boundary(end)])
        }).collect();
        let ends: Vec<usize> = text.match_indices('\n').map(|(end, _)| end + 1).chain([0]).collect();
        let beginning = &text[..*at.get(&ends)];
        for options in [LARGE, Options { line, document, ..LARGE }] {
            let shows = settled(beginning, options);
            let (whole, _) = read(&text, options);
            let whole: Given = whole.into_iter().take(shows.len()).map(|(n, line)| {
                (n, line.trim_end_matches(['!', '?']).to_owned())
            }).collect();
            prop_assert_eq!(shows, whole, "{:?} of {:?}", beginning, text);
        }
    }

    /// Whatever is broken: blocks don't show, nothing panics, and no line is told that there is not.
    #[test]
    fn what_is_given_does_not_depend_on_blocks(
        parts in vec((document(), any::<prop::sample::Index>(), any::<bool>(), between()), 0..9),
        line in 1..60_usize, document in 60..200_usize,
    ) {
        let text: String = parts.iter().map(|(document, at, is_whole, between)| {
            let end = if *is_whole { document.len() } else { at.index(document.len() + 1) };
            format!("{}{between}", &document[..document.floor_char_boundary(end)])
        }).collect();
        for options in [LARGE, Options { line, document, ..LARGE }] {
            let (given, _) = read_anyhow(&text, options);
            let lines = text.matches('\n').count() as u64 + 1;
            prop_assert!(given.iter().all(|(number, _)| (1..=lines).contains(number)), "{:?}", text);
            prop_assert!(given.is_sorted_by_key(|(number, _)| *number), "{:?}", text);
        }
    }
}
