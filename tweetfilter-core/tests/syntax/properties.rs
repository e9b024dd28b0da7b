//! For random trees and texts: what is printed parses to the same, and nothing panics.

use proptest::prelude::*;
use tweetfilter_core::post::Point;
use tweetfilter_core::syntax::*;
use tweetfilter_core::{Dialect, Expression, Limits, Span};

fn leaf(atom: Atom) -> Node {
    Node { span: Span::default(), kind: NodeKind::Atom(atom) }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        "[a-z]{2,4}(-|'|\\.|/|&|@|_)[a-z]{1,3}",
        "[a-z]{2,4}\\*",
        "[a-z]{2,3}\\?[a-z]{1,2}",
        "[0-9]{1,2}:[0-9]{2}",
        Just("of".to_owned()),
        Just("any".to_owned()),
        Just("2".to_owned()),
        Just("café".to_owned()),
        Just("東京".to_owned()),
        Just("👩‍🚀".to_owned()),
    ]
}

fn quotable() -> impl Strategy<Value = String> {
    // A letter makes sure that there is a token.
    r#"[a-z]([a-z "“”\\()\[\]{},:*?/#@'-]|é|東|\u{200b}){0,8}"#.prop_map(|s| s)
}

fn text() -> impl Strategy<Value = TextPattern> {
    let form = prop_oneof![Just(Form::Folded), Just(Form::Exact)];
    prop_oneof![
        (word(), form.clone()).prop_map(|(text, form)| TextPattern { text, form, shape: Shape::Word }),
        (quotable(), form).prop_map(|(text, form)| TextPattern { text, form, shape: Shape::Phrase }),
        ("[a-z]{1,3} [a-z]{1,3}", 0u32..=32).prop_map(|(text, n)| TextPattern {
            text,
            form: Form::Folded,
            shape: Shape::Near(n)
        }),
        "[a-z]{4,7}".prop_map(|text| TextPattern { text, form: Form::Obfuscated, shape: Shape::Word }),
    ]
}

fn values<T: std::fmt::Debug + Clone + 'static>(
    one: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Vec<Value<T>>> {
    let value = prop_oneof![5 => one.prop_map(Value::One), 1 => "[a-z0-9_-]{1,8}".prop_map(Value::Set)];
    prop::collection::vec(value, 1..4)
}

fn account() -> impl Strategy<Value = AccountName> {
    prop_oneof![
        Just(AccountName::Me),
        prop_oneof!["[a-z0-9_]{3,8}", Just("bob@mastodon.social".to_owned()), Just("did:plc:abc".to_owned())]
            .prop_map(AccountName::Name),
    ]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    (0u32..2_000_000, 0u32..2_000_000, 0..6).prop_map(|(a, b, kind)| {
        let (a, b) = (f64::from(a.min(b)), f64::from(a.max(b)));
        match kind {
            0 => Comparison::Eq(a),
            1 => Comparison::Gt(a),
            2 => Comparison::Ge(a),
            3 => Comparison::Lt(a),
            4 => Comparison::Le(a),
            _ => Comparison::Between(a, b),
        }
    })
}

fn point() -> impl Strategy<Value = Point> {
    (-180.0..180.0f64, -90.0..90.0f64).prop_map(|(lon, lat)| Point { lon, lat })
}

fn flags() -> impl Strategy<Value = Atom> {
    let is = prop_oneof![
        Just(IsFlag::Retweet),
        Just(IsFlag::SelfThread),
        Just(IsFlag::Nullcast),
        Just(IsFlag::Bot)
    ];
    let has = prop_oneof![
        Just(HasFlag::Links),
        Just(HasFlag::Cashtags),
        Just(HasFlag::ProfileGeo),
        Just(HasFlag::Lang)
    ];
    let one = |v: Vec<_>| v.into_iter().map(Value::One).collect::<Vec<_>>();
    prop_oneof![
        prop::collection::vec(is, 1..3).prop_map(move |v| Atom::Is(v.into_iter().map(Value::One).collect())),
        prop::collection::vec(has, 1..3).prop_map(move |v| Atom::Has(one(v))),
    ]
}

