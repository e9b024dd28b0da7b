//! Posts.

use tweetfilter_core::post::{
    Account, Annotation, Attribute, AttributeValue, Author, Engagement, Entities, Link, Media, MediaKind,
    Mention, Place, Point, PostFlags, ProfileGeo, Reference, ReplyTo, Tag,
};
use tweetfilter_core::{Post, Span};

use super::{COMMON, Choices, EMOJI, IDS, NAMES, URLS, WORDS};

const BETWEEN: &[&str] = &[
    " ",
    "",
    "  ",
    "\n",
    ", ",
    "-",
    "_",
    "'",
    "\u{200b}",
    "\u{ad}",
    " #",
    " @",
    " $",
    "/",
    ".",
    ":",
    " 😀",
    "!",
    "…",
    "\u{301}",
    "\u{fe0f}",
    "\u{200d}",
    "\u{1f3fd}",
    "<",
    "̃",
];

pub fn text(choices: &mut Choices<'_>) -> String {
    let mut text = String::new();
    for _ in 0..choices.below(9) {
        match choices.below(12) {
            0 => text.push_str(choices.pick(EMOJI)),
            1 => text.push_str(choices.pick(URLS)),
            2..=6 => text.push_str(choices.pick(COMMON)),
            _ => text.push_str(choices.pick(WORDS)),
        }
        text.push_str(choices.pick(BETWEEN));
    }
    text
}

fn maybe<T>(choices: &mut Choices<'_>, make: impl FnOnce(&mut Choices<'_>) -> T) -> Option<T> {
    if choices.below(3) == 1 { Some(make(choices)) } else { None }
}

fn account(choices: &mut Choices<'_>) -> Account {
    match choices.below(4) {
        0 => Account::default(),
        1 => Account { id: choices.pick(IDS).into(), handle: String::new() },
        2 => Account { id: String::new(), handle: choices.pick(NAMES).into() },
        _ => Account { id: choices.pick(NAMES).into(), handle: choices.pick(NAMES).into() },
    }
}

fn number(choices: &mut Choices<'_>) -> u64 {
    [0, 1, 5, 9, 10, 11, 100, 1000, 1500, u64::MAX][choices.below(10)]
}

fn time(choices: &mut Choices<'_>) -> i64 {
    const DAY: i64 = 86_400_000;
    const START: i64 = 1_609_459_200_000;
    [0, START, START - 1, START - DAY, START - 30 * DAY, START - 365 * DAY, -1, START + 12 * DAY]
        [choices.below(8)]
}

fn point(choices: &mut Choices<'_>) -> Point {
    const LON: [f64; 6] = [0.0, 10.5, -170.0, 179.9, -180.0, 180.0];
    const LAT: [f64; 5] = [0.0, 59.9, -45.0, 90.0, -90.0];
    Point { lon: LON[choices.below(6)], lat: LAT[choices.below(5)] }
}

fn span(choices: &mut Choices<'_>, text: &str) -> Option<Span> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).take(256).collect();
    if starts.is_empty() || choices.once_in(3) {
        return None;
    }
    // Some spans are wrong on purpose: they end inside of a character, or beyond the text.
    let start = starts[choices.below(starts.len())];
    let end = start + choices.below(30);
    Some(Span::from(start..end))
}

fn link(choices: &mut Choices<'_>, text: &str) -> Link {
    let links: Vec<(usize, &str)> =
        URLS.iter().filter_map(|url| text.find(url).map(|at| (at, *url))).collect();
    let (url, span) = if links.is_empty() {
        (choices.pick(URLS), span(choices, text))
    } else {
        let (at, url) = links[choices.below(links.len())];
        (url, Some(Span::from(at..at + url.len())))
    };
    Link {
        url: url.into(),
        expanded: maybe(choices, |c| c.pick(URLS).into()),
        unwound: maybe(choices, |c| c.pick(URLS).into()),
        title: maybe(choices, self::text),
        description: maybe(choices, self::text),
        span,
        quote: choices.once_in(4),
    }
}

fn several<T>(choices: &mut Choices<'_>, mut make: impl FnMut(&mut Choices<'_>) -> T) -> Vec<T> {
    (0..[0, 0, 1, 2][choices.below(4)]).map(|_| make(choices)).collect()
}

fn author(choices: &mut Choices<'_>) -> Author {
    Author {
        account: account(choices),
        name: maybe(choices, text),
        bio: maybe(choices, text),
        bio_links: several(choices, |c| link(c, "")),
        location: maybe(choices, text),
        followers: maybe(choices, number),
        following: maybe(choices, number),
        posts: maybe(choices, number),
        listed: maybe(choices, number),
        created_at: maybe(choices, time),
        verified: choices.once_in(3),
        protected: choices.once_in(3),
        bot: choices.once_in(3),
        profile_geo: maybe(choices, |c| ProfileGeo {
            country: maybe(c, text),
            country_code: maybe(c, |c| c.pick(&["NO", "se", "us"]).into()),
            region: maybe(c, text),
            locality: maybe(c, text),
        }),
    }
}

pub fn post(choices: &mut Choices<'_>) -> Post {
    nested(choices, 0)
}

