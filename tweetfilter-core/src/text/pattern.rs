//! What filters ask of tokens: words, phrases and the items of a proximity, with wildcards.

use super::fold::is_keycap;
use super::tokens::exact_with;
use super::wildcard::{Wildcard, WildcardReach};
use super::{Origin, Token, TokenKind, Tokens, tokenize};
use crate::Span;

/// The tokens of a word or phrase of a filter; they match adjacent tokens of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    /// In order; the last may have wildcards.
    pub terms: Vec<Term>,
}

/// One token of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Where it stands in the pattern's text.
    pub span: Span,
    /// What it is made of.
    pub kind: TokenKind,
    /// Case-folded, its accents kept. With wildcards: as typed but folded, `*` and `?` included.
    pub folded: String,
    /// The same without one-sided accents.
    pub plain: String,
    /// NFKC, case and accents as typed.
    pub exact: String,
    /// The wildcards, if there are any.
    pub wildcard: Option<Wildcard>,
}

/// Why a word with wildcards can't be matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WildcardError {
    /// A wildcard stands in another token than the last.
    NotInLastToken(Span),
    /// No two literal characters stand side by side.
    TooFewLiterals(Span),
    /// A wildcard stands beside an emoji or a script whose characters are tokens.
    NotInWord(Span),
    /// The word has more than 100 characters besides `*`.
    TooLong(Span),
}

impl Pattern {
    /// Whether there is no token at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

impl Term {
    /// Whether it has one-sided accents (or a skin tone), so that only tokens with the same match.
    #[must_use]
    pub fn is_accented(&self) -> bool {
        self.folded != self.plain
    }

    /// What it is looked up by among the folded texts of tokens if [accented](Self::is_accented), else among
    /// their plain ones; no use with wildcards.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.folded
    }

    /// Whether it matches a token, by the accent rule.
    #[must_use]
    pub fn matches(&self, token: Token<'_>) -> bool {
        let text = if self.is_accented() { token.folded } else { token.plain };
        match &self.wildcard {
            Some(wildcard) => token.kind == TokenKind::Word && wildcard.matches(text),
            None => text == self.folded,
        }
    }

    /// By what the tokens that it matches can be found if it has wildcards; `exact`: under `=`.
    pub(crate) fn reach(&self, exact: bool) -> WildcardReach<'_> {
        self.wildcard.as_ref().map_or(WildcardReach::None, |wildcard| wildcard.reach(&self.plain, exact))
    }

    /// Whether it matches under `=`; `text` is what [`exact`](super::exact) says of the token.
    #[must_use]
    pub fn matches_exact(&self, kind: TokenKind, text: &str) -> bool {
        match &self.wildcard {
            Some(wildcard) => kind == TokenKind::Word && wildcard.matches_exact(text),
            None => text == self.exact,
        }
    }
}

