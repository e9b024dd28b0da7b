//! A set of filters finds what the oracle says, in every configuration.

#![no_main]

#[path = "../../tweetfilter-core/tests/generated/mod.rs"]
mod generated;

use std::fmt;

use arbitrary::{Arbitrary, Unstructured};
use generated::{Choices, SETS};
use libfuzzer_sys::fuzz_target;
use tweetfilter_core::oracle::{self, Surroundings};
use tweetfilter_core::post::Account;
use tweetfilter_core::syntax::NamedSets;
use tweetfilter_core::{
    Dialect, Expression, FilterId, FilterSetBuilder, Identity, Limits, OwnerId, Post, Scratch,
};

const OWNER: OwnerId = OwnerId(7);

struct Case {
    filters: Vec<(Dialect, String)>,
    post: Post,
}

/// As rows of conformance, to paste.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let post = serde_json::to_string(&self.post).map_err(|_| fmt::Error)?;
        for (dialect, filter) in &self.filters {
            let filter = serde_json::to_string(filter).map_err(|_| fmt::Error)?;
            let dialect = if *dialect == Dialect::X { r#""dialect":"x","# } else { "" };
            writeln!(f, "{{\"filter\":{filter},{dialect}\"post\":{post}}}")?;
        }
        Ok(())
    }
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let count = 1 + usize::from(u8::arbitrary(bytes)? % 6);
        let each = bytes.len() / (count + 2);
        let mut filters = Vec::new();
        for _ in 0..count {
            let mut choices = Choices::new(bytes.bytes(each)?);
            let dialect = if choices.once_in(3) { Dialect::X } else { Dialect::Native };
            filters.push((dialect, generated::filter(&mut choices)));
        }
        let rest = bytes.bytes(bytes.len())?;
        Ok(Self { filters, post: generated::post(&mut Choices::new(rest)) })
    }
}

fuzz_target!(|case: Case| {
    let mut sets = NamedSets::default();
    let mut builder = FilterSetBuilder::new();
    for (name, text) in SETS {
        sets.insert(name, text, &Limits::default()).expect("a set");
        builder.named_set(name, text).expect("a set");
    }
    let identity = |network: &str, id: &str, handle: &str| Identity {
        network: network.into(),
        account: Account { id: id.into(), handle: handle.into() },
    };
    let me = vec![identity("x", "12", "bob"), identity("bluesky", "did:plc:x", ""), identity("", "", "eve")];
    builder.owner(OWNER, me.clone());
    let surroundings = Surroundings { sets: &sets, me: &me };
    let mut expected = Vec::new();
    for (n, (dialect, text)) in case.filters.iter().enumerate() {
        let Ok(expression) = Expression::parse_with(text, *dialect, &Limits::default()) else { continue };
        if oracle::holds(&expression, &case.post, &surroundings) {
            expected.push(n as u64);
        }
        builder.add_expression(FilterId(n as u64), Some(OWNER), expression).expect("a filter");
    }
    let set = builder.build();
    let mut scratch = Scratch::default();
    let ids = |found: &[tweetfilter_core::Match]| found.iter().map(|m| m.id.0).collect::<Vec<_>>();
    assert_eq!(ids(set.matches_scanned(&mut scratch, &case.post)), expected, "index off\n{case:?}");
    assert_eq!(ids(set.matches_with(&mut scratch, &case.post)), expected, "single\n{case:?}");
    assert_eq!(ids(set.matches_for(&mut scratch, &case.post, &[OWNER])), expected, "audience\n{case:?}");
    set.matches_batch(&mut scratch, std::slice::from_ref(&case.post), |_, found| {
        assert_eq!(ids(found), expected, "batch\n{case:?}");
    });
});
