//! What each atom says of a post.

use super::folds::Folds;
use super::{Answer, Reading, accounts, links, places, words};
use crate::post::{AttributeValue, MediaKind};
use crate::syntax::{
    AccountField, Atom, AttributeTest, Comparison, ContextId, HasFlag, IdBound, IdField, IsFlag, NumberField,
    RegexPattern, TimeBound, Value, WordField,
};
use crate::{Dialect, Post};
use regex::RegexBuilder;
use unicode_normalization::UnicodeNormalization;

pub(super) fn atom(atom: &Atom, reading: &Reading<'_>) -> Answer {
    if names_set(atom) {
        let expanded = reading.surroundings.sets.expand(atom).ok();
        return match expanded {
            Some(atoms) => Answer::any(atoms.iter().map(|one| plain_atom(one, reading))),
            None => Answer::Unknown,
        };
    }
    plain_atom(atom, reading)
}

fn names_set(atom: &Atom) -> bool {
    fn any<T>(values: &[Value<T>]) -> bool {
        values.iter().any(|value| matches!(value, Value::Set(_)))
    }
    match atom {
        Atom::Set(_) => true,
        Atom::Contains(values)
        | Atom::UrlContains(values)
        | Atom::Domain(values)
        | Atom::Id(_, values)
        | Atom::Lang(values)
        | Atom::Place(_, values)
        | Atom::Entity(values) => any(values),
        Atom::Account(_, values) => any(values),
        Atom::Words(_, values) => any(values),
        Atom::Is(values) => any(values),
        Atom::Has(values) => any(values),
        Atom::Context(values) => any(values),
        Atom::Attribute { test: AttributeTest::Words(values), .. } => any(values),
        _ => false,
    }
}

/// An atom free of sets; of several values any one suffices.
fn plain_atom(atom: &Atom, reading: &Reading<'_>) -> Answer {
    let content = reading.content;
    match atom {
        Atom::Text(pattern) => words::in_any(pattern, &words::stretches(reading)).into(),
        Atom::Contains(values) => {
            let stretches = words::stretches(reading);
            some(values, |part| stretches.iter().any(|stretch| stretch.contains(part)))
        }
        Atom::Regex(pattern) => regex(pattern, &content.text).into(),
        Atom::Hashtag { tag, prefix } => {
            let mut tags = reading.posts().into_iter().flat_map(|post| &post.entities.hashtags);
            tags.any(|other| words::same_value(tag, &other.text, *prefix)).into()
        }
        Atom::Cashtag(symbol) => {
            let mut tags = reading.posts().into_iter().flat_map(|post| &post.entities.cashtags);
            tags.any(|other| words::same_value(symbol, &other.text, false)).into()
        }
        Atom::Mention(name) => {
            let original = reading.act.retweet_of.as_deref().filter(|_| reading.dialect == Dialect::X);
            let retweeted =
                original.is_some_and(|original| accounts::is(name, original.account(), reading.act, reading));
            (retweeted || accounts::mentioned(name, reading)).into()
        }
        Atom::Account(field, names) => {
            let naming = match field {
                AccountField::From | AccountField::RetweetsOf => reading.act,
                AccountField::To | AccountField::QuotesOf => content,
            };
            let account = match field {
                AccountField::From => Some(&reading.act.author.account),
                AccountField::To => content.reply_to.as_ref().map(|to| &to.account),
                AccountField::RetweetsOf => {
                    reading.act.retweet_of.as_ref().map(|original| original.account())
                }
                AccountField::QuotesOf => content.quote_of.as_ref().map(|quoted| quoted.account()),
            };
            some(names, |name| account.is_some_and(|account| accounts::is(name, account, naming, reading)))
        }
        Atom::Words(field, patterns) => {
            let stretches = words::field(*field, reading);
            some(patterns, |pattern| match field {
                WordField::Url => words::in_any(&words::decoded(pattern), &stretches),
                _ => words::in_any(pattern, &stretches),
            })
        }
        Atom::UrlContains(parts) => {
            let stretches = words::field(WordField::Url, reading);
            some(parts, |part| stretches.iter().any(|stretch| stretch.contains(&links::decoded(part))))
        }
        Atom::Domain(domains) => {
            let addresses = reading.posts().into_iter().flat_map(links::addresses);
            let hosts: Vec<String> = addresses.map(|address| links::host(address)).collect();
            some(domains, |domain| hosts.iter().any(|host| links::under(host, domain)))
        }
        Atom::Id(field, ids) => {
            let id = match field {
                IdField::InReplyTo => content.reply_to.as_ref().map(|to| to.id.as_str()),
                IdField::RetweetsOf => reading.act.retweet_of.as_ref().map(|original| original.id()),
                IdField::QuotesOf => content.quote_of.as_ref().map(|quoted| quoted.id()),
                IdField::Conversation => content.conversation_id.as_deref(),
            };
            some(ids, |other| id == Some(other.as_str()))
        }
        Atom::IdBound(bound, than) => match (reading.act.id.parse::<u64>(), bound) {
            (Err(_), _) => Answer::Unknown,
            (Ok(id), IdBound::Since) => (id > *than).into(),
            (Ok(id), IdBound::Max) => (id <= *than).into(),
        },
        Atom::Is(flags) => some(flags, |flag| is(*flag, reading)),
        Atom::Has(flags) => some(flags, |flag| has(*flag, reading)),
        Atom::Lang(tags) => {
            let own = language(content.lang.as_deref().unwrap_or_default());
            some(tags, |tag| {
                let tag = language(tag);
                own == tag || own.strip_prefix(&tag).is_some_and(|rest| rest.starts_with('-'))
            })
        }
        Atom::Place(field, names) => some(names, |name| places::named(*field, name, reading)),
        Atom::PointRadius { center, radius, unit } => places::within(*center, *radius, *unit, reading),
        Atom::BoundingBox { south_west, north_east } => places::boxed(*south_west, *north_east, reading),
        Atom::Number(field, range) => compared(*range, number(*field, reading)),
        Atom::Time(bound, time) => match (reading.act.created_at, bound) {
            (None, _) => Answer::Unknown,
            (Some(at), TimeBound::Since) => (at >= time.millis).into(),
            (Some(at), TimeBound::Until) => (at < time.millis).into(),
        },
        Atom::AccountAge(age) => {
            let times = (reading.act.created_at, reading.act.author.created_at);
            compared(
                age.range,
                if let (Some(now), Some(born)) = times { Some((now - born) as f64) } else { None },
            )
        }
        Atom::Context(ids) => some(ids, |ContextId { domain, entity }| {
            content.annotations.iter().filter(|annotation| !annotation.domain.is_empty()).any(|annotation| {
                domain.as_ref().is_none_or(|domain| *domain == annotation.domain)
                    && entity.as_ref().is_none_or(|entity| *entity == annotation.entity)
            })
        }),
        Atom::Entity(names) => some(names, |name| {
            content.annotations.iter().any(|annotation| words::same_value(name, &annotation.name, false))
        }),
        Atom::Sample(hundredths) => (bucket(&reading.act.id) < u64::from(*hundredths)).into(),
        Atom::Attribute { name, test } => attribute(name, test, content),
        Atom::Set(_) => Answer::Unknown,
    }
}