fn atom() -> impl Strategy<Value = Atom> {
    let field = prop_oneof![Just(WordField::Bio), Just(WordField::Url), Just(WordField::Warning)];
    let place = prop_oneof![Just(PlaceField::Place), Just(PlaceField::ProfileRegion)];
    let number = prop_oneof![Just(NumberField::Followers), Just(NumberField::Caps), Just(NumberField::Links)];
    let accounts =
        prop_oneof![Just(AccountField::From), Just(AccountField::RetweetsOf), Just(AccountField::QuotesOf)];
    let id = prop_oneof![Just(IdField::InReplyTo), Just(IdField::Conversation)];
    prop_oneof![
        8 => text().prop_map(Atom::Text),
        1 => values(quotable()).prop_map(Atom::Contains),
        1 => values(quotable()).prop_map(Atom::UrlContains),
        1 => values(quotable()).prop_map(Atom::Entity),
        1 => ("[a-z/ ]{1,6}", any::<[bool; 4]>()).prop_map(|(pattern, [i, s, m, x])| Atom::Regex(RegexPattern {
            pattern, ignore_case: i, dot_matches_newline: s, multi_line: m, verbose: x,
        })),
        1 => "[a-z0-9_-]{1,64}".prop_map(Atom::Set),
        1 => ("[a-zé]{2,5}", any::<bool>()).prop_map(|(tag, prefix)| Atom::Hashtag { tag, prefix }),
        1 => account().prop_map(Atom::Mention),
        1 => "[A-Z]{1,6}(\\.[A-Z]{1,2})?".prop_map(Atom::Cashtag),
        2 => (accounts, values(account())).prop_map(|(f, v)| Atom::Account(f, v)),
        2 => (field, values(text())).prop_map(|(f, v)| Atom::Words(f, v)),
        1 => values("[a-z]{2,5}\\.(com|рф)".prop_map(|s| s)).prop_map(Atom::Domain),
        1 => (id, values("[0-9]{1,19}".prop_map(|s| s))).prop_map(|(f, v)| Atom::Id(f, v)),
        1 => any::<u64>().prop_map(|n| Atom::IdBound(IdBound::Since, n)),
        2 => flags(),
        1 => values(prop_oneof![Just("en".to_owned()), Just("pt-br".to_owned()), Just("qme".to_owned())]).prop_map(Atom::Lang),
        1 => (place, values(quotable())).prop_map(|(f, v)| Atom::Place(f, v)),
        1 => (point(), 1u32..1000, any::<bool>()).prop_map(|(center, r, km)| Atom::PointRadius {
            center, radius: f64::from(r) / 10.0, unit: if km { DistanceUnit::Km } else { DistanceUnit::Mi },
        }),
        1 => (point(), point()).prop_map(|(a, b)| Atom::BoundingBox {
            south_west: Point { lon: a.lon, lat: a.lat.min(b.lat) },
            north_east: Point { lon: b.lon, lat: a.lat.max(b.lat) },
        }),
        2 => (number, comparison()).prop_map(|(f, c)| Atom::Number(f, c)),
        1 => Just(Atom::Time(TimeBound::Until, TimeValue { text: "2021-01-01".to_owned(), millis: 1_609_459_200_000 })),
        1 => (prop_oneof![Just(None), "[0-9]{1,4}".prop_map(Some)], "[0-9]{1,4}").prop_map(|(domain, entity)| {
            Atom::Context(vec![Value::One(ContextId { domain, entity: Some(entity) })])
        }),
        1 => (1u16..=10_000).prop_map(Atom::Sample),
        1 => ("[a-z_]{1,5}", comparison()).prop_map(|(name, c)| Atom::Attribute { name, test: AttributeTest::Number(c) }),
        1 => ("[a-z_]{1,5}", values(quotable().prop_map(|text| TextPattern { text, form: Form::Folded, shape: Shape::Phrase })))
            .prop_map(|(name, v)| Atom::Attribute { name, test: AttributeTest::Words(v) }),
    ]
}

