//! Canonical text.

use std::fmt::{self, Display, Formatter, Write};

use super::chars::{is_delimiter, is_dropped, is_quote, syntax};
use super::operators::{ValueKind, name_of};
use super::values::{HAS_FLAGS, IS_FLAGS, flag_name, print_comparison};
use super::*;

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        node(f, self.root(), Power::Lowest, false)
    }
}

/// A node's canonical text, as an expression of its own.
impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        node(f, self, Power::Lowest, false)
    }
}

/// An atom's canonical text.
impl Display for Atom {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        atom(f, self)
    }
}

/// How tightly something binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Power {
    Lowest,
    Or,
    And,
    Not,
    Atom,
}

/// Whether a node needs parentheses where something of power `outer` surrounds it.
fn is_grouped(n: &Node, outer: Power, commas: bool) -> bool {
    let own = match &n.kind {
        NodeKind::Or(_) => Power::Or,
        NodeKind::And(_) => Power::And,
        NodeKind::Not(_) => Power::Not,
        NodeKind::Atom(a) if commas && values(a) > 1 => Power::Lowest,
        _ => Power::Atom,
    };
    own <= outer && (outer != Power::Lowest || own == Power::Lowest)
}

/// `commas`: whether a comma at this level would separate elements of a quota.
fn node(f: &mut Formatter<'_>, n: &Node, outer: Power, commas: bool) -> fmt::Result {
    if is_grouped(n, outer, commas) {
        f.write_char('(')?;
        node(f, n, Power::Lowest, false)?;
        return f.write_char(')');
    }
    match &n.kind {
        NodeKind::Or(items) => {
            for (i, item) in items.iter().enumerate() {
                f.write_str(if i > 0 { " OR " } else { "" })?;
                node(f, item, Power::Or, commas)?;
            }
            Ok(())
        }
        NodeKind::And(items) => {
            for (i, item) in items.iter().enumerate() {
                f.write_str(if i > 0 { " " } else { "" })?;
                let next = items.get(i + 1);
                if is_of(item) && next.is_some_and(|n| is_grouped(n, Power::And, commas)) {
                    // `2 of (a OR b)` would be a quota.
                    f.write_str("(of)")?;
                } else {
                    node(f, item, Power::And, commas)?;
                }
            }
            Ok(())
        }
        NodeKind::Not(inner) => {
            f.write_char('-')?;
            node(f, inner, Power::Not, commas)
        }
        NodeKind::Quota(quota) => {
            match quota.count {
                QuotaCount::AtLeast(n) => write!(f, "{n} of (")?,
                QuotaCount::Any => f.write_str("any of (")?,
                QuotaCount::All => f.write_str("all of (")?,
                QuotaCount::None => f.write_str("none of (")?,
            }
            for (i, item) in quota.items.iter().enumerate() {
                f.write_str(if i > 0 { ", " } else { "" })?;
                node(f, item, Power::Lowest, true)?;
            }
            f.write_char(')')
        }
        NodeKind::Scope(scope, inner) => {
            f.write_str(match scope {
                Scope::Quote => "in:quote(",
                Scope::Retweet => "in:retweet(",
            })?;
            node(f, inner, Power::Lowest, false)?;
            f.write_char(')')
        }
        NodeKind::Atom(a) => atom(f, a),
    }
}

fn is_of(n: &Node) -> bool {
    matches!(&n.kind, NodeKind::Atom(Atom::Text(TextPattern { text, form: Form::Folded, shape: Shape::Word })) if text == "of")
}

/// How many values an atom lists.
fn values(atom: &Atom) -> usize {
    match atom {
        Atom::Contains(v) | Atom::UrlContains(v) | Atom::Domain(v) | Atom::Lang(v) | Atom::Entity(v) => {
            v.len()
        }
        Atom::Id(_, v) | Atom::Place(_, v) => v.len(),
        Atom::Account(_, v) => v.len(),
        Atom::Words(_, v) => v.len(),
        Atom::Is(v) => v.len(),
        Atom::Has(v) => v.len(),
        Atom::Context(v) => v.len(),
        Atom::Attribute { test: AttributeTest::Words(v), .. } => v.len(),
        _ => 1,
    }
}

