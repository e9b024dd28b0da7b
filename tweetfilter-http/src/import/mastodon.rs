//! Mastodon's filters, as `/api/v2/filters` and `/api/v1/filters` answer.
//!
//! A filter holds there in some places alone (`context`), and may do less than hide (`filter_action`) or know single posts
//! (`statuses`). What has no counterpart here is told of each, as [`Difference`]s.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::keywords::{Keyword, expression};
use super::x_json::LineNumbers;
use super::{Difference, FilterLine};
use crate::time;

/// Where a filter may hold, as it is written and as it is told, and whether that is a timeline.
const PLACES: [(&str, &str, bool); 5] = [
    ("home", "the home timeline", true),
    ("public", "public timelines", true),
    ("notifications", "notifications", false),
    ("thread", "threads", false),
    ("account", "profiles", false),
];

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
    /// Both: where it holds.
    #[serde(default)]
    context: Option<Vec<String>>,
    /// Version 2: `warn`, `hide` or `blur`.
    #[serde(default)]
    filter_action: Option<String>,
    /// Version 2: posts that it finds whatever they say.
    #[serde(default)]
    statuses: Option<Vec<IgnoredAny>>,
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
    place(read, filter.context.as_deref());
    act(read, filter.filter_action.as_deref());
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
    match filter.statuses.map_or(0, |statuses| statuses.len()) {
        0 => {}
        posts => {
            let what = if posts == 1 { "a single post".to_owned() } else { format!("{posts} single posts") };
            let message =
                format!("At Mastodon it keeps out {what} as well; here filters know words, and no posts");
            read.differences.push(Difference { code: "single_posts", message });
        }
    }
    if let Some(at) = &filter.expires_at {
        read.expires_at = Some(time::parse(at).ok_or_else(|| format!("`expires_at` is no time: {at}"))?);
    }
    Ok(())
}

/// Reads where a filter holds. Here one holds for all that an account sees, so that what was not meant for any timeline
/// would hide in all of them.
fn place(read: &mut FilterLine, context: Option<&[String]>) {
    let Some(context) = context else { return };
    let holds_in = |place: &str| context.iter().any(|one| one == place);
    if PLACES.iter().all(|(place, _, _)| holds_in(place)) {
        return;
    }
    let known = PLACES.iter().filter(|(place, _, _)| holds_in(place)).map(|(_, told, _)| *told);
    let others = context.iter().map(String::as_str).filter(|one| PLACES.iter().all(|place| place.0 != *one));
    let places: Vec<_> = known.chain(others).collect();
    let places = match places.split_last() {
        None => "nowhere".to_owned(),
        Some((last, [])) => format!("in {last} alone"),
        Some((last, first)) => format!("in {} and {last} alone", first.join(", ")),
    };
    read.comes_off = !PLACES.iter().any(|(place, _, is_timeline)| *is_timeline && holds_in(place));
    let message = match read.comes_off {
        true => format!(
            "At Mastodon it holds {places}, and here it would for all that the account sees: a new one comes in switched \
             off. Switch it on if it is meant for the timeline too"
        ),
        false => format!("At Mastodon it holds {places}; here it holds for all that the account sees"),
    };
    read.differences.push(Difference { code: "context", message });
}

/// Reads what a match does. Mastodon takes what it does not know as a warning.
fn act(read: &mut FilterLine, action: Option<&str>) {
    let (code, message) = match action {
        // What version 1 finds is hidden, by the server or by the app.
        None | Some("hide") => {
            read.action = Some("hide".to_owned());
            return;
        }
        // The post is there to be read, as with all other actions here but this one.
        Some("blur") => (
            "only_blurs",
            "At Mastodon the post stays, with its media blurred; here nothing is blurred, and it does not hide: a new \
             one does what is chosen for those of which the file does not say it",
        ),
        Some(_) => {
            read.action = Some("hide".to_owned());
            (
                "only_warns",
                "At Mastodon a warning stands in place of the post, which can be opened; here the post is hidden, and \
                 seen where hidden posts are asked for",
            )
        }
    };
    read.differences.push(Difference { code, message: message.to_owned() });
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

    /// Of the one filter of a list: its action, whether a new one comes in switched off, and what differs.
    fn differs(filter: &str) -> (Option<String>, bool, Vec<(&'static str, String)>) {
        let text =
            format!(r#"[{{"title":"a","keywords":[{{"keyword":"snow","whole_word":true}}],{filter}}}]"#);
        let [line] = &read(&text).unwrap()[..] else { panic!("{text}") };
        assert_eq!((line.fault.as_deref(), line.text.as_str()), (None, "snow"), "{text}");
        let differences = line.differences.iter().map(|one| (one.code, one.message.clone()));
        (line.action.clone(), line.comes_off, differences.collect())
    }

    #[test]
    fn where_a_filter_holds_is_told_and_one_of_no_timeline_comes_in_switched_off() {
        for (context, comes_off, told) in [
            (r#"["account"]"#, true, "in profiles alone,"),
            (r#"["notifications","thread"]"#, true, "in notifications and threads alone,"),
            (r#"["somewhere"]"#, true, "in somewhere alone,"),
            ("[]", true, "nowhere,"),
            (r#"["home"]"#, false, "in the home timeline alone;"),
            (
                r#"["account","public","home"]"#,
                false,
                "in the home timeline, public timelines and profiles alone;",
            ),
        ] {
            let (action, off, differences) =
                differs(&format!(r#""filter_action":"hide","context":{context}"#));
            assert_eq!((action.as_deref(), off), (Some("hide"), comes_off), "{context}");
            let [(code, message)] = &differences[..] else { panic!("{differences:?}") };
            assert!(*code == "context" && message.contains(told), "{message}");
            assert_eq!(message.contains("Switch it on"), comes_off, "{message}");
        }
        // All places, and a file that says nothing of them.
        for context in
            [r#""context":["home","notifications","public","thread","account"]"#, r#""context":null"#]
        {
            assert_eq!(differs(context), (Some("hide".to_owned()), false, Vec::new()), "{context}");
        }
    }

    #[test]
    fn what_a_match_does_and_single_posts_are_told() {
        let of = |filter: &str| {
            let (action, off, differences) = differs(filter);
            assert!(!off, "{filter}");
            (action, differences.into_iter().map(|(code, _)| code).collect::<Vec<_>>())
        };
        let hide = || Some("hide".to_owned());
        assert_eq!(of(r#""filter_action":"hide""#), (hide(), vec![]));
        assert_eq!(of(r#""filter_action":"warn""#), (hide(), vec!["only_warns"]));
        assert_eq!(of(r#""filter_action":"melt""#), (hide(), vec!["only_warns"]));
        assert_eq!(of(r#""filter_action":"blur""#), (None, vec!["only_blurs"]));
        assert_eq!(of(r#""statuses":[]"#), (hide(), vec![]));
        assert_eq!(of(r#""statuses":[{"id":"1","status_id":"2"}]"#), (hide(), vec!["single_posts"]));
        let (_, _, both) = differs(r#""filter_action":"blur","statuses":[{"id":"1"},{"id":"2"}]"#);
        assert!(both.len() == 2 && both[1].1.contains("2 single posts"), "{both:?}");
        // Version 1.
        let one = r#"[{"id":"1","phrase":"a","context":["account"],"irreversible":true}]"#;
        let line = &read(one).unwrap()[0];
        assert_eq!((line.action.as_deref(), line.comes_off), (Some("hide"), true));
    }
}
