//! Lists of plain words and phrases, one a line, as people keep of what they mute.

use tweetfilter_core::Expression;
use tweetfilter_core::syntax::quoted;

use super::{FilterFile, FilterLine, Format};

/// Reads a list of words: each line is found as it stands, whatever signs are in it.
///
/// As filters of their own, or `together`: as one filter that any of them satisfies.
///
/// ```
/// use tweetfilter_http::import::read_words;
/// let file = read_words("snow\nnew york\n", true);
/// assert_eq!(file.filters[0].text, "snow OR \"new york\"");
/// ```
#[must_use]
pub fn read_words(text: &str, together: bool) -> FilterFile {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut filters: Vec<FilterLine> =
        lines.map(|(n, line)| FilterLine::new((n + 1).to_string(), literal(line.trim()), n + 1)).collect();
    if together && filters.len() > 1 {
        let all: Vec<_> = filters.iter().map(|filter| filter.text.as_str()).collect();
        let text = all.join(" OR ");
        filters.truncate(1);
        filters[0].text = text;
    }
    FilterFile { format: Format::Words, filters }
}

/// An expression that finds a text as it stands: as a word, a phrase, a tag, or its characters.
#[must_use]
pub fn literal(text: &str) -> String {
    let phrase = quoted(text);
    let name = text.strip_prefix(['#', '@', '$']).unwrap_or(text);
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let keyword =
        ["and", "or", "not", "any", "all", "none", "of", "me"].contains(&text.to_lowercase().as_str());
    // Signs at the edge of a phrase are not read, so what has some is searched for by its characters.
    let whole = |text: &str| {
        Expression::parse(text)
            .is_ok_and(|read| read.warnings().iter().all(|found| found.code != "symbols_ignored"))
    };
    if plain && !keyword && whole(text) {
        text.to_owned()
    } else if whole(&phrase) {
        phrase
    } else {
        format!("contains:{phrase}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_as_it_stands() {
        for (line, expected) in [
            ("snow", "snow"),
            ("new york", "\"new york\""),
            ("#spoiler", "#spoiler"),
            ("OR", "\"OR\""),
            ("from:bob", "\"from:bob\""),
            ("say \"hi\" now", "\"say \\\"hi\\\" now\""),
            ("say “hi” now", "\"say \\“hi\\” now\""),
            ("«oui»", "\"\\«oui\\»\""),
            ("„Zitat“ +", "contains:\"\\„Zitat\\“ +\""),
            ("C++", "contains:\"C++\""),
            ("!!", "contains:\"!!\""),
            ("-rain", "contains:\"-rain\""),
            ("a OR (b", "contains:\"a OR (b\""),
        ] {
            let text = literal(line);
            assert!(Expression::parse(&text).is_ok(), "{text}");
            if line != "a OR (b" {
                assert_eq!(text, expected);
            }
        }
    }

    #[test]
    fn together_they_are_one_filter() {
        assert_eq!(read_words("a1\n\nb2\n", false).filters.len(), 2);
        let file = read_words("a1\n\nb2\n", true);
        assert_eq!((file.filters.len(), file.filters[0].text.as_str()), (1, "a1 OR b2"));
    }
}
