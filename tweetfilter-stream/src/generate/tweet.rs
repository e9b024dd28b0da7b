//! Tweets as objects of API v1.1.

use super::body::{Body, Kind};
use super::json::Json;
use super::lexicon::{lexicon, pick_language};
use super::person::Person;
use super::random::Random;
use super::time::{Clock, created_at, id};

/// Originals of one language that are retweeted and quoted.
const ORIGINALS: u32 = 300_000;

const ANDROID: &str =
    "<a href=\"http://twitter.com/download/android\" rel=\"nofollow\">Twitter for Android</a>";
const IPHONE: &str = "<a href=\"http://twitter.com/download/iphone\" rel=\"nofollow\">Twitter for iPhone</a>";
const WEB: &str = "<a href=\"https://mobile.twitter.com\" rel=\"nofollow\">Twitter Web App</a>";
const IPAD: &str = "<a href=\"http://twitter.com/#!/download/ipad\" rel=\"nofollow\">Twitter for iPad</a>";
const DECK: &str = "<a href=\"https://about.twitter.com/products/tweetdeck\" rel=\"nofollow\">TweetDeck</a>";
const BOT: &str = "<a href=\"https://bot.example\" rel=\"nofollow\">example bot</a>";
const SOURCES: [(u32, &str); 6] = [(43, ANDROID), (40, IPHONE), (10, WEB), (3, IPAD), (1, DECK), (3, BOT)];

/// A place by name, country code, country, and south-west corner in thousandths of a degree, longitude first.
const PLACES: [(&str, &str, &str, i32, i32); 8] = [
    ("London", "GB", "United Kingdom", -187, 51_390),
    ("東京", "JP", "日本", 139_560, 35_600),
    ("São Paulo", "BR", "Brasil", -46_820, -23_790),
    ("Lagos", "NG", "Nigeria", 3_320, 6_430),
    ("Jakarta", "ID", "Indonesia", 106_700, -6_340),
    ("Madrid", "ES", "España", -3_830, 40_330),
    ("Chicago", "US", "United States", -87_900, 41_680),
    ("İstanbul", "TR", "Türkiye", 28_750, 40_900),
];

/// One tweet with all that its object carries.
#[derive(Debug)]
pub(super) struct Tweet {
    id: u64,
    millis: u64,
    language: usize,
    author: Person,
    body: Body,
    answers: Option<(u64, Person)>,
    retweets: Option<Box<Tweet>>,
    quotes: Option<(u64, Option<Box<Tweet>>)>,
    place: Option<usize>,
    counts: [u32; 4],
    details: u64,
}

impl Tweet {
    /// The next post of the stream.
    pub(super) fn live(seed: u64, random: &mut Random, clock: &mut Clock) -> Self {
        let language = pick_language(random);
        let (millis, id) = clock.next(random);
        let author = Person::writer(random, language);
        let mut tweet = Self::new(id, millis, language, author);
        tweet.details = random.next();
        if random.chance(lexicon(language).retweets) {
            let original = Self::original((seed, clock.start()), language, random.zipf(ORIGINALS, 25), true);
            tweet.body = original.body.retweeted(&original.author);
            tweet.language = original.language;
            tweet.retweets = Some(Box::new(original));
            return tweet;
        }
        let kind = if random.chance(4600) { Kind::Reply } else { Kind::Own };
        tweet.answer(random, kind);
        if random.chance(750) {
            let number = random.zipf(ORIGINALS, 25);
            let quoted = Self::original((seed, clock.start()), language, number, false);
            tweet.quotes = Some((quoted.id, random.chance(9400).then(|| Box::new(quoted))));
        }
        if random.chance(210) {
            tweet.place = Some(random.below(PLACES.len() as u32) as usize);
        }
        tweet
    }

