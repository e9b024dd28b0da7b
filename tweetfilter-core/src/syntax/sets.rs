//! Named lists of terms, kept outside the expressions that use them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::atoms::Atoms;
use super::lint::sets_of;
use super::report::Report;
use super::token::{Lexeme, is_one_value, lexemes};
use super::words::{Searched, check};
use super::{Atom, AttributeTest, Diagnostic, Dialect, NodeKind, Severity, Shape, TextPattern, Value, print};
use crate::{Limits, Span};

/// Lists of terms by name; `{name}` in an expression stands for any of them.
///
/// ```
/// use tweetfilter_core::{Limits, syntax::{Atom, NamedSets}};
/// let mut sets = NamedSets::default();
/// sets.insert("storms", "tornado\n\"tropical storm\"\n#hurricane", &Limits::default()).unwrap();
/// assert_eq!(sets.expand(&Atom::Set("storms".into())).unwrap().len(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedSets {
    lines: BTreeMap<String, Lines>,
}

/// One list.
pub(crate) type Lines = Arc<[Line]>;

/// A term, and where it stands in its list, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    number: u32,
    term: Box<str>,
}

impl NamedSets {
    /// Adds a list, or replaces the one of this name: one term a line, blank lines skipped. A term is a word,
    /// a phrase, `#tag`, `@name`, `$SYM`, or a value of the operator that the list is used with; a line of
    /// several bare words is a phrase.
    ///
    /// # Errors
    /// A name that is none, too many terms, and lines that can be no term; spans are those of `text`. Nothing
    /// is changed then.
    pub fn insert(&mut self, name: &str, text: &str, limits: &Limits) -> Result<(), Vec<Diagnostic>> {
        self.lines.insert(name.to_owned(), read(name, text, limits)?);
        Ok(())
    }

    /// Whether there is a list of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.lines.contains_key(name)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.keys().map(String::as_str)
    }

    /// The atoms, any of which the atom stands for, free of lists; the atom itself if it names none.
    ///
    /// # Errors
    /// A list that is not there (`set_unknown`), or a line that can't be what the atom takes (`set_term`).
    /// Their span is empty: the atom's place is known to the caller.
    pub fn expand(&self, atom: &Atom) -> Result<Vec<Atom>, Diagnostic> {
        expand(atom, |name| self.lines.get(name))
    }
}

/// The atoms, any of which an atom stands for; see [`NamedSets::expand`].
pub(crate) fn expand<'l>(
    atom: &Atom,
    list: impl Fn(&str) -> Option<&'l Lines>,
) -> Result<Vec<Atom>, Diagnostic> {
    let list = |name: &str| {
        let unknown =
            || Diagnostic::error("set_unknown", Span::default(), format!("There is no set named {name}"));
        list(name).ok_or_else(unknown)
    };
    if let Atom::Set(name) = atom {
        let limits = Limits::default();
        let term = |line: &Line| term_atom(&line.term, &limits).map_err(|e| wrong(name, line, e));
        return list(name)?.iter().map(term).collect();
    }
    if sets_of(atom).is_empty() {
        return Ok(vec![atom.clone()]);
    }
    let printed = atom.to_string();
    let operator = printed.split(':').next().unwrap_or_default();
    let mut out: Option<Atom> = None;
    let mut add = |atom: Atom| match &mut out {
        None => out = Some(atom),
        Some(all) => append(all, atom),
    };
    for part in single_values(atom) {
        let [name] = sets_of(&part)[..] else {
            add(part);
            continue;
        };
        for line in list(name)?.iter() {
            let text = format!("{operator}:{}", value(&line.term));
            add(one_atom(&text, &Limits::default()).map_err(|e| wrong(name, line, e))?);
        }
    }
    Ok(out.into_iter().collect())
}

/// Reads a list; see [`NamedSets::insert`].
pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<Lines, Vec<Diagnostic>> {
    let mut report = Report::new(limits);
    let mut atoms = Atoms::new(name, Dialect::Native, limits, &mut report);
    let _ = atoms.set_name(name, Span::from(0..name.len()));
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let term = line.trim().trim_start_matches('\u{feff}');
        if term.is_empty() {
            continue;
        }
        let start = term.as_ptr() as usize - text.as_ptr() as usize;
        let span = Span::from(start..start + term.len());
        if lines.len() == limits.set_terms {
            let most = limits.set_terms;
            let message =
                format!("The set {name} has more terms than allowed; the limit set_terms is {most}");
            report.push(Diagnostic::error("limit_set_terms", span, message));
            break;
        }
        if !is_one_value(&value(term)) && term_atom(term, limits).is_err() {
            let message =
                format!("Line {number} of the set {name} is no word, phrase, tag, account or value");
            report.push(Diagnostic::error("set_term", span, message));
        }
        lines.push(Line { number, term: term.into() });
    }
    if report.has_errors() {
        let mut found = report.finish();
        // Fixes are made for expressions.
        found.iter_mut().for_each(|d| d.fixes.clear());
        return Err(found);
    }
    Ok(lines.into())
}

fn wrong(name: &str, line: &Line, message: String) -> Diagnostic {
    let message = format!("Line {} of the set {name} can't stand here: {message}", line.number);
    Diagnostic::error("set_term", Span::default(), message)
}

