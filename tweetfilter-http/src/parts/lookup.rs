//! `lookup`: who the handles of filters are, and who wrote what was found.
//!
//! Bluesky's stream gives authors by id alone. What filters, accounts and follows name by handle is looked up and kept
//! in the store, where workers find it; authors of posts that were delivered or matched are looked up a little later,
//! many at once. Several may do this at a time: each takes what none of the others has taken.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use tweetfilter_core::syntax::{NamedSets, account_names};
use tweetfilter_core::{Expression, Limits};
use tweetfilter_sql::{Database, NamedIn, Naming};
use tweetfilter_stream::source::net::lookup::{BATCH, Lookup, NETWORK, is_handle};
use tweetfilter_stream::store::{Snapshot, Store, StoreError, StoredFilter};

use super::{PartError, Stop};

/// How often is looked for what is to be asked.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait for a store that is away.
const WAIT: Duration = Duration::from_secs(2);
/// How often all that is named is stated again, for what other programs named meanwhile.
const RESTATE: Duration = Duration::from_secs(3_600);
/// Handles that are asked for before the answers are stored.
const HANDLES: u32 = 10;

/// The handles of Bluesky that filters, identities and follows name, in lower case, by what names them.
///
/// A name is one if it is written like a host. Elsewhere names are not: so `from:nasa.gov` is asked for wherever
/// Bluesky plays a part (`bluesky`), and otherwise only what ends in `.bsky.social`.
#[must_use]
pub fn named_handles(snapshot: &Snapshot, bluesky: bool) -> BTreeMap<Naming, NamedIn> {
    let lists = Lists::of(snapshot);
    let mut named: BTreeMap<Naming, NamedIn> = BTreeMap::new();
    for filter in &snapshot.filters {
        lists.name(filter, &mut named);
    }
    for (_, of_it) in named.iter_mut().filter(|_| !bluesky) {
        of_it.handles.retain(|name| name.ends_with(".bsky.social"));
    }
    let people = snapshot.accounts.iter().flat_map(|account| {
        let by_handle = account.identities.iter().filter(|(on, known)| on == NETWORK && known.id.is_empty());
        by_handle.map(|(_, known)| (account.id, &known.handle))
    });
    let follows = snapshot.follows.iter().filter(|follow| follow.1 == NETWORK);
    for (account, name) in people.chain(follows.map(|follow| (follow.0, &follow.2))) {
        named.entry(Naming::Account(account)).or_default().handles.insert(name.to_ascii_lowercase());
    }
    for of_it in named.values_mut() {
        of_it.handles.retain(|name| is_handle(name));
    }
    let is_empty = |of_it: &NamedIn| of_it.handles.is_empty();
    let empty: BTreeSet<_> =
        named.iter().filter(|of_it| is_empty(of_it.1)).map(|of_it| of_it.0.clone()).collect();
    for of_it in named.values_mut() {
        of_it.lists.retain(|list| !empty.contains(&Naming::List(list.clone())));
    }
    named.retain(|_, of_it| !is_empty(of_it) || !of_it.lists.is_empty());
    named
}

