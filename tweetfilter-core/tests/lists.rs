//! Named sets of all, and of one owner.

use tweetfilter_core::explain::{CostClass, PlanSet};
use tweetfilter_core::{
    AddError, Expression, FilterId, FilterSetBuilder, Identity, Match, OwnerId, Post, Scratch, post::Account,
};

const ANN: OwnerId = OwnerId(1);
const BEN: OwnerId = OwnerId(2);
const EVE: OwnerId = OwnerId(3);

fn builder() -> FilterSetBuilder {
    let mut builder = FilterSetBuilder::new();
    builder.named_set("towns", "oslo").unwrap();
    builder.owner_set(ANN, "towns", "bergen\nrome").unwrap();
    builder.owner_set(BEN, "people", "bob").unwrap();
    builder
}

fn add(builder: &mut FilterSetBuilder, id: u64, owner: OwnerId, text: &str) -> Result<(), AddError> {
    builder.add_expression(FilterId(id), Some(owner), Expression::parse(text).unwrap()).map(|_| ())
}

fn owners(found: &[Match]) -> Vec<OwnerId> {
    found.iter().filter_map(|found| found.owner).collect()
}

#[test]
fn a_list_of_an_owner_is_known_to_nobody_else_and_goes_before_that_of_all() {
    let mut builder = builder();
    for (id, owner) in [(1, ANN), (2, BEN), (3, EVE)] {
        add(&mut builder, id, owner, "{towns} snow").unwrap();
    }
    let unknown = add(&mut builder, 4, ANN, "from:{people}").unwrap_err();
    assert_eq!(unknown.to_string(), "There is no set named people");
    add(&mut builder, 5, BEN, "from:{people},carl").unwrap();
    let set = builder.build();
    assert_eq!(owners(&set.matches(&Post::from_text("snow in Oslo"))), [BEN, EVE]);
    assert_eq!(owners(&set.matches(&Post::from_text("snow in Rome"))), [ANN]);
    let mut post = Post::from_text("rain");
    post.author.account = Account { handle: "bob".into(), ..Account::default() };
    assert_eq!(owners(&set.matches(&post)), [BEN]);
    // Explanations read the same lists.
    let post = Post::from_text("snow in Rome");
    assert!(set.explain(0, &post).unwrap().matched && !set.explain(1, &post).unwrap().matched);
    assert_eq!(set.plan(0).unwrap().access.len(), 1);
}

#[test]
fn a_list_of_all_that_comes_later_is_known_to_filters_that_come_later() {
    let mut builder = builder();
    builder.owner(ANN, vec![Identity::default()]);
    add(&mut builder, 1, ANN, "{towns}").unwrap();
    assert!(add(&mut builder, 2, ANN, "{weather}").is_err());
    builder.named_set("weather", "fog").unwrap();
    add(&mut builder, 2, ANN, "{weather}").unwrap();
    builder.owner_set(ANN, "weather", "hail").unwrap();
    add(&mut builder, 3, ANN, "{weather}").unwrap();
    let set = builder.build();
    let ids = |text: &str| set.matches(&Post::from_text(text)).iter().map(|m| m.id.0).collect::<Vec<_>>();
    assert_eq!((ids("fog"), ids("hail"), ids("bergen")), (vec![2], vec![3], vec![1]));
}

#[test]
fn a_list_that_comes_behind_a_filter_hides_the_others_from_no_explanation() {
    let mut builder = builder();
    add(&mut builder, 1, ANN, "{towns} snow").unwrap();
    builder.named_set("later", "x").unwrap();
    builder.owner_set(ANN, "later", "y").unwrap();
    let set = builder.build();
    let post = Post::from_text("snow in Rome");
    assert_eq!(owners(&set.matches(&post)), [ANN]);
    assert!(set.explain(0, &post).unwrap().matched && set.plan(0).is_some());
}

#[test]
fn the_last_owner_of_all_has_lists_of_its_own_too() {
    let last = OwnerId(u64::MAX);
    let mut builder = builder();
    builder.owner_set(last, "towns", "paris").unwrap();
    builder.add(FilterId(1), "{towns}").unwrap();
    add(&mut builder, 1, last, "{towns}").unwrap();
    assert_eq!(owners(&builder.build().matches(&Post::from_text("Paris"))), [last]);
}

