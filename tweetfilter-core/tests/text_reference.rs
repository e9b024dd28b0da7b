//! The text model, naively and step by step from the contract, held against the crate's.
//!
//! It looks properties up with `regex`, normalizes the text as a whole, and knows no spans; spans are held against
//! the tokens of their own slices.

use std::sync::LazyLock;

use caseless::Caseless;
use proptest::prelude::*;
use regex::Regex;
use tweetfilter_core::text::{
    Needle, Origin, Searchable, TokenKind, Tokens, fold_for_search, fold_value, tokenize,
};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

#[derive(Clone, Debug, PartialEq)]
struct Naive {
    folded: String,
    plain: String,
    kind: TokenKind,
}

macro_rules! property {
    ($name:ident, $pattern:literal) => {
        fn $name(c: char) -> bool {
            static REGEX: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a class"));
            REGEX.is_match(c.encode_utf8(&mut [0; 4]))
        }
    };
}

property!(is_emoji, r"[\p{Emoji}--[0-9#*]]");
property!(is_ignorable, r"\p{Default_Ignorable_Code_Point}");
property!(is_symbol, r"[\p{S}\p{No}]");
property!(is_word, r"[\p{L}\p{M}\p{N}]");
property!(is_mark, r"\p{M}");
property!(is_base_mark, r"[\p{Mn}\p{Me}]");
property!(is_character, r"[[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hangul}]&&[\p{L}\p{N}]]");
property!(is_cluster, r"[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]");
property!(is_latin, r"[\p{sc=Latin}&&\p{L}]");
property!(is_greek, r"[\p{sc=Greek}&&\p{L}]");
property!(is_accent_script, r"[\p{sc=Zinh}\p{sc=Zyyy}\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}]");
property!(is_point, r"[[\p{Mn}&&[\p{sc=Arabic}\p{sc=Hebrew}\u064B-\u0652\u0670]]ـ]");
property!(is_space, r"\p{White_Space}");

fn is_tone(c: char) -> bool {
    ('\u{1f3fb}'..='\u{1f3ff}').contains(&c)
}

fn is_emoji_cluster(cluster: &str) -> bool {
    static KEYCAP: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("^[0-9#*]\u{fe0f}?\u{20e3}").expect("a regex"));
    cluster.starts_with(is_emoji) || KEYCAP.is_match(cluster)
}

/// Step e; runs of compatibility jamo stay.
fn fold(text: &str) -> String {
    let jamo = |c: char| ('\u{3131}'..='\u{318e}').contains(&c);
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let other = rest.find(jamo).unwrap_or(rest.len());
        let normal = rest[..other].nfkc().map(|c| if c == 'İ' { 'i' } else { c });
        out.extend(normal.default_case_fold().nfkc());
        rest = &rest[other..];
        let run = rest.find(|c| !jamo(c)).unwrap_or(rest.len());
        out.push_str(&rest[..run]);
        rest = &rest[run..];
    }
    out
}

fn level(text: &str) -> String {
    let mut out = Vec::new();
    let mut base = ' ';
    for c in text.nfd().filter(|&c| !is_point(c)) {
        if is_mark(c) {
            let gone = c == '\u{301}' && is_greek(base)
                || c == '\u{308}' && base == 'е'
                || c == '\u{307}' && base == 'i'
                || ('\u{653}'..='\u{655}').contains(&c) && base == 'ا';
            out.extend((!gone).then_some(c));
            continue;
        }
        base = match c {
            'ı' => 'i',
            'ٱ' | 'ٲ' | 'ٳ' => 'ا',
            'ى' | 'ی' => 'ي',
            'ک' => 'ك',
            c => c,
        };
        out.push(base);
    }
    out.into_iter().nfc().collect()
}

fn strip(text: &str) -> String {
    let mut out = String::new();
    let mut base = ' ';
    for c in text.nfd() {
        let voicing = c == '\u{3099}' || c == '\u{309a}';
        if is_mark(c) {
            let accent = is_base_mark(c) && is_accent_script(c) && !voicing;
            out.extend((!(accent && (is_latin(base) || is_greek(base)))).then_some(c));
            continue;
        }
        base = c;
        match c {
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' => out.push('d'),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            c => out.push(c),
        }
    }
    out.nfc().collect()
}

