//! The accounts of the stream: each a function of its language and its rank.
//!
//! They are the same whatever the seed, so that streams of two seeds are two samples of one world.

use super::json::Json;
use super::lexicon::{Lexicon, emoji, lexicon};
use super::random::Random;
use super::time::{Clock, created_at};

/// What all streams have in common.
const WORLD: u64 = 0x7477_6565_7466_696c;
/// Accounts of one language.
const ACCOUNTS: u32 = 60_000;
/// Followers by quantile, of those who write and of those who are retweeted.
const FOLLOWERS: [(u32, u32); 8] =
    [(0, 0), (100, 13), (300, 85), (500, 211), (750, 720), (900, 1973), (990, 18_700), (1000, 200_000)];
const FAMOUS: [(u32, u32); 8] = [
    (0, 3),
    (100, 301),
    (300, 2100),
    (500, 8210),
    (750, 64_000),
    (900, 262_000),
    (990, 9_000_000),
    (1000, 60_000_000),
];
const BIO: [(u32, u32); 5] = [(0, 2), (100, 10), (500, 56), (900, 140), (1000, 158)];

/// An account, as a mention names it.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: u64,
    pub(super) handle: String,
    pub(super) name: String,
    language: usize,
    number: u64,
}

impl Person {
    /// Somebody who writes in that language.
    pub(super) fn writer(random: &mut Random, language: usize) -> Self {
        Self::numbered(language, u64::from(random.zipf(ACCOUNTS, 400)))
    }

    /// Somebody whose posts others retweet and quote.
    pub(super) fn famous(random: &mut Random, language: usize) -> Self {
        Self::numbered(language, u64::from(ACCOUNTS + random.zipf(ACCOUNTS / 4, 20)))
    }

