//! twitter-text's own cases of extraction, where the data folder is present; and what is kept of a text.

use tweetfilter_core::Span;
use tweetfilter_core::text::entities;
use yaml_rust2::{Yaml, YamlLoader};

/// Cases that are refused, and why.
const REFUSED: &[(&str, &str)] = &[];

fn cases(file: &str) -> Option<Yaml> {
    let Ok(folder) = std::env::var("TWEETFILTER_DATA") else {
        println!("skipped: no data");
        return None;
    };
    let path = format!("{folder}/twitter_text_conformance/{file}");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    YamlLoader::load_from_str(&text).expect("YAML").into_iter().next()
}

/// An entity as the cases write it, its place counted in code points.
type Found = (String, usize, usize);

fn found(text: &str, items: impl Iterator<Item = (String, Option<Span>)>) -> Vec<Found> {
    let place = |at: u32| text[..at as usize].chars().count();
    items.filter_map(|(word, span)| span.map(|span| (word, place(span.start), place(span.end)))).collect()
}

fn answers(group: &str, text: &str) -> Vec<Found> {
    let all = entities(text);
    match group {
        group if group.starts_with("mentions") || group == "replies" => {
            found(text, all.mentions.into_iter().map(|m| (m.account.handle, m.span)))
        }
        group if group.starts_with("hashtags") => {
            found(text, all.hashtags.into_iter().map(|t| (t.text, t.span)))
        }
        group if group.starts_with("cashtags") => {
            found(text, all.cashtags.into_iter().map(|t| (t.text, t.span)))
        }
        _ => found(text, all.links.into_iter().map(|l| (l.url, l.span))),
    }
}

fn word(item: &Yaml) -> String {
    match item {
        Yaml::Hash(fields) => {
            let name = ["screen_name", "url", "hashtag", "cashtag"];
            let field = name.iter().find_map(|name| fields.get(&Yaml::String((*name).to_owned())));
            word(field.expect("a word"))
        }
        Yaml::String(text) | Yaml::Real(text) => text.clone(),
        Yaml::Integer(number) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn extraction() {
    let Some(file) = cases("extract.yml") else { return };
    let (mut run, mut failures) = (0, Vec::new());
    for (group, cases) in file["tests"].as_hash().expect("groups") {
        let group = group.as_str().expect("a name");
        for case in cases.as_vec().expect("cases") {
            let text = case["text"].as_str().expect("a text");
            if REFUSED.iter().any(|(refused, _)| *refused == text) {
                continue;
            }
            run += 1;
            let mut answers = answers(group, text);
            let words: Vec<_> = match &case["expected"] {
                Yaml::Array(items) => items.iter().map(word).collect(),
                Yaml::Null | Yaml::BadValue => Vec::new(),
                one => vec![word(one)],
            };
            if group == "replies" {
                // A reply begins with the mention.
                answers.retain(|(_, start, _)| text.chars().take(*start).all(char::is_whitespace));
            }
            let mut right = answers.iter().map(|(word, ..)| word.clone()).eq(words.iter().cloned());
            for (item, answer) in case["expected"].as_vec().into_iter().flatten().zip(&answers) {
                if let (Some(start), Some(end)) = (item["indices"][0].as_i64(), item["indices"][1].as_i64()) {
                    // The place of a list's mention includes the list.
                    let list = item["list_slug"].as_str().map_or(0, |slug| slug.chars().count());
                    right &= (answer.1 as i64, answer.2 as i64 + list as i64) == (start, end);
                }
            }
            if !right {
                failures.push(format!("{group}: {text:?}\n  expected {words:?}\n  found    {answers:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {run}:\n{}", failures.len(), failures.join("\n"));
    assert!(run > 180, "only {run} cases");
}

#[test]
fn top_level_domains() {
    let Some(file) = cases("tlds.yml") else { return };
    let mut run = 0;
    for (_, cases) in file["tests"].as_hash().expect("groups") {
        for case in cases.as_vec().expect("cases") {
            let text = case["text"].as_str().expect("a text");
            let expected: Vec<_> = case["expected"].as_vec().expect("links").iter().map(word).collect();
            let links: Vec<_> = entities(text).links.into_iter().map(|link| link.url).collect();
            assert_eq!(links, expected, "{text}");
            run += 1;
        }
    }
    assert!(run > 1000, "only {run} cases");
}

#[test]
fn lists_of_a_text_full_of_names_take_no_more_room_than_they_need() {
    let found = entities(&"#a @b $c d.co ".repeat(1000));
    for (length, room) in [
        (found.hashtags.len(), found.hashtags.capacity()),
        (found.mentions.len(), found.mentions.capacity()),
        (found.cashtags.len(), found.cashtags.capacity()),
        (found.links.len(), found.links.capacity()),
    ] {
        assert_eq!((length, room), (1000, 1000));
    }
    assert_eq!((found.hashtags[0].text.as_str(), found.mentions[0].account.handle.as_str()), ("a", "b"));
    assert_eq!((found.cashtags[0].text.as_str(), found.links[0].url.as_str()), ("c", "d.co"));
}
