//! From lexemes to atoms.

mod operator;

use super::chars::{is_tag, syntax};
use super::composed::composed;
use super::regexes::WrongRegex;
use super::report::Report;
use super::token::{Lexeme, Raw, RawKind};
use super::words::{Checked, Searched, check, clean, is_bare_word, joined, unescape};
use super::{
    AccountName, Atom, Diagnostic, Dialect, Form, Node, NodeKind, RegexPattern, Shape, TextPattern,
    operators, print,
};
use crate::text::{decode_link, is_simple};
use crate::{Limits, Span};

/// Makes atoms of one expression, and reports those that can't be made.
pub(super) struct Atoms<'a, 'r> {
    pub(super) text: &'a str,
    pub(super) dialect: Dialect,
    pub(super) limits: &'r Limits,
    pub(super) report: &'r mut Report,
    /// The tokens of words and phrases that are searched for in the text.
    pub(super) tokens: Checked,
    regexes: usize,
}

impl<'a, 'r> Atoms<'a, 'r> {
    pub(super) fn new(text: &'a str, dialect: Dialect, limits: &'r Limits, report: &'r mut Report) -> Self {
        Self { text, dialect, limits, report, tokens: Checked::default(), regexes: 0 }
    }

    /// The node of an operand; `None` if it was reported.
    pub(super) fn node(&mut self, lexeme: &Lexeme<'a>, span: Span) -> Option<Node> {
        let atom = match lexeme {
            Lexeme::Text(raw) => self.text_atom(raw)?,
            Lexeme::Regex { pattern, flags } => self.regex(pattern, flags, span)?,
            Lexeme::Set(name) => Atom::Set(self.set_name(name, span)?),
            Lexeme::Entity('#', name) => self.hashtag(name, span)?,
            Lexeme::Entity('@', name) => self.mention(name, span)?,
            Lexeme::Entity(_, name) => self.cashtag(name, span)?,
            Lexeme::Operator { name, values } => return self.operator(name, values, span),
            _ => return None,
        };
        Some(Node { span, kind: NodeKind::Atom(atom) })
    }

