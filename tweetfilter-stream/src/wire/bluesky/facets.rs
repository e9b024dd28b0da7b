//! What stands in the text of a record: facets, whose places count bytes, and what came before them.

use tweetfilter_core::Span;
use tweetfilter_core::post::{Account, Entities, Link, Mention, Tag};

use super::super::shown_address;
use super::super::view::View;

/// Bytes of the longest handle, with its sign: a domain's name has 253.
const HANDLE: usize = 254;

/// Bytes of the longest text that is looked at as an address. Facets may all lie over the same long text, which must
/// not be kept for each of them.
const ADDRESS: usize = 2048;

/// What the record says of its text; `None` if it says nothing.
pub(super) fn of(record: &View<'_>, text: &str) -> Option<Entities> {
    match (record.has("facets"), record.has("entities")) {
        (true, _) => Some(facets(record, text)),
        (false, true) => Some(old_entities(record, text)),
        (false, false) => None,
    }
}

fn facets(record: &View<'_>, text: &str) -> Entities {
    let mut found = Entities::default();
    for facet in record.list("facets") {
        let index = facet.object("index");
        let span = span(text, index.count("byteStart"), index.count("byteEnd"));
        let shown = span.map(|span| &text[span.range()]).unwrap_or_default();
        for feature in facet.list("features") {
            match feature.text("$type").rsplit('#').next() {
                Some("link") => add_link(&mut found, shown, feature.id("uri"), span),
                Some("tag") => found.hashtags.push(Tag { text: feature.id("tag"), span }),
                Some("mention") => add_mention(&mut found, shown, feature.id("did"), span),
                _ => {}
            }
        }
    }
    found
}

fn add_link(found: &mut Entities, shown: &str, uri: String, span: Option<Span>) {
    let shown = if shown.len() <= ADDRESS { shown } else { "" };
    let url = shown_address(shown, &uri).to_owned();
    found.links.push(Link { url, expanded: Some(uri), span, ..Link::default() });
}

fn add_mention(found: &mut Entities, shown: &str, did: String, span: Option<Span>) {
    let shown = if shown.len() <= HANDLE { shown } else { "" };
    let handle = shown.trim_start_matches('@').to_owned();
    found.mentions.push(Mention { account: Account { id: did, handle }, span });
}

/// A span that lies in the text, on the borders of characters.
fn span(text: &str, start: Option<u64>, end: Option<u64>) -> Option<Span> {
    let (start, end) = (usize::try_from(start?).ok()?, usize::try_from(end?).ok()?);
    text.get(start..end).filter(|text| !text.is_empty()).map(|_| Span::from(start..end))
}

/// What the first clients wrote in place of facets, in UTF-16 units.
fn old_entities(record: &View<'_>, text: &str) -> Entities {
    let units = units(text);
    let byte = |unit: Option<u64>| units.get(usize::try_from(unit?).ok()?).copied().flatten();
    let mut found = Entities::default();
    for entity in record.list("entities") {
        let index = entity.object("index");
        let span = span(text, byte(index.count("start")), byte(index.count("end")));
        let shown = span.map(|span| &text[span.range()]).unwrap_or_default();
        match &*entity.text("type") {
            "mention" => add_mention(&mut found, shown, entity.id("value"), span),
            "link" => add_link(&mut found, shown, entity.id("value"), span),
            "hashtag" => found.hashtags.push(Tag { text: entity.id("value"), span }),
            _ => {}
        }
    }
    found
}

/// At which byte each UTF-16 unit of a text begins, and where the text ends; within a pair, nowhere.
fn units(text: &str) -> Vec<Option<u64>> {
    let mut units = Vec::with_capacity(text.len() + 1);
    for (at, c) in text.char_indices() {
        #[cfg(test)]
        LOOKS.set(LOOKS.get() + 1);
        units.push(Some(at as u64));
        units.resize(units.len() + c.len_utf16() - 1, None);
    }
    units.push(Some(text.len() as u64));
    units
}

#[cfg(test)]
thread_local! {
    /// How often a character was looked at: what tests count instead of time.
    static LOOKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::{Entities, LOOKS, View, of};

    fn read(record: &str, text: &str) -> Entities {
        of(&View::of(record), text).unwrap_or_default()
    }

    #[test]
    fn ten_times_the_entities_of_the_first_clients_cost_ten_times_the_looks_at_characters() {
        let looks = |count: usize| {
            let tag = |n: usize| {
                let (start, end) = (7 * n + 3, 7 * n + 6);
                format!(r#"{{"index":{{"start":{start},"end":{end}}},"type":"hashtag","value":"a{n}"}}"#)
            };
            let tags: Vec<_> = (0..count).map(tag).collect();
            let text = "\u{1f600} #ab ".repeat(count);
            LOOKS.set(0);
            let found = read(&format!(r#"{{"entities":[{}]}}"#, tags.join(",")), &text);
            assert_eq!(found.hashtags.len(), count);
            for (n, tag) in found.hashtags.iter().enumerate() {
                assert_eq!(tag.span.map(|span| span.range()), Some(9 * n + 5..9 * n + 8));
            }
            LOOKS.get()
        };
        let (small, large) = (looks(100), looks(1_000));
        assert!(small >= 100 && large <= 11 * small, "{small} looks, then {large}");
    }

    #[test]
    fn places_within_a_pair_or_beyond_the_text_are_none() {
        let at = |start: u32, end: u32| {
            let at = format!(r#"{{"start":{start},"end":{end}}}"#);
            let record = format!(r#"{{"entities":[{{"index":{at},"type":"hashtag","value":"a"}}]}}"#);
            read(&record, "a\u{1f600}b").hashtags[0].span.map(|span| span.range())
        };
        assert_eq!(
            [at(0, 1), at(1, 3), at(3, 4), at(0, 4)],
            [Some(0..1), Some(1..5), Some(5..6), Some(0..6)]
        );
        assert_eq!([at(0, 2), at(2, 3), at(3, 5), at(4, 4)], [None, None, None, None]);
    }

    #[test]
    fn a_long_text_is_not_kept_for_each_facet_that_lies_over_it() {
        let text = "https://a.example/".repeat(500);
        let feature = |rest: &str| format!(r#"{{"$type":"app.bsky.richtext.facet#{rest}}}"#);
        let both = [feature(r#"mention","did":"did:plc:a""#), feature(r#"link","uri":"https://b.example""#)];
        let features = vec![both.join(","); 1_000].join(",");
        let index = format!(r#"{{"byteStart":0,"byteEnd":{}}}"#, text.len());
        let record = format!(r#"{{"facets":[{{"index":{index},"features":[{features}]}}]}}"#);
        let found = read(&record, &text);
        assert_eq!((found.mentions.len(), found.links.len()), (1_000, 1_000));
        let handles = found.mentions.iter().map(|mention| mention.account.handle.len());
        let kept: usize = handles.chain(found.links.iter().map(|link| link.url.len())).sum();
        assert!(kept <= record.len(), "{kept} bytes of a record of {}", record.len());
        assert_eq!(found.links[0].url, "https://b.example");
    }
}