#[test]
fn each_filter_means_the_list_that_stood_when_it_was_added() {
    let mut builder = FilterSetBuilder::new();
    let told = ["oslo", "bergen", "rome", "paris"];
    for (id, towns) in (0..).zip(told) {
        // The owner's own list takes the place of that of all, and is replaced in turn.
        match id {
            0 | 1 => builder.named_set("towns", towns).unwrap(),
            _ => builder.owner_set(ANN, "towns", towns).unwrap(),
        };
        add(&mut builder, id, ANN, "{towns}").unwrap();
        add(&mut builder, id + 10, ANN, "-{towns} url:{towns}").unwrap();
    }
    add(&mut builder, 20, BEN, "{towns}").unwrap();
    // Nobody uses these.
    builder.named_set("towns", "madrid").unwrap().owner_set(ANN, "towns", "lyon").unwrap();
    let set = builder.build();
    for (id, town) in (0..).zip(told) {
        let post = Post::from_text(town);
        let mut found: Vec<Match> = set.matches(&post).to_vec();
        assert_eq!(found, set.matches_scanned(&mut Scratch::default(), &post));
        assert_eq!(found, set.matches_for(&mut Scratch::default(), &post, &[ANN, BEN]));
        let ben = found.iter().position(|found| found.owner == Some(BEN)).map(|at| found.remove(at));
        assert_eq!(ben.is_some(), town == "bergen");
        assert_eq!(found.iter().map(|found| found.id.0).collect::<Vec<_>>(), [id]);
        for index in 0..set.len() {
            let told = set.explain(index, &post).unwrap();
            let matched = set.matches(&post).iter().any(|found| found.index as usize == index);
            assert_eq!(told.matched, matched, "{index} of {town}");
            assert!(!matched || told.parts[0].places[0].text == town, "{told:?}");
        }
        assert!(set.plan(2 * id as usize).unwrap().access.len() == 1);
    }
}

#[test]
fn each_filter_means_the_people_who_were_known_when_it_was_added() {
    let account = |handle: &str| Account { handle: handle.into(), ..Account::default() };
    let identity = |handle: &str| Identity { network: String::new(), account: account(handle) };
    let mut builder = FilterSetBuilder::new();
    builder.named_set("us", "me\ncarl").unwrap();
    for (id, name) in [(0, "ann"), (1, "anna")] {
        builder.owner(ANN, vec![identity(name)]);
        builder.handle("bluesky", &Account { id: format!("did:{name}"), handle: "carl".into() });
        add(&mut builder, id, ANN, "from:{us}").unwrap();
        add(&mut builder, id + 10, ANN, "from:me,carl").unwrap();
    }
    let set = builder.build();
    let by = |network: &str, account: Account| {
        let mut post = Post { network: network.into(), ..Post::from_text("x") };
        post.author.account = account;
        for index in 0..set.len() {
            let matched = set.matches(&post).iter().any(|found| found.index as usize == index);
            assert_eq!(set.explain(index, &post).unwrap().matched, matched, "{index}: {post:?}");
        }
        set.matches(&post).iter().map(|found| found.id.0).collect::<Vec<_>>()
    };
    assert_eq!(by("", account("ann")), [0, 10]);
    assert_eq!(by("", account("anna")), [1, 11]);
    assert_eq!(by("", account("carl")), [0, 10, 1, 11]);
    let id = |id: &str| Account { id: id.into(), ..Account::default() };
    assert_eq!(by("bluesky", id("did:ann")), [0, 10, 1, 11]);
    assert_eq!(by("bluesky", id("did:anna")), [1, 11]);
}

#[test]
fn me_in_a_list_of_all_is_each_owner() {
    let mut builder = FilterSetBuilder::new();
    builder.named_set("us", "@me\nsnow").unwrap();
    for (owner, name) in [(ANN, "ann"), (BEN, "ben")] {
        let account = Account { handle: name.into(), ..Account::default() };
        builder.owner(owner, vec![Identity { network: String::new(), account }]);
        add(&mut builder, 1, owner, "{us}").unwrap();
    }
    let set = builder.build();
    assert_eq!(owners(&set.matches(&Post::from_text("hi @ben"))), [BEN]);
    assert_eq!(owners(&set.matches(&Post::from_text("hi @ann"))), [ANN]);
    assert_eq!(owners(&set.matches(&Post::from_text("snow"))), [ANN, BEN]);
}

