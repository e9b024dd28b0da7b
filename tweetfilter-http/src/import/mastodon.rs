//! Mastodon's filters, as `/api/v2/filters` and `/api/v1/filters` answer.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::FilterLine;
use super::keywords::{Keyword, expression};
use super::x_json::LineNumbers;
use crate::time;

/// A filter of either version.
#[derive(Deserialize)]
struct Filter {
    #[serde(default)]
    id: String,
    /// Version 2.
    #[serde(default)]
    title: String,
    #[serde(default)]
    keywords: Vec<Keyword>,
    /// Version 1.
    #[serde(default)]
    phrase: Option<String>,
    #[serde(default)]
    whole_word: bool,
    #[serde(default)]
    expires_at: Option<String>,
}

/// `None` when the text is no list whose first item is a filter of Mastodon.
pub(super) fn read(text: &str) -> Option<Vec<FilterLine>> {
    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    let first: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(items.first()?.get()).ok()?;
    let of_two = first.get("keywords").is_some_and(serde_json::Value::is_array);
    let of_one = first.get("phrase").is_some_and(serde_json::Value::is_string);
    if !of_two && !of_one {
        return None;
    }
    let mut lines = LineNumbers::new(text);
    let items = items.iter().enumerate();
    Some(items.map(|(n, raw)| read_one(raw.get(), n + 1, lines.of(raw.get()))).collect())
}

fn read_one(raw: &str, position: usize, line: usize) -> FilterLine {
    let mut read = FilterLine::new(position.to_string(), String::new(), line);
    let filter = serde_json::from_str::<Filter>(raw);
    let filter = filter.map_err(|error| format!("no filter as Mastodon writes them: {error}"));
    let filled = filter.and_then(|filter| fill(&mut read, filter));
    read.fault = filled.err();
    read
}

/// Fills in what a filter says, up to what is wrong in it.
fn fill(read: &mut FilterLine, filter: Filter) -> Result<(), String> {
    read.name = Some(filter.title).filter(|title| !title.is_empty());
    // Both of Mastodon's actions keep a post out of sight.
    read.action = Some("hide".to_owned());
    if !filter.id.is_empty() {
        read.id = filter.id;
    }
    let mut keywords = filter.keywords;
    if let Some(keyword) = filter.phrase {
        keywords.push(Keyword { keyword, whole_word: filter.whole_word });
    }
    keywords.retain(|keyword| !keyword.keyword.trim().is_empty());
    if keywords.is_empty() {
        return Err("this filter has no keywords; filters of single posts are not read".to_owned());
    }
    read.text = expression(&keywords);
    if let Some(at) = &filter.expires_at {
        read.expires_at = Some(time::parse(at).ok_or_else(|| format!("`expires_at` is no time: {at}"))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_both_versions_are_read() {
        let two = r#"[
            {"id":"19972","title":"Winter","context":["home"],"expires_at":"2022-09-20T17:27:39.296Z",
             "filter_action":"warn","keywords":[{"id":"1","keyword":"snow","whole_word":true},
             {"id":"2","keyword":"ice cold","whole_word":false}],"statuses":[]}
        ]"#;
        let read_two = read(two).unwrap();
        let filter = &read_two[0];
        assert_eq!((filter.id.as_str(), filter.line), ("19972", 2));
        assert_eq!(filter.text, "snow OR contains:\"ice cold\"");
        assert_eq!((filter.name.as_deref(), filter.action.as_deref()), (Some("Winter"), Some("hide")));
        assert_eq!(filter.expires_at, time::parse("2022-09-20T17:27:39.296Z"));
        let one = r#"[{"id":"8449","phrase":"test","context":["home"],"whole_word":false,"expires_at":null,"irreversible":true}]"#;
        assert_eq!(read(one).unwrap()[0].text, "contains:\"test\"");
        let curly = r#"[{"keywords":[{"keyword":"“hi” „du“","whole_word":false},{"keyword":"«oui»","whole_word":true}]}]"#;
        assert_eq!(read(curly).unwrap()[0].text, "contains:\"\\“hi\\” \\„du\\“\" OR \"\\«oui\\»\"");
        assert!(read(r#"[{"value":"cat"}]"#).is_none());
    }

    #[test]
    fn a_filter_of_posts_alone_keeps_no_other_out() {
        let text = r#"[{"title":"posts only","keywords":[],"statuses":[{"id":"1","status_id":"2"}]},
            {"title":"Winter","keywords":[{"keyword":"snow","whole_word":true}]}, {"title":7}]"#;
        let read = read(text).unwrap();
        let faults: Vec<_> = read.iter().map(|filter| filter.fault.as_deref().unwrap_or_default()).collect();
        assert!(faults[0].contains("no keywords") && faults[1].is_empty(), "{faults:?}");
        assert!(faults[2].starts_with("no filter as Mastodon writes them"), "{faults:?}");
        assert_eq!((read[0].name.as_deref(), read[1].text.as_str()), (Some("posts only"), "snow"));
    }
}