fn reference(choices: &mut Choices<'_>, depth: usize) -> Option<Box<Reference>> {
    maybe(choices, |c| {
        let post = if depth < 2 && c.below(4) != 3 { Some(nested(c, depth + 1)) } else { None };
        Box::new(Reference { id: c.pick(IDS).into(), account: account(c), post })
    })
}

fn nested(choices: &mut Choices<'_>, depth: usize) -> Post {
    // The text first, and most often all that there is: so that short runs of bytes are simple posts.
    let text = text(choices);
    if choices.below(3) == 0 {
        return Post::from_text(text);
    }
    let mut post =
        if choices.below(2) == 0 { Post::from_text(text) } else { Post { text, ..Post::default() } };
    let text = post.text.clone();
    post.network = choices.pick(&["", "x", "bluesky"]).into();
    post.id = choices.pick(IDS).into();
    post.created_at = maybe(choices, time);
    post.author = author(choices);
    post.warning = maybe(choices, self::text);
    post.lang = maybe(choices, |c| {
        c.pick(&["en", "und", "in", "id", "pt-BR", "PT", "no", "nb", "", "zxx", "iw"]).into()
    });
    post.entities
        .hashtags
        .extend(several(choices, |c| Tag { text: c.pick(WORDS).into(), span: span(c, &text) }));
    post.entities
        .cashtags
        .extend(several(choices, |c| Tag { text: c.pick(&["A", "aapl", "AAPL"]).into(), span: None }));
    post.entities
        .mentions
        .extend(several(choices, |c| Mention { account: account(c), span: span(c, &text) }));
    post.entities.links.extend(several(choices, |c| link(c, &text)));
    post.entities.media = several(choices, |c| Media {
        kind: [MediaKind::Image, MediaKind::Video, MediaKind::Gif, MediaKind::Other][c.below(4)],
        alt: maybe(c, self::text),
    });
    post.entities.other_links = several(choices, |c| span(c, &text)).into_iter().flatten().collect();
    post.source = maybe(choices, self::text);
    post.reply_to = maybe(choices, |c| ReplyTo { id: c.pick(&["", "1", "2"]).into(), account: account(c) });
    post.conversation_id = maybe(choices, |c| c.pick(IDS).into());
    post.retweet_of = if depth == 0 || choices.once_in(8) { reference(choices, depth) } else { None };
    post.quote_of = reference(choices, depth);
    post.place = maybe(choices, |c| Place {
        id: c.pick(IDS).into(),
        names: several(c, self::text),
        country: maybe(c, self::text),
        country_code: maybe(c, |c| c.pick(&["NO", "se", "us"]).into()),
        center: maybe(c, point),
    });
    post.coordinates = maybe(choices, point);
    post.flags = PostFlags {
        sensitive: choices.once_in(3),
        edited: choices.once_in(3),
        self_thread: choices.once_in(3),
        nullcast: choices.once_in(3),
        poll: choices.once_in(3),
    };
    post.counts = Engagement {
        likes: maybe(choices, number),
        retweets: maybe(choices, number),
        replies: maybe(choices, number),
        quotes: maybe(choices, number),
    };
    post.annotations = several(choices, |c| Annotation {
        domain: c.pick(&["46", "1", ""]).into(),
        entity: c.pick(&["123", "46", ""]).into(),
        name: c.pick(WORDS).into(),
    });
    post.attributes = several(choices, |c| Attribute {
        name: c.pick(&["host", "Load", "LOAD"]).into(),
        value: match c.below(2) {
            0 => AttributeValue::Text(self::text(c)),
            _ => AttributeValue::Number([0.0, 1.5, 3.0, -1.0][c.below(4)]),
        },
    });
    post
}

/// For each operator on words, and for the text itself, a post that has this text for it and nothing else.
pub fn with_text_for_each(text: &str) -> Vec<(&'static str, Post)> {
    let link = Link { url: "https://t.co/x".into(), ..Link::default() };
    let author = |author: Author| Post { author, ..Post::default() };
    let entities = |entities: Entities| Post { entities, ..Post::default() };
    let linked = |link: Link| entities(Entities { links: vec![link], ..Entities::default() });
    let own = || Some(text.to_owned());
    let media = vec![Media { kind: MediaKind::Image, alt: own() }];
    let attribute = Attribute { name: "host".into(), value: AttributeValue::Text(text.into()) };
    vec![
        ("", Post { text: text.into(), ..Post::default() }),
        ("bio:", author(Author { bio: own(), ..Author::default() })),
        ("bio_name:", author(Author { name: own(), ..Author::default() })),
        ("bio_location:", author(Author { location: own(), ..Author::default() })),
        ("url:", linked(Link { expanded: own(), ..link.clone() })),
        ("url_title:", linked(Link { title: own(), ..link.clone() })),
        ("url_description:", linked(Link { description: own(), ..link })),
        ("alt:", entities(Entities { media, ..Entities::default() })),
        ("cw:", Post { warning: own(), ..Post::default() }),
        ("source:", Post { source: own(), ..Post::default() }),
        ("attr.host:", Post { attributes: vec![attribute], ..Post::default() }),
    ]
}