fn tree() -> impl Strategy<Value = Node> {
    atom().prop_map(leaf).prop_recursive(5, 40, 5, |inner| {
        let node = |kind| Node { span: Span::default(), kind };
        let list = prop::collection::vec(inner.clone(), 2..5);
        prop_oneof![
            3 => list.clone().prop_map(move |items| node(NodeKind::And(items))),
            3 => list.clone().prop_map(move |items| node(NodeKind::Or(items))),
            2 => inner.clone().prop_map(move |n| match n.kind {
                NodeKind::Not(inner) => *inner,
                kind => node(NodeKind::Not(Box::new(node(kind)))),
            }),
            1 => (list, 0u32..6).prop_map(move |(items, n)| {
                let most = u32::try_from(items.len()).expect("few");
                let count = match n {
                    0 => QuotaCount::Any,
                    1 => QuotaCount::All,
                    2 => QuotaCount::None,
                    n => QuotaCount::AtLeast(n.min(most)),
                };
                node(NodeKind::Quota(Quota { count, items }))
            }),
            1 => (inner, any::<bool>()).prop_map(move |(n, quote)| {
                node(NodeKind::Scope(if quote { Scope::Quote } else { Scope::Retweet }, Box::new(n)))
            }),
        ]
    })
}

/// Texts that are nearly expressions.
fn noise() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(" "),
        Just("("),
        Just(")"),
        Just("\""),
        Just("“"),
        Just("-"),
        Just("–"),
        Just("OR"),
        Just(" OR "),
        Just(" AND "),
        Just("NOT "),
        Just(","),
        Just("from:"),
        Just("bio:"),
        Just("has:links"),
        Just("followers:"),
        Just(">1k"),
        Just("1..2"),
        Just("2 of ("),
        Just("any of("),
        Just("in:quote("),
        Just("/"),
        Just("/a+/i"),
        Just("{"),
        Just("}"),
        Just("[1 2 3km]"),
        Just("point_radius:"),
        Just("#"),
        Just("@"),
        Just("$"),
        Just("="),
        Just("~"),
        Just("~3"),
        Just("*"),
        Just("?"),
        Just("\\"),
        Just("cat"),
        Just("dog"),
        Just("é"),
        Just("東京"),
        Just("👩‍🚀"),
        Just("\u{200b}"),
        Just("\u{301}"),
        Just("：，"),
        Just("’"),
        Just("\n"),
        Just("https://a.b/c"),
        Just("filter:"),
        Just("safe"),
        Just("attr.x:"),
        Just(":"),
        Just("."),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn places_are_sound(text: &str, found: &[Diagnostic]) {
    assert!(found.len() <= 32);
    for d in found {
        assert!(text.get(d.span.range()).is_some(), "{text:?}: {d:?}");
        assert!(d.fixes.iter().all(|f| text.get(f.span.range()).is_some()), "{text:?}: {d:?}");
        assert!(d.second.as_ref().is_none_or(|s| text.get(s.0.range()).is_some()), "{text:?}: {d:?}");
        assert!(CODES.iter().any(|c| c.0 == d.code));
    }
    assert!(found.is_sorted_by_key(|d| d.span));
}

fn survives(text: &str, dialect: Dialect) {
    match Expression::parse_with(text, dialect, &Limits::default()) {
        Ok(parsed) => {
            places_are_sound(text, parsed.warnings());
            let printed = parsed.to_string();
            match Expression::parse_with(&printed, dialect, &Limits::default()) {
                Ok(again) => {
                    assert_eq!(again, parsed, "{text:?} prints {printed:?}");
                    assert_eq!(again.to_string(), printed);
                }
                Err(e) => panic!("{text:?} prints {printed:?}: {e}"),
            }
            let native = to_native(&parsed);
            assert_eq!(native.dialect(), Dialect::Native);
        }
        Err(error) => {
            places_are_sound(text, error.diagnostics());
            assert!(error.diagnostics().iter().any(|d| d.severity == Severity::Error));
        }
    }
}