    /// Reports what keeps an atom from being made.
    fn fail<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.report.push(diagnostic);
        None
    }

    /// Where a slice of the expression stands in it.
    pub(super) fn span(&self, part: &str) -> Span {
        let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
        Span::from(start..start + part.len())
    }

    /// What stands in quotes.
    fn quoted(&mut self, inner: &str, all: &str) -> String {
        let (text, literal) = unescape(inner);
        if literal {
            let span = self.span(all);
            let message =
                "A backslash here stands for itself; it escapes only quotation marks and backslashes";
            self.report.push(Diagnostic::warning("backslash_literal", span, message).fix(
                self.span(inner),
                print::quoted(&text).trim_matches('"'),
                "double it",
            ));
        }
        text
    }

    fn text_atom(&mut self, raw: &Raw<'a>) -> Option<Atom> {
        let span = self.span(raw.all);
        if let RawKind::Run(run) = raw.kind {
            // Nothing in it is to be read as anything else.
            if is_simple(run) {
                return self.checked(raw, run.to_owned(), Shape::Word, Searched::Text).map(Atom::Text);
            }
            let text = clean(run);
            if !is_bare_word(&text, span, self.report) {
                return None;
            }
            self.full_width_colon(run);
            let text = joined(&text);
            return self.checked(raw, text, Shape::Word, Searched::Text).map(Atom::Text);
        }
        self.pattern(raw, Searched::Text).map(Atom::Text)
    }

    /// Warns of a word that would be an operator if its colon were the ASCII one.
    fn full_width_colon(&mut self, run: &'a str) {
        let Some((name, rest)) = run.split_once('：') else { return };
        let name = clean(name);
        if rest.is_empty() || operators::find(&name).is_none() {
            return;
        }
        let word = self.span(run);
        let end = self.span(rest).start;
        let colon = Span::new(end - '：'.len_utf8() as u32, end);
        let message = format!(
            "A full-width colon joins words to a phrase; the operator is {name}: with an ASCII colon"
        );
        self.report.push(Diagnostic::warning("full_width_colon", word, message).fix(
            colon,
            ":",
            "use the operator",
        ));
    }

    /// A word, phrase or proximity, also as a value.
    pub(super) fn pattern(&mut self, raw: &Raw<'a>, searched: Searched) -> Option<TextPattern> {
        let (text, shape) = match raw.kind {
            RawKind::Run(run) => (joined(&clean(run)), Shape::Word),
            RawKind::Quoted(inner) => {
                let text = self.quoted(inner, raw.all);
                match raw.near {
                    None => (text, Shape::Phrase),
                    Some(digits) => (text, Shape::Near(self.distance(digits, raw)?)),
                }
            }
            RawKind::Bracket(_) | RawKind::Set(_) => return self.no_text(raw),
        };
        self.checked(raw, text, shape, searched)
    }

    fn checked(
        &mut self,
        raw: &Raw<'a>,
        text: String,
        shape: Shape,
        searched: Searched,
    ) -> Option<TextPattern> {
        let span = self.span(raw.all);
        let form = match raw.sign {
            Some('=') => Form::Exact,
            Some(_) => Form::Obfuscated,
            None => Form::Folded,
        };
        let read = match searched {
            // What it may be is decided by what its escapes stand for.
            Searched::Links(_) => decode_link(&text),
            Searched::Text | Searched::Field => text.clone(),
        };
        let seen = TextPattern { text: read, form, shape };
        let tokens = check(&seen, span, searched, self.limits, self.report)?;
        if matches!(searched, Searched::Text) {
            self.tokens.keep(span, tokens);
        }
        Some(TextPattern { text, form, shape })
    }

    fn distance(&mut self, digits: &str, raw: &Raw<'a>) -> Option<u32> {
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Some(digits.parse().unwrap_or(u32::MAX));
        }
        let all = raw.all;
        let phrase = &all[..all.len() - digits.len() - 1];
        let span = self.span(all);
        let message = "Behind ~ stands how many other words may stand between, as in \"a b\"~3";
        self.report.push(Diagnostic::error("bad_distance", span, message).fix(
            span,
            phrase,
            "search for the phrase",
        ));
        None
    }

    pub(super) fn set_name(&mut self, name: &str, span: Span) -> Option<String> {
        let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        if (1..=64).contains(&name.len()) && name.bytes().all(ok) {
            return Some(name.to_owned());
        }
        let message = "The name of a set is 1 to 64 lower-case letters a to z, digits, - and _";
        let lower: String = name.to_ascii_lowercase().chars().take(64).collect();
        let mut diagnostic = Diagnostic::error("bad_set_name", span, message);
        if !lower.is_empty() && lower.bytes().all(ok) {
            let fixed = self.text[span.range()].replace(name, &lower);
            diagnostic = diagnostic.fix(span, fixed, "use a name that is allowed");
        }
        self.fail(diagnostic)
    }

    fn hashtag(&mut self, name: &str, span: Span) -> Option<Atom> {
        let name = clean(name);
        let (tag, prefix) = match name.strip_suffix('*') {
            Some(tag) => (tag, true),
            None => (name.as_str(), false),
        };
        let letters = tag.chars().filter(|c| *c != '_').count();
        let diagnostic = |message| Diagnostic::error("bad_hashtag", span, message);
        let diagnostic = if tag.is_empty() && !prefix {
            diagnostic("A hashtag needs letters or digits directly behind the #").fix(
                span,
                "contains:\"#\"",
                "search for the character",
            )
        } else if tag.is_empty() {
            diagnostic("A hashtag can't be only a wildcard; has:hashtags finds posts with any").fix(
                span,
                "has:hashtags",
                "any hashtag",
            )
        } else if tag.contains('#') && tag.split('#').all(|t| !t.is_empty() && t.chars().all(is_tag)) {
            let tags: Vec<String> = tag.split('#').map(|t| format!("#{t}")).collect();
            diagnostic("There must be a space between hashtags").fix(span, tags.join(" "), "separate them")
        } else if !tag.chars().all(is_tag) {
            let end = tag.find(|c| !is_tag(c)).unwrap_or(0);
            let typed = format!("#{name}");
            let diagnostic = diagnostic("A hashtag is made of letters, digits and _").fix(
                span,
                format!("contains:{}", print::quoted(&typed)),
                "search for the characters",
            );
            if end > 0 {
                diagnostic.fix(span, format!("#{}", &tag[..end]), "use the hashtag before")
            } else {
                diagnostic
            }
        } else if letters == 0 {
            diagnostic("A hashtag needs a letter or digit")
        } else if prefix && letters < 2 {
            diagnostic("A hashtag with a wildcard needs at least two letters or digits").fix(
                span,
                format!("#{tag}"),
                "drop the wildcard",
            )
        } else {
            return Some(Atom::Hashtag { tag: tag.to_owned(), prefix });
        };
        self.fail(diagnostic)
    }

    fn mention(&mut self, name: &str, span: Span) -> Option<Atom> {
        let name = clean(name);
        if let Some(account) = account(&name) {
            return Some(Atom::Mention(account));
        }
        let end = name.find(|c: char| !is_account(c)).unwrap_or(name.len());
        let mut diagnostic = Diagnostic::error(
            "bad_account",
            span,
            "An account is named by letters a to z, digits and _ . : - directly behind the @",
        );
        if let Some(AccountName::Name(before)) = account(name[..end].trim_end_matches(['.', ':', '-', '@'])) {
            diagnostic = diagnostic.fix(span, format!("@{before}"), "use the name before");
        } else {
            let typed = print::quoted(&format!("@{name}"));
            diagnostic = diagnostic.fix(span, format!("contains:{typed}"), "search for the characters");
        }
        self.fail(diagnostic)
    }

    fn cashtag(&mut self, name: &str, span: Span) -> Option<Atom> {
        let name = clean(name);
        if is_symbol(&name) {
            return Some(Atom::Cashtag(name));
        }
        let typed = format!("${name}");
        let message = "A cashtag is 1 to 6 letters behind the $, perhaps with . or _ and up to two more";
        let mut diagnostic = Diagnostic::error("bad_cashtag", span, message).fix(
            span,
            format!("contains:{}", print::quoted(&typed)),
            "search for the characters",
        );
        if name.chars().any(char::is_alphanumeric) {
            diagnostic = diagnostic.fix(span, print::quoted(&name), "search for it without the sign");
        }
        self.fail(diagnostic)
    }

    fn regex(&mut self, typed: &str, flags: &str, span: Span) -> Option<Atom> {
        self.regexes += 1;
        let limits = self.limits;
        let over = |limit: &str, what: String, value: usize| {
            Diagnostic::error(
                match limit {
                    "regexes" => "limit_regexes",
                    "regex_bytes" => "limit_regex_bytes",
                    _ => "limit_regex_size",
                },
                span,
                format!("{what}; the limit {limit} is {value}"),
            )
        };
        if self.regexes > limits.regexes {
            if self.regexes == limits.regexes.saturating_add(1) {
                let what = "There are more regexes than a filter may have".to_owned();
                self.report.push(over("regexes", what, limits.regexes));
            }
            return None;
        }
        if typed.is_empty() {
            self.report.push(Diagnostic::error("regex_invalid", span, "This regex is empty"));
            return None;
        }
        if typed.len() > limits.regex_bytes {
            let what = format!("This regex has {} bytes", typed.len());
            self.report.push(over("regex_bytes", what, limits.regex_bytes));
            return None;
        }
        let on = |flag| flags.contains(flag);
        let regex = RegexPattern {
            pattern: composed(without_escaped_slashes(typed), on('x')),
            ignore_case: on('i'),
            dot_matches_newline: on('s'),
            multi_line: on('m'),
            verbose: on('x'),
        };
        match regex.check(limits.regex_size) {
            Ok(()) => return Some(Atom::Regex(regex)),
            Err(WrongRegex::TooLarge) => {
                let what = "This regex is too large when compiled".to_owned();
                self.report.push(over("regex_size", what, limits.regex_size));
            }
            Err(WrongRegex::Invalid(cause)) => {
                let message = format!("This is not a regex: {cause}");
                self.report.push(Diagnostic::error("regex_invalid", span, message));
            }
        }
        None
    }
}

fn without_escaped_slashes(typed: &str) -> String {
    let mut out = String::with_capacity(typed.len());
    let mut chars = typed.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('/') => out.push('/'),
                Some(next) => out.extend([c, next]),
                None => out.push(c),
            },
            _ => out.push(c),
        }
    }
    out
}

fn is_account(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '@' | '-')
}

/// An account by name or id, with or without `@`.
pub(super) fn account(text: &str) -> Option<AccountName> {
    let name = text.strip_prefix(|c| syntax(c) == '@').unwrap_or(text);
    let name: String = name.chars().map(syntax).collect();
    let ends = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        && !name.ends_with(['.', ':', '@']);
    if !ends || !name.chars().all(is_account) || !name.bytes().any(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        return None;
    }
    Some(if name.eq_ignore_ascii_case("me") { AccountName::Me } else { AccountName::Name(name) })
}

/// `[A-Za-z]{1,6}([._][A-Za-z]{1,2})?`
fn is_symbol(name: &str) -> bool {
    let letters =
        |s: &str, most: usize| (1..=most).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphabetic());
    match name.split_once(['.', '_']) {
        Some((symbol, class)) => letters(symbol, 6) && letters(class, 2),
        None => letters(name, 6),
    }
}
