//! Who is who.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tweetfilter_core::post::{Account, Author};
use tweetfilter_sql::{Database, FRESH, LookBack, NOBODY, NamedIn, Naming, NewFilter, Profile};

use super::*;

const NETWORK: &str = "bluesky";

fn names(handles: &[&str]) -> BTreeSet<String> {
    handles.iter().map(|handle| (*handle).to_owned()).collect()
}

/// Handles that stand by themselves, in no list.
fn naming(handles: &[&str]) -> NamedIn {
    NamedIn { handles: names(handles), ..NamedIn::default() }
}

/// An account that is not asked for.
const SOMEBODY: Naming = Naming::Account(1);

async fn name(database: &Database, handles: &[&str]) {
    database.name_handles(NETWORK, &SOMEBODY, &naming(handles)).await.unwrap();
}

/// States that these name so much, and nobody else anything.
async fn state(database: &Database, all: &[(Naming, NamedIn)]) {
    let all: BTreeMap<_, _> = all.iter().cloned().collect();
    while !database.state_handles(NETWORK, revision(database).await, &all).await.unwrap() {}
}

fn answer(handle: &str, id: Option<&str>) -> (String, Option<String>) {
    (handle.to_owned(), id.map(str::to_owned))
}

fn identity(id: &str, handle: &str) -> Change {
    let account = Account { id: id.into(), handle: handle.into() };
    Change::Identity { network: NETWORK.into(), account }
}

async fn revision(database: &Database) -> u64 {
    database.status().await.unwrap().revision
}

async fn due(database: &Database) -> Vec<String> {
    database.due_handles(NETWORK, 10).await.unwrap()
}

pub async fn handles_are_handed_out_answered_and_doubted(database: &Database, clock: &Clock) {
    name(database, &["Ann.example", "bob.example"]).await;
    assert_eq!(due(database).await, ["ann.example", "bob.example"]);
    // Somebody asks for them now.
    assert!(due(database).await.is_empty());
    clock.pass(Duration::from_secs(61));
    assert_eq!(due(database).await, ["ann.example", "bob.example"]);
    let before = revision(database).await;
    let answers = [answer("ann.example", Some("did:plc:a")), answer("bob.example", None)];
    // As long as nobody has asked, they are not nobody's.
    let nobodys = async || {
        let asked = ["ann.example", "bob.example", "eve.example"];
        database.nobodys_handles(NETWORK, 1, &asked).await.unwrap()
    };
    assert!(nobodys().await.is_empty());
    assert_eq!(database.handles_answered(NETWORK, &answers).await.unwrap(), ["ann.example"]);
    assert_eq!(nobodys().await, names(&["bob.example"]));
    // Whoever does not name it is not told.
    assert!(database.nobodys_handles(NETWORK, 1, &["ann.example"]).await.unwrap().is_empty());
    assert!(database.nobodys_handles("other", 1, &["bob.example"]).await.unwrap().is_empty());
    assert!(database.nobodys_handles(NETWORK, 2, &["bob.example"]).await.unwrap().is_empty());
    assert_eq!(revision(database).await, before + 1);
    let snapshot = database.filters(None).await.unwrap().unwrap();
    let ann = Account { id: "did:plc:a".into(), handle: "ann.example".into() };
    assert_eq!(snapshot.handles, [(NETWORK.to_owned(), ann)]);
    // The same again changes nothing for workers.
    assert!(database.handles_answered(NETWORK, &answers).await.unwrap().is_empty());
    assert_eq!(revision(database).await, before + 1);

    // Nobody's are asked for again soon, others when their answer is old.
    assert!(due(database).await.is_empty());
    clock.pass(NOBODY + Duration::from_secs(1));
    assert_eq!(due(database).await, ["bob.example"]);
    database.handles_answered(NETWORK, &[answer("bob.example", Some("did:plc:b"))]).await.unwrap();
    assert!(nobodys().await.is_empty());
    clock.pass(FRESH);
    assert_eq!(due(database).await, ["ann.example", "bob.example"]);
    database.handles_answered(NETWORK, &[answer("ann.example", Some("did:plc:a"))]).await.unwrap();
    database.handles_answered(NETWORK, &[answer("bob.example", Some("did:plc:b"))]).await.unwrap();
    assert!(due(database).await.is_empty());

    // A stranger's new name is nothing to us; ann's own says that she is ann.example no longer.
    let before = revision(database).await;
    commit(
        database,
        vec![],
        vec![identity("did:plc:z", "zoe.example"), identity("did:plc:a", "ANN.example")],
    )
    .await;
    assert_eq!((revision(database).await, due(database).await.len()), (before, 0));
    commit(database, vec![], vec![identity("did:plc:a", "ann.new")]).await;
    assert_eq!(revision(database).await, before + 1);
    assert_eq!(due(database).await, ["ann.example"]);
    // Whose it is now has to be asked.
    assert!(nobodys().await.is_empty());
    let snapshot = database.filters(None).await.unwrap().unwrap();
    assert_eq!(snapshot.handles.len(), 1);
    // Whoever says that they are bob now is not believed, but bob is asked for.
    commit(database, vec![], vec![identity("did:plc:z", "bob.example")]).await;
    assert_eq!(revision(database).await, before + 1);
    assert_eq!(due(database).await, ["bob.example"]);
    // Something has changed, and it is not said what.
    database.handles_answered(NETWORK, &[answer("bob.example", Some("did:plc:z"))]).await.unwrap();
    commit(database, vec![], vec![identity("did:plc:z", "")]).await;
    assert_eq!(due(database).await, ["bob.example"]);
    assert_eq!(database.filters(None).await.unwrap().unwrap().handles.len(), 1);

    // An account that is known by its handle gets the id, and keeps it under another handle.
    let me = (NETWORK.to_owned(), Account { id: String::new(), handle: "Me.example".into() });
    database.add_account("me", &[me]).await.unwrap();
    name(database, &["me.example"]).await;
    let before = revision(database).await;
    database.handles_answered(NETWORK, &[answer("me.example", Some("did:plc:m"))]).await.unwrap();
    assert_eq!(revision(database).await, before + 1);
    commit(database, vec![], vec![identity("did:plc:m", "me.new")]).await;
    let accounts = database.accounts().await.unwrap();
    let known = Account { id: "did:plc:m".into(), handle: "me.new".into() };
    assert_eq!(accounts[0].identities, [(NETWORK.to_owned(), known)]);
    // That something has changed takes no handle away.
    let before = revision(database).await;
    commit(database, vec![], vec![identity("did:plc:m", "")]).await;
    assert_eq!(database.accounts().await.unwrap()[0].identities, accounts[0].identities);
    assert_eq!(revision(database).await, before);
}

