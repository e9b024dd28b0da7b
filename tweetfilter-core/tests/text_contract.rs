//! The rows of the contract that concern text.

use tweetfilter_core::text::{
    Needle, Origin, Searchable, Tokens, caps, emoji, exact, fold_for_search, fold_value, length, near_items,
    obfuscated, pattern, stretched_equal, tokenize,
};

fn tokens(text: &str) -> Tokens {
    let mut tokens = Tokens::default();
    tokenize(text, Origin::Post(&[]), &mut tokens);
    tokens
}

/// Where the phrase `filter` is found in `text`.
fn phrase(filter: &str, text: &str) -> Option<String> {
    let pattern = pattern(filter, true).expect("a good pattern");
    let tokens = tokens(text);
    (0..tokens.len()).find_map(|start| {
        let all = pattern.terms.iter().enumerate();
        let mut hit = all.map(|(i, term)| tokens.get(start + i).filter(|&token| term.matches(token)));
        let first = hit.next()??.span;
        let last = hit.try_fold(first, |_, token| token.map(|t| t.span))?;
        Some(text[first.to(last).range()].to_owned())
    })
}

fn holds(filter: &str, text: &str) -> bool {
    phrase(filter, text).is_some()
}

#[test]
fn words_and_phrases() {
    assert_eq!(phrase("nike", "New Nike™ Air").as_deref(), Some("Nike"));
    assert!(holds("10", "10½ inch") && !holds("101", "10½ inch"));
    for text in ["don´t", "don’t", "don t", "don't"] {
        assert!(holds("don't", text), "{text}");
    }
    assert!(!holds("don't", "dont"));
    assert!(holds("ㅋㅋ", "ㅋㅋㅋ") && !holds("하", "ㅎㅏ") && holds("です", "https://t.co/abcです"));
    assert!(holds("10:30", "at 10.30") && holds("AC/DC", "ac dc"));
    assert!(!holds("example", "see https://example.com"));
    assert!(holds("new york", "New\nYork"));
}

#[test]
fn emoji_sequences() {
    assert!(holds("❤️", "I ❤ it") && holds("👍", "👍🏿") && !holds("👍🏽", "👍🏿") && !holds("👩", "👩‍🚀"));
}

#[test]
fn accents() {
    let nfd = "cafe\u{301}";
    assert!(["CAFÉ", nfd, "Cafe"].into_iter().all(|text| holds("cafe", text)));
    assert!(holds("café", "CAFÉ") && holds("café", nfd) && !holds("café", "Cafe"));
    assert!(holds("Алёна", "АЛЕНА") && holds("АЛЕНА", "Алёна"));
    assert!(holds("İstanbul", "ISTANBUL") && holds("محمد", "محـــمد"));
    let exactly = |filter: &str, text: &str| {
        let pattern = pattern(filter, false).expect("no wildcards");
        tokens(text).iter().any(|t| pattern.terms[0].matches_exact(t.kind, &exact(&text[t.span.range()], t)))
    };
    assert!(exactly("Cafe", "a Cafe") && !exactly("Cafe", "CAFÉ") && !exactly("Cafe", "cafe"));
}

#[test]
fn proximity_items() {
    let items = near_items("東京 大阪 - 10:30");
    let plain: Vec<Vec<&str>> =
        items.iter().map(|item| item.terms.iter().map(|t| t.plain.as_str()).collect()).collect();
    assert_eq!(plain, [vec!["東", "京"], vec!["大", "阪"], vec!["10", "30"]]);
}

#[test]
fn obfuscation() {
    let holds = |filter: &str, text: &str| {
        let (filter, text) = (tokens(filter), tokens(text));
        let skeleton = |t: &Tokens| t.get(0).map(obfuscated).expect("one token");
        stretched_equal(&skeleton(&filter), &skeleton(&text))
    };
    assert!(holds("viagra", "V1AGRAAA") && holds("viagra", "vіаgra"));
    assert!(!holds("book", "bok") && holds("book", "bооook"));
}

#[test]
fn substrings() {
    let find = |pattern: &str, text: &str| {
        let mut folded = Searchable::default();
        fold_for_search(text, Origin::Post(&[]), &mut folded);
        folded.find(&Needle::new(pattern)).map(|span| text[span.range()].to_owned())
    };
    assert_eq!(find("new york", "in New\nYork!").as_deref(), Some("New\nYork"));
    assert_eq!(find(":)", "a :) b").as_deref(), Some(":)"));
    assert_eq!(find("👩", "👩‍🚀"), None);
    assert_eq!(find("é", "cafe"), None);
}

#[test]
fn values_and_counts() {
    assert!(fold_value("ÅRE").is_accented() && fold_value("are").matches(&fold_value("Åre")));
    assert_eq!(length("  a\n\n b https://x.y é👩‍🚀 ", &[]), 6);
    assert_eq!(emoji("👍👍🏿 ❤️ 1️⃣ ©", &[]), 5);
    assert!((caps("123", &[], &[])).abs() < 1e-9 && (caps("AbCD", &[], &[]) - 75.0).abs() < 1e-9);
}
