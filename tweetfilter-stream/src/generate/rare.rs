//! Words that hardly anybody uses: the long tail of the vocabulary.
//!
//! A stream in which everybody spells well and says things once in whole words would flatter an index: of a
//! real one, four types of five occur once.

use super::lexicon::Lexicon;
use super::random::Random;

/// Makes the word that `out` ends with, from `start` on, a rare one: lengthened, compounded or misspelled.
///
/// Of several words (`the cat`) the last is meant.
pub(super) fn make_rare(words: &Lexicon, start: usize, noun: bool, random: &mut Random, out: &mut String) {
    let last = out[start..].rfind([' ', '\'', '’']).map_or(start, |at| {
        let at = start + at;
        at + out[at..].chars().next().map_or(0, char::len_utf8)
    });
    match random.below(100) {
        0..10 => slip(last, random, out),
        10..20 => stretch(last, random, out),
        20..68 if noun && words.has("suf") => words.write_common("suf", random, out),
        _ if words.has("pre") => {
            let rest = out.split_off(last);
            words.write_common("pre", random, out);
            out.push_str(&rest);
        }
        _ if noun => words.write_common("suf", random, out),
        _ => slip(last, random, out),
    }
}

/// A count: small ones are common, and some are round.
pub(super) fn number(random: &mut Random, out: &mut String) {
    let count = 1 + random.zipf(120, 8);
    out.push_str(&count.to_string());
    if random.chance(1000) {
        out.push_str("00");
    }
}

/// `7:05`.
pub(super) fn time_of_day(random: &mut Random, out: &mut String) {
    out.push_str(&format!("{}:{:02}", random.between(1, 23), random.below(60)));
}

/// Letters that join freely: no marks, which would lose their letters, and no syllables.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() && c < '\u{700}'
}

/// A slip of the finger: two letters swapped, one left out or doubled, or another in its place.
fn slip(start: usize, random: &mut Random, out: &mut String) {
    let word: Vec<char> = out[start..].chars().collect();
    if word.len() < 4 || !word.iter().all(|&c| is_letter(c)) {
        return;
    }
    let mut word = word;
    let at = random.between(1, word.len() as u32 - 2) as usize;
    match random.below(4) {
        0 => word.swap(at, at + 1),
        1 => {
            word.remove(at);
        }
        2 => word.insert(at, word[at]),
        _ => word[at] = word[random.below(word.len() as u32) as usize],
    }
    out.truncate(start);
    out.extend(word);
}

/// `cooooold`, `omggg`: the last vowel that the word does not begin with, or else the last letter, several times more.
pub(super) fn stretch(start: usize, random: &mut Random, out: &mut String) {
    let word = &out[start..];
    let letters = || word.char_indices().rev().filter(|&(_, c)| c.is_alphabetic());
    let vowel = |&(at, c): &(usize, char)| at > 0 && "aeiouyáéíóúãõöüıаеиоуыэюяاويى".contains(c);
    let Some((at, letter)) = letters().find(vowel).or_else(|| letters().next()) else { return };
    if is_letter(letter) || matches!(letter, 'ㅋ' | 'ㅎ' | 'ㅠ' | '草' | 'ー') {
        let more = std::iter::repeat_n(letter, 2 + random.zipf(12, 3) as usize);
        out.insert_str(start + at, &more.collect::<String>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(make: impl Fn(&mut Random) -> String) -> std::collections::HashSet<String> {
        let random = &mut Random::new(1);
        (0..2000).map(|_| make(random)).collect()
    }

    #[test]
    fn slips_and_stretches_stay_near_the_word() {
        let made = |word: &'static str, change: fn(usize, &mut Random, &mut String)| {
            many(|random| {
                let mut out = format!("a {word}");
                change(2, random, &mut out);
                out
            })
        };
        let slips = made("coffee", slip);
        for slip in ["a cofee", "a cofffee", "a cfofee", "a coffee"] {
            assert!(slips.contains(slip), "{slip}: {slips:?}");
        }
        assert!(slips.iter().all(|slip| slip.starts_with("a c")), "{slips:?}");
        assert!(made("cold", stretch).contains("a cooold"));
        assert!(made("omg,", stretch).contains("a omggg,"));
        // Neither a mark without its letter nor a torn word.
        assert_eq!(made("कुर्सी", slip).len(), 1);
        assert_eq!(made("12:30", slip).len(), 1);
        assert_eq!(made("", stretch).len(), 1);
    }

    #[test]
    fn small_counts_are_common_and_round_ones_there() {
        let all = many(|random| {
            let mut out = String::new();
            number(random, &mut out);
            out
        });
        assert!(["1", "8", "100", "300"].iter().all(|n| all.contains(*n)), "{all:?}");
        assert!((100..250).contains(&all.len()), "{}", all.len());
    }
}