pub async fn each_that_names_handles_has_its_turn(database: &Database, clock: &Clock) {
    let long: Vec<String> = (0..12_000).map(|n| format!("a{n:05}.example")).collect();
    let long = NamedIn { handles: long.into_iter().collect(), ..NamedIn::default() };
    let (ann, ben, carla) = (Naming::Account(1), Naming::Account(2), Naming::Account(3));
    state(database, &[(ann.clone(), long.clone()), (ben.clone(), naming(&["ben.example"]))]).await;
    // A list that was there before holds up nobody: each has its turn, and the rest is for whoever has more.
    let first = due(database).await;
    assert_eq!(first.len(), 10);
    assert!(first.contains(&"ben.example".to_owned()), "{first:?}");
    let one = async || database.due_handles(NETWORK, 1).await.unwrap();
    assert_eq!(one().await, ["a00009.example"], "ben has no more");
    // So it is also with one at a time, for whoever comes later.
    let list = Naming::List("friends".into());
    let more = naming(&["carla1.example", "carla2.example", "ben.example"]);
    let all = [(ann.clone(), long), (ben.clone(), naming(&["ben.example"])), (carla.clone(), more.clone())];
    state(database, &[&all[..], &[(list.clone(), naming(&["listed.example"]))]].concat()).await;
    let mut turns = Vec::new();
    for _ in 0..6 {
        turns.extend(one().await);
    }
    let at = |handle: &str| turns.iter().position(|had| had == handle);
    assert!(at("carla1.example").is_some_and(|at| at < 3), "{turns:?}");
    assert!(at("listed.example").is_some_and(|at| at < 3), "{turns:?}");
    assert!(at("carla2.example").is_some() && at("a00010.example").is_some(), "{turns:?}");
    assert_eq!(turns.iter().collect::<BTreeSet<_>>().len(), 6, "{turns:?}");
    // What nobody names any more is asked for no longer, at once.
    state(database, &[(carla.clone(), more)]).await;
    clock.pass(FRESH);
    assert_eq!(due(database).await, ["ben.example", "carla1.example", "carla2.example"]);
    assert_eq!(database.named_handles(NETWORK).await.unwrap().len(), 3);
    // What is stated as of filters that are others by now changes nothing.
    let old = revision(database).await - 1;
    assert!(
        !database
            .state_handles(NETWORK, old, &BTreeMap::from([(ben, naming(&["b.example"]))]))
            .await
            .unwrap()
    );
    assert_eq!(database.named_handles(NETWORK).await.unwrap().len(), 3);
}