fn some<T>(values: &[Value<T>], holds: impl Fn(&T) -> bool) -> Answer {
    Answer::any(values.iter().map(|value| match value {
        Value::One(value) => holds(value).into(),
        Value::Set(_) => Answer::Unknown,
    }))
}

fn compared(range: Comparison, number: Option<f64>) -> Answer {
    number.map_or(Answer::Unknown, |number| range.holds(number).into())
}

/// Compiled anew each time; a pattern that the parser would have refused matches nothing.
fn regex(pattern: &RegexPattern, text: &str) -> bool {
    let text = words::head(text).nfc().collect::<String>();
    RegexBuilder::new(&pattern.pattern)
        .case_insensitive(pattern.ignore_case)
        .dot_matches_new_line(pattern.dot_matches_newline)
        .multi_line(pattern.multi_line)
        .ignore_whitespace(pattern.verbose)
        .build()
        .is_ok_and(|regex| regex.is_match(&text))
}

fn is(flag: IsFlag, reading: &Reading<'_>) -> bool {
    let (act, content) = (reading.act, reading.content);
    match flag {
        IsFlag::Retweet => act.retweet_of.is_some(),
        IsFlag::Reply => {
            let answers = |post: &Post| post.reply_to.as_ref().is_some_and(|to| !to.id.is_empty());
            reading.posts().into_iter().any(answers)
        }
        IsFlag::Quote => content.quote_of.is_some(),
        IsFlag::Verified => act.author.verified,
        IsFlag::Sensitive => content.flags.sensitive,
        IsFlag::Edited => content.flags.edited,
        IsFlag::SelfThread => content.flags.self_thread,
        IsFlag::Bot => act.author.bot,
        IsFlag::Protected => act.author.protected,
        IsFlag::Nullcast => act.flags.nullcast,
    }
}

