//! What filters cost, and the budget of an owner.

use tweetfilter_core::budget::{Dear, Price, hold};
use tweetfilter_core::{Expression, FilterId, FilterSetBuilder, OwnerId};

const ANN: OwnerId = OwnerId(1);
const BEN: OwnerId = OwnerId(2);

fn add(builder: &mut FilterSetBuilder, id: u64, owner: OwnerId, text: &str) {
    builder.add_expression(FilterId(id), Some(owner), Expression::parse(text).unwrap()).unwrap();
}

fn price(text: &str) -> Price {
    let mut builder = FilterSetBuilder::new();
    add(&mut builder, 1, ANN, text);
    builder.prices()[0]
}

#[test]
fn what_is_tried_more_often_or_asks_more_is_dearer() {
    let rising = [
        "avalanche",
        "avalanche OR landslide OR mudslide",
        "the",
        "-is:retweet",
        "-is:retweet followers:>100 -snow",
        r"/\w+ \d/",
        r"/\w+ \d/ OR /\d \w+/",
    ];
    for pair in rising.windows(2) {
        assert!(price(pair[0]) < price(pair[1]), "{pair:?}: {} {}", price(pair[0]), price(pair[1]));
    }
    assert!(price("avalanche").nanoseconds() < 0.1, "{}", price("avalanche"));
    // A word beside it lets the same regex run on few posts.
    assert!(price(r"avalanche /\w+ \d/").nanoseconds() < 1.0);
}

#[test]
fn a_price_does_not_depend_on_what_else_is_there() {
    let texts = ["snow", "-is:retweet", r"/\w+ \d/", "\"a b c\"", "contains:ab"];
    let mut builder = FilterSetBuilder::new();
    builder.named_set("towns", "oslo\nbergen").unwrap();
    for (n, text) in texts.iter().rev().enumerate() {
        add(&mut builder, n as u64, BEN, text);
        add(&mut builder, 100 + n as u64, ANN, "{towns}");
    }
    let prices = builder.prices();
    for (n, text) in texts.iter().rev().enumerate() {
        assert_eq!(prices[2 * n], price(text), "{text}");
    }
}

#[test]
fn a_refusal_names_the_three_dearest_of_the_owner_and_a_way_out() {
    let mut builder = FilterSetBuilder::new();
    add(&mut builder, 1, BEN, r"/\w+ing \w+/");
    let own = ["snow", "-is:retweet -has:images", r"/\w+ed \d/", "rain", "-snow", "lang:en /[a-z]+x/"];
    for (n, text) in own.iter().enumerate() {
        add(&mut builder, n as u64, ANN, text);
    }
    let over = builder.within(ANN, Price::from_nanoseconds(50.0)).unwrap_err();
    let named: Vec<_> = over.dearest.iter().map(|dear| dear.text.as_str()).collect();
    assert_eq!(named, [r"/\w+ed \d/", "-is:retweet -has:images", "-snow"]);
    assert!(over.dearest.is_sorted_by(|a, b| a.price >= b.price));
    let said = over.to_string();
    assert!(said.contains("an owner's may cost 50 ns"), "{said}");
    assert!(said.contains(r"`/\w+ed \d/` runs over every post: put a word beside it"), "{said}");
    assert!(said.contains("add a word, tag, author or lang:"), "{said}");
    assert!(!said.contains("ing \\w"), "nothing of another owner: {said}");
    // What it is refused for is what it may cost at least.
    assert_eq!(builder.within(ANN, over.price), Ok(over.price));
    assert!(builder.within(ANN, over.price - Price::from_nanoseconds(0.001)).is_err());
    assert_eq!(builder.within(OwnerId(9), Price::default()), Ok(Price::default()));
}

#[test]
fn what_costs_next_to_nothing_need_not_be_cheaper() {
    let mut builder = FilterSetBuilder::new();
    for (n, text) in [r"/\w+ed \d/", "avalanche", "lang:en landslide"].iter().enumerate() {
        add(&mut builder, n as u64, ANN, text);
    }
    let over = builder.within(ANN, Price::from_nanoseconds(50.0)).unwrap_err();
    let has_advice: Vec<_> = over.dearest.iter().map(|dear| !dear.advice.is_empty()).collect();
    assert_eq!(has_advice, [true, false, false], "{over}");
    let text = over.to_string();
    assert!(text.starts_with("The filters would cost ") && text.lines().count() == 5, "{over}");
}

