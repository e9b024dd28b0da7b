//! What the filters of an account may cost.

use tweetfilter_core::Expression;
use tweetfilter_core::budget::Price;
use tweetfilter_sql::{Database, NewFilter, Unsaved};
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

pub async fn a_check_refuses_what_a_save_would_and_as_it_would(database: &Database, _: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let filter = |text: String| NewFilter { text, ..NewFilter::default() };
    let many: Vec<_> = (0..1_500).map(|n| filter(format!("-from:user{n}"))).collect();
    let many = database.clone().with_owner_budget(Price::MAX).add_filters(ann, &many).await.unwrap();
    let prices = database.prices(ann, None).await.unwrap();
    assert!(prices.has(many[0]) && prices.has(many[1_499]));
    let small = database.clone().with_owner_budget(Price::from_nanoseconds(100.0));
    let dear = filter(r"/\w+ing \w+/".into());
    let Err(StoreError::OverBudget(saving)) = small.add_filter(ann, &dear).await else { panic!("saved") };
    // Each of the others costs so little of all that nothing would be gained.
    let has_advice: Vec<_> = saving.dearest.iter().map(|dear| !dear.advice.is_empty()).collect();
    assert_eq!(has_advice, [true, false, false], "{saving}");
    let expression = Expression::parse(&dear.text).unwrap();
    let unsaved =
        Unsaved { replaces: None, enabled: None, expression: &expression, price: saving.dearest[0].price };
    let known = small.known_to(ann).await.unwrap();
    let Err(StoreError::OverBudget(checking)) = small.fits_beside(ann, &prices, &known, &unsaved).await
    else {
        panic!("it fits")
    };
    assert_eq!(checking.to_string(), saving.to_string());
    assert_eq!((checking.budget, checking.price), (saving.budget, saving.price));
    // In the place of another, and switched off, it is held to what it would cost then.
    let off = Unsaved { enabled: Some(false), ..unsaved };
    assert_eq!(small.fits_beside(ann, &prices, &known, &off).await, Ok(()));
    let cheaper = Expression::parse("avalanche").unwrap();
    let price = Price::from_nanoseconds(0.01);
    let instead = Unsaved { replaces: Some(many[0]), enabled: None, expression: &cheaper, price };
    assert_eq!(small.fits_beside(ann, &prices, &known, &instead).await, Ok(()));
}