#[test]
fn what_a_set_costs_is_what_the_engine_does_with_it() {
    let mut builder = FilterSetBuilder::new();
    let names = |count: u32| (0..count).map(|n| format!("user{n}\n")).collect::<String>();
    builder.named_set("few", "snow\nrain").unwrap();
    builder.named_set("most", &names(10_000)).unwrap();
    builder.named_set("many", &names(10_001)).unwrap();
    builder.named_set("odd", "snow\n*no*").unwrap();
    builder.named_set("none", "").unwrap();
    use CostClass::{Indexed, Scanned};
    let filters: [(&str, CostClass, &[&str]); 12] = [
        ("{few}", Indexed, &["{few}"]),
        ("from:{most}", Indexed, &["from:{most}"]),
        ("{none}", Indexed, &["{none}"]),
        // They are tried on every post, whatever stands beside them.
        ("from:{many}", Scanned, &["from:{many}"]),
        ("avalanche from:{many}", Scanned, &["from:{many}"]),
        ("avalanche -from:{many}", Scanned, &["from:{many}"]),
        ("avalanche (bio:{odd} OR from:{most} OR {few})", Scanned, &["bio:{odd}"]),
        ("avalanche in:quote(snow from:{many},bob)", Scanned, &["from:{many},bob"]),
        // These are scanned themselves, and that is the reason.
        ("-{few}", Scanned, &["{few}"]),
        ("-from:{many}", Scanned, &["from:{many}"]),
        // Behind two scopes a set is tried where its filter is.
        ("avalanche in:quote(in:quote(from:{many}))", Indexed, &["avalanche"]),
        ("avalanche", Indexed, &["avalanche"]),
    ];
    for (id, (filter, ..)) in (0..).zip(&filters) {
        add(&mut builder, id, ANN, filter).unwrap();
    }
    let set = builder.build();
    for (index, (filter, class, reasons)) in filters.iter().enumerate() {
        let cost = set.cost(index).unwrap();
        let by: Vec<_> = cost.reasons.iter().map(|span| &filter[span.range()]).collect();
        assert_eq!((cost.class, &*by, set.cost_class(index)), (*class, *reasons, Some(*class)), "{filter}");
        assert_eq!(set.plan(index).unwrap().cost, cost);
    }
}

#[test]
fn a_plan_says_how_each_set_is_found() {
    let mut builder = builder();
    builder.named_set("odd", "snow\n*no*").unwrap();
    builder.named_set("many", &(0..10_001).map(|n| format!("user{n}\n")).collect::<String>()).unwrap();
    add(&mut builder, 1, ANN, "in:quote({towns} from:{many}) OR ({towns} -bio:{odd})").unwrap();
    let plan = builder.build().plan(0).unwrap();
    assert!(plan.access.contains(&"set {towns}".to_owned()), "{:?}", plan.access);
    let steps: Vec<_> = plan.program.iter().map(|step| &*step.text).filter(|t| t.contains("set")).collect();
    assert_eq!(steps.len(), 4, "{steps:?}");
    assert!(steps.contains(&"set from:{many}") && steps.contains(&"not set bio:{odd}"), "{steps:?}");
    let found = |name: &str| -> &PlanSet { plan.sets.iter().find(|set| set.name == name).expect(name) };
    assert_eq!(plan.sets.len(), 4);
    assert_eq!(found("set {towns}").access, ["text bergen", "text rome"]);
    assert_eq!(found("quoted set {towns}").access, ["quoted text bergen", "quoted text rome"]);
    assert!(found("set {towns}").expected.is_some_and(|expected| expected < 0.1));
    for (name, is_long) in [("quoted set from:{many}", true), ("set bio:{odd}", false)] {
        let found = found(name);
        assert_eq!((&*found.access, found.expected, found.is_long), (&[][..], None, is_long), "{name}");
    }
}