/// A line as an operator's value.
fn value(term: &str) -> String {
    match is_one_value(term) {
        true => term.to_owned(),
        false if term.starts_with('"') => term.to_owned(),
        false => print::quoted(term),
    }
}

/// A line as a term of the text: several bare words are a phrase, and so is what loses nothing but stops and
/// brackets by it.
fn term_atom(term: &str, limits: &Limits) -> Result<Atom, String> {
    let special = term.starts_with(['"', '#', '@', '$', '=', '~']);
    let words = !special && term.split_whitespace().nth(1).is_some();
    let phrase = || one_atom(&print::quoted(term), limits).ok().filter(|atom| loses_nothing(atom, limits));
    let atom = match one_atom(term, limits) {
        _ if words => one_atom(&print::quoted(term), limits)?,
        Ok(atom) => atom,
        Err(message) => phrase().ok_or(message)?,
    };
    match atom {
        Atom::Text(TextPattern { shape: Shape::Word | Shape::Phrase, .. }) => Ok(atom),
        Atom::Hashtag { .. } | Atom::Mention(_) | Atom::Cashtag(_) => Ok(atom),
        _ => Err("a set holds words, phrases, tags and accounts, no operators".to_owned()),
    }
}

/// Whether a phrase is reported without warning.
fn loses_nothing(atom: &Atom, limits: &Limits) -> bool {
    let mut report = Report::new(limits);
    match atom {
        Atom::Text(p) => {
            check(p, Span::default(), Searched::Text, limits, &mut report).is_some()
                && report.finish().is_empty()
        }
        _ => false,
    }
}

/// The atom of a text that is one operand; else the first error.
fn one_atom(text: &str, limits: &Limits) -> Result<Atom, String> {
    let mut report = Report::new(limits);
    let lexemes = lexemes(text, &mut report);
    let operand = match &lexemes[..] {
        [(lexeme @ (Lexeme::Text(_) | Lexeme::Entity(..) | Lexeme::Operator { .. }), span)] => {
            Some((lexeme, *span))
        }
        _ => None,
    };
    let node = operand
        .and_then(|(lexeme, span)| Atoms::new(text, Dialect::Native, limits, &mut report).node(lexeme, span));
    match node.map(|n| n.kind) {
        Some(NodeKind::Atom(atom)) if !report.has_errors() => Ok(atom),
        _ => {
            let found = report.finish().into_iter().find(|d| d.severity == Severity::Error);
            Err(found.map_or_else(|| "it is no single term".to_owned(), |d| d.message))
        }
    }
}

/// The atom once for each of its values.
fn single_values(atom: &Atom) -> Vec<Atom> {
    fn each<T: Clone>(values: &[Value<T>], make: impl Fn(Vec<Value<T>>) -> Atom) -> Vec<Atom> {
        values.iter().map(|v| make(vec![v.clone()])).collect()
    }
    match atom {
        Atom::Contains(v) => each(v, Atom::Contains),
        Atom::UrlContains(v) => each(v, Atom::UrlContains),
        Atom::Domain(v) => each(v, Atom::Domain),
        Atom::Lang(v) => each(v, Atom::Lang),
        Atom::Entity(v) => each(v, Atom::Entity),
        Atom::Id(field, v) => each(v, |v| Atom::Id(*field, v)),
        Atom::Place(field, v) => each(v, |v| Atom::Place(*field, v)),
        Atom::Account(field, v) => each(v, |v| Atom::Account(*field, v)),
        Atom::Words(field, v) => each(v, |v| Atom::Words(*field, v)),
        Atom::Is(v) => each(v, Atom::Is),
        Atom::Has(v) => each(v, Atom::Has),
        Atom::Context(v) => each(v, Atom::Context),
        Atom::Attribute { name, test: AttributeTest::Words(v) } => {
            each(v, |v| Atom::Attribute { name: name.clone(), test: AttributeTest::Words(v) })
        }
        other => vec![other.clone()],
    }
}

/// Adds the values of an atom to another of the same operator.
fn append(all: &mut Atom, more: Atom) {
    match (all, more) {
        (Atom::Contains(a), Atom::Contains(b))
        | (Atom::UrlContains(a), Atom::UrlContains(b))
        | (Atom::Domain(a), Atom::Domain(b))
        | (Atom::Lang(a), Atom::Lang(b))
        | (Atom::Entity(a), Atom::Entity(b))
        | (Atom::Id(_, a), Atom::Id(_, b))
        | (Atom::Place(_, a), Atom::Place(_, b)) => a.extend(b),
        (Atom::Account(_, a), Atom::Account(_, b)) => a.extend(b),
        (
            Atom::Words(_, a) | Atom::Attribute { test: AttributeTest::Words(a), .. },
            Atom::Words(_, b) | Atom::Attribute { test: AttributeTest::Words(b), .. },
        ) => a.extend(b),
        (Atom::Is(a), Atom::Is(b)) => a.extend(b),
        (Atom::Has(a), Atom::Has(b)) => a.extend(b),
        (Atom::Context(a), Atom::Context(b)) => a.extend(b),
        _ => {}
    }
}