fn has(flag: HasFlag, reading: &Reading<'_>) -> bool {
    let content = reading.content;
    let media = |kind| content.entities.media.iter().any(|medium| medium.kind == kind);
    let any = |present: fn(&Post) -> bool| reading.posts().into_iter().any(present);
    match flag {
        HasFlag::Links if reading.dialect == Dialect::X => {
            any(|post| post.entities.own_links().next().is_some() || !post.entities.media.is_empty())
        }
        HasFlag::Links => any(|post| post.entities.own_links().next().is_some()),
        HasFlag::Media => any(|post| !post.entities.media.is_empty()),
        HasFlag::Images => media(MediaKind::Image),
        HasFlag::Videos => media(MediaKind::Video),
        HasFlag::Gifs => media(MediaKind::Gif),
        HasFlag::Hashtags => any(|post| !post.entities.hashtags.is_empty()),
        HasFlag::Mentions => any(|post| !post.entities.mentions.is_empty()),
        HasFlag::Cashtags => any(|post| !post.entities.cashtags.is_empty()),
        HasFlag::Geo => reading.act.coordinates.is_some() || reading.act.place.is_some(),
        HasFlag::ProfileGeo => reading.act.author.profile_geo.is_some(),
        HasFlag::Polls => content.flags.poll,
        HasFlag::Alt => {
            content.entities.media.iter().any(|medium| medium.alt.as_deref().is_some_and(|a| !a.is_empty()))
        }
        HasFlag::Lang => language(content.lang.as_deref().unwrap_or_default()) != "und",
    }
}

/// Lower case, with `-`, old codes as the new ones, nothing as `und`.
fn language(tag: &str) -> String {
    let tag = tag.to_ascii_lowercase().replace('_', "-");
    let (first, rest) = tag.find('-').map_or((tag.as_str(), ""), |at| tag.split_at(at));
    let first = match first {
        "" => "und",
        "iw" => "he",
        "in" => "id",
        "ji" => "yi",
        "tl" => "fil",
        "no" => "nb",
        other => other,
    };
    format!("{first}{rest}")
}

fn number(field: NumberField, reading: &Reading<'_>) -> Option<f64> {
    let (author, counts, entities) =
        (&reading.act.author, &reading.content.counts, &reading.content.entities);
    let number = match field {
        NumberField::Followers => author.followers?,
        NumberField::Following => author.following?,
        NumberField::Posts => author.posts?,
        NumberField::Listed => author.listed?,
        NumberField::Likes => counts.likes?,
        NumberField::Retweets => counts.retweets?,
        NumberField::Replies => counts.replies?,
        NumberField::Quotes => counts.quotes?,
        NumberField::Hashtags => distinct(entities.hashtags.iter().map(|tag| tag.text.as_str())),
        NumberField::Mentions => distinct(entities.mentions.iter().map(|mention| match &mention.account {
            account if account.handle.is_empty() => account.id.as_str(),
            account => account.handle.as_str(),
        })),
        NumberField::Links => {
            distinct(entities.own_links().map(|link| link.expanded.as_deref().unwrap_or(&link.url)))
        }
        NumberField::Length => return Some(words::length(reading.content)),
        NumberField::Emoji => return Some(words::emoji(reading.content)),
        NumberField::Caps => return Some(words::caps(reading.content)),
    };
    Some(number as f64)
}

fn distinct<'t>(values: impl Iterator<Item = &'t str>) -> u64 {
    let folded: std::collections::BTreeSet<String> =
        values.map(|value| Folds::of_value(value).into_folded()).collect();
    folded.len() as u64
}

/// SplitMix64's finish of the FNV-1a hash of the id, in hundredths of a per cent.
fn bucket(id: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in id.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash ^ (hash >> 31)) % 10_000
}

/// Of several fields of one name any one suffices; a number that is not there is unknown.
fn attribute(name: &str, test: &AttributeTest, post: &Post) -> Answer {
    let fields = post
        .attributes
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case(name))
        .map(|field| &field.value);
    match test {
        AttributeTest::Words(patterns) => {
            let stretches: Vec<_> = fields
                .filter_map(|value| match value {
                    AttributeValue::Text(text) => Some(words::Stretch::of(text, &[])),
                    AttributeValue::Number(_) => None,
                })
                .collect();
            some(patterns, |pattern| words::in_any(pattern, &stretches))
        }
        AttributeTest::Number(range) => {
            let numbers: Vec<f64> = fields
                .filter_map(|value| match value {
                    AttributeValue::Number(number) => Some(*number).filter(|number| !number.is_nan()),
                    AttributeValue::Text(_) => None,
                })
                .collect();
            if numbers.is_empty() {
                return Answer::Unknown;
            }
            Answer::any(numbers.into_iter().map(|number| range.holds(number).into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_those_of_the_published_algorithms() {
        // FNV-1a 64 of "a" is af63dc4c8601ec8c by its authors' tables.
        let mut hash = 0xaf63_dc4c_8601_ec8c_u64;
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        assert_eq!(bucket("a"), (hash ^ (hash >> 31)) % 10_000);
    }

    #[test]
    fn old_language_codes_are_the_new_ones() {
        assert_eq!(language("IW"), "he");
        assert_eq!(language("in_ID"), "id-id");
        assert_eq!(language(""), "und");
    }
}
