//! `lookup`: who the handles of filters are, and who wrote what was found.
//!
//! Bluesky's stream gives authors by id alone. What filters, accounts and follows name by handle is looked up and kept
//! in the store, where workers find it; authors of posts that were delivered or matched are looked up a little later,
//! many at once. Several may do this at a time: each takes what none of the others has taken.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tweetfilter_core::syntax::{NamedSets, account_names};
use tweetfilter_core::{Expression, Limits};
use tweetfilter_sql::{Database, RESTATE};
use tweetfilter_stream::source::net::lookup::{BATCH, Lookup, NETWORK, is_handle};
use tweetfilter_stream::store::{Snapshot, Store, StoreError, StoredFilter};

use super::{PartError, Stop};

/// How often is looked for what is to be asked.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait for a store that is away.
const WAIT: Duration = Duration::from_secs(2);
/// Handles that are asked for before the answers are stored.
const HANDLES: u32 = 10;

/// The handles of Bluesky that filters, identities and follows name, in lower case.
///
/// A name is one if it is written like a host. Elsewhere names are not: so `from:nasa.gov` is asked for wherever
/// Bluesky plays a part (`bluesky`: a source is of it; or an account has an identity there), and otherwise only what
/// ends in `.bsky.social`.
#[must_use]
pub fn named_handles(snapshot: &Snapshot, bluesky: bool) -> BTreeSet<String> {
    let identities = || snapshot.accounts.iter().flat_map(|account| &account.identities);
    let bluesky = bluesky || identities().any(|(network, _)| network == NETWORK);
    let mut shared = NamedSets::default();
    for (name, terms) in &snapshot.sets {
        // Filters that name a list which is refused are refused themselves.
        let _ = shared.insert(name, terms, &Limits::default());
    }
    // An account's own of the same name stands in the place of that of all.
    let mut own: BTreeMap<i64, NamedSets> = BTreeMap::new();
    for (account, name, terms) in &snapshot.own_sets {
        let sets = own.entry(*account).or_insert_with(|| shared.clone());
        let _ = sets.insert(name, terms, &Limits::default());
    }
    let mut names = BTreeSet::new();
    for filter in &snapshot.filters {
        names.append(&mut names_of(filter, own.get(&filter.account).unwrap_or(&shared)));
    }
    names.retain(|name| bluesky || name.ends_with(".bsky.social"));
    let people = identities()
        .filter(|(network, account)| network == NETWORK && account.id.is_empty())
        .map(|(_, account)| &account.handle);
    let follows = snapshot.follows.iter().filter(|follow| follow.1 == NETWORK).map(|follow| &follow.2);
    names.extend(people.chain(follows).map(|name| name.to_ascii_lowercase()));
    names.retain(|name| is_handle(name));
    names
}

/// The names of a filter that can be handles.
fn names_of(filter: &StoredFilter, sets: &NamedSets) -> BTreeSet<String> {
    // Most filters name nobody, and need no parsing for that.
    let text = &filter.text;
    if !(text.contains('{') || text.contains('.') && text.contains([':', '@', '＠', '：'])) {
        return BTreeSet::new();
    }
    let expression = Expression::parse_with(text, filter.dialect, &Limits::default());
    let mut names = expression.map(|expression| account_names(&expression, sets)).unwrap_or_default();
    names.retain(|name| is_handle(name));
    names
}

/// Looks up what is due until it is told to stop. `bluesky`: a source is of this network.
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
        bluesky,
        revision: None,
        named: BTreeSet::new(),
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
    bluesky: bool,
    /// Of the filters whose handles are stated, these, and when.
    revision: Option<u64>,
    named: BTreeSet<String>,
    stated: Option<Instant>,
    /// What was told of the server last.
    told: Option<String>,
    /// Handles of which was told that nobody has them.
    nobodys: BTreeSet<String>,
}

impl Asks {
    /// Asks for some of what is due; whether there may be more.
    async fn round(&mut self) -> Result<bool, StoreError> {
        if let Some(snapshot) = self.database.filters(self.revision).await? {
            self.named = named_handles(&snapshot, self.bluesky);
            self.nobodys.retain(|handle| self.named.contains(handle));
            self.stated = None;
            self.revision = Some(snapshot.revision);
        }
        if self.stated.is_none_or(|stated| stated.elapsed() > RESTATE) {
            self.database.name_handles(NETWORK, &self.named).await?;
            self.database.forget_unnamed(NETWORK).await?;
            self.stated = Some(Instant::now());
        }
        if self.client.blocked().is_some() {
            return Ok(false);
        }
        let handles = self.handles().await?;
        let more = self.database.want_profiles(NETWORK).await?;
        let profiles = self.client.blocked().is_none() && self.profiles().await?;
        Ok((more || handles || profiles) && self.client.blocked().is_none())
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
                        tracing::warn!(handle, "nobody has this handle: filters find nothing by it");
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
        named.into_iter().collect::<Vec<_>>().join(" ")
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
        assert_eq!(named(filters, None, false), "ann.bsky.social");
        assert_eq!(named(filters, None, true), "ann.bsky.social nasa.gov zoe.example");
        assert_eq!(named(filters, Some(("x", "me.example")), false), "ann.bsky.social");
        assert_eq!(
            named(filters, Some((NETWORK, "Me.example")), false),
            "ann.bsky.social me.example nasa.gov zoe.example"
        );
    }
}