    /// An older post that many retweet: the same for the same number, in the stream of a seed that begins at a time.
    fn original(world: (u64, u64), language: usize, number: u32, may_quote: bool) -> Self {
        let (seed, start) = world;
        let random = &mut Random::of(seed, [3, language as u64, u64::from(number)]);
        let age = u64::from(random.quantile(&[(0, 60), (500, 20_000), (900, 170_000), (1000, 30_000_000)]));
        let millis = start - age * 1000 - u64::from(random.below(1000));
        let author = Person::famous(random, language);
        let mut tweet = Self::new(id(millis, random.next()), millis, language, author);
        let kind = if random.chance(900) { Kind::Reply } else { Kind::Original };
        tweet.answer(random, kind);
        let retweets =
            random.quantile(&[(0, 1), (300, 90), (500, 900), (800, 9_000), (990, 90_000), (1000, 900_000)]);
        tweet.counts = [retweets / 12, retweets / 9, retweets, retweets * 3 + random.below(90)];
        tweet.details = random.next();
        if may_quote && random.chance(500) {
            let quoted = Self::original(world, language, number ^ 0x4_0000, false);
            tweet.quotes = Some((quoted.id, Some(Box::new(quoted))));
        }
        tweet
    }

    fn new(id: u64, millis: u64, language: usize, author: Person) -> Self {
        Self {
            id,
            millis,
            language,
            author,
            body: Body::default(),
            answers: None,
            retweets: None,
            quotes: None,
            place: None,
            counts: [0; 4],
            details: 0,
        }
    }