pub async fn what_is_named_no_more_is_forgotten(database: &Database, clock: &Clock) {
    let (ann, ben) = (Naming::Account(1), Naming::Account(2));
    let two =
        [(ann.clone(), naming(&["ann.example", "bob.example"])), (ben.clone(), naming(&["bob.example"]))];
    state(database, &two).await;
    let answers = [answer("ann.example", None), answer("bob.example", Some("did:plc:b"))];
    database.handles_answered(NETWORK, &answers).await.unwrap();
    let named = async || {
        let named = database.named_handles(NETWORK).await.unwrap();
        named.into_iter().map(|named| named.handle).collect::<Vec<_>>()
    };
    // The same again is nothing new, also from another process, nor is it asked for anew.
    let before = revision(database).await;
    state(database, &two).await;
    assert_eq!((revision(database).await, named().await.len(), due(database).await.len()), (before, 2, 0));
    // What one of two names no more stays, and its answer with it; nobody hears of what was nobody's.
    state(database, &two[1..]).await;
    assert_eq!((revision(database).await, named().await), (before, vec!["bob.example".to_owned()]));
    // Beside what is stated somebody may name more, which stays until all is stated again.
    database.name_handles(NETWORK, &ben, &naming(&["quick.example"])).await.unwrap();
    assert_eq!(due(database).await, ["quick.example"]);
    state(database, &two[1..]).await;
    assert_eq!(named().await, ["bob.example"]);
    // Who names later what is known already hears of it by the revision, and it is asked for when its answer is old.
    let before = revision(database).await;
    state(database, &[(ann.clone(), naming(&["bob.example"]))]).await;
    assert!(revision(database).await > before);
    assert!(due(database).await.is_empty());
    let known = async |account| {
        let known = database.known_to(account).await.unwrap();
        known.handles.iter().map(|(_, known)| known.handle.clone()).collect::<Vec<_>>()
    };
    assert_eq!((known(1).await, known(2).await), (vec!["bob.example".to_owned()], Vec::new()));
    clock.pass(FRESH);
    assert_eq!(due(database).await, ["bob.example"]);
    // Of a list of all those know whose filters name it.
    let listed = NamedIn { lists: names(&["friends"]), ..NamedIn::default() };
    state(database, &[(Naming::List("friends".into()), naming(&["bob.example"])), (ben, listed)]).await;
    assert_eq!((known(1).await, known(2).await), (Vec::new(), vec!["bob.example".to_owned()]));
    // Workers hear of it when one that is somebody's is named no longer.
    let before = revision(database).await;
    state(database, &[]).await;
    assert!(revision(database).await > before && named().await.is_empty());
    assert!(database.handles_answered(NETWORK, &[answer("gone.example", None)]).await.unwrap().is_empty());
}

pub async fn a_network_plays_a_part_by_a_source_an_account_or_a_post(database: &Database, _: &Clock) {
    let plays = async |network: &str| database.plays_a_part(network).await.unwrap();
    assert!(!plays(NETWORK).await);
    database.is_read(NETWORK).await.unwrap();
    database.is_read(NETWORK).await.unwrap();
    assert!(plays(NETWORK).await && !plays("x").await);
    let me = ("x".to_owned(), Account { id: "1".into(), handle: String::new() });
    database.add_account("me", &[me]).await.unwrap();
    assert!(plays("x").await && !plays("m.example").await);
    commit(database, vec![seen(by("1", "a", "m.example"), 0, &[1])], vec![]).await;
    assert!(plays("m.example").await);
}

fn by(id: &str, author: &str, network: &str) -> Post {
    let mut post = Post { network: network.into(), ..post(id, "a") };
    post.author.account = Account { id: author.into(), handle: String::new() };
    post
}

async fn wanted(database: &Database) -> Vec<String> {
    while database.want_profiles(NETWORK).await.unwrap() {}
    let mut due = database.due_profiles(NETWORK, 25).await.unwrap();
    due.sort();
    due
}

