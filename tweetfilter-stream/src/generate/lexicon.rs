//! Small phrase grammars, one file a language in `lang/`.
//!
//! A line adds items to a list: `n: cat | train`. `{n}` inside an item stands for an item of that list,
//! `{w}` for an invented word of the language's syllables, `{e}` for an emoji, `{#}` for a number, `{@}` for a time of
//! day. Where a language
//! builds words from words, `pre` and `suf` are what it puts before or behind a noun.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::random::Random;
use super::rare::{make_rare, number, stretch, time_of_day};

/// Share of each language in ten thousand, its code on the wire, its file, and how often a post of it is a retweet.
const LANGUAGES: [(u32, &str, &str, u32); 18] = [
    (3100, "en", include_str!("lang/en.txt"), 5700),
    (2200, "ja", include_str!("lang/ja.txt"), 3500),
    (700, "und", include_str!("lang/und.txt"), 5000),
    (600, "ko", include_str!("lang/ko.txt"), 6500),
    (600, "ar", include_str!("lang/ar.txt"), 4800),
    (600, "th", include_str!("lang/th.txt"), 8800),
    (500, "es", include_str!("lang/es.txt"), 4000),
    (400, "in", include_str!("lang/id.txt"), 5500),
    (200, "pt", include_str!("lang/pt.txt"), 5000),
    (200, "tr", include_str!("lang/tr.txt"), 5000),
    (200, "fr", include_str!("lang/fr.txt"), 5500),
    (150, "tl", include_str!("lang/tl.txt"), 6000),
    (120, "hi", include_str!("lang/hi.txt"), 6000),
    (120, "zh", include_str!("lang/zh.txt"), 5000),
    (120, "ru", include_str!("lang/ru.txt"), 5000),
    (60, "de", include_str!("lang/de.txt"), 4500),
    (60, "it", include_str!("lang/it.txt"), 4500),
    (70, "fa", include_str!("lang/fa.txt"), 5000),
];

/// How many in ten thousand words of an open list are invented altogether, nouns and others, and how many of the
/// rest are made rare. A small sample of a language shows little but its tail, so English has fewer.
const ENGLISH: Tail = Tail { invented: [3800, 1300], rare: [3500, 2200] };
const OTHERS: Tail = Tail { invented: [4200, 2200], rare: [6000, 4000] };
/// How many in ten thousand exclamations and laughs are drawn out: `soooo`.
const STRETCHED: u32 = 1200;
/// Invented words that a language has.
const INVENTED: u32 = 6000;

static LEXICONS: LazyLock<Vec<Lexicon>> = LazyLock::new(|| {
    LANGUAGES.iter().map(|&(_, code, file, retweets)| Lexicon::read(code, file, retweets)).collect()
});

static EMOJI: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("emoji.txt").split_whitespace().collect());

#[derive(Clone, Copy, Debug)]
struct Tail {
    invented: [u32; 2],
    rare: [u32; 2],
}

/// One language's words and sentences.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// The code that the wire uses.
    pub(super) code: &'static str,
    /// How many of ten thousand posts are retweets.
    pub(super) retweets: u32,
    lists: Vec<Vec<Vec<Piece>>>,
    names: HashMap<&'static str, usize>,
    syllables: Vec<&'static str>,
    ends: Vec<&'static str>,
    /// List whose items are left out half of the time, lists that rare words join, lists that are drawn out.
    optional: usize,
    open: [usize; 3],
    drawn: [usize; 3],
    tail: Tail,
}

#[derive(Debug)]
enum Piece {
    Text(&'static str),
    List(usize),
    Invented,
    Emoji,
    Number,
    Time,
}

/// The language of a number from [`pick_language`].
pub(super) fn lexicon(language: usize) -> &'static Lexicon {
    &LEXICONS[language]
}

/// A language by its share of the stream.
pub(super) fn pick_language(random: &mut Random) -> usize {
    random.weighted(&LANGUAGES.map(|(share, ..)| share))
}

/// An emoji, the common ones more often.
pub(super) fn emoji(random: &mut Random) -> &'static str {
    EMOJI[random.zipf(EMOJI.len() as u32, 4) as usize]
}

impl Lexicon {
    fn read(code: &'static str, file: &'static str, retweets: u32) -> Self {
        let lines = || {
            let lines = file.lines().filter(|line| !line.starts_with('#'));
            lines.filter_map(|line| {
                line.split_once(": ").map(|(list, items)| (list, items.split('|').map(str::trim)))
            })
        };
        let mut names = HashMap::new();
        for (list, _) in lines() {
            let next = names.len();
            names.entry(list).or_insert(next);
        }
        let mut lists: Vec<Vec<Vec<Piece>>> = Vec::new();
        lists.resize_with(names.len(), Vec::new);
        let (mut syllables, mut ends) = (Vec::new(), Vec::new());
        for (list, items) in lines() {
            match list {
                "syl" => syllables.extend(items),
                "end" => ends.extend(items),
                _ => lists[names[list]]
                    .extend(items.filter(|i| !i.is_empty()).map(|item| pieces(item, &names))),
            }
        }
        let list = |name| names.get(name).copied().unwrap_or(usize::MAX);
        let (optional, open) = (list("o"), [list("n"), list("v"), list("a")]);
        let drawn =
            [optional, if matches!(code, "ko" | "ar" | "ja") { list("k") } else { optional }, list("x")];
        let tail = if code == "en" { ENGLISH } else { OTHERS };
        Self { code, retweets, lists, syllables, ends, optional, open, drawn, tail, names }
    }

