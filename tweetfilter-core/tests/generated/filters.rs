//! Filters as text; nearly all parse.

use super::values::{exact, obfuscated, phrase, plain, proximity, url, value, wildcards, word};
use super::{Choices, EMOJI, IDS, NAMES};

/// Named sets that filters may name.
pub const SETS: &[(&str, &str)] = &[
    ("words", "snow\n\"a b\"\n#snow\n@bob\n$AAPL\ncaf*\n東京"),
    ("people", "bob\n12\nal\nme"),
    ("domains", "example.org\nbücher.example"),
    ("values", "snow\n\"a b\"\n=Cafe\n~viagra\ncaf*\n\"snow 東京\"~2"),
];

pub fn filter(choices: &mut Choices<'_>) -> String {
    let mut out = String::new();
    any_of(choices, 4, &mut out);
    out
}

fn any_of(choices: &mut Choices<'_>, depth: usize, out: &mut String) {
    for n in 0..=[0, 0, 1, 2][choices.below(4)] {
        if n > 0 {
            out.push_str(" OR ");
        }
        all_of(choices, depth, out);
    }
}

fn all_of(choices: &mut Choices<'_>, depth: usize, out: &mut String) {
    for n in 0..=[0, 0, 1, 2][choices.below(4)] {
        if n > 0 {
            out.push_str(choices.pick(&[" ", " AND ", "  "]));
        }
        unary(choices, depth, out);
    }
}

fn unary(choices: &mut Choices<'_>, depth: usize, out: &mut String) {
    out.push_str(choices.pick(&["", "", "", "-", "NOT ", "NOT NOT "]));
    if depth == 0 {
        return atom(choices, out);
    }
    match choices.below(12) {
        0..=6 => atom(choices, out),
        7 | 8 => group("(", choices, depth, out),
        9 => group("in:quote(", choices, depth, out),
        10 => group("in:retweet(", choices, depth, out),
        _ => {
            let elements = 1 + choices.below(4);
            let number = (1 + choices.below(elements)).to_string();
            out.push_str(choices.pick(&[number.as_str(), "any", "all", "none"]));
            out.push_str(" of (");
            for n in 0..elements {
                if n > 0 {
                    out.push_str(", ");
                }
                // Lists of values stand in parentheses here.
                group("(", choices, depth, out);
            }
            out.push(')');
        }
    }
}

fn group(open: &str, choices: &mut Choices<'_>, depth: usize, out: &mut String) {
    out.push_str(open);
    any_of(choices, depth - 1, out);
    out.push(')');
}

fn list(choices: &mut Choices<'_>, one: impl Fn(&mut Choices<'_>) -> String) -> String {
    let mut values = one(choices);
    for _ in 0..[0, 0, 0, 1, 2][choices.below(5)] {
        values.push(',');
        values.push_str(&one(choices));
    }
    values
}

fn comparison(choices: &mut Choices<'_>) -> String {
    let numbers = ["0", "1", "5", "10", "11", "100", "1k", "1.5k"];
    let low = choices.below(numbers.len());
    let high = numbers[low + choices.below(numbers.len() - low)];
    let low = numbers[low];
    match choices.below(9) {
        0 => low.to_owned(),
        1 => format!("={low}"),
        2 => format!(">{low}"),
        3 => format!(">={low}"),
        4 => format!("<{low}"),
        5 => format!("<={low}"),
        6 => format!("{low}..{high}"),
        7 => format!("{low}.."),
        _ => format!("..{high}"),
    }
}

const WORD_FIELDS: &[&str] = &[
    "bio:",
    "bio_name:",
    "bio_location:",
    "url_title:",
    "url_description:",
    "alt:",
    "cw:",
    "source:",
    "attr.host:",
];
const NUMBER_FIELDS: &[&str] = &[
    "followers:",
    "following:",
    "posts:",
    "listed:",
    "likes:",
    "retweets:",
    "replies:",
    "quotes:",
    "length:",
    "hashtags:",
    "mentions:",
    "links:",
    "emoji:",
    "caps:",
    "followers_count:",
    "attr.load:",
];
const IS: &[&str] = &[
    "retweet",
    "reply",
    "quote",
    "verified",
    "sensitive",
    "edited",
    "self_thread",
    "bot",
    "protected",
    "nullcast",
];
const HAS: &[&str] = &[
    "links",
    "media",
    "images",
    "videos",
    "gifs",
    "hashtags",
    "mentions",
    "cashtags",
    "symbols",
    "geo",
    "profile_geo",
    "polls",
    "alt",
    "lang",
];
pub const REGEXES: &[&str] = &[
    "/snow/",
    "/SNOW|caf\u{e9}/i",
    "/^a.b$/ms",
    "/\\w+ \\w+/",
    "/東./",
    "/b o+ k/x",
    "/(?:via|bok)a*/",
    "/t\\.co\\/a/",
    "/./",
    "/x*/",
    "/\\bab\\b/i",
    "/[a-c]{2}/",
    "/🏿/",
    "/(a|b)(c|d)/",
    // Decomposed characters.
    "/cafe\u{301}/",
    "/か\u{3099}|\u{1112}\u{1161}/",
    "/[e\u{301}x]+/",
    "/cafe\u{301}?/i",
];

