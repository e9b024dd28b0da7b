//! Literals that a regex requires: any match of the regex begins or ends with one of them.

use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};

use super::RegexPattern;

/// Shorter literals are found in nearly every text.
const SHORTEST: usize = 2;
/// More literals than this cost more than they save.
const MOST: usize = 64;

/// The literals of which one occurs wherever the pattern matches; empty when there is no useful set.
pub(crate) fn required(pattern: &RegexPattern) -> Vec<Vec<u8>> {
    let Ok(hir) = pattern.parse() else { return Vec::new() };
    let sequences = [ExtractKind::Prefix, ExtractKind::Suffix].map(|kind| {
        let mut extractor = Extractor::new();
        extractor.kind(kind).limit_total(MOST).limit_class(16).limit_repeat(4).limit_literal_len(32);
        extractor.extract(&hir)
    });
    let best = sequences.iter().filter(|s| usable(s)).max_by_key(|s| s.min_literal_len());
    let Some(literals) = best.and_then(Seq::literals) else { return Vec::new() };
    let mut found: Vec<Vec<u8>> = literals.iter().map(|l| l.as_bytes().to_vec()).collect();
    found.sort();
    found.dedup();
    found
}

fn usable(sequence: &Seq) -> bool {
    sequence.len().is_some_and(|n| 0 < n && n <= MOST)
        && sequence.min_literal_len().is_some_and(|n| n >= SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(pattern: &str, ignore_case: bool) -> Vec<String> {
        let pattern = RegexPattern {
            pattern: pattern.into(),
            ignore_case,
            dot_matches_newline: false,
            multi_line: false,
            verbose: false,
        };
        required(&pattern).into_iter().map(|l| String::from_utf8_lossy(&l).into_owned()).collect()
    }

    #[test]
    fn a_prefix_or_suffix_is_required() {
        assert_eq!(literals(r"\bsnow[a-z]*\b", false), ["snow"]);
        assert_eq!(literals(r"[a-z]*day(s|ing)", false), ["daying", "days"]);
        assert_eq!(literals("no", true), ["NO", "No", "nO", "no"]);
    }

    #[test]
    fn nothing_is_required_where_anything_can_stand() {
        assert!(literals(r"\w+", false).is_empty());
        assert!(literals(r"a|.*", false).is_empty());
        assert!(literals("", false).is_empty());
    }
}