    /// Whether a language writes one character where others write two or three.
    pub(super) fn dense(&self) -> bool {
        matches!(self.code, "ja" | "zh" | "ko")
    }

    /// Whether sentences follow each other without a space.
    pub(super) fn unspaced(&self) -> bool {
        matches!(self.code, "ja" | "zh" | "th")
    }

    /// Adds an item of the list `name`, whole; nothing when there is no such list.
    pub(super) fn write(&self, name: &str, random: &mut Random, out: &mut String) {
        if let Some(&list) = self.names.get(name) {
            let items = &self.lists[list];
            if !items.is_empty() {
                self.expand(&items[random.below(items.len() as u32) as usize], random, out, 0);
            }
        }
    }

    /// Whether there is such a list.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// As [`Lexicon::write`], the items at the list's beginning more often.
    pub(super) fn write_common(&self, name: &str, random: &mut Random, out: &mut String) {
        if let Some(&list) = self.names.get(name) {
            self.write_item(list, random, out, 2);
        }
    }

    /// What stands at the end of a sentence.
    pub(super) fn end(&self, random: &mut Random) -> &'static str {
        if self.ends.is_empty() { "" } else { random.pick(&self.ends) }
    }

    /// An invented word by its rank, longer for rarer ones.
    pub(super) fn invented(&self, random: &mut Random, out: &mut String) {
        let rank = random.zipf(INVENTED, 200);
        let mut letters = Random::of(u64::from(rank), [3, 5, self.code.len() as u64]);
        let length = 2 + u32::from(rank > 800) + letters.below(2) + u32::from(rank > 3000);
        for _ in 0..length {
            out.push_str(letters.pick(&self.syllables));
        }
    }

    fn expand(&self, item: &[Piece], random: &mut Random, out: &mut String, depth: u32) {
        let mut skip_space = false;
        for piece in item {
            match piece {
                Piece::Text(text) => {
                    out.push_str(if skip_space { text.trim_start() } else { text });
                    skip_space = false;
                }
                Piece::Invented => self.invented(random, out),
                Piece::Emoji => out.push_str(emoji(random)),
                Piece::Number => number(random, out),
                Piece::Time => time_of_day(random, out),
                Piece::List(list) if *list == self.optional && random.chance(6500) => skip_space = true,
                Piece::List(list) => self.write_word(*list, random, out, depth),
            }
        }
    }

    /// A word of a list, or in its place one that hardly anybody uses.
    fn write_word(&self, list: usize, random: &mut Random, out: &mut String, depth: u32) {
        let start = out.len();
        let open = self.open.contains(&list);
        let other = usize::from(list != self.open[0]);
        if open && random.chance(self.tail.invented[other]) {
            self.invented(random, out);
            return;
        }
        self.write_item(list, random, out, depth);
        if open && depth == 0 && random.chance(self.tail.rare[other]) {
            make_rare(self, start, other == 0, random, out);
        } else if self.drawn.contains(&list) && random.chance(STRETCHED) {
            stretch(start, random, out);
        }
    }

    fn write_item(&self, list: usize, random: &mut Random, out: &mut String, depth: u32) {
        let items = &self.lists[list];
        if !items.is_empty() && depth < 4 {
            let item = &items[random.zipf(items.len() as u32, 6) as usize];
            self.expand(item, random, out, depth + 1);
        }
    }
}

fn pieces(item: &'static str, names: &HashMap<&'static str, usize>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = item;
    while let Some((text, after)) = rest.split_once('{') {
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        match name {
            "w" => pieces.push(Piece::Invented),
            "e" => pieces.push(Piece::Emoji),
            "#" => pieces.push(Piece::Number),
            "@" => pieces.push(Piece::Time),
            _ => pieces.extend(names.get(name).map(|&list| Piece::List(list))),
        }
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_sentences_whose_lists_exist() {
        for (&(_, code, file, _), lexicon) in LANGUAGES.iter().zip(LEXICONS.iter()) {
            for need in ["s", "n", "h", "b", "p", "g2"] {
                let list = lexicon.names.get(need).unwrap_or_else(|| panic!("{code} lacks {need}"));
                assert!(!lexicon.lists[*list].is_empty(), "{code} {need}");
            }
            for used in file.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                assert!(
                    matches!(used, "w" | "e" | "#" | "@") || lexicon.names.contains_key(used),
                    "{code} uses {used}"
                );
            }
            assert!(lexicon.syllables.len() >= 8, "{code}");
        }
    }

    #[test]
    fn shares_add_up() {
        assert_eq!(LANGUAGES.iter().map(|(share, ..)| share).sum::<u32>(), 10_000);
    }
}
