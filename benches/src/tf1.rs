//! TF-1, the synthetic workload; TF-1.md says what it is.

use std::collections::HashSet;

use tweetfilter_core::post::{Account, Author, Entities, Link, Mention, Reference, Tag};
use tweetfilter_core::{Post, Span};

use crate::random::{Random, Zipf};

const SEED: u64 = 20_261_122;
const WORDS: usize = 500_000;
const USERS: usize = 1_000_000;
const TAGS: usize = 100_000;
const LANGUAGES: [(&str, f64); 10] = [
    ("en", 45.0),
    ("ja", 14.0),
    ("es", 12.0),
    ("pt", 8.0),
    ("ar", 6.0),
    ("id", 4.0),
    ("tr", 3.0),
    ("fr", 3.0),
    ("ko", 2.0),
    ("und", 3.0),
];
const EMOJI: [&str; 8] = ["😂", "❤️", "😭", "🔥", "✨", "🙏", "👍", "🎉"];

/// The vocabulary, from which tweets and filters are made.
#[derive(Debug)]
pub struct Tf1 {
    words: Vec<String>,
}

/// Makes tweets, one after the other.
#[derive(Debug)]
pub struct Tweets<'v> {
    vocabulary: &'v Tf1,
    random: Random,
    words: Zipf,
    users: Zipf,
    tags: Zipf,
    made: u64,
}

impl Default for Tf1 {
    fn default() -> Self {
        Self::new()
    }
}

impl Tf1 {
    /// Makes the vocabulary.
    #[must_use]
    pub fn new() -> Self {
        let random = &mut Random::new(SEED ^ 1);
        let mut taken = HashSet::with_capacity(WORDS);
        let words = (1..=WORDS)
            .map(|rank| {
                let base = (2.0 + 0.45 * (rank as f64).log2()).round() as usize - 1;
                // A word that is taken is drawn again, one letter longer each time.
                let mut longer = 0;
                loop {
                    let word = word(random, base + longer);
                    if taken.insert(word.clone()) {
                        return word;
                    }
                    longer += 1;
                }
            })
            .collect();
        Self { words }
    }

    /// The stream of tweets from its beginning.
    #[must_use]
    pub fn tweets(&self) -> Tweets<'_> {
        Tweets {
            vocabulary: self,
            random: Random::new(SEED ^ 2),
            words: Zipf::new(WORDS, 1.05, 2.7),
            users: Zipf::new(USERS, 0.9, 50.0),
            tags: Zipf::new(TAGS, 1.0, 10.0),
            made: 0,
        }
    }

    /// The first `count` filters; phrases are taken from `others`, tweets that are not the ones timed.
    #[must_use]
    pub fn filters(&self, count: usize, others: &[Post]) -> Vec<String> {
        let random = &mut Random::new(SEED ^ 3);
        let words = Zipf::without(200, WORDS, 0.4725, 2.7);
        let tags = Zipf::new(TAGS, 0.5, 10.0);
        let users = Zipf::new(USERS, 0.6, 50.0);
        let mut source = crate::recipe::Source {
            word: Box::new(|random: &mut Random| self.words[words.pick(random)].clone()),
            tag: Box::new(|random: &mut Random| self.tag(tags.pick(random))),
            user: Box::new(|random: &mut Random| self.user(users.pick(random))),
            phrase: Box::new(|random: &mut Random| phrase(random, others)),
            language: "en".to_owned(),
        };
        (0..count).map(|_| crate::recipe::filter(random, &mut source)).collect()
    }

    /// Users and tags have names of two words' making, so that they are not words of the vocabulary.
    fn user(&self, index: usize) -> String {
        format!("{}{}", self.plain(index * 7 + 3), index % 1000)
    }

    fn tag(&self, index: usize) -> String {
        format!("{}{}", self.plain(index * 5 + 1), self.plain(index * 3 + 2))
    }

    fn plain(&self, index: usize) -> String {
        self.words[index % WORDS].replace('é', "e")
    }

    /// A checksum of everything: vocabulary, the first 10,000 tweets, the first 10,000 filters.
    #[must_use]
    pub fn checksum(&self) -> u64 {
        let mut sum = Fnv::default();
        self.words.iter().for_each(|word| sum.add(word));
        let tweets: Vec<Post> = self.tweets().take(10_000).collect();
        for tweet in &tweets {
            let content = tweet.content();
            sum.add(&content.text);
            sum.add(&tweet.author.account.handle);
            sum.add(content.lang.as_deref().unwrap_or_default());
            sum.add(&tweet.author.followers.unwrap_or(0).to_string());
            sum.add(if tweet.retweet_of.is_some() { "retweet" } else { "" });
        }
        self.filters(10_000, &tweets).iter().for_each(|filter| sum.add(filter));
        sum.0
    }
}