/// Takes the first fix that is offered for an error, again and again: until there is none, or nothing is wrong.
fn comes_to_an_end(text: &str, dialect: Dialect) {
    let mut mended = text.to_owned();
    let mut taken = Vec::new();
    while let Err(error) = Expression::parse_with(&mended, dialect, &Limits::default()) {
        let errors = error.diagnostics().iter().filter(|found| found.severity == Severity::Error);
        let Some((code, fix)) = errors.into_iter().find_map(|found| Some((found.code, found.fixes.first()?)))
        else {
            return;
        };
        taken.push((code, fix.label.clone(), mended.clone()));
        assert!(taken.len() < 100, "{text:?}: {:#?}", &taken[taken.len() - 4..]);
        mended.replace_range(fix.span.range(), &fix.replacement);
    }
}

fn errors(text: &str, dialect: Dialect) -> Vec<Diagnostic> {
    let error = Expression::parse_with(text, dialect, &Limits::default()).err();
    let found = error.map(|error| error.diagnostics().to_vec()).unwrap_or_default();
    found.into_iter().filter(|found| found.severity == Severity::Error).collect()
}

/// What closes parentheses closes all of them, and nothing lacks an operand that had one before.
fn closing_mends(text: &str, dialect: Dialect) {
    let before = errors(text, dialect);
    let fixes =
        before.iter().filter(|found| found.code == "missing_parenthesis").flat_map(|found| &found.fixes);
    for fix in fixes {
        let mut mended = text.to_owned();
        mended.replace_range(fix.span.range(), &fix.replacement);
        for error in errors(&mended, dialect) {
            let is_sound = match error.code {
                "missing_parenthesis" => false,
                "missing_operand" => before.iter().any(|one| one.message == error.message),
                _ => true,
            };
            assert!(is_sound, "{text:?}: {:?} gives {mended:?}: {error:?}", fix.label);
        }
    }
}

/// Operands and what stands between them, in any order.
fn structure() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a ",
        "b ",
        "(",
        "(",
        ") ",
        "OR ",
        "AND ",
        "NOT ",
        "-",
        ", ",
        "2 of (",
        "in:quote(",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// What closes it would be taken in by what is not closed itself.
#[test]
fn nothing_is_closed_behind_an_operand_that_goes_on_to_the_end() {
    for text in ["2 of (from:(\"", "(from:(\"", "(a from:(\"b c", "2 of (point_radius:(“"] {
        comes_to_an_end(text, Dialect::Native);
        comes_to_an_end(text, Dialect::X);
    }
}

#[test]
fn a_parenthesis_that_is_only_begun_is_removed() {
    for text in [
        "snow (",
        "snow OR (",
        "snow ((",
        "a (b -(",
        "(a OR (b in:quote( ",
        "snow 2 of (",
        "-(",
        "(",
        "a (NOT",
    ] {
        closing_mends(text, Dialect::Native);
        closing_mends(text, Dialect::X);
    }
}

#[test]
fn fixes_of_open_quotes_and_parentheses_close_both() {
    for text in
        ["(snow \"abc", "( \u{201c} x", "near:2(a \"b", "2 of (a, \"b", "(a OR contains:\"b", "((a \"b\\"]
    {
        comes_to_an_end(text, Dialect::Native);
        comes_to_an_end(text, Dialect::X);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_parses_to_the_same(node in tree()) {
        let printed = node.to_string();
        let parsed = Expression::parse(&printed).map_err(|e| TestCaseError::fail(format!("{printed}: {e}")))?;
        prop_assert_eq!(parsed.root(), &node, "{}", printed);
    }

    #[test]
    fn nearly_expressions_never_panic(text in noise()) {
        survives(&text, Dialect::Native);
        survives(&text, Dialect::X);
    }

    #[test]
    fn taking_fixes_comes_to_an_end(text in noise()) {
        comes_to_an_end(&text, Dialect::Native);
        comes_to_an_end(&text, Dialect::X);
    }

    #[test]
    fn closing_parentheses_mends(text in structure()) {
        closing_mends(&text, Dialect::Native);
        closing_mends(&text, Dialect::X);
    }

    #[test]
    fn random_text_never_panics(text in any::<String>()) {
        survives(&text, Dialect::Native);
    }
}
