//! Operators and their values.

use super::{Atoms, account};
use crate::Span;
use crate::syntax::operators::{self, Operator, ValueKind};
use crate::syntax::token::{Raw, RawKind};
use crate::syntax::values::{self, Amount, FilterWord, Wrong};
use crate::syntax::words::{Searched, clean};
use crate::syntax::{
    Atom, AttributeTest, Comparison, Diagnostic, Dialect, Node, NodeKind, NumberField, PlaceField, TimeValue,
    Value, WordField, advice, countries, print, suggest,
};

impl<'a> Atoms<'a, '_> {
    pub(super) fn operator(&mut self, name: &str, raws: &[Raw<'a>], span: Span) -> Option<Node> {
        let Some(operator) = operators::find(name) else {
            self.unknown(name, raws, span);
            return None;
        };
        if self.joined_by_commas(raws) {
            return None;
        }
        if operator.kind == ValueKind::Filter {
            return self.filter(raws, span);
        }
        let atom = self.atom(operator, name, raws, span)?;
        Some(Node { span, kind: NodeKind::Atom(atom) })
    }

    fn atom(&mut self, operator: &Operator, name: &str, raws: &[Raw<'a>], span: Span) -> Option<Atom> {
        Some(match operator.kind {
            ValueKind::Contains => Atom::Contains(self.list(raws, Self::substring)?),
            ValueKind::UrlContains => Atom::UrlContains(self.list(raws, Self::substring)?),
            ValueKind::Account(field) => Atom::Account(field, self.list(raws, Self::account)?),
            ValueKind::Words(field @ WordField::Url) => {
                let searched = Searched::Links((raws.len() == 1).then_some(span));
                Atom::Words(field, self.list(raws, |s, r| s.pattern(r, searched))?)
            }
            ValueKind::Words(field) => {
                Atom::Words(field, self.list(raws, |s, r| s.pattern(r, Searched::Field))?)
            }
            ValueKind::Domain => Atom::Domain(self.list(raws, Self::domain)?),
            ValueKind::Id(field) => Atom::Id(field, self.list(raws, Self::id)?),
            ValueKind::Is => Atom::Is(self.list(raws, |s, r| s.flag(r, "is", &values::IS_FLAGS))?),
            ValueKind::Has => Atom::Has(self.list(raws, |s, r| s.flag(r, "has", &values::HAS_FLAGS))?),
            ValueKind::Lang => Atom::Lang(self.list(raws, Self::language)?),
            ValueKind::Place(field) => Atom::Place(field, self.list(raws, |s, r| s.place(r, field))?),
            ValueKind::Context => Atom::Context(self.list(raws, Self::annotation)?),
            ValueKind::Entity => Atom::Entity(self.list(raws, Self::string)?),
            ValueKind::Attribute => return self.attribute(name, raws, span),
            ValueKind::In => {
                return self.bad_scope(raws, span);
            }
            ValueKind::Filter => return None,
            // What follows takes one value.
            _ => {
                let raw = self.single(name, raws, span)?;
                return self.single_atom(operator.kind, name, raw, span);
            }
        })
    }

    /// `in:` without its parenthesis.
    fn bad_scope(&mut self, raws: &[Raw<'a>], span: Span) -> Option<Atom> {
        let message = "in: is in:quote(…) or in:retweet(…), with the parenthesis directly behind";
        let mut diagnostic = Diagnostic::error("bad_scope", span, message);
        let after = &self.text[span.range().end..];
        let spaces = after.len() - after.trim_start().len();
        let which = raws.first().map_or("", |r| r.all).to_ascii_lowercase();
        if matches!(&*which, "quote" | "retweet") {
            if after.trim_start().starts_with('(') {
                let space = Span::from(span.range().end..span.range().end + spaces);
                diagnostic = diagnostic.fix(space, "", "remove the space");
            }
            diagnostic =
                diagnostic.fix(span, format!("is:{which}"), format!("find posts that are a {which}"));
        }
        self.fail(diagnostic)
    }

    fn single_atom(&mut self, kind: ValueKind, name: &str, raw: &Raw<'a>, span: Span) -> Option<Atom> {
        let bracket = match raw.kind {
            RawKind::Bracket(inner) => Some(inner),
            _ => None,
        };
        match (kind, bracket) {
            (ValueKind::PointRadius, Some(inner)) => return self.geo(inner, raw, values::point_radius),
            (ValueKind::BoundingBox, Some(inner)) => return self.geo(inner, raw, values::bounding_box),
            (ValueKind::PointRadius | ValueKind::BoundingBox, None) => {
                let message = format!("{name}: takes numbers in brackets, longitude first");
                return self.fail(Diagnostic::error("bad_geo", span, message));
            }
            _ => {}
        }
        let text = self.string(raw)?;
        let place = self.span(raw.all);
        match kind {
            ValueKind::IdBound(bound) => match text.parse() {
                Ok(id) => Some(Atom::IdBound(bound, id)),
                Err(_) if text.bytes().all(|b| b.is_ascii_digit()) => {
                    self.bad_value("bad_id", place, format!("{name}: takes ids up to {}", u64::MAX))
                }
                Err(_) => self.bad_value("bad_id", place, format!("{name}: takes an id in digits")),
            },
            ValueKind::Number(field) => {
                let amount = if field == NumberField::Caps { Amount::Share } else { Amount::Count };
                let mut range = self.comparison(&text, amount, place)?;
                let is_bare =
                    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.') && !text.contains("..");
                let own = name.to_ascii_lowercase() != operators::name_of(kind);
                if is_bare
                    && let Comparison::Eq(n) = range
                    && (own || self.dialect == Dialect::X)
                {
                    range = Comparison::Ge(n);
                    if self.dialect == Dialect::Native {
                        let message = format!("{name}: with a bare number means at least, as on X");
                        let at = Span::new(place.start, place.start);
                        self.report
                            .push(Diagnostic::warning("bare_number", span, message).fix(at, ">=", "say so"));
                    }
                }
                Some(Atom::Number(field, range))
            }
            ValueKind::AtLeast(field) => match values::bare(&text) {
                Ok(n) => Some(Atom::Number(field, Comparison::Ge(n))),
                Err(Wrong::Large) => self.too_large(place),
                Err(_) => self.bad_value("bad_number", place, format!("{name}: takes a number alone")),
            },
            ValueKind::Time(bound) => match values::moment(&text) {
                Some(millis) => Some(Atom::Time(bound, TimeValue { text, millis })),
                None => self.bad_value(
                    "bad_time",
                    place,
                    "A time is a date as 2021-01-31, an RFC 3339 time with its zone, or Unix seconds"
                        .to_owned(),
                ),
            },
            ValueKind::AccountAge => match values::age(&text) {
                Ok(age) => Some(Atom::AccountAge(age)),
                Err(Wrong::Reversed) => self.reversed(&text, place),
                Err(_) => self.bad_value(
                    "bad_duration",
                    place,
                    "A duration is a number with its unit, h, d, w or y, as in account_age:<30d".to_owned(),
                ),
            },
            ValueKind::Sample => match values::sample(&text) {
                Some(share) => Some(Atom::Sample(share)),
                None => self.bad_value(
                    "bad_sample",
                    place,
                    "sample: takes a per cent number above 0 and up to 100, such as 10 or 0.5".to_owned(),
                ),
            },
            _ => None,
        }
    }

    fn bad_value(&mut self, code: &'static str, span: Span, message: String) -> Option<Atom> {
        self.fail(Diagnostic::error(code, span, message))
    }

    fn too_large(&mut self, span: Span) -> Option<Atom> {
        self.bad_value("bad_number", span, format!("Numbers of things go up to {}", values::MOST))
    }

    fn reversed(&mut self, text: &str, span: Span) -> Option<Atom> {
        let mut diagnostic = Diagnostic::error("range_reversed", span, "The range begins above its end");
        if let Some((low, high)) = text.split_once("..") {
            diagnostic = diagnostic.fix(span, format!("{high}..{low}"), "swap them");
        }
        self.fail(diagnostic)
    }

    fn comparison(&mut self, text: &str, amount: Amount, span: Span) -> Option<Comparison> {
        match values::comparison(text, amount) {
            Ok(range) => return Some(range),
            Err(Wrong::Reversed) => drop(self.reversed(text, span)),
            Err(Wrong::Large) => drop(self.too_large(span)),
            Err(Wrong::Number) => {
                let message = "This is no number: write 100, >100, >=100, <100, <=100, 1..100 or 1.5k";
                self.report.push(Diagnostic::error("bad_number", span, message));
            }
        }
        None
    }

    /// The one value of an operator that takes no list.
    fn single<'v>(&mut self, name: &str, raws: &'v [Raw<'a>], span: Span) -> Option<&'v Raw<'a>> {
        let [first, rest @ ..] = raws else { return None };
        if let RawKind::Set(_) = first.kind {
            let message = format!("{name}: takes no named set");
            return self.fail(Diagnostic::error("no_list", span, message));
        }
        if rest.is_empty() {
            return Some(first);
        }
        let all = self.span(first.all).to(self.span(raws[raws.len() - 1].all));
        let message = format!("{name}: takes one value, not a list");
        let mut diagnostic = Diagnostic::error("no_list", span, message);
        let thousands = |r: &Raw<'_>| r.all.len() == 3 && r.all.bytes().all(|b| b.is_ascii_digit());
        if rest.iter().all(thousands) && first.all.ends_with(|c: char| c.is_ascii_digit()) {
            let joined: String = raws.iter().map(|r| r.all).collect();
            diagnostic = diagnostic.fix(all, joined, "write the number without commas");
        } else {
            let each: Vec<String> = raws.iter().map(|r| format!("{name}:{}", r.all)).collect();
            diagnostic = diagnostic.fix(span, format!("({})", each.join(" OR ")), "any of them");
        }
        self.fail(diagnostic)
    }

    /// Reports `from:a,from:b`.
    fn joined_by_commas(&mut self, raws: &[Raw<'a>]) -> bool {
        let is_operator = |r: &Raw<'_>| match r.kind {
            RawKind::Run(run) => run.split_once(':').is_some_and(|(name, _)| operators::find(name).is_some()),
            _ => false,
        };
        let Some(at) = raws.iter().skip(1).position(is_operator).map(|i| i + 1) else { return false };
        let comma = Span::new(self.span(raws[at - 1].all).end, self.span(raws[at].all).start);
        let until = comma.to(self.span(raws[raws.len() - 1].all));
        let mut fixed = String::new();
        for raw in &raws[at..] {
            fixed.push_str(if is_operator(raw) { " OR " } else { "," });
            fixed.push_str(raw.all);
        }
        let message = "A comma lists values of one operator; between operators write OR";
        self.report.push(Diagnostic::error("comma_or", comma, message).fix(until, fixed, "write OR"));
        true
    }

    /// Reads every value; `None` if any was reported.
    fn list<T>(
        &mut self,
        raws: &[Raw<'a>],
        mut read: impl FnMut(&mut Self, &Raw<'a>) -> Option<T>,
    ) -> Option<Vec<Value<T>>> {
        let mut out = Some(Vec::with_capacity(raws.len()));
        for raw in raws {
            let value = match raw.kind {
                RawKind::Set(name) => self.set_name(name, self.span(raw.all)).map(Value::Set),
                _ => read(self, raw).map(Value::One),
            };
            out = out.zip(value).map(|(mut list, value)| {
                list.push(value);
                list
            });
        }
        out
    }

    /// A value that is a plain text.
    fn string(&mut self, raw: &Raw<'a>) -> Option<String> {
        let text = match raw.kind {
            RawKind::Run(_) => clean(raw.all),
            RawKind::Quoted(inner) if raw.sign.is_none() && raw.near.is_none() => self.quoted(inner, raw.all),
            _ => String::new(),
        };
        if text.trim().is_empty() {
            return self.no_text(raw);
        }
        Some(text)
    }

    /// Reports a value that is no text.
    pub(super) fn no_text<T>(&mut self, raw: &Raw<'a>) -> Option<T> {
        let message = "This operator takes a word or a text in quotes";
        self.fail(Diagnostic::error("bad_value", self.span(raw.all), message))
    }

    fn substring(&mut self, raw: &Raw<'a>) -> Option<String> {
        self.string(raw)
    }

    fn account(&mut self, raw: &Raw<'a>) -> Option<crate::syntax::AccountName> {
        let text = self.string(raw)?;
        let found = account(&text);
        if found.is_none() {
            let message = "An account is named by letters a to z, digits and _ . : @ -";
            let span = self.span(raw.all);
            let kept: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let mut diagnostic = Diagnostic::error("bad_account", span, message);
            if !kept.is_empty() {
                diagnostic = diagnostic.fix(span, kept, "leave out the other characters");
            }
            self.report.push(diagnostic);
        }
        found
    }

    fn domain(&mut self, raw: &Raw<'a>) -> Option<String> {
        let text = self.string(raw)?;
        if let Some(host) = values::domain(&text) {
            return Some(host);
        }
        let bare = text.split("//").last().unwrap_or("").trim_start_matches("*.");
        let bare = bare.split(['/', '?', '#', ':']).next().unwrap_or("");
        let span = self.span(raw.all);
        let message = "domain: takes the name of a site, as in domain:example.com";
        let mut diagnostic = Diagnostic::error("bad_domain", span, message);
        if let Some(host) = values::domain(bare) {
            diagnostic = diagnostic.fix(span, host, "use the name of the site");
        }
        self.fail(diagnostic)
    }

    fn id(&mut self, raw: &Raw<'a>) -> Option<String> {
        let text = self.string(raw)?;
        if !text.contains(char::is_whitespace) {
            return Some(text);
        }
        self.report.push(Diagnostic::error("bad_id", self.span(raw.all), "An id holds no spaces"));
        None
    }

    fn flag<T: Copy>(&mut self, raw: &Raw<'a>, name: &str, list: &[(&'static str, T)]) -> Option<T> {
        let text = self.string(raw)?;
        if let Some((_, flag)) = list.iter().find(|entry| entry.0.eq_ignore_ascii_case(&text)) {
            return Some(*flag);
        }
        let names: Vec<&str> = list.iter().map(|entry| entry.0).collect();
        let span = self.span(raw.all);
        let message = format!("There is no {name}:{text}; the values are {}", names.join(", "));
        let mut diagnostic = Diagnostic::error("unknown_value", span, message);
        let prefixed = names.iter().find(|n| n.len() > 3 && text.to_ascii_lowercase().starts_with(**n));
        if let Some(near) = suggest::nearest(&text, names.iter().copied()).or(prefixed.copied()) {
            diagnostic = diagnostic.fix(span, near, format!("use {name}:{near}"));
        }
        self.fail(diagnostic)
    }

    fn language(&mut self, raw: &Raw<'a>) -> Option<String> {
        let text = self.string(raw)?;
        if let Some(code) = values::language(&text) {
            return Some(code);
        }
        let span = self.span(raw.all);
        let message = format!("There is no language {text}; use a code such as en, ja or pt-br");
        let mut diagnostic = Diagnostic::error("unknown_language", span, message);
        let dashed = text.replace('_', "-");
        let primary = dashed.split('-').next().unwrap_or("").to_ascii_lowercase();
        if let Some(code) = values::language(&dashed) {
            diagnostic = diagnostic.fix(span, code, "write it with a hyphen");
        } else if let Some(code) = values::old_language(&primary) {
            diagnostic = diagnostic.fix(span, code, format!("use {code}"));
        }
        self.fail(diagnostic)
    }

    fn place(&mut self, raw: &Raw<'a>, field: PlaceField) -> Option<String> {
        let text = self.string(raw)?;
        if !matches!(field, PlaceField::Country | PlaceField::ProfileCountry) || countries::is_country(&text)
        {
            return Some(text);
        }
        let span = self.span(raw.all);
        let message = format!("There is no country {text}; use its code of two letters, such as us or gb");
        let mut diagnostic = Diagnostic::error("unknown_country", span, message);
        if let Some(code) = countries::replacement(&text) {
            diagnostic = diagnostic.fix(span, code, format!("use {code}"));
        }
        self.fail(diagnostic)
    }

    fn annotation(&mut self, raw: &Raw<'a>) -> Option<crate::syntax::ContextId> {
        let text = self.string(raw)?;
        let found = values::context(&text);
        if found.is_none() {
            let message = "context: takes a domain id and an entity id with a point between, as in 10.799022225751871488, 10.* or *.799022225751871488";
            self.report.push(Diagnostic::error("bad_annotation", self.span(raw.all), message));
        }
        found
    }

    fn attribute(&mut self, name: &str, raws: &[Raw<'a>], span: Span) -> Option<Atom> {
        let name_typed = &name[5..];
        let numeric = |r: &Raw<'_>| match (r.kind, r.sign) {
            (RawKind::Run(run), None) => {
                run.starts_with(['<', '>'])
                    || (run.contains("..") && values::comparison(run, Amount::Any).is_ok())
            }
            (RawKind::Run(run), Some('=')) => values::comparison(run, Amount::Any).is_ok(),
            _ => false,
        };
        let test = if raws.iter().any(numeric) {
            let raw = self.single(name, raws, span)?;
            let place = self.span(raw.all);
            AttributeTest::Number(self.comparison(raw.all, Amount::Any, place)?)
        } else {
            AttributeTest::Words(self.list(raws, |s, r| s.pattern(r, Searched::Field))?)
        };
        Some(Atom::Attribute { name: name_typed.to_owned(), test })
    }

    fn geo(
        &mut self,
        inner: &str,
        raw: &Raw<'a>,
        read: fn(&str) -> Result<Atom, &'static str>,
    ) -> Option<Atom> {
        let span = self.span(raw.all);
        let spaced: String = inner.replace(',', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let diagnostic = match (inner.contains(','), read(&spaced)) {
            (false, Ok(atom)) => return Some(atom),
            (true, Ok(_)) => Diagnostic::error(
                "bad_geo",
                span,
                "Numbers in brackets are separated by spaces",
            )
            .fix(span, format!("[{spaced}]"), "use spaces"),
            (_, Err(what)) => {
                let mut what = what.to_owned();
                if let Some(first) = what.get(..1) {
                    what = first.to_uppercase() + &what[1..];
                }
                Diagnostic::error("bad_geo", span, what)
            }
        };
        self.fail(diagnostic)
    }

    /// `filter:` of X's web search, as what it stands for.
    fn filter(&mut self, raws: &[Raw<'a>], span: Span) -> Option<Node> {
        let mut nodes = Vec::new();
        let mut bad = false;
        for raw in raws {
            let text = self.string(raw)?;
            let place = self.span(raw.all);
            let Some(word) = values::filter_word(&text) else {
                let message = format!("filter:{text} is not supported. {}", advice::of_filter_word(&text));
                self.report.push(Diagnostic::error("unsupported_operator", place, message));
                bad = true;
                continue;
            };
            let atom = match word {
                FilterWord::Has(flag) => Atom::Has(vec![Value::One(flag)]),
                FilterWord::Is(flag) | FilterWord::IsNot(flag) => Atom::Is(vec![Value::One(flag)]),
            };
            let node = Node { span, kind: NodeKind::Atom(atom) };
            nodes.push(match word {
                FilterWord::IsNot(_) => Node { span, kind: NodeKind::Not(Box::new(node)) },
                _ => node,
            });
        }
        match nodes.len() {
            _ if bad => None,
            0 | 1 => nodes.pop(),
            _ => Some(Node { span, kind: NodeKind::Or(nodes) }),
        }
    }

    fn unknown(&mut self, name: &str, raws: &[Raw<'a>], span: Span) {
        let typed = &self.text[span.range()];
        if let Some(advice) = advice::of(name) {
            let message = format!("{name}: is not supported. {advice}");
            let diagnostic = Diagnostic::error("unsupported_operator", span, message);
            return self.report.push(diagnostic);
        }
        let mut diagnostic =
            Diagnostic::error("unknown_operator", span, format!("There is no operator {name}:"));
        let head = Span::new(span.start, span.start + u32::try_from(name.len()).unwrap_or(0));
        if let Some(near) = suggest::nearest(name, operators::names()) {
            diagnostic = diagnostic.fix(head, near, format!("use {near}:"));
        }
        if raws.iter().all(|r| matches!(r.kind, RawKind::Run(_))) {
            let quoted = print::quoted(typed);
            diagnostic = diagnostic.fix(span, quoted.clone(), "search for the words").fix(
                span,
                format!("contains:{quoted}"),
                "search for the characters",
            );
        }
        self.report.push(diagnostic);
    }
}
