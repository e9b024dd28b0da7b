//! Whether a regex is one, and how large it is when compiled.
//!
//! Compiling costs a hundred times what the rest of a filter costs, so an upper bound read off the parsed
//! pattern decides most cases; only what it can't clear is compiled.

use regex_automata::meta;
use regex_automata::util::syntax::{self, Config};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::RegexPattern;

/// Why a pattern can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WrongRegex {
    /// It is no regex, for this reason.
    Invalid(String),
    /// It is larger than allowed.
    TooLarge,
}

/// How deep the parts of a regex may be nested.
pub(super) const NESTED: u32 = 64;

/// A bound may fall short of the size by a part, where ranges of code points take many sequences of bytes.
const MARGIN: usize = 2;

impl RegexPattern {
    /// Whether it is a regex that compiles to at most `limit` bytes.
    pub(crate) fn check(&self, limit: usize) -> Result<(), WrongRegex> {
        let hir = self.parse().map_err(|error| {
            let text = error.to_string();
            WrongRegex::Invalid(
                text.lines().last().unwrap_or("").trim().trim_start_matches("error: ").to_owned(),
            )
        })?;
        match bound(&hir).saturating_mul(MARGIN) <= limit || compiles(&hir, limit) {
            true => Ok(()),
            false => Err(WrongRegex::TooLarge),
        }
    }

    /// The size when compiled, to a sixteenth of what is allowed; `None`: it is over that.
    pub(crate) fn size(&self, limit: usize) -> Option<usize> {
        let hir = self.parse().ok()?;
        let bound = bound(&hir);
        if bound <= limit / 16 {
            return Some(bound);
        }
        // The smallest limit under which it compiles.
        let (mut low, mut high) = (0, 16);
        while low + 1 < high {
            let middle = usize::midpoint(low, high);
            match compiles(&hir, limit / 16 * middle) {
                true => high = middle,
                false => low = middle,
            }
        }
        (high < 16 || compiles(&hir, limit)).then_some(limit / 16 * high)
    }

    /// An upper bound of the size, roughly; `None` if it is no regex.
    pub(crate) fn bound(&self) -> Option<usize> {
        self.parse().ok().map(|hir| bound(&hir))
    }

    pub(super) fn parse(&self) -> Result<Hir, Box<regex_syntax::Error>> {
        let config = Config::new()
            .case_insensitive(self.ignore_case)
            .dot_matches_new_line(self.dot_matches_newline)
            .multi_line(self.multi_line)
            .ignore_whitespace(self.verbose)
            .nest_limit(NESTED);
        syntax::parse_with(&self.pattern, &config).map_err(Box::new)
    }
}

/// Whether it compiles within a limit: forwards and backwards, as evaluation needs it. Builds what the limit is about
/// and none of the faster forms, which take ten times as long to make.
fn compiles(hir: &Hir, limit: usize) -> bool {
    let config = meta::Config::new()
        .nfa_size_limit(Some(limit))
        .dfa(false)
        .hybrid(true)
        .onepass(false)
        .backtrack(false)
        .auto_prefilter(false);
    meta::Builder::new().configure(config).build_from_hir(hir).is_ok()
}

fn bound(hir: &Hir) -> usize {
    1024usize.saturating_add(of(hir))
}

/// A state takes up to 40 bytes with its transition; a range of code points up to four sequences of four bytes.
fn of(hir: &Hir) -> usize {
    const STATE: usize = 40;
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE,
        HirKind::Literal(literal) => literal.0.len().saturating_mul(STATE),
        HirKind::Class(Class::Bytes(class)) => STATE + class.ranges().len() * 8,
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|r| if r.end().is_ascii() { STATE } else { 16 * STATE }).sum::<usize>()
                + STATE
        }
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1) as usize;
            of(&repetition.sub).saturating_add(2 * STATE).saturating_mul(times)
        }
        HirKind::Capture(capture) => of(&capture.sub).saturating_add(2 * STATE),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(of).fold(2 * STATE, usize::saturating_add)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(pattern: &str) -> RegexPattern {
        RegexPattern {
            pattern: pattern.into(),
            ignore_case: false,
            dot_matches_newline: false,
            multi_line: false,
            verbose: false,
        }
    }

    #[test]
    fn what_the_bound_clears_compiles() {
        let atoms = [
            "a",
            "[^a]",
            ".",
            r"\w",
            r"\d",
            r"\pL",
            r"\PL",
            "[а-я]",
            "[^東]",
            "(x|[^y]|é)",
            r"(?i:straße)",
            r"\b",
        ];
        let forms = ["ATOM", "ATOM+", "ATOM{5}", "ATOM{0,9}", "(ATOM{3}){4}", "(ATOM|ATOM)*", "(ATOM?){6}"];
        for atom in atoms {
            for form in forms {
                let regex = pattern(&form.replace("ATOM", atom));
                let limit = regex.bound().expect("a regex") * MARGIN;
                assert!(compiles(&regex.parse().expect("a regex"), limit), "{regex:?}");
            }
        }
    }

    #[test]
    fn what_is_small_enough_to_be_written_is_small_enough_to_be_run() {
        for text in [r"\w{6}", r"abc\w{6}", r"\w{3}", r"[^a]{60}", r"\pL{4}", r"\d{40}", "a{300}"] {
            for limit in [1 << 10, 16 << 10, 128 << 10, 256 << 10, 1 << 20] {
                let regex = pattern(text);
                let runs = regex::RegexBuilder::new(text).size_limit(limit).build().is_ok();
                assert_eq!(regex.check(limit).is_ok(), runs, "{text} within {limit}");
                assert_eq!(regex.size(limit).is_some(), runs, "{text} within {limit}");
            }
        }
    }
}
