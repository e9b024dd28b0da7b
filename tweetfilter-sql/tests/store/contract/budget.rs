//! What the filters of an account may cost.

use tweetfilter_core::budget::Price;
use tweetfilter_sql::{Database, NewFilter};
use tweetfilter_stream::store::{Store, StoreError};
use tweetfilter_stream::worker::{Compiled, OVER_BUDGET};

use crate::common::Clock;

pub async fn an_owner_is_held_to_a_budget(database: &Database, _: &Clock) {
    let budget = |ns: f64| database.clone().with_owner_budget(Price::from_nanoseconds(ns));
    let (ann, ben) =
        (database.add_account("ann", &[]).await.unwrap(), database.add_account("ben", &[]).await.unwrap());
    let filter = |text: &str| NewFilter { text: text.into(), ..NewFilter::default() };
    let small = budget(100.0);
    let cheap = small.add_filter(ann, &filter("snow")).await.unwrap();
    let scanned = small.add_filter(ann, &filter("-is:retweet")).await.unwrap();
    let dear = filter(r"/\w+ing \w+/");
    let refused = |result: Result<i64, StoreError>| match result {
        Err(StoreError::OverBudget(over)) => over,
        other => panic!("{other:?}"),
    };
    let over = refused(small.add_filter(ann, &dear).await);
    let named: Vec<_> = over.dearest.iter().map(|dear| dear.text.as_str()).collect();
    assert_eq!(named, [dear.text.as_str(), "-is:retweet", "snow"]);
    // Nothing of it happened, and all of a file or nothing.
    assert_eq!(database.account_filters(ann).await.unwrap().len(), 2);
    let batch = [filter("rain"), dear.clone()];
    assert!(matches!(small.add_filters(ann, &batch).await, Err(StoreError::OverBudget(_))));
    assert!(matches!(small.edit_filter(cheap, &dear).await, Err(StoreError::OverBudget(_))));
    assert_eq!(database.filter(cheap).await.unwrap().unwrap().filter.text, "snow");
    // One that is off costs nothing until it is switched on; each account has a budget of its own.
    assert_eq!(budget(1e6).add_filters(ben, &[dear.clone(), filter("ice")]).await.unwrap().len(), 2);
    let off = budget(1e6).add_filter(ann, &dear).await.unwrap();
    assert!(small.enable_filter(off, false).await.unwrap());
    assert!(matches!(small.enable_filter(off, true).await, Err(StoreError::OverBudget(_))));
    assert!(!database.filter(off).await.unwrap().unwrap().enabled);
    // Over a budget that was lowered, what makes it cheaper is possible.
    assert!(small.edit_filter(scanned, &filter("is:retweet -has:images")).await.unwrap());
    let (smaller, price) = (budget(10.0), database.owner_price(ann).await.unwrap().0);
    assert!(price > Price::from_nanoseconds(10.0));
    assert!(smaller.edit_filter(scanned, &filter("-is:reply")).await.unwrap());
    assert!(smaller.add_filter(ann, &filter("sleet")).await.is_err());
    // A worker leaves out the dearest of those who are over, and nobody else's.
    let snapshot = database.filters(None).await.unwrap().unwrap();
    let compiled = Compiled::new(&snapshot, Price::from_nanoseconds(100.0));
    let left_out: Vec<_> = compiled.refused().iter().map(|filter| (filter.account, filter.id)).collect();
    let dear_of_ben = database.account_filters(ben).await.unwrap()[0].id;
    assert_eq!(left_out, [(ben, dear_of_ben)]);
    assert_eq!(compiled.filters(), snapshot.filters.len() - 1);
    assert!(compiled.refused()[0].reason.contains("may cost 100 ns"), "{:?}", compiled.refused());
    assert_eq!(compiled.refused()[0].code, OVER_BUDGET);
}
