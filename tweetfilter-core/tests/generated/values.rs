//! Words, phrases and the other forms, alone and as values of operators.

use super::{COMMON, Choices, EMOJI, WORDS};

pub fn word(choices: &mut Choices<'_>) -> String {
    choices.pick(WORDS).to_owned()
}

pub fn phrase(choices: &mut Choices<'_>) -> String {
    let mut text = word(choices);
    for _ in 0..choices.below(4) {
        text.push_str(choices.pick(&[" ", "  ", "-", ", ", "", "\n"]));
        text.push_str(if choices.once_in(5) { choices.pick(EMOJI) } else { choices.pick(WORDS) });
    }
    format!("\"{text}\"")
}

pub fn wildcards(choices: &mut Choices<'_>) -> String {
    const LETTERS: &[&str] =
        &["ab", "caf", "café", "now", "sn", "ist", "АЛ", "алё", "10", "str", "via", "boo", "εη", "كت"];
    let (a, b) = (choices.pick(LETTERS), choices.pick(LETTERS));
    match choices.below(7) {
        0 => format!("{a}*"),
        1 => format!("*{a}"),
        2 => format!("*{a}*"),
        3 => format!("{a}*{b}"),
        4 => format!("{a}?{b}"),
        5 => format!("{a}?{b}*"),
        _ => format!("{a}-{b}*"),
    }
}

/// A word, phrase or wildcard.
pub fn plain(choices: &mut Choices<'_>) -> String {
    match choices.below(6) {
        0..=2 => word(choices),
        3 => phrase(choices),
        4 => wildcards(choices),
        _ => choices.pick(EMOJI).to_owned(),
    }
}

pub fn exact(choices: &mut Choices<'_>) -> String {
    let inner = match choices.below(4) {
        0 => phrase(choices),
        1 => wildcards(choices),
        2 => proximity(choices),
        _ => word(choices),
    };
    format!("={inner}")
}

pub fn obfuscated(choices: &mut Choices<'_>) -> String {
    format!("~{}", choices.pick(&["viagra", "book", "free", "cafe", "boook", "straße", "алёна", "snow"]))
}

pub fn proximity(choices: &mut Choices<'_>) -> String {
    let item = |c: &mut Choices<'_>| if c.below(4) < 3 { c.pick(COMMON).to_owned() } else { word(c) };
    let mut items = vec![item(choices), item(choices)];
    if choices.below(2) == 0 {
        items.push(item(choices));
    }
    // Some stand twice, some overlap.
    if choices.below(3) == 0 {
        let again = items[0].clone();
        items.push(if choices.below(2) == 0 { again } else { format!("{again}-{again}") });
    }
    format!("\"{}\"~{}", items.join(" "), choices.below(5))
}

/// What the value of an operator on words may be.
pub fn value(choices: &mut Choices<'_>) -> String {
    match choices.below(10) {
        0..=4 => plain(choices),
        5 => exact(choices),
        6 => obfuscated(choices),
        7 | 8 => proximity(choices),
        _ => "{values}".to_owned(),
    }
}

/// The same for links, with escapes.
pub fn url(choices: &mut Choices<'_>) -> String {
    match choices.below(6) {
        0 => choices
            .pick(&["caf%C3%A9", "xn--bcher-kva", "~b%C3%BCcher", "=caf%C3%A9", "caf%C3%A9*"])
            .to_owned(),
        1 => format!("\"{} example\"~{}", choices.pick(&["caf%C3%A9", "xn--bcher-kva"]), choices.below(3)),
        _ => value(choices),
    }
}