/// The tokens of a word or phrase of a filter. `*` and `?` are wildcards if `wildcards`, else they separate.
///
/// ```
/// use tweetfilter_core::text::pattern;
/// let pattern = pattern("Coca-Col*", true)?;
/// assert_eq!(pattern.terms[0].plain, "coca");
/// assert_eq!(pattern.terms[1].plain, "col*");
/// # Ok::<(), tweetfilter_core::text::WildcardError>(())
/// ```
///
/// # Errors
/// The wildcards can't be matched.
pub fn pattern(text: &str, wildcards: bool) -> Result<Pattern, WildcardError> {
    let mut places = wildcard_places(text).filter(|_| wildcards).peekable();
    let Some(&first) = places.peek() else {
        return Ok(Pattern { terms: terms(text) });
    };
    let mut terms = terms(&text[..first]);
    let mut pieces = Vec::new();
    let touching = terms.pop_if(|term| term.span.range().end == first);
    let start = touching.as_ref().map_or(first, |term| term.span.range().start);
    let whole = Span::from(start..text.len());
    if let Some(term) = touching {
        if term.kind != TokenKind::Word {
            return Err(WildcardError::NotInWord(term.span));
        }
        pieces.push(Piece::Literal(term));
    }
    let mut at = first;
    let mut end = text.len();
    for to in places.chain([text.len()]) {
        let from = at;
        at = to + 1;
        let literal = &text[from..to];
        if let [only] = &mut self::terms(literal)[..] {
            let whole = only.span.range() == (0..literal.len());
            let last_dot = to == text.len()
                && literal.strip_suffix('.').is_some_and(|l| only.span.range() == (0..l.len()));
            only.span = Span::from(from + only.span.range().start..from + only.span.range().end);
            if only.kind != TokenKind::Word {
                return Err(WildcardError::NotInWord(only.span));
            }
            if !whole && !last_dot {
                return Err(WildcardError::NotInLastToken(Span::from(start..from)));
            }
            end = only.span.range().end;
            pieces.push(Piece::Literal(only.clone()));
        } else if !literal.is_empty() {
            let several = self::terms(literal);
            if several.is_empty() && to == text.len() {
                end = from;
                break;
            }
            let character = several.iter().find(|t| t.kind != TokenKind::Word);
            return Err(match character {
                Some(term) => WildcardError::NotInWord(Span::from(from + term.span.range().start..to)),
                None => WildcardError::NotInLastToken(Span::from(start..from)),
            });
        }
        match text.as_bytes().get(to) {
            Some(b'*') => pieces.push(Piece::Any),
            Some(_) => pieces.push(Piece::One),
            None => {}
        }
    }
    let span = Span::from(start..end);
    let text = |of: fn(&Term) -> &str| -> String {
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(term) => of(term),
                Piece::Any => "*",
                Piece::One => "?",
            })
            .collect()
    };
    let (folded, plain, exact) = (text(|t| &t.folded), text(|t| &t.plain), text(|t| &t.exact));
    let long = |s: &str| s.split(['*', '?']).any(|literal| literal.chars().nth(1).is_some());
    if !long(&folded) {
        return Err(WildcardError::TooFewLiterals(whole));
    }
    let wildcard = Wildcard::new(&folded, &exact).ok_or(WildcardError::TooLong(whole))?;
    let wildcard = Some(wildcard);
    terms.push(Term { span, kind: TokenKind::Word, folded, plain, exact, wildcard });
    Ok(Pattern { terms })
}

/// Whether a text is clearly one token, which folds as ASCII does.
pub(crate) fn is_simple(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Where `*` and `?` stand that are no keycap.
fn wildcard_places(text: &str) -> impl Iterator<Item = usize> {
    let places = text.match_indices(['*', '?']).map(|(at, _)| at);
    places.filter(|at| !is_keycap(&text[at + 1..]))
}

enum Piece {
    Literal(Term),
    Any,
    One,
}

/// The items of a proximity: its text split at white space, each with its tokens. Items without a token (a lone
/// `-`) are left out.
#[must_use]
pub fn near_items(text: &str) -> Vec<Pattern> {
    let mut items = Vec::new();
    for item in text.split_whitespace() {
        let start = item.as_ptr() as usize - text.as_ptr() as usize;
        let mut terms = terms(item);
        for term in &mut terms {
            term.span = Span::from(start + term.span.range().start..start + term.span.range().end);
        }
        if !terms.is_empty() {
            items.push(Pattern { terms });
        }
    }
    items
}

fn terms(text: &str) -> Vec<Term> {
    if is_simple(text) {
        let folded = text.to_ascii_lowercase();
        return vec![Term {
            span: Span::from(0..text.len()),
            kind: TokenKind::Word,
            plain: folded.clone(),
            folded,
            exact: text.to_owned(),
            wildcard: None,
        }];
    }
    terms_of_tokens(text)
}

/// The same for any text.
fn terms_of_tokens(text: &str) -> Vec<Term> {
    let (mut tokens, mut memory) = (Tokens::default(), Tokens::default());
    tokenize(text, Origin::Filter, &mut tokens);
    let term = |token: Token<'_>| Term {
        span: token.span,
        kind: token.kind,
        folded: token.folded.to_owned(),
        plain: token.plain.to_owned(),
        exact: exact_with(&text[token.span.range()], token, &mut memory),
        wildcard: None,
    };
    tokens.iter().map(term).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_texts_are_read_as_any_others() {
        for text in ["snow", "Snow", "SNOW2021", "a", "7", "q0hosfagzg"] {
            assert!(is_simple(text) && terms(text) == terms_of_tokens(text), "{text}");
        }
        for text in ["", " ", "a b", "snow!", "é", "歌", "a_b", "ſ"] {
            assert!(!is_simple(text) && terms(text) == terms_of_tokens(text), "{text}");
        }
    }
}