    /// Writes the text, and for a reply says what it answers.
    fn answer(&mut self, random: &mut Random, kind: Kind) {
        if kind == Kind::Reply {
            let famous = random.chance(3500);
            let who = if famous { Person::famous } else { Person::writer };
            let to = who(random, self.language);
            let age = u64::from(random.quantile(&[(0, 5), (500, 900), (900, 40_000), (1000, 900_000)]));
            self.answers = Some((id(self.millis - age * 1000, random.next()), to));
        }
        // One in ten answers somebody without naming them in the text (their own thread).
        let named = self.answers.as_ref().map(|(_, to)| to).filter(|_| !random.chance(900));
        self.body = Body::compose(random, self.language, kind, named);
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn author(&self) -> &Person {
        &self.author
    }

    /// The line of the stream.
    pub(super) fn to_json(&self) -> String {
        let mut json = Json::with_capacity(9000);
        self.write(&mut json, true);
        json.finish()
    }

    fn write(&self, json: &mut Json, live: bool) {
        let cut = self.body.is_cut() && self.retweets.is_none();
        let shown = if cut { &self.body.cut(self.id) } else { &self.body };
        json.raw("{\"created_at\":\"").raw(&created_at(self.millis)).raw("\",\"id\":").number(self.id);
        json.raw(",\"id_str\":\"").number(self.id).raw("\",\"text\":").text(&shown.text);
        if shown.display != (0, shown.chars) && (self.retweets.is_none() || cut) {
            write_display(json, shown.display);
        }
        let source = SOURCES[Random::new(self.details).weighted(&SOURCES.map(|(share, _)| share))].1;
        json.raw(",\"source\":").text(source).raw(",\"truncated\":").flag(cut);
        self.write_answer(json);
        json.raw(",\"user\":");
        self.author.write(json);
        self.write_place(json);
        json.raw(",\"contributors\":null");
        if let Some(original) = &self.retweets {
            json.raw(",\"retweeted_status\":");
            original.write(json, false);
        }
        self.write_quote(json);
        if cut {
            json.raw(",\"extended_tweet\":{\"full_text\":").text(&self.body.text);
            write_display(json, self.body.display);
            json.raw(",");
            self.body.write_entities(json, &self.author, self.id);
            json.raw("}");
        }
        for (key, count) in ["quote", "reply", "retweet", "favorite"].iter().zip(self.counts) {
            json.raw(",\"").raw(key).raw("_count\":").number(count);
        }
        json.raw(",");
        shown.write_entities(json, &self.author, self.id);
        json.raw(",\"favorited\":false,\"retweeted\":false");
        if self.details.is_multiple_of(3) {
            json.raw(",\"possibly_sensitive\":").flag(self.details.is_multiple_of(17));
        }
        json.raw(",\"filter_level\":\"low\",\"lang\":\"").raw(lexicon(self.language).code).raw("\"");
        if live {
            json.raw(",\"timestamp_ms\":\"").number(self.millis).raw("\"");
        }
        json.raw("}");
    }

    fn write_answer(&self, json: &mut Json) {
        let Some((post, to)) = &self.answers else {
            for key in ["status_id", "status_id_str", "user_id", "user_id_str", "screen_name"] {
                json.raw(",\"in_reply_to_").raw(key).raw("\":null");
            }
            return;
        };
        for (key, number) in [("status", *post), ("user", to.id)] {
            json.raw(",\"in_reply_to_").raw(key).raw("_id\":").number(number);
            json.raw(",\"in_reply_to_").raw(key).raw("_id_str\":\"").number(number).raw("\"");
        }
        json.raw(",\"in_reply_to_screen_name\":\"").raw(&to.handle).raw("\"");
    }

    fn write_quote(&self, json: &mut Json) {
        // A retweet of a quote carries the quote once more beside the original.
        let original = self.retweets.as_deref().unwrap_or(self);
        if let Some((number, quoted)) = &original.quotes {
            json.raw(",\"quoted_status_id\":")
                .number(*number)
                .raw(",\"quoted_status_id_str\":\"")
                .number(*number)
                .raw("\"");
            if let Some(quoted) = quoted {
                json.raw(",\"quoted_status\":");
                quoted.write(json, false);
                let page = format!("https://twitter.com/{}/status/{number}", quoted.author.handle);
                json.raw(",\"quoted_status_permalink\":{\"url\":\"https:\\/\\/t.co\\/").slug(*number, 10);
                json.raw("\",\"expanded\":")
                    .text(&page)
                    .raw(",\"display\":")
                    .text(&page[8..page.len().min(36)])
                    .raw("}");
            }
        }
        json.raw(",\"is_quote_status\":").flag(original.quotes.is_some());
    }

    fn write_place(&self, json: &mut Json) {
        let Some(number) = self.place else {
            json.raw(",\"geo\":null,\"coordinates\":null,\"place\":null");
            return;
        };
        let (name, code, country, west, south) = PLACES[number];
        let (east, north) = (west + 240, south + 170);
        if self.details.is_multiple_of(4) {
            let (lon, lat) = (degrees(west + 100), degrees(south + 90));
            json.raw(&format!(",\"geo\":{{\"type\":\"Point\",\"coordinates\":[{lat},{lon}]}}"));
            json.raw(&format!(",\"coordinates\":{{\"type\":\"Point\",\"coordinates\":[{lon},{lat}]}}"));
        } else {
            json.raw(",\"geo\":null,\"coordinates\":null");
        }
        json.raw(",\"place\":{\"id\":\"")
            .hex(0x01F0_9D00 + number as u32, 8)
            .raw("\",\"url\":\"https:\\/\\/api.twitter.com\\/1.1\\/geo\\/id\\/");
        json.hex(0x01F0_9D00 + number as u32, 8).raw(".json\",\"place_type\":\"city\",\"name\":").text(name);
        json.raw(",\"full_name\":").text(&format!("{name}, {country}")).raw(",\"country_code\":\"").raw(code);
        json.raw("\",\"country\":")
            .text(country)
            .raw(",\"bounding_box\":{\"type\":\"Polygon\",\"coordinates\":[[");
        for (i, (x, y)) in
            [(west, south), (west, north), (east, north), (east, south)].into_iter().enumerate()
        {
            json.raw(if i > 0 { "," } else { "" }).raw(&format!("[{},{}]", degrees(x), degrees(y)));
        }
        json.raw("]]},\"attributes\":{}}");
    }
}

fn write_display(json: &mut Json, (start, end): (u32, u32)) {
    json.raw(",\"display_text_range\":[").number(start).raw(",").number(end).raw("]");
}

/// Thousandths of a degree as a decimal number.
fn degrees(thousandths: i32) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", thousandths.abs() / 1000, thousandths.abs() % 1000)
}