fn profile(id: &str, handle: &str, name: &str) -> Author {
    let account = Account { id: id.into(), handle: handle.into() };
    Author { account, name: Some(name.into()), ..Author::default() }
}

async fn known(database: &Database, id: &str) -> Option<Profile> {
    let key = (NETWORK.to_owned(), id.to_owned());
    database.profiles(&BTreeSet::from([key.clone()])).await.unwrap().remove(&key)
}

pub async fn profiles_are_wanted_by_deliveries_and_kept_with_a_date(database: &Database, clock: &Clock) {
    assert!(wanted(database).await.is_empty());
    let matched_by = |id: &str, author: &str| {
        let mut one = matched(seen(by(id, author, NETWORK), 0, &[1]), &[5], Verdict::default());
        one.public = true;
        one
    };
    let nobody = Evaluated { public: true, ..seen(by("2", "did:plc:unseen", NETWORK), 0, &[]) };
    let elsewhere = seen(by("3", "77", "x"), 0, &[1]);
    let mut told = seen(by("4", "did:plc:told", NETWORK), 0, &[1]);
    told.post.author.account.handle = "told.example".into();
    commit(database, vec![matched_by("1", "did:plc:a"), nobody, elsewhere, told], vec![]).await;
    commit(database, vec![seen(by("5", "did:plc:b", NETWORK), 0, &[2])], vec![]).await;
    assert_eq!(wanted(database).await, ["did:plc:a", "did:plc:b"]);
    assert!(wanted(database).await.is_empty(), "claimed");
    clock.pass(Duration::from_secs(61));
    let asked = wanted(database).await;
    assert_eq!(asked, ["did:plc:a", "did:plc:b"]);
    let found = [profile("did:plc:a", "ann.example", "Ann Ø 😀"), profile("did:plc:other", "o.example", "O")];
    database.profiles_answered(NETWORK, &asked, &found).await.unwrap();
    let ann = known(database, "did:plc:a").await.unwrap();
    assert_eq!((ann.handle.as_deref(), ann.name.as_deref()), (Some("ann.example"), Some("Ann Ø 😀")));
    assert_eq!((ann.asked_at, known(database, "did:plc:b").await), (Clock::START + 61_000, None));
    assert_eq!(known(database, "did:plc:other").await, None);

    // A further post asks again only when the answer is old.
    commit(database, vec![matched_by("6", "did:plc:a")], vec![]).await;
    assert!(wanted(database).await.is_empty());
    clock.pass(FRESH);
    assert!(wanted(database).await.is_empty(), "nobody wrote since");
    commit(database, vec![matched_by("7", "did:plc:a")], vec![]).await;
    assert_eq!(wanted(database).await, ["did:plc:a"]);

    // A new handle is shown at once, and nothing of an account that is gone.
    commit(database, vec![], vec![identity("did:plc:a", "ann.new")]).await;
    assert_eq!(known(database, "did:plc:a").await.unwrap().handle.as_deref(), Some("ann.new"));
    let gone = Change::AccountStatus {
        network: NETWORK.into(),
        author: "did:plc:a".into(),
        active: false,
        status: "deleted".into(),
    };
    commit(database, vec![], vec![gone]).await;
    assert_eq!(known(database, "did:plc:a").await, None);

    // What nobody wanted for long is forgotten.
    let mut profiles = 0;
    clock.pass(FRESH * 2);
    loop {
        let removed = database.forget_older(FRESH).await.unwrap();
        if removed.is_empty() {
            break;
        }
        profiles += removed.profiles;
    }
    assert_eq!(profiles, 1, "did:plc:b, of whom nothing was found");
}

pub async fn a_look_back_begins_again_when_it_is_known_whose_a_handle_is(database: &Database, _: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let text = "from:Carla.example snow".to_owned();
    database.add_filter(ann, &NewFilter { text, ..NewFilter::default() }).await.unwrap();
    name(database, &["carla.example", "other.example"]).await;
    let look = LookBack { accounts: Some(vec![ann]), ..LookBack::default() };
    let mut reapply = database.reapply(look).await.unwrap();
    for (handle, again) in [("other.example", false), ("carla.example", true)] {
        let id = format!("did:plc:{handle}");
        database.handles_answered(NETWORK, &[answer(handle, Some(&id))]).await.unwrap();
        assert_eq!(database.reapply_step(&mut reapply).await.unwrap().again, again, "{handle}");
    }
}
