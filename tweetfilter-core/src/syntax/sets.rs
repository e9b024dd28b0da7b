//! Named sets: lists of terms that stand outside of expressions.

use std::collections::BTreeMap;

use super::{Atom, AttributeTest, Diagnostic, Dialect, Expression, NodeKind, Shape, Value};
use crate::{Limits, Span};

/// Named sets of terms or values, by name.
///
/// ```
/// use tweetfilter_core::Limits;
/// use tweetfilter_core::syntax::{Atom, NamedSets};
/// let mut sets = NamedSets::default();
/// sets.insert("cities", "oslo\n\"new york\"\n#paris", &Limits::default())?;
/// assert_eq!(sets.expand(&Atom::Set("cities".into()))?.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct NamedSets {
    sets: BTreeMap<String, Vec<String>>,
}

impl NamedSets {
    /// Adds a set, or replaces it: one term or value a line, blank lines skipped.
    ///
    /// What a line may be depends on where the set is named, so lines are read when it is: see
    /// [`expand`](Self::expand).
    ///
    /// # Errors
    /// `set_name` for a name that is not `[a-z0-9_-]{1,64}`, `limit_set_terms` for too many lines.
    pub fn insert(&mut self, name: &str, lines: &str, limits: &Limits) -> Result<(), Box<Diagnostic>> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(legal) {
            let message = format!("`{name}` is no name of a set: 1 to 64 of a-z, 0-9, `_` and `-`");
            return Err(Box::new(Diagnostic::error("set_name", Span::from(0..0), message)));
        }
        let lines: Vec<String> =
            lines.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
        if lines.len() > limits.set_terms {
            let message = format!(
                "The set `{name}` has {} terms, which is over the limit set_terms = {}",
                lines.len(),
                limits.set_terms
            );
            return Err(Box::new(Diagnostic::error("limit_set_terms", Span::from(0..0), message)));
        }
        self.sets.insert(name.to_owned(), lines);
        Ok(())
    }

    /// Whether there is a set of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.sets.contains_key(name)
    }

    /// The atoms that an atom stands for, free of sets: any of them makes it true.
    ///
    /// # Errors
    /// `set_unknown` for a name that is not there, `set_term` for a line that is no term here. Spans are empty;
    /// the caller knows where the atom stands.
    pub fn expand(&self, atom: &Atom) -> Result<Vec<Atom>, Diagnostic> {
        match atom {
            Atom::Set(name) => self.lines(name)?.iter().map(|line| term(name, line)).collect(),
            Atom::Contains(values) => self.values(atom, values),
            Atom::UrlContains(values) | Atom::Domain(values) | Atom::Entity(values) => {
                self.values(atom, values)
            }
            Atom::Id(_, values) | Atom::Lang(values) | Atom::Place(_, values) => self.values(atom, values),
            Atom::Account(_, values) => self.values(atom, values),
            Atom::Words(_, values) | Atom::Attribute { test: AttributeTest::Words(values), .. } => {
                self.values(atom, values)
            }
            Atom::Is(values) => self.values(atom, values),
            Atom::Has(values) => self.values(atom, values),
            Atom::Context(values) => self.values(atom, values),
            _ => Ok(vec![atom.clone()]),
        }
    }

    fn lines(&self, name: &str) -> Result<&[String], Diagnostic> {
        self.sets.get(name).map(Vec::as_slice).ok_or_else(|| {
            Diagnostic::error("set_unknown", Span::from(0..0), format!("There is no set `{{{name}}}`"))
        })
    }

    fn values<T>(&self, atom: &Atom, values: &[Value<T>]) -> Result<Vec<Atom>, Diagnostic> {
        if values.iter().all(|v| matches!(v, Value::One(_))) {
            return Ok(vec![atom.clone()]);
        }
        let text = Expression::of_atom(atom.clone()).to_string();
        let (operator, _) = text.split_once(':').unwrap_or((&text, ""));
        let mut out = Vec::new();
        let written: Vec<&Value<T>> = values.iter().filter(|v| matches!(v, Value::One(_))).collect();
        if !written.is_empty() {
            out.push(without_sets(atom));
        }
        for value in values {
            if let Value::Set(name) = value {
                for line in self.lines(name)? {
                    out.push(operand(operator, name, line)?);
                }
            }
        }
        Ok(out)
    }
}

/// A line of a set on the text: a word, a phrase, `#`, `@` or `$`. Several words are a phrase.
fn term(name: &str, line: &str) -> Result<Atom, Diagnostic> {
    let legal = |atom: &Atom| match atom {
        Atom::Text(pattern) => !matches!(pattern.shape, Shape::Near(_)),
        Atom::Hashtag { .. } | Atom::Mention(_) | Atom::Cashtag(_) => true,
        _ => false,
    };
    [line.to_owned(), quoted(line)]
        .iter()
        .find_map(|text| atom_of(text).filter(legal))
        .ok_or_else(|| refused(name, line, "a word, phrase, #tag, @name or $SYMBOL"))
}

/// A line of a set as a value of an operator.
fn operand(operator: &str, name: &str, line: &str) -> Result<Atom, Diagnostic> {
    [format!("{operator}:{line}"), format!("{operator}:{}", quoted(line))]
        .iter()
        .find_map(|text| atom_of(text))
        .ok_or_else(|| refused(name, line, &format!("a value of {operator}:")))
}

fn quoted(line: &str) -> String {
    format!("\"{}\"", line.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The single atom that a text is, if it is one.
fn atom_of(text: &str) -> Option<Atom> {
    match Expression::parse_with(text, Dialect::Native, &Limits::default()).ok()?.into_root().kind {
        NodeKind::Atom(atom) => Some(atom),
        _ => None,
    }
}

fn refused(name: &str, line: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error(
        "set_term",
        Span::from(0..0),
        format!("`{line}` in the set `{{{name}}}` is not {wanted}"),
    )
}

fn without_sets(atom: &Atom) -> Atom {
    fn keep<T>(values: &mut Vec<Value<T>>) {
        values.retain(|v| matches!(v, Value::One(_)));
    }
    let mut atom = atom.clone();
    match &mut atom {
        Atom::Contains(v) | Atom::UrlContains(v) | Atom::Domain(v) | Atom::Entity(v) => keep(v),
        Atom::Id(_, v) | Atom::Lang(v) | Atom::Place(_, v) => keep(v),
        Atom::Account(_, v) => keep(v),
        Atom::Words(_, v) | Atom::Attribute { test: AttributeTest::Words(v), .. } => keep(v),
        Atom::Is(v) => keep(v),
        Atom::Has(v) => keep(v),
        Atom::Context(v) => keep(v),
        _ => {}
    }
    atom
}