fn naive(text: &str) -> Vec<Naive> {
    static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)https?://[!-~]*").expect("a regex"));
    let mut out = Vec::new();
    let text = LINK.replace_all(text, " ");
    let mut run = String::new();
    for cluster in text.graphemes(true) {
        if is_emoji_cluster(cluster) {
            words(&std::mem::take(&mut run), &mut out);
            let folded: String = cluster.nfc().filter(|c| !matches!(c, '\u{fe0e}' | '\u{fe0f}')).collect();
            let toneless: String = folded.chars().filter(|&c| !is_tone(c)).collect();
            let plain = if toneless.is_empty() { folded.clone() } else { toneless };
            out.push(Naive { folded, plain, kind: TokenKind::Emoji });
            continue;
        }
        for c in cluster.chars().filter(|&c| !is_ignorable(c)) {
            let normal: String = std::iter::once(c).nfkc().collect();
            if !is_symbol(c) || normal.chars().nth(1).is_none() {
                run.push(c);
            } else if normal.starts_with(' ') {
                run.push(' ');
            } else {
                run.extend([' ', c, ' ']);
            }
        }
    }
    words(&run, &mut out);
    out
}

fn words(run: &str, out: &mut Vec<Naive>) {
    let run = fold(run);
    for word in run.split(|c| !is_word(c)) {
        let word = word.trim_start_matches(is_mark);
        let mut tokens: Vec<(String, TokenKind, bool)> = Vec::new();
        for cluster in word.graphemes(true) {
            for (i, c) in cluster.chars().enumerate() {
                let kind = if is_character(c) || is_cluster(c) && i == 0 {
                    TokenKind::Character
                } else {
                    TokenKind::Word
                };
                // A mark follows what stands before it, unless it starts a cluster that is not Han's.
                let own = kind == TokenKind::Character
                    && !(is_mark(c) && tokens.last().is_some_and(|(_, _, han)| *han));
                match tokens.last_mut() {
                    Some((text, last, _)) if !own && (is_mark(c) || *last == TokenKind::Word) => text.push(c),
                    _ => tokens.push((c.to_string(), kind, is_character(c))),
                }
            }
        }
        for (text, kind, _) in tokens {
            let folded = level(&text);
            let plain = strip(&folded);
            if !folded.is_empty() {
                out.push(Naive { folded, plain, kind });
            }
        }
    }
}

fn tokens(text: &str) -> Tokens {
    let mut tokens = Tokens::default();
    tokenize(text, Origin::Post(&[]), &mut tokens);
    tokens
}

/// What begins a cluster with whatever follows (Grapheme_Cluster_Break=Prepend).
fn is_prepended(c: char) -> bool {
    matches!(c,
        '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{d4e}'
        | '\u{110bd}' | '\u{110cd}' | '\u{111c2}'..='\u{111c3}' | '\u{113d1}' | '\u{1193f}' | '\u{11941}'
        | '\u{11a3a}' | '\u{11a84}'..='\u{11a89}' | '\u{11d46}' | '\u{11f02}')
}

/// Characters of every script that the contract names, and those that make trouble.
const ALPHABET: &str = "aàeéiIİıoøØłđæœßzZ019 .,-_'@#*:/\n\
    ёЁеЕйЙіїаяЖάΆαϊΐΰᾳᾷΩςσΣ\u{345}\
    ابأإآٱىیيئکكمحدةـ\u{64b}\u{651}\u{670}\u{653}\u{654}אבשׁ\u{5b0}\u{5c1}\
    漢東京々〆〇ひかがカｶﾞﾊﾟー゙\u{309a}하한ㅎㅋㅏ\u{1100}\u{1161}\u{11a8}ﾡ\
    กนำ้ิุ่แ๑ລຳ່ກកខ្ាကာ္ေ\u{1038}\u{1039}१कि्षाय\u{93c}\u{9cb}\
    👍👩❤™©ℹ‼㊗🇩🇪🏿🏽🚀\u{200d}\u{fe0f}\u{fe0e}\u{20e3}\u{ad}\u{200b}\u{200c}\u{34f}\
    \u{300}\u{301}\u{302}\u{307}\u{308}\u{323}\u{327}\u{336}\u{20dd}\u{489}\u{305}\
    №½²①⑩㎏㍿℃ﬁﷺ´¨Ａｂ１！￣…、。「𝒽𝓔🄰⒜\u{600}\u{d4e}\u{11a3a}\u{1f02c}\u{2028}\u{85}";