fn atom(f: &mut Formatter<'_>, a: &Atom) -> fmt::Result {
    match a {
        Atom::Text(p) => pattern(f, p),
        Atom::Contains(v) => list(f, ValueKind::Contains, v, |f, s| f.write_str(&quoted(s))),
        Atom::UrlContains(v) => list(f, ValueKind::UrlContains, v, |f, s| f.write_str(&quoted(s))),
        Atom::Regex(r) => regex(f, r),
        Atom::Set(name) => write!(f, "{{{name}}}"),
        Atom::Hashtag { tag, prefix } => write!(f, "#{tag}{}", if *prefix { "*" } else { "" }),
        Atom::Mention(account) => write!(f, "@{}", account_name(account)),
        Atom::Cashtag(symbol) => write!(f, "${symbol}"),
        Atom::Account(field, v) => {
            list(f, ValueKind::Account(*field), v, |f, a| f.write_str(account_name(a)))
        }
        Atom::Words(field, v) => list(f, ValueKind::Words(*field), v, pattern),
        Atom::Domain(v) => list(f, ValueKind::Domain, v, |f, s| string(f, s)),
        Atom::Id(field, v) => list(f, ValueKind::Id(*field), v, |f, s| string(f, s)),
        Atom::IdBound(bound, id) => write!(f, "{}:{id}", name_of(ValueKind::IdBound(*bound))),
        Atom::Is(v) => list(f, ValueKind::Is, v, |f, x| f.write_str(flag_name(&IS_FLAGS, x))),
        Atom::Has(v) => list(f, ValueKind::Has, v, |f, x| f.write_str(flag_name(&HAS_FLAGS, x))),
        Atom::Lang(v) => list(f, ValueKind::Lang, v, |f, s| string(f, s)),
        Atom::Place(field, v) => list(f, ValueKind::Place(*field), v, |f, s| string(f, s)),
        Atom::PointRadius { center, radius, unit } => {
            let unit = match unit {
                DistanceUnit::Km => "km",
                DistanceUnit::Mi => "mi",
            };
            write!(f, "point_radius:[{} {} {radius}{unit}]", center.lon, center.lat)
        }
        Atom::BoundingBox { south_west: a, north_east: b } => {
            write!(f, "bounding_box:[{} {} {} {}]", a.lon, a.lat, b.lon, b.lat)
        }
        Atom::Number(field, c) => {
            write!(f, "{}:", name_of(ValueKind::Number(*field)))?;
            print_comparison(f, *c)
        }
        Atom::Time(bound, time) => write!(f, "{}:{}", name_of(ValueKind::Time(*bound)), time.text),
        Atom::AccountAge(age) => write!(f, "account_age:{}", age.text),
        Atom::Context(v) => list(f, ValueKind::Context, v, |f, c| {
            let part = |p: &Option<String>| p.clone().unwrap_or_else(|| "*".to_owned());
            write!(f, "{}.{}", part(&c.domain), part(&c.entity))
        }),
        Atom::Entity(v) => list(f, ValueKind::Entity, v, |f, s| f.write_str(&quoted(s))),
        Atom::Sample(hundredths) => write!(f, "sample:{}", f64::from(*hundredths) / 100.0),
        Atom::Attribute { name, test } => {
            write!(f, "attr.{name}:")?;
            match test {
                AttributeTest::Words(v) => commas(f, v, pattern),
                AttributeTest::Number(c) => print_comparison(f, *c),
            }
        }
    }
}

/// An operator and its values.
fn list<T>(
    f: &mut Formatter<'_>,
    kind: ValueKind,
    items: &[Value<T>],
    print: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    write!(f, "{}:", name_of(kind))?;
    commas(f, items, print)
}

fn commas<T>(
    f: &mut Formatter<'_>,
    items: &[Value<T>],
    mut print: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        f.write_str(if i > 0 { "," } else { "" })?;
        match item {
            Value::One(one) => print(f, one)?,
            Value::Set(name) => write!(f, "{{{name}}}")?,
        }
    }
    Ok(())
}

fn pattern(f: &mut Formatter<'_>, p: &TextPattern) -> fmt::Result {
    f.write_str(match p.form {
        Form::Folded => "",
        Form::Exact => "=",
        Form::Obfuscated => "~",
    })?;
    match p.shape {
        Shape::Word => f.write_str(&p.text),
        Shape::Phrase => f.write_str(&quoted(&p.text)),
        Shape::Near(distance) => write!(f, "{}~{distance}", quoted(&p.text)),
    }
}

fn regex(f: &mut Formatter<'_>, r: &RegexPattern) -> fmt::Result {
    f.write_char('/')?;
    let mut escaped = false;
    for c in r.pattern.chars() {
        f.write_str(if c == '/' && !escaped { "\\/" } else { "" })?;
        if c != '/' || escaped {
            f.write_char(c)?;
        }
        escaped = c == '\\' && !escaped;
    }
    f.write_char('/')?;
    for (on, flag) in
        [(r.ignore_case, 'i'), (r.dot_matches_newline, 's'), (r.multi_line, 'm'), (r.verbose, 'x')]
    {
        if on {
            f.write_char(flag)?;
        }
    }
    Ok(())
}

fn account_name(account: &AccountName) -> &str {
    match account {
        AccountName::Me => "me",
        AccountName::Name(name) => name,
    }
}

/// A value that is quoted only if it must be.
fn string(f: &mut Formatter<'_>, s: &str) -> fmt::Result {
    let plain =
        |c: char| !c.is_whitespace() && !is_delimiter(c) && !is_dropped(c) && syntax(c) == c && c != '\\';
    match !s.is_empty() && s.chars().all(plain) {
        true => f.write_str(s),
        false => f.write_str(&quoted(s)),
    }
}

/// A text in double quotes, its backslashes and quotation marks of all kinds escaped: as a phrase, or as the value of an operator.
///
/// ```
/// use tweetfilter_core::syntax::quoted;
/// assert_eq!(quoted("say “hi”"), r#""say \“hi\”""#);
/// ```
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if c == '\\' || is_quote(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
