//! Small phrase grammars, one file a language in `lang/`.
//!
//! A line adds items to a list: `n: cat | train`. `{n}` inside an item stands for an item of that list,
//! `{w}` for an invented word of the language's syllables, `{e}` for an emoji.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::random::Random;

/// Share of each language in ten thousand, its code on the wire, its file, and how often a post of it is a retweet.
const LANGUAGES: [(u32, &str, &str, u32); 18] = [
    (3100, "en", include_str!("lang/en.txt"), 5500),
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

/// Invented words that a language has.
const INVENTED: u32 = 400_000;

static LEXICONS: LazyLock<Vec<Lexicon>> = LazyLock::new(|| {
    LANGUAGES.iter().map(|&(_, code, file, retweets)| Lexicon::read(code, file, retweets)).collect()
});

static EMOJI: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("emoji.txt").split_whitespace().collect());

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
    /// List whose items are left out half of the time, lists that invented words join.
    optional: usize,
    open: [usize; 3],
}

#[derive(Debug)]
enum Piece {
    Text(&'static str),
    List(usize),
    Invented,
    Emoji,
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
        Self { code, retweets, lists, syllables, ends, optional, open, names }
    }

    /// Whether a language writes one character where others write two or three.
    pub(super) fn dense(&self) -> bool {
        matches!(self.code, "ja" | "zh" | "ko")
    }

    /// Whether sentences follow each other without a space.
    pub(super) fn unspaced(&self) -> bool {
        matches!(self.code, "ja" | "zh")
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

    /// What stands at the end of a sentence.
    pub(super) fn end(&self, random: &mut Random) -> &'static str {
        if self.ends.is_empty() { "" } else { random.pick(&self.ends) }
    }

    /// An invented word by its rank, longer for rarer ones.
    pub(super) fn invented(&self, random: &mut Random, out: &mut String) {
        let rank = random.zipf(INVENTED, 120);
        let mut letters = Random::of(u64::from(rank), [3, 5, self.code.len() as u64]);
        let length = 2 + u32::from(rank > 800) + letters.below(2) + u32::from(rank > 60_000);
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
                Piece::List(list) if *list == self.optional && random.chance(6500) => skip_space = true,
                Piece::List(list) if self.open[0] == *list && random.chance(3800) => {
                    self.invented(random, out)
                }
                Piece::List(list) if self.open.contains(list) && random.chance(1300) => {
                    self.invented(random, out)
                }
                Piece::List(list) => {
                    let items = &self.lists[*list];
                    if !items.is_empty() && depth < 4 {
                        let item = &items[random.zipf(items.len() as u32, 6) as usize];
                        self.expand(item, random, out, depth + 1);
                    }
                }
            }
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
                assert!(matches!(used, "w" | "e") || lexicon.names.contains_key(used), "{code} uses {used}");
            }
            assert!(lexicon.syllables.len() >= 8, "{code}");
        }
    }

    #[test]
    fn shares_add_up() {
        assert_eq!(LANGUAGES.iter().map(|(share, ..)| share).sum::<u32>(), 10_000);
    }
}