impl Iterator for Tweets<'_> {
    type Item = Post;

    fn next(&mut self) -> Option<Post> {
        let random = &mut self.random;
        let mut post = Post { network: "x".to_owned(), ..Post::default() };
        let count = random.normal(12.0, 6.0).round().clamp(1.0, 40.0) as usize;
        for _ in 0..random.share(&[50.0, 38.0, 9.0, 3.0]) {
            let handle = self.vocabulary.user(self.users.pick(random));
            let span = push(&mut post.text, "@", &handle);
            post.text.push(' ');
            let account = Account { id: String::new(), handle };
            post.entities.mentions.push(Mention { account, span: Some(span) });
        }
        for n in 0..count {
            let word = &self.vocabulary.words[self.words.pick(random)];
            if random.chance(if n == 0 { 0.5 } else { 0.08 }) {
                let mut letters = word.chars();
                post.text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
                post.text.push_str(letters.as_str());
            } else {
                post.text.push_str(word);
            }
            if n + 1 < count {
                post.text.push_str([", ", ". ", "… ", " "][random.share(&[8.0, 6.0, 1.0, 85.0])]);
            }
        }
        for _ in 0..random.share(&[70.0, 18.0, 8.0, 4.0]) {
            let text = self.vocabulary.tag(self.tags.pick(random));
            post.text.push(' ');
            let span = push(&mut post.text, "#", &text);
            post.entities.hashtags.push(Tag { text, span: Some(span) });
        }
        if random.chance(0.05) {
            post.text.push(' ');
            post.text.push_str(EMOJI[random.below(EMOJI.len())]);
        }
        if random.chance(0.25) {
            post.text.push(' ');
            let slug = format!("{:010x}", random.bits() >> 24);
            let span = push(&mut post.text, "https://t.co/", &slug);
            let url = post.text[span.range()].to_owned();
            let expanded = Some(format!("https://site{}.example/{slug}", random.below(2000)));
            post.entities.links.push(Link { url, expanded, span: Some(span), ..Link::default() });
        }
        post.lang = Some(LANGUAGES[random.share(&LANGUAGES.map(|(_, share)| share))].0.to_owned());
        post.author = author(self.vocabulary, random, &self.users);
        self.made += 1;
        post.id = (1_000_000_000_000_000_000 + self.made * 4096).to_string();
        if random.chance(0.3) {
            let outer = Post {
                network: "x".to_owned(),
                id: (1_000_000_000_000_000_000 + self.made * 4096 + 1).to_string(),
                author: author(self.vocabulary, random, &self.users),
                entities: Entities::default(),
                ..Post::default()
            };
            let original = Reference { id: post.id.clone(), post: Some(post), ..Reference::default() };
            return Some(Post { retweet_of: Some(Box::new(original)), ..outer });
        }
        Some(post)
    }
}

fn author(vocabulary: &Tf1, random: &mut Random, users: &Zipf) -> Author {
    let index = users.pick(random);
    let account = Account { id: (index + 1).to_string(), handle: vocabulary.user(index) };
    Author { account, followers: Some(random.normal(5.5, 2.0).exp() as u64), ..Author::default() }
}

/// Adds both and gives their place.
fn push(text: &mut String, sign: &str, name: &str) -> Span {
    let start = text.len();
    text.push_str(sign);
    text.push_str(name);
    Span::from(start..text.len())
}

/// Consonants and vowels in turn.
fn word(random: &mut Random, base: usize) -> String {
    let length = base + random.below(4);
    let mut vowel = random.chance(0.5);
    let accent = random.chance(1.0 / 33.0);
    let mut accented = false;
    let mut word = String::with_capacity(length + 1);
    for _ in 0..length.max(1) {
        if vowel && accent && !accented {
            word.push('é');
            accented = true;
        } else if vowel {
            word.push(char::from(b"aeiou"[random.below(5)]));
        } else {
            word.push(char::from(b"bcdfghjklmnprstvwz"[random.below(18)]));
        }
        vowel = !vowel;
    }
    word
}

/// Two or three consecutive words of a tweet's own text.
fn phrase(random: &mut Random, others: &[Post]) -> String {
    loop {
        let text = &others[random.below(others.len())].content().text;
        let words: Vec<&str> = text
            .split_whitespace()
            .filter(|w| !w.starts_with(['@', '#']) && !w.starts_with("http"))
            .map(|w| w.trim_end_matches([',', '.', '…']))
            .filter(|w| w.starts_with(char::is_alphabetic))
            .collect();
        let length = 2 + random.below(2);
        if words.len() >= length {
            let at = random.below(words.len() - length + 1);
            return words[at..at + length].join(" ");
        }
    }
}

/// FNV-1a of 64 bits.
#[derive(Debug)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Adds a text and a line end.
    pub fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([b'\n']) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// The sum so far.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tweets_are_as_long_as_prescribed() {
        let vocabulary = Tf1::new();
        let tweets: Vec<Post> = vocabulary.tweets().take(4000).collect();
        let bytes = tweets.iter().map(|t| t.content().text.len()).sum::<usize>() as f64 / 4000.0;
        assert!((95.0..130.0).contains(&bytes), "{bytes}");
        let retweets = tweets.iter().filter(|t| t.retweet_of.is_some()).count() as f64 / 4000.0;
        assert!((0.27..0.33).contains(&retweets), "{retweets}");
    }

    #[test]
    fn the_streams_are_those_of_the_document() {
        let stated =
            include_str!("../TF-1.md").lines().find_map(|line| line.strip_prefix("Checksum: ")).unwrap_or("");
        assert_eq!(format!("{:016x}", Tf1::new().checksum()), stated.trim_matches('`'));
    }
}
