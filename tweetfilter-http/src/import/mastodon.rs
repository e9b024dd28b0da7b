//! Mastodon's filters, as `/api/v2/filters` and `/api/v1/filters` answer.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::keywords::{Keyword, expression};
use super::x_json::LineNumbers;
use super::{Fault, FilterLine, Malformed};
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
pub(super) fn read(text: &str) -> Option<Result<Vec<FilterLine>, Malformed>> {
    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    let first: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(items.first()?.get()).ok()?;
    let of_two = first.get("keywords").is_some_and(serde_json::Value::is_array);
    let of_one = first.get("phrase").is_some_and(serde_json::Value::is_string);
    if !of_two && !of_one {
        return None;
    }
    let (mut filters, mut faults) = (Vec::new(), Vec::new());
    let mut lines = LineNumbers::new(text);
    for (n, raw) in items.iter().enumerate() {
        let line = lines.of(raw.get());
        match read_one(raw.get(), n + 1, line) {
            Ok(filter) => filters.push(filter),
            Err(message) => faults.push(Fault { line, message }),
        }
    }
    Some(if faults.is_empty() { Ok(filters) } else { Err(Malformed { faults }) })
}

fn read_one(raw: &str, position: usize, line: usize) -> Result<FilterLine, String> {
    let filter: Filter = serde_json::from_str(raw).map_err(|error| error.to_string())?;
    let mut keywords = filter.keywords;
    if let Some(keyword) = filter.phrase {
        keywords.push(Keyword { keyword, whole_word: filter.whole_word });
    }
    keywords.retain(|keyword| !keyword.keyword.trim().is_empty());
    if keywords.is_empty() {
        return Err("this filter has no keywords; filters of single posts are not read".to_owned());
    }
    let id = if filter.id.is_empty() { position.to_string() } else { filter.id };
    let mut read = FilterLine::new(id, expression(&keywords), line);
    read.name = Some(filter.title).filter(|title| !title.is_empty());
    // Both of Mastodon's actions keep a post out of sight.
    read.action = Some("hide".to_owned());
    if let Some(at) = &filter.expires_at {
        read.expires_at = Some(time::parse(at).ok_or_else(|| format!("`expires_at` is no time: {at}"))?);
    }
    Ok(read)
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
        let read_two = read(two).unwrap().unwrap();
        let filter = &read_two[0];
        assert_eq!((filter.id.as_str(), filter.line), ("19972", 2));
        assert_eq!(filter.text, "snow OR contains:\"ice cold\"");
        assert_eq!((filter.name.as_deref(), filter.action.as_deref()), (Some("Winter"), Some("hide")));
        assert_eq!(filter.expires_at, time::parse("2022-09-20T17:27:39.296Z"));
        let one = r#"[{"id":"8449","phrase":"test","context":["home"],"whole_word":false,"expires_at":null,"irreversible":true}]"#;
        assert_eq!(read(one).unwrap().unwrap()[0].text, "contains:\"test\"");
        let curly = r#"[{"keywords":[{"keyword":"“hi” „du“","whole_word":false},{"keyword":"«oui»","whole_word":true}]}]"#;
        assert_eq!(read(curly).unwrap().unwrap()[0].text, "contains:\"\\“hi\\” \\„du\\“\" OR \"\\«oui\\»\"");
        assert!(read(r#"[{"value":"cat"}]"#).is_none());
        assert!(read(r#"[{"title":"a","keywords":[]}]"#).unwrap().is_err());
    }
}
