//! What `~` compares: look-alike letters, digits for letters, stretched letters.

use super::Token;
use super::flags::LETTER;
use super::tables::{confusable, entry};

/// A token's look-alike skeleton under `~`, before runs of equal letters are compared.
///
/// ```
/// use tweetfilter_core::text::{Origin, Tokens, obfuscated, stretched_equal, tokenize};
/// let mut tokens = Tokens::default();
/// tokenize("V1AGRAAA viagra", Origin::Filter, &mut tokens);
/// let skeletons: Vec<String> = tokens.iter().map(obfuscated).collect();
/// assert_eq!(skeletons, ["viagraaa", "viagra"]);
/// assert!(stretched_equal(&skeletons[1], &skeletons[0]));
/// ```
#[must_use]
pub fn obfuscated(token: Token<'_>) -> String {
    let mut out = String::new();
    obfuscated_into(token.plain, &mut out);
    out
}

/// Appends the skeleton of a token's plain text to `out`.
pub fn obfuscated_into(plain: &str, out: &mut String) {
    let letters = plain.chars().any(|c| entry(c) & LETTER != 0);
    out.extend(plain.chars().map(|c| look_alike(c, letters)));
}

#[inline]
fn look_alike(c: char, letters: bool) -> char {
    let c = match c {
        '0'..='9' if letters => leet(c),
        'a'..='z' => c,
        c => confusable(c),
    };
    if c == 'l' { 'i' } else { c }
}

/// Appends the [`squeezed`] skeleton of a token's plain text to `out`.
pub(crate) fn squeezed_into(plain: &str, out: &mut String) {
    let from = out.len();
    let letters = plain.is_ascii() && plain.bytes().any(|b| b.is_ascii_alphabetic());
    if !letters {
        let mut skeleton = String::new();
        obfuscated_into(plain, &mut skeleton);
        out.extend(runs(&skeleton).map(|(c, _)| c));
        return;
    }
    for byte in plain.bytes() {
        let c = look_alike(char::from(byte), true);
        if !(out.len() > from && out.ends_with(c)) {
            out.push(c);
        }
    }
}

fn leet(digit: char) -> char {
    match digit {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        '8' => 'b',
        '9' => 'g',
        digit => digit,
    }
}

/// Whether the skeleton of a filter equals that of a token of a text, in which three or more equal letters in a
/// row count as one or two.
#[must_use]
pub fn stretched_equal(filter: &str, text: &str) -> bool {
    let (mut filter, mut text) = (runs(filter), runs(text));
    loop {
        match (filter.next(), text.next()) {
            (None, None) => return true,
            (Some((a, asked)), Some((b, found))) if a == b => {
                let letter = entry(a) & LETTER != 0;
                if asked != found && !(letter && found >= 3) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// A skeleton with each run of equal characters as one: equal for all skeletons that [`stretched_equal`] holds
/// equal, so a key to look them up by.
#[must_use]
pub fn squeezed(skeleton: &str) -> String {
    runs(skeleton).map(|(c, _)| c).collect()
}

fn runs(text: &str) -> impl Iterator<Item = (char, usize)> {
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        let c = chars.next()?;
        let mut count = 1;
        while chars.next_if_eq(&c).is_some() {
            count += 1;
        }
        Some((c, count))
    })
}