/// Sites of the generated links, and what is none.
pub const DOMAINS: &[&str] =
    &["example.org", "org", "b.example", "xn--bcher-kva.example", "bücher.example", "t.co", "mailto"];

fn atom(choices: &mut Choices<'_>, out: &mut String) {
    let atom = match choices.below(36) {
        0..=4 => word(choices),
        5 | 6 => phrase(choices),
        7 => choices.pick(EMOJI).to_owned(),
        8 => wildcards(choices),
        9 | 10 => exact(choices),
        11 => obfuscated(choices),
        12 | 13 => proximity(choices),
        14 => format!("contains:{}", list(choices, |c| if c.below(2) == 0 { word(c) } else { phrase(c) })),
        15 => choices.pick(REGEXES).to_owned(),
        16 => choices.pick(&["{words}", "from:{people}", "domain:{domains}", "to:bob,{people}"]).to_owned(),
        17 => format!(
            "#{}",
            choices.pick(&["snow", "Cat", "cafe", "café", "東京", "АЛЕНА", "sno*", "CAF*", "café*", "ab"])
        ),
        18 => format!("@{}", choices.pick(NAMES)),
        19 => format!("${}", choices.pick(&["A", "aapl"])),
        20 => format!(
            "{}{}",
            choices.pick(&["from:", "to:", "retweets_of:", "quotes_of:"]),
            list(choices, |c| if c.once_in(4) { "me".into() } else { c.pick(NAMES).into() })
        ),
        21 => format!("{}{}", choices.pick(WORD_FIELDS), list(choices, value)),
        22 if choices.below(2) == 0 => format!("url:{}", list(choices, url)),
        22 => format!("{}{}", choices.pick(WORD_FIELDS), list(choices, value)),
        23 => format!("url_contains:\"{}\"", choices.pick(&["example", "/snow", "é", "://", "%C3%A9", "東"])),
        24 => format!("domain:{}", choices.pick(DOMAINS)),
        25 => format!(
            "{}{}",
            choices.pick(&[
                "in_reply_to_tweet_id:",
                "retweets_of_tweet_id:",
                "quotes_of_tweet_id:",
                "conversation_id:"
            ]),
            list(choices, |c| c.pick(&["1", "2", "10", "99"]).into())
        ),
        26 => format!("{}{}", choices.pick(&["since_id:", "max_id:"]), choices.pick(&["1", "10", "99", "0"])),
        27 => format!("is:{}", list(choices, |c| c.pick(IS).into())),
        28 => format!("has:{}", list(choices, |c| c.pick(HAS).into())),
        29 => format!(
            "lang:{}",
            list(choices, |c| c
                .pick(&["en", "und", "in", "id", "pt", "pt-br", "no", "nb", "zxx", "iw", "he"])
                .into())
        ),
        30 => match choices.below(6) {
            0 => format!("place:{}", list(choices, plain)),
            1 => format!("place_country:{}", choices.pick(&["no", "SE", "snow"])),
            2 => format!("profile_country:{}", choices.pick(&["us", "snow"])),
            3 => format!("profile_region:{}", phrase(choices)),
            4 => format!("profile_locality:{}", word(choices)),
            _ => format!("place:{}", choices.pick(IDS)),
        },
        31 => choices
            .pick(&[
                "point_radius:[0 0 100km]",
                "point_radius:[10.5 59.9 25mi]",
                "point_radius:[-179.9 0 50km]",
                "bounding_box:[10 59 11 60]",
                "bounding_box:[170 -50 -160 50]",
                "bounding_box:[-180 -90 180 90]",
            ])
            .to_owned(),
        32 if choices.once_in(4) => {
            format!(
                "{}{}",
                choices.pick(&["min_faves:", "min_followers:", "min_replies:"]),
                choices.pick(&["0", "5", "1k"])
            )
        }
        32 => format!("{}{}", choices.pick(NUMBER_FIELDS), comparison(choices)),
        33 => choices
            .pick(&[
                "since:2021-01-01",
                "until:2021-01-01",
                "since:1609459200",
                "until:2020-12-31T00:00:00Z",
                "account_age:<30d",
                "account_age:>=1d",
                "account_age:1d..1y",
                "account_age:<1h",
            ])
            .to_owned(),
        34 => choices
            .pick(&[
                "context:46.123",
                "context:46.*",
                "context:*.46",
                "context:1.*,46.*",
                "entity:snow",
                "entity:\"CAFÉ\"",
            ])
            .to_owned(),
        _ => format!("sample:{}", choices.pick(&["50", "0.01", "100", "12.5", "99.99"])),
    };
    out.push_str(&atom);
}