    fn numbered(language: usize, number: u64) -> Self {
        let random = &mut Random::of(WORLD, [1, language as u64, number]);
        let id = if random.chance(5500) {
            u64::from(random.between(100_000_000, u32::MAX - 1))
        } else {
            let millis = 250_000_000_000 + u64::from(random.below(850_000)) * 94_000;
            millis << 22 | random.next() >> 42
        };
        let mut handle = String::new();
        for _ in 0..random.between(1, 3) {
            handle.push_str(random.pick(&SYLLABLES));
        }
        if random.chance(2500) {
            handle.push('_');
        }
        if random.chance(3000)
            && let Some(first) = handle.get_mut(..1)
        {
            first.make_ascii_uppercase();
        }
        // Number and language in base 36 keep handles apart.
        let mut rest = number * 18 + language as u64;
        while rest > 0 {
            handle.push(char::from(b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize]));
            rest /= 36;
        }
        let words = lexicon(language);
        let mut name = String::new();
        words.write("g2", random, &mut name);
        if random.chance(6500) {
            name.push(' ');
            words.invented(random, &mut name);
        }
        if random.chance(3800) {
            name.push_str(emoji(random));
        }
        Self { id, handle, name, language, number }
    }

    /// Number that decides who follows this account.
    pub(super) fn key(&self) -> u64 {
        self.number * 18 + self.language as u64
    }

    /// The whole user object.
    pub(super) fn write(&self, json: &mut Json) {
        let random = &mut Random::of(WORLD, [2, self.language as u64, self.number]);
        let famous = self.number >= u64::from(ACCOUNTS);
        let words = lexicon(self.language);
        json.raw("{\"id\":")
            .number(self.id)
            .raw(",\"id_str\":\"")
            .number(self.id)
            .raw("\",\"name\":")
            .text(&self.name);
        json.raw(",\"screen_name\":\"").raw(&self.handle).raw("\",\"location\":");
        let mut text = String::new();
        json.optional(random.chance(5800).then(|| phrase(words, "p", random, &mut text)));
        json.raw(",\"url\":");
        let link =
            format!("https://{}.example/{}", self.handle.to_ascii_lowercase().trim_matches('_'), self.number);
        json.optional(random.chance(if famous { 5500 } else { 2200 }).then_some(link.as_str()));
        json.raw(",\"description\":");
        json.optional(random.chance(8900).then(|| bio(words, random, &mut text)));
        json.raw(",\"translator_type\":\"none\",\"protected\":false,\"verified\":");
        json.flag(random.chance(if famous { 540 } else { 20 }));
        let followers = random.quantile(if famous { &FAMOUS } else { &FOLLOWERS });
        json.raw(",\"followers_count\":").number(followers);
        json.raw(",\"friends_count\":").number(random.quantile(&[
            (0, 0),
            (500, 340),
            (900, 1700),
            (1000, 9000),
        ]));
        json.raw(",\"listed_count\":").number(followers / random.between(120, 900));
        json.raw(",\"favourites_count\":").number(random.quantile(&[
            (0, 0),
            (500, 9000),
            (900, 70_000),
            (1000, 400_000),
        ]));
        json.raw(",\"statuses_count\":").number(random.quantile(&[
            (0, 1),
            (500, 9500),
            (900, 80_000),
            (1000, 700_000),
        ]));
        let born = Clock::START_MILLIS
            - u64::from(random.between(2, 4_900)) * 86_400_000
            - u64::from(random.below(86_400)) * 1000;
        json.raw(",\"created_at\":\"").raw(&created_at(born));
        json.raw("\",\"utc_offset\":null,\"time_zone\":null,\"geo_enabled\":").flag(random.chance(3500));
        json.raw(",\"lang\":null,\"contributors_enabled\":false,\"is_translator\":false");
        self.write_profile(random, json);
    }

    fn write_profile(&self, random: &mut Random, json: &mut Json) {
        let plain = random.chance(6800);
        let color = if plain { 0xF5_F8FA } else { random.below(0x100_0000) };
        json.raw(",\"profile_background_color\":\"").hex(color, 6);
        let theme = format!("abs.twimg.com\\/images\\/themes\\/theme{}\\/bg.png", random.between(1, 19));
        for (key, scheme) in
            [("profile_background_image_url", "http"), ("profile_background_image_url_https", "https")]
        {
            json.raw("\",\"").raw(key).raw("\":\"");
            if !plain {
                json.raw(scheme).raw(":\\/\\/").raw(&theme);
            }
        }
        json.raw("\",\"profile_background_tile\":false,\"profile_link_color\":\"")
            .hex(if plain { 0x1D_A1F2 } else { color / 2 }, 6);
        json.raw("\",\"profile_sidebar_border_color\":\"C0DEED\",\"profile_sidebar_fill_color\":\"DDEEF6\"");
        json.raw(",\"profile_text_color\":\"333333\",\"profile_use_background_image\":true");
        let picture = random.next();
        for (key, scheme) in [("profile_image_url", "http"), ("profile_image_url_https", "https")] {
            json.raw(",\"").raw(key).raw("\":\"").raw(scheme).raw(":\\/\\/pbs.twimg.com\\/profile_images\\/");
            json.number(picture >> 3).raw("\\/").slug(picture, 8).raw("_normal.jpg\"");
        }
        if random.chance(8000) {
            json.raw(",\"profile_banner_url\":\"https:\\/\\/pbs.twimg.com\\/profile_banners\\/")
                .number(self.id);
            json.raw("\\/").number(1_400_000_000 + random.below(215_000_000)).raw("\"");
        }
        json.raw(",\"default_profile\":").flag(plain).raw(",\"default_profile_image\":false");
        json.raw(",\"following\":null,\"follow_request_sent\":null,\"notifications\":null}");
    }
}

const SYLLABLES: [&str; 32] = [
    "yu", "mi", "ka", "no", "ro", "sa", "lee", "max", "dan", "ana", "sky", "bo", "jin", "li", "zed", "tom",
    "ne", "ko", "ray", "fox", "luz", "mar", "el", "kid", "ma", "ti", "va", "art", "hey", "oh", "blu", "sun",
];

fn phrase<'a>(words: &Lexicon, list: &str, random: &mut Random, text: &'a mut String) -> &'a str {
    text.clear();
    words.write(list, random, text);
    text
}

fn bio<'a>(words: &Lexicon, random: &mut Random, text: &'a mut String) -> &'a str {
    let length = random.quantile(&BIO) / if words.dense() { 2 } else { 1 };
    let between = random.pick(&[" | ", "\n", " ", ". ", " • ", ", ", " / "]);
    text.clear();
    while (text.chars().count() as u32) < length {
        if !text.is_empty() {
            text.push_str(between);
        }
        words.write("b", random, text);
        if random.chance(1800) {
            text.push_str(emoji(random));
        }
    }
    text
}