fn texts() -> impl Strategy<Value = String> {
    let alphabet: Vec<char> = ALPHABET.chars().collect();
    let one = prop_oneof![
        12 => prop::sample::select(alphabet).prop_map(String::from),
        3 => any::<char>().prop_map(String::from),
        2 => prop::sample::select(vec!["https://t.co/a", "HTTP://", "1️⃣", "👩‍🚀", "👍🏽", "né", "ab", "東京", "สวัสดี", "محمد"])
            .prop_map(String::from),
    ];
    prop::collection::vec(one, 0..16).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tokens_are_those_of_the_contract(text in texts()) {
        let tokens = tokens(&text);
        let found: Vec<Naive> = tokens
            .iter()
            .map(|t| Naive { folded: t.folded.to_owned(), plain: t.plain.to_owned(), kind: t.kind })
            .collect();
        prop_assert_eq!(found, naive(&text));
    }

    #[test]
    fn spans_are_in_order_and_hold_their_token(text in texts()) {
        // What is prepended to a cluster keeps an emoji from starting one.
        // The iota below stands alone only in tests; its span is that of what it hangs on.
        let text = text.replace(|c| is_prepended(c) || c == '\u{345}', "");
        let found = tokens(&text);
        let mut last = 0;
        for token in found.iter() {
            prop_assert!(token.span.start >= last && token.span.end > token.span.start);
            last = token.span.start;
            let slice = &text[token.span.range()];
            // A mark that is a cluster of its own (Myanmar) is dropped without the word before it.
            let bare = token.folded.starts_with(is_mark);
            // An emoji is one only where it begins a cluster; what is joined to a pictograph that is none does not.
            let joined = text[..token.span.range().start].ends_with('\u{200d}');
            let held = tokens(slice).iter().any(|t| t.folded == token.folded);
            prop_assert!(bare || joined || held, "{} of {:?}", token.folded, slice);
            prop_assert_eq!(token.plain_hash, tweetfilter_core::text::hash(token.plain));
            prop_assert_eq!(token.folded_hash, tweetfilter_core::text::hash(token.folded));
            prop_assert_eq!(token.is_accented(), token.folded != token.plain);
        }
    }

    #[test]
    fn folding_twice_changes_nothing(text in texts()) {
        // What folds to a digit before an enclosing keycap makes an emoji.
        let text = text.replace('\u{20e3}', "");
        let once = fold_value(&text);
        prop_assert_eq!(&fold_value(&once.folded).folded, &once.folded);
        for token in tokens(&text).iter().filter(|t| t.kind != TokenKind::Emoji && !t.folded.starts_with(is_mark)) {
            let again = tokens(token.folded);
            prop_assert_eq!(again.get(0).map(|t| t.folded.to_owned()), Some(token.folded.to_owned()));
        }
    }

    #[test]
    fn substrings_are_found_where_a_plain_search_finds_them(text in texts(), needle in texts()) {
        let mut folded = Searchable::default();
        fold_for_search(&text, Origin::Filter, &mut folded);
        let needle = Needle::new(&needle);
        let side = if needle.is_accented() { folded.folded() } else { folded.plain() };
        let starts: Vec<usize> = side.grapheme_indices(true).map(|(i, _)| i).chain([side.len()]).collect();
        let expected = !needle.text().is_empty() && starts.iter().any(|&start| {
            side[start..].starts_with(needle.text()) && starts.contains(&(start + needle.text().len()))
        });
        prop_assert_eq!(folded.find(&needle).is_some(), expected);
    }

    #[test]
    fn substrings_are_searched_in_the_folded_text(text in texts()) {
        let text: String = text.chars().filter(|&c| !is_emoji(c) && c != '\u{20e3}' && !is_mark(c)).collect();
        // Letters of a Hangul syllable that a tatweel, which counts as nothing, keeps apart are not put together.
        let apart = text.contains('\u{640}');
        let text: String =
            text.chars().filter(|c| !(apart && ('\u{1100}'..='\u{11ff}').contains(c))).collect();
        let known: String = text.chars().filter(|&c| !is_ignorable(c)).collect();
        let mut folded = Searchable::default();
        fold_for_search(&text, Origin::Filter, &mut folded);
        let squeeze = |text: &str| {
            let mut out = String::new();
            for c in text.chars().map(|c| if is_space(c) { ' ' } else { c }) {
                if !(c == ' ' && out.ends_with(' ')) {
                    out.push(c);
                }
            }
            out
        };
        let expected = squeeze(&level(&fold(&known)));
        prop_assert_eq!(folded.plain(), strip(&expected));
        prop_assert_eq!(folded.folded(), expected);
    }

    #[test]
    fn a_text_contains_itself(text in texts()) {
        let mut folded = Searchable::default();
        fold_for_search(&text, Origin::Filter, &mut folded);
        let needle = Needle::new(&text);
        let hit = folded.find(&needle);
        prop_assert_eq!(hit.is_some(), !needle.text().is_empty());
        prop_assert!(!folded.folded().contains("  ") && !folded.folded().chars().any(|c| c != ' ' && is_space(c)));
    }
}