/// The lists that filters may name.
#[derive(Default)]
struct Lists<'s> {
    /// An account's own with those of all; of the same name they stand in the place of those.
    own: HashMap<i64, (NamedSets, BTreeSet<&'s str>)>,
    /// Those of all, together.
    all: (NamedSets, BTreeSet<&'s str>),
    /// The same, each by itself, by its name.
    each: Vec<(&'s str, NamedSets)>,
}

impl<'s> Lists<'s> {
    fn of(snapshot: &'s Snapshot) -> Self {
        let mut lists = Self::default();
        for (name, terms) in &snapshot.sets {
            let mut one = NamedSets::default();
            // Filters that name a list which is refused are refused themselves.
            let _ = one.insert(name, terms, &Limits::default());
            let _ = lists.all.0.insert(name, terms, &Limits::default());
            lists.each.push((name, one));
        }
        for (account, name, terms) in &snapshot.own_sets {
            let (sets, names) = lists.own.entry(*account).or_insert_with(|| lists.all.clone());
            let _ = sets.insert(name, terms, &Limits::default());
            names.insert(name);
        }
        lists
    }

    /// Adds what a filter names: each list of all the handles that stand there, and its account all others.
    fn name(&self, filter: &StoredFilter, named: &mut BTreeMap<Naming, NamedIn>) {
        // Most filters name nobody, and need no parsing for that.
        let text = &filter.text;
        if !(text.contains('{') || text.contains('.') && text.contains([':', '@', '＠', '：'])) {
            return;
        }
        let Ok(expression) = Expression::parse_with(text, filter.dialect, &Limits::default()) else { return };
        let handles = |sets: &NamedSets| {
            let mut names = account_names(&expression, sets);
            names.retain(|name| is_handle(name));
            names
        };
        let (sets, own) = self.own.get(&filter.account).unwrap_or(&self.all);
        let (mut of_account, text) = (handles(sets), text.to_lowercase());
        let written = handles(&NamedSets::default());
        let mut lists = BTreeSet::new();
        for (name, sets) in &self.each {
            if own.contains(name) || !text.contains(&name.to_lowercase()) {
                continue;
            }
            let mut listed = handles(sets);
            listed.retain(|handle| !written.contains(handle));
            if !listed.is_empty() {
                of_account.retain(|handle| !listed.contains(handle));
                named.entry(Naming::List((*name).to_owned())).or_default().handles.append(&mut listed);
                lists.insert((*name).to_owned());
            }
        }
        if !of_account.is_empty() || !lists.is_empty() {
            let of_it = named.entry(Naming::Account(filter.account)).or_default();
            of_it.handles.append(&mut of_account);
            of_it.lists.append(&mut lists);
        }
    }
}

/// Looks up what is due until it is told to stop. `bluesky`: a source is of this network; it plays a part as well where an
/// account is known on it, a post of it is kept, or another process has read a source of it.
///
/// While the server does not answer or asks to be left alone, nothing is asked; what is known stays.
///
/// # Errors
/// [`PartError::Store`] if the store is unfit.
pub async fn lookup(
    database: Database,
    client: Lookup,
    bluesky: bool,
    mut stop: Stop,
) -> Result<(), PartError> {
    let mut asks = Asks {
        database,
        client,
        is_read: bluesky,
        bluesky: false,
        revision: None,
        stated: None,
        told: None,
        nobodys: BTreeSet::new(),
    };
    while !stop.is_told() {
        // What was taken and not answered is taken again later.
        let done = tokio::select! {
            () = stop.told() => break,
            done = asks.round() => done,
        };
        match done {
            Ok(true) => {}
            Ok(false) => stop.sleep(LOOK).await,
            Err(error @ (StoreError::Away(_) | StoreError::Retry(_))) => {
                tracing::debug!(%error, "lookups wait for the store");
                stop.sleep(WAIT).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

struct Asks {
    database: Database,
    client: Lookup,
    /// A source of Bluesky is read here, which is not said yet.
    is_read: bool,
    /// It plays a part. Once it does, it does for this process.
    bluesky: bool,
    /// Of the filters whose handles are stated, these, and when.
    revision: Option<u64>,
    stated: Option<Instant>,
    /// What was told of the server last.
    told: Option<String>,
    /// Handles of which was told that nobody has them.
    nobodys: BTreeSet<String>,
}

impl Asks {
    /// Asks for some of what is due; whether there may be more.
    async fn round(&mut self) -> Result<bool, StoreError> {
        self.state().await?;
        if self.client.blocked().is_some() {
            return Ok(false);
        }
        let handles = self.handles().await?;
        let more = self.database.want_profiles(NETWORK).await?;
        let profiles = self.client.blocked().is_none() && self.profiles().await?;
        Ok((more || handles || profiles) && self.client.blocked().is_none())
    }

    /// States what is named, where that may be another than before.
    async fn state(&mut self) -> Result<(), StoreError> {
        if self.is_read {
            self.database.is_read(NETWORK).await?;
            self.is_read = false;
        }
        if !self.bluesky && self.database.plays_a_part(NETWORK).await? {
            self.bluesky = true;
            self.revision = None;
        }
        if self.stated.is_none_or(|stated| stated.elapsed() > RESTATE) {
            self.revision = None;
        }
        let Some(snapshot) = self.database.filters(self.revision).await? else { return Ok(()) };
        let (revision, bluesky) = (snapshot.revision, self.bluesky);
        // Lists are long.
        let named = tokio::task::spawn_blocking(move || named_handles(&snapshot, bluesky)).await;
        let named =
            named.map_err(|error| StoreError::Retry(format!("reading filters broke off: {error}")))?;
        let all: HashSet<&String> = named.values().flat_map(|of_it| &of_it.handles).collect();
        self.nobodys.retain(|handle| all.contains(handle));
        // Where they are others by now, they are read again.
        if self.database.state_handles(NETWORK, revision, &named).await? {
            self.revision = Some(revision);
            self.stated = Some(Instant::now());
        }
        Ok(())
    }

    async fn handles(&mut self) -> Result<bool, StoreError> {
        let due = self.database.due_handles(NETWORK, HANDLES).await?;
        let mut answers = Vec::new();
        for handle in due {
            match self.client.handle(&handle).await {
                Ok(id) => answers.push((handle, id)),
                Err(later) => {
                    self.tell(Some(later.reason));
                    break;
                }
            }
        }
        if answers.is_empty() {
            return Ok(false);
        }
        self.tell(None);
        let changed = self.database.handles_answered(NETWORK, &answers).await?;
        for (handle, id) in answers {
            let was_nobodys = self.nobodys.remove(&handle);
            match id {
                Some(id) if changed.contains(&handle) => tracing::info!(handle, id, "handle looked up"),
                Some(_) => {}
                None => {
                    if !was_nobodys {
                        tracing::warn!(
                            handle,
                            "nobody on Bluesky has this handle: filters find no posts by it"
                        );
                    }
                    self.nobodys.insert(handle);
                }
            }
        }
        Ok(true)
    }

    async fn profiles(&mut self) -> Result<bool, StoreError> {
        let due = self.database.due_profiles(NETWORK, BATCH as u32).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let ids: Vec<&str> = due.iter().map(String::as_str).collect();
        match self.client.profiles(&ids).await {
            Ok(found) => {
                self.tell(None);
                self.database.profiles_answered(NETWORK, &due, &found).await?;
                Ok(true)
            }
            Err(later) => {
                self.tell(Some(later.reason));
                Ok(false)
            }
        }
    }

    /// Tells of the server once, however often it fails.
    fn tell(&mut self, reason: Option<String>) {
        match &reason {
            Some(_) if self.told.is_some() => return,
            Some(reason) => tracing::warn!(reason, "lookups wait"),
            None if self.told.is_some() => tracing::info!("lookups go on"),
            None => {}
        }
        self.told = reason;
    }
}

#[cfg(test)]
mod tests {
    use tweetfilter_core::Dialect;
    use tweetfilter_core::post::Account;
    use tweetfilter_stream::store::{Action, StoredAccount};

    use super::*;

    fn snapshot(filters: &[&str], identity: Option<(&str, &str)>) -> Snapshot {
        let filter = |text: &&str| StoredFilter {
            id: 1,
            account: 1,
            text: (*text).to_owned(),
            dialect: Dialect::Native,
            action: Action::Show,
        };
        let account = |(network, handle): (&str, &str)| StoredAccount {
            id: 1,
            name: "ann".into(),
            identities: vec![(network.into(), Account { id: String::new(), handle: handle.into() })],
            ..StoredAccount::default()
        };
        Snapshot {
            filters: filters.iter().map(filter).collect(),
            accounts: identity.map(account).into_iter().collect(),
            sets: vec![("friends".into(), "Zoe.example\nbob".into())],
            follows: vec![(1, "x".into(), "x.example".into()), (1, NETWORK.into(), "did:plc:f".into())],
            ..Snapshot::default()
        }
    }

    fn named(filters: &[&str], identity: Option<(&str, &str)>, bluesky: bool) -> String {
        let named = named_handles(&snapshot(filters, identity), bluesky);
        let named = named.iter().map(|(naming, of_it)| {
            let names: Vec<_> = of_it.handles.iter().chain(&of_it.lists).map(String::as_str).collect();
            format!("{naming}: {}", names.join(" "))
        });
        named.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn only_what_can_be_a_handle_of_bluesky_is_asked_for() {
        let filters = &[
            "from:Ann.bsky.social,bob -@nasa.gov",
            "snow domain:news.example",
            "to:did:plc:abc from:bob@mastodon.social",
            "from:{friends}",
            "3.14 word. from:bob",
            "(broken from:b.example",
        ];
        assert_eq!(named(filters, None, false), "1: ann.bsky.social");
        assert_eq!(named(filters, None, true), "1: ann.bsky.social nasa.gov friends, {friends}: zoe.example");
        assert_eq!(named(filters, Some(("x", "me.example")), false), "1: ann.bsky.social");
        // Who an account is there is asked for in any case.
        assert_eq!(named(&[], Some((NETWORK, "Me.example")), false), "1: me.example");
    }

    #[test]
    fn each_names_for_itself_and_a_list_of_all_names_for_all() {
        let mut all =
            snapshot(&["from:ann.example", "from:{friends} OR @zoe.example", "from:{friends}"], None);
        for (filter, account) in all.filters.iter_mut().zip([1, 2, 3]) {
            filter.account = account;
        }
        // In the place of that of all.
        all.own_sets = vec![(3, "friends".into(), "carla.example".into())];
        let named = named_handles(&all, true);
        let of = |naming| {
            let of_it = &named[&naming];
            (of_it.handles.iter().map(String::as_str).collect::<Vec<_>>(), of_it.lists.len())
        };
        assert_eq!(of(Naming::Account(1)), (vec!["ann.example"], 0));
        assert_eq!(of(Naming::Account(3)), (vec!["carla.example"], 0));
        // What it writes itself is its own, too.
        assert_eq!(of(Naming::Account(2)), (vec!["zoe.example"], 0));
        assert_eq!(named.len(), 3);
        all.filters[1].text = "from:{friends}".into();
        let named = named_handles(&all, true);
        assert_eq!(named[&Naming::Account(2)].lists, BTreeSet::from(["friends".to_owned()]));
        assert!(named[&Naming::List("friends".into())].handles.contains("zoe.example"));
    }
}