#[test]
fn a_long_list_of_accounts_is_not_free() {
    let mut builder = FilterSetBuilder::new();
    let names: String = (0..20_000).map(|n| format!("user{n}\n")).collect();
    builder.named_set("people", &names).unwrap();
    add(&mut builder, 1, ANN, "-from:{people}");
    add(&mut builder, 2, ANN, "from:{people}");
    assert!(builder.prices().iter().all(|price| price.nanoseconds() > 10_000.0), "{:?}", builder.prices());
}

#[test]
fn a_list_that_is_tried_on_every_post_is_what_the_advice_is_about() {
    let advice = |terms: &str, filter: &str| {
        let mut builder = FilterSetBuilder::new();
        builder.named_set("people", terms).unwrap();
        add(&mut builder, 1, ANN, filter);
        builder.within(ANN, Price::default()).unwrap_err().dearest[0].advice.clone()
    };
    let names: String = (0..20_000).map(|n| format!("user{n}\n")).collect();
    let long =
        "`from:{people}` is tried on every post, whatever stands beside it: a set of more than 10000 terms";
    for filter in ["from:{people}", "avalanche from:{people}", "-from:{people}"] {
        assert!(advice(&names, filter).starts_with(long), "{}", advice(&names, filter));
    }
    let said = advice("snow\n*no*", "avalanche bio:{people}");
    assert!(said.contains("`bio:{people}` is tried on every post") && said.contains("`*no*`"), "{said}");
    // A list that is looked up is nothing to be told of.
    let said = advice("snow\nrain", "-from:{people}");
    assert!(said.starts_with("nothing that can be looked up must be there"), "{said}");
    // What it says helps.
    let mut builder = FilterSetBuilder::new();
    for (name, numbers) in [("one", 0..10_000), ("other", 10_000..20_000)] {
        builder.named_set(name, &numbers.map(|n| format!("user{n}\n")).collect::<String>()).unwrap();
    }
    add(&mut builder, 1, ANN, "from:{one} OR from:{other}");
    assert!(builder.prices()[0].nanoseconds() < 10.0, "{:?}", builder.prices());
}

#[test]
fn the_price_of_one_owner_is_looked_up_among_many() {
    let mut builder = FilterSetBuilder::new();
    for owner in 0..50 {
        builder
            .owner_set(OwnerId(owner), "mine", &format!("{} *no*", "snow ".repeat(owner as usize)))
            .unwrap();
        add(&mut builder, 1, OwnerId(owner), "{mine} OR -rain");
        add(&mut builder, 2, OwnerId(owner), "avalanche");
    }
    let prices = builder.prices();
    for owner in 0..50 {
        let own = [2 * owner, 2 * owner + 1].map(|index| prices[index]).into_iter().sum();
        assert_eq!(builder.within(OwnerId(owner as u64), Price::MAX), Ok(own));
    }
}

#[test]
fn filters_are_held_to_a_budget_wherever_they_are() {
    let price = |ns: f64| Price::from_nanoseconds(ns);
    let filters = [("a", 1.0), ("b", 8_000.0), ("c", 2.0), ("d", 3.0), ("e", 9.0)];
    let filters = || filters.map(|(name, ns)| (name, price(ns)));
    assert_eq!(hold(price(8_015.0), filters()), Ok(price(8_015.0)));
    let excess = hold(price(8_014.0), filters()).unwrap_err();
    assert_eq!((excess.budget, excess.price), (price(8_014.0), price(8_015.0)));
    let names: Vec<_> = excess.dearest.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["b", "e", "d"]);
    let dear = |text: &str, price| Dear {
        id: FilterId(7),
        text: text.to_owned(),
        price,
        advice: "cut it".to_owned(),
    };
    let over = excess.described(|name, price| (name != "b").then(|| dear(name, price)));
    // Of those that can't be described nothing is said, nor how to make cheaper what would gain little.
    let said: Vec<_> = over.dearest.iter().map(|dear| (&*dear.text, &*dear.advice)).collect();
    assert_eq!(said, [("e", "cut it"), ("d", "")]);
}
