//! Filters and the lists that they name.

use std::time::Duration;

use tweetfilter_core::budget::Price;
use tweetfilter_core::{Expression, FilterId, Scratch};
use tweetfilter_sql::{Database, NewFilter};
use tweetfilter_stream::store::{Action, Store, StoreError};
use tweetfilter_stream::worker::Compiled;

use super::post;
use crate::common::Clock;

pub async fn filters_tell_their_revision_and_expire(database: &Database, clock: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let first = database.filters(None).await.unwrap().unwrap();
    assert_eq!(database.filters(Some(first.revision)).await.unwrap(), None);
    let filter = |text: &str| NewFilter { text: text.into(), action: Action::Hide, ..NewFilter::default() };
    let a = database.add_filter(ann, &filter("snow")).await.unwrap();
    let soon = Some(Clock::START + 1_000);
    let b = database.add_filter(ann, &NewFilter { expires_at: soon, ..filter("rain") }).await.unwrap();
    let c = database.add_filter(ann, &filter("ice")).await.unwrap();
    database.set_named(None, "towns", "Oslo\nBergen").await.unwrap();
    database.order_filters(ann, &[c, a]).await.unwrap();
    let now = database.filters(Some(first.revision)).await.unwrap().unwrap();
    assert_eq!(now.filters.iter().map(|one| one.id).collect::<Vec<_>>(), [b, c, a]);
    assert_eq!((now.filters[1].text.as_str(), now.filters[1].action), ("ice", Action::Hide));
    assert_eq!(now.sets, [("towns".into(), "Oslo\nBergen".into())]);
    clock.pass(Duration::from_secs(1));
    let expired = database.filters(Some(now.revision)).await.unwrap().unwrap();
    assert_eq!(expired.filters.iter().map(|one| one.id).collect::<Vec<_>>(), [c, a]);
    let off = database.filter(b).await.unwrap().unwrap();
    assert!(!off.enabled && off.revision == expired.revision, "who has it open hears of it");
    assert_eq!(database.filters(Some(expired.revision)).await.unwrap(), None);

    assert!(database.edit_filter(a, &filter("sleet")).await.unwrap());
    assert!(database.enable_filter(c, false).await.unwrap());
    let now = database.filters(Some(expired.revision)).await.unwrap().unwrap();
    assert_eq!(now.filters.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["sleet"]);
    assert!(database.remove_filter(a).await.unwrap() && !database.remove_filter(a).await.unwrap());
    assert!(database.remove_named(None, "towns").await.unwrap());
    assert!(database.named_sets(None).await.unwrap().is_empty());
    assert_eq!(database.account_filters(ann).await.unwrap().len(), 2);
}

pub async fn lists_belong_to_an_account_or_to_all(database: &Database, _: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let ben = database.add_account("ben", &[]).await.unwrap();
    database.set_named(None, "towns", "oslo").await.unwrap();
    database.set_named(Some(ann), "towns", "rome").await.unwrap();
    database.set_named(Some(ann), "towns", "bergen").await.unwrap();
    database.set_named(Some(ben), "people", "bob").await.unwrap();
    let filter = |text: &str| NewFilter { text: text.into(), ..NewFilter::default() };
    let mut of = Vec::new();
    for (account, text) in
        [(ann, "{towns}"), (ben, "{towns}"), (ben, "from:{people}"), (ann, "from:{people}")]
    {
        of.push(database.add_filter(account, &filter(text)).await.unwrap());
    }
    let snapshot = database.filters(None).await.unwrap().unwrap();
    let compiled = Compiled::new(&snapshot, Price::OWNER);
    assert_eq!(
        compiled.refused().iter().map(|one| (one.id, one.code)).collect::<Vec<_>>(),
        [(of[3], "set_unknown")]
    );
    let mut scratch = Scratch::default();
    let mut found = |text: &str| {
        let found = compiled.evaluate(&mut scratch, &post("1", text), &[ann, ben]);
        found.into_iter().flat_map(|one| one.filters).collect::<Vec<_>>()
    };
    assert_eq!(found("bergen"), [of[0], of[2]]);
    assert_eq!(found("oslo"), [of[1], of[2]]);
    let named = |name: &str, terms: &str| vec![(name.to_owned(), terms.to_owned())];
    let known = database.known_to(ann).await.unwrap();
    assert_eq!((known.sets, known.own_sets), (named("towns", "oslo"), named("towns", "bergen")));
    assert_eq!(database.named_sets(Some(ann)).await.unwrap(), named("towns", "bergen"));
    assert_eq!(database.named_sets(None).await.unwrap(), named("towns", "oslo"));
    assert_eq!(database.status().await.unwrap().sets, 3);
    // What a filter is checked with before it is saved.
    let (mut builder, owner) = database.owner(ann).await.unwrap();
    let mut add = |id, text: &str| {
        builder.add_expression(FilterId(id), Some(owner), Expression::parse(text).unwrap()).is_ok()
    };
    assert!(add(1, "{towns}") && !add(2, "{people}"));
    // A list that makes a filter too dear is refused, and one of another account is not touched by it.
    let many: String = (0..20_000).map(|n| format!("user{n}\n")).collect();
    assert!(matches!(database.set_named(Some(ben), "people", &many).await, Err(StoreError::OverBudget(_))));
    assert_eq!(database.named_sets(Some(ben)).await.unwrap(), named("people", "bob"));
    assert!(!database.remove_named(Some(ben), "towns").await.unwrap());
    assert!(database.remove_named(Some(ann), "towns").await.unwrap());
    assert!(database.remove_account(ben).await.unwrap());
    assert!(database.filters(None).await.unwrap().unwrap().own_sets.is_empty());
}
