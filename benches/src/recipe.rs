//! TF-1's recipe for filters, over words, phrases, tags and authors of whatever posts.

use std::collections::{HashMap, HashSet};
use std::fmt;

use tweetfilter_core::text::{Origin, TokenKind, Tokens, tokenize};
use tweetfilter_core::{Expression, Post};

use crate::random::{Random, Zipf};

/// Draws one name.
type Draw<'a> = Box<dyn FnMut(&mut Random) -> String + 'a>;

/// Where the names in filters come from.
pub struct Source<'a> {
    /// A word.
    pub word: Draw<'a>,
    /// A hashtag without `#`.
    pub tag: Draw<'a>,
    /// A handle.
    pub user: Draw<'a>,
    /// Two or three consecutive words.
    pub phrase: Draw<'a>,
    /// What `lang:` asks for.
    pub language: String,
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("language", &self.language).finish_non_exhaustive()
    }
}

/// One filter by the recipe.
pub fn filter(random: &mut Random, source: &mut Source<'_>) -> String {
    let mut text = match random.share(&[45.0, 20.0, 10.0, 5.0, 5.0, 10.0, 3.0, 2.0]) {
        0 => {
            let count = 1 + random.share(&[50.0, 30.0, 20.0]);
            (0..count).map(|_| (source.word)(random)).collect::<Vec<_>>().join(" ")
        }
        1 => {
            let count = 2 + random.below(5);
            let any = (0..count).map(|_| (source.word)(random)).collect::<Vec<_>>().join(" OR ");
            and_word(random, source, 0.3, format!("({any})"))
        }
        2 => format!("\"{}\"", (source.phrase)(random)),
        3 => format!("from:{}", (source.user)(random)),
        4 => {
            let mention = format!("@{}", (source.user)(random));
            and_word(random, source, 0.3, mention)
        }
        5 => {
            let tag = format!("#{}", (source.tag)(random));
            and_word(random, source, 0.5, tag)
        }
        6 => format!("{} -{}", (source.word)(random), (source.word)(random)),
        _ => {
            let word = (source.word)(random);
            match random.below(3) {
                0 => format!("/\\b{word}[a-z]*\\b/"),
                1 => format!("/\\b{word}(s|ing)\\b/"),
                _ => format!("/\\b{word}[0-9]+\\b/"),
            }
        }
    };
    if random.chance(0.15) {
        text = format!("{text} lang:{}", source.language);
    }
    if random.chance(0.15) {
        text.push_str(" -is:retweet");
    }
    if random.chance(0.05) {
        text.push_str([" followers:>=100", " followers:>=1k", " followers:>=10k"][random.below(3)]);
    }
    text
}

fn and_word(random: &mut Random, source: &mut Source<'_>, share: f64, text: String) -> String {
    if random.chance(share) { format!("{text} {}", (source.word)(random)) } else { text }
}

/// `count` filters by the recipe with words, phrases, tags and authors of `others`.
///
/// Words are ranked by how many posts hold them; a filter's words are drawn as TF-1 draws them, with the
/// exponent 0.4725, without the most frequent of them. Filters that are not expressions are drawn again.
#[must_use]
pub fn filters_of(others: &[Post], count: usize, seed: u64) -> Vec<String> {
    let names = Names::of(others);
    let random = &mut Random::new(seed);
    let without = (names.words.len() / 50).min(200);
    let words = Zipf::without(without, names.words.len(), 0.4725, 2.7);
    let tags = Zipf::new(names.tags.len().max(1), 0.5, 10.0);
    let users = Zipf::new(names.users.len().max(1), 0.6, 50.0);
    let mut source = Source {
        word: Box::new(|random| names.words[words.pick(random)].clone()),
        tag: Box::new(|random| names.tags[tags.pick(random)].clone()),
        user: Box::new(|random| names.users[users.pick(random)].clone()),
        phrase: Box::new(|random| names.phrases[random.below(names.phrases.len())].clone()),
        language: "en".to_owned(),
    };
    let mut filters = Vec::with_capacity(count);
    while filters.len() < count {
        let filter = filter(random, &mut source);
        if Expression::parse(&filter).is_ok() {
            filters.push(filter);
        }
    }
    filters
}

/// Words, tags and authors by falling frequency, and phrases as they come.
#[derive(Debug)]
struct Names {
    words: Vec<String>,
    tags: Vec<String>,
    users: Vec<String>,
    phrases: Vec<String>,
}

impl Names {
    fn of(posts: &[Post]) -> Self {
        let (mut words, mut tags, mut users) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut phrases = Vec::new();
        let mut tokens = Tokens::default();
        for post in posts {
            let content = post.content();
            tokens.clear();
            tokenize(&content.text, Origin::Filter, &mut tokens);
            let found = pieces(&tokens);
            let mut seen = HashSet::new();
            for word in found.iter().filter(|w| seen.insert(w.as_str())) {
                *words.entry(word.clone()).or_insert(0) += 1;
            }
            for length in [2, 3] {
                if found.len() > length {
                    let at = content.text.len() % (found.len() - length);
                    phrases.push(found[at..at + length].join(" "));
                }
            }
            for tag in &content.entities.hashtags {
                *tags.entry(tag.text.to_lowercase()).or_insert(0) += 1;
            }
            for author in [&post.author, &content.author] {
                *users.entry(author.account.handle.to_lowercase()).or_insert(0) += 1;
            }
        }
        Self { words: by_frequency(words), tags: by_frequency(tags), users: by_frequency(users), phrases }
    }
}

/// Words as somebody would type them: tokens, but two to four characters together where a script writes
/// no spaces.
fn pieces(tokens: &Tokens) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut run = String::new();
    let mut last_end = 0;
    for token in tokens.iter() {
        let single = token.kind == TokenKind::Character;
        let adjacent = token.span.start == last_end;
        last_end = token.span.end;
        let full = run.chars().count() >= 2 + run.len() % 3;
        if !run.is_empty() && (!single || !adjacent || full) {
            pieces.push(std::mem::take(&mut run));
        }
        if single {
            run.push_str(token.folded);
        } else if token.kind == TokenKind::Word {
            pieces.push(token.folded.to_owned());
        }
    }
    if !run.is_empty() {
        pieces.push(run);
    }
    pieces.retain(|piece| piece.chars().all(char::is_alphanumeric));
    pieces
}

/// Most frequent first; alphabetical where equal, so that the order is always the same.
fn by_frequency(counts: HashMap<String, usize>) -> Vec<String> {
    let mut counts: Vec<(String, usize)> = counts.into_iter().filter(|(name, _)| !name.is_empty()).collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.into_iter().map(|(name, _)| name).collect()
}
