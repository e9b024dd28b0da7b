//! What stands in the text of a record: facets, whose places count bytes, and what came before them.

use tweetfilter_core::Span;
use tweetfilter_core::post::{Account, Entities, Link, Mention, Tag};

use super::super::room::Room;
use super::super::shown_address;
use super::super::view::View;

/// Bytes of the longest handle, with its sign: a domain's name has 253.
const HANDLE: usize = 254;

/// Bytes of the longest text that is looked at as an address.
const ADDRESS: usize = 2048;

/// Times that all of the text is looked at, for facets may all lie over the same part of it.
const LOOKS_AT_TEXT: usize = 4;

/// What the record says of its text; `None` if it says nothing.
pub(super) fn of(record: &View<'_>, text: &str) -> Option<Entities> {
    match (record.has("facets"), record.has("entities")) {
        (true, _) => Some(facets(record, text)),
        (false, true) => Some(old_entities(record, text)),
        (false, false) => None,
    }
}

fn facets(record: &View<'_>, text: &str) -> Entities {
    let mut found = Found::of(record, text);
    for facet in record.list("facets") {
        let index = facet.object("index");
        let span = span(text, index.count("byteStart"), index.count("byteEnd"));
        for feature in facet.list("features") {
            match feature.text("$type").rsplit('#').next() {
                Some("link") => found.link(feature.id("uri"), span),
                Some("tag") => found.tag(feature.id("tag"), span),
                Some("mention") => found.mention(feature.id("did"), span),
                _ => {}
            }
        }
    }
    found.entities
}

/// What was found, as much as there is room for.
struct Found<'t> {
    entities: Entities,
    text: &'t str,
    room: Room,
    /// Bytes of the text that may still be looked at.
    shown: usize,
}

impl<'t> Found<'t> {
    fn of(record: &View<'_>, text: &'t str) -> Self {
        let (room, shown) = (Room::of(record.length()), text.len().saturating_mul(LOOKS_AT_TEXT));
        Self { entities: Entities::default(), text, room, shown }
    }

    /// What stands in the text there, if it is not longer than that.
    fn shown(&mut self, span: Option<Span>, longest: usize) -> &'t str {
        let text = self.text;
        let shown = span.map(|span| &text[span.range()]).filter(|shown| shown.len() <= longest);
        match shown.and_then(|shown| Some((shown, self.shown.checked_sub(shown.len())?))) {
            Some((shown, left)) => {
                self.shown = left;
                shown
            }
            None => "",
        }
    }

    fn link(&mut self, uri: String, span: Option<Span>) {
        if self.room.holds::<Link>() {
            let url = shown_address(self.shown(span, ADDRESS), &uri).to_owned();
            self.entities.links.push(Link { url, expanded: Some(uri), span, ..Link::default() });
        }
    }

    fn mention(&mut self, did: String, span: Option<Span>) {
        if self.room.holds::<Mention>() {
            let handle = self.shown(span, HANDLE).trim_start_matches('@').to_owned();
            self.entities.mentions.push(Mention { account: Account { id: did, handle }, span });
        }
    }

    fn tag(&mut self, text: String, span: Option<Span>) {
        if self.room.holds::<Tag>() {
            self.entities.hashtags.push(Tag { text, span });
        }
    }
}

/// A span that lies in the text, on the borders of characters.
fn span(text: &str, start: Option<u64>, end: Option<u64>) -> Option<Span> {
    let (start, end) = (usize::try_from(start?).ok()?, usize::try_from(end?).ok()?);
    text.get(start..end).filter(|text| !text.is_empty()).map(|_| Span::from(start..end))
}

/// What the first clients wrote in place of facets, in UTF-16 units.
fn old_entities(record: &View<'_>, text: &str) -> Entities {
    let units = units(text);
    let byte = |unit: Option<u64>| {
        let at = units.get(usize::try_from(unit?).ok()?).copied();
        at.filter(|at| *at != WITHIN).map(u64::from)
    };
    let mut found = Found::of(record, text);
    for entity in record.list("entities") {
        let index = entity.object("index");
        let span = span(text, byte(index.count("start")), byte(index.count("end")));
        match &*entity.text("type") {
            "mention" => found.mention(entity.id("value"), span),
            "link" => found.link(entity.id("value"), span),
            "hashtag" => found.tag(entity.id("value"), span),
            _ => {}
        }
    }
    found.entities
}

/// In place of a byte where a UTF-16 unit begins none: within a pair, or beyond all that spans count.
const WITHIN: u32 = u32::MAX;

/// At which byte each UTF-16 unit of a text begins, and where the text ends.
fn units(text: &str) -> Vec<u32> {
    let byte = |at: usize| u32::try_from(at).unwrap_or(WITHIN);
    let mut units = Vec::with_capacity(text.len() + 1);
    for (at, c) in text.char_indices() {
        #[cfg(test)]
        LOOKS.set(LOOKS.get() + 1);
        units.push(byte(at));
        units.resize(units.len() + c.len_utf16() - 1, WITHIN);
    }
    units.push(byte(text.len()));
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
        let feature = |rest: &str| format!(r#"{{"$type":"app.bsky.richtext.facet#{rest}}}"#);
        let both = [feature(r#"mention","did":"did:plc:a""#), feature(r#"link","uri":"https://b.example""#)];
        let features = vec![both.join(","); 1_000].join(",");
        // Longer than an address, than a handle, and than neither.
        for times in [500, 110, 13] {
            let text = "https://a.example/".repeat(times);
            let index = format!(r#"{{"byteStart":0,"byteEnd":{}}}"#, text.len());
            let record = format!(r#"{{"facets":[{{"index":{index},"features":[{features}]}}]}}"#);
            let found = read(&record, &text);
            assert_eq!((found.mentions.len(), found.links.len()), (1_000, 1_000));
            let handles = found.mentions.iter().map(|mention| mention.account.handle.len());
            let kept: usize = handles.chain(found.links.iter().map(|link| link.url.len())).sum();
            assert!(kept <= record.len(), "{kept} bytes of a record of {}", record.len());
            assert_eq!(found.links[999].url, "https://b.example");
            let is_shown = found.links[0].url == text;
            assert_eq!(is_shown, times < 500, "what is shown of an address is what stands in the text");
        }
    }
}
