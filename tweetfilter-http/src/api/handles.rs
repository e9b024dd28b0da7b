//! Handles that an expression names and of which it is not known whose they are, or known that nobody has them. Another part
//! looks them up once somebody has saved it; to answer, nobody is asked, and what others have saved says nothing to an account.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use tweetfilter_core::{Dialect, Expression, Limits};
use tweetfilter_stream::source::net::lookup::{NETWORK, is_handle};
use utoipa::ToSchema;

use super::Api;
use super::answer::Result;
use super::caller::Caller;
use super::expression::Compiled;
use super::turns::Work;

/// Handles that an answer names.
const NAMED: usize = 100;
/// Handles of which the store is asked at once.
const ASKED: usize = 5_000;
/// How long what was found of an expression holds for the later slices of its search.
const HOLDS: Duration = Duration::from_secs(5);
/// Accounts of which is remembered what was found.
const REMEMBERED: usize = 64;

/// Handles of Bluesky in an expression that nobody is found by: its posts name people by id, and whose these handles are is
/// not known. What else the expression says is found all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnknownHandles {
    /// Whose they are was not asked yet for this account, or is asked anew. It is looked up within seconds once a filter of the
    /// account that names them is saved and switched on, a few for each account in turn, unless this server looks nothing up
    /// (`--no-lookup`): then name people by id, as in `from:did:plc:…`. In order; of many the first hundred.
    pub handles: Vec<String>,
    /// How many more of them there are.
    pub more: usize,
    /// Nobody has them: Bluesky was asked, since the account names them, and is asked again as long as it does. In order; of
    /// many the first hundred.
    pub nobodys: Vec<String>,
    /// How many more of these there are.
    pub more_nobodys: usize,
}

/// What was found last of an expression that an account searches for.
#[derive(Debug, Default)]
pub(super) struct LastUnknown(Mutex<HashMap<i64, Found>>);

#[derive(Debug)]
struct Found {
    text: String,
    revision: i64,
    at: Instant,
    unknown: Option<UnknownHandles>,
}

impl UnknownHandles {
    /// Those of an expression and of the lists that it names, if there are some, and Bluesky plays a part here.
    pub(super) async fn of(api: &Api, caller: &mut Caller, filter: &Arc<Compiled>) -> Result<Option<Self>> {
        let filter = filter.clone();
        Self::within(api, caller, move |find| find(&filter.expression)).await
    }

    /// The same of a text that is valid.
    pub(super) async fn of_text(
        api: &Api,
        caller: &mut Caller,
        text: &str,
        dialect: Dialect,
    ) -> Result<Option<Self>> {
        let text = text.to_owned();
        let parsed = move |find: &dyn Fn(&Expression) -> BTreeSet<String>| {
            let parsed = Expression::parse_with(&text, dialect, &Limits::default());
            parsed.map(|expression| find(&expression)).unwrap_or_default()
        };
        Self::within(api, caller, parsed).await
    }

    /// The same for a slice of a search. A search is cut into many, and lists are long: what was found for one holds for
    /// those that follow soon.
    pub(super) async fn of_slice(
        api: &Api,
        caller: &mut Caller,
        filter: &Arc<Compiled>,
        is_first: bool,
    ) -> Result<Option<Self>> {
        let (account, revision) = (caller.account(), caller.pulse.revision);
        let text = filter.expression.text();
        let last = || api.0.unknown.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last().get(&account).and_then(|last| {
            let is_same = last.text == text && last.revision == revision && last.at.elapsed() < HOLDS;
            (is_same && !is_first).then(|| last.unknown.clone())
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let unknown = Self::of(api, caller, filter).await?;
        let found = Found { text: text.to_owned(), revision, at: Instant::now(), unknown: unknown.clone() };
        let mut last = last();
        if last.len() >= REMEMBERED {
            last.retain(|_, found| found.at.elapsed() < HOLDS);
        }
        if last.len() < REMEMBERED || last.contains_key(&account) {
            last.insert(account, found);
        }
        Ok(unknown)
    }

    /// `named` hands an expression to what finds its names.
    async fn within(
        api: &Api,
        caller: &mut Caller,
        named: impl FnOnce(&dyn Fn(&Expression) -> BTreeSet<String>) -> BTreeSet<String> + Send + 'static,
    ) -> Result<Option<Self>> {
        if !api.ask(caller.until, api.database().plays_a_part(NETWORK)).await? {
            return Ok(None);
        }
        let surroundings = api.surroundings(caller.until, caller.account(), caller.pulse.revision).await?;
        // Lists are long.
        let names = api.aside(Work::Reading, move || {
            named(&|expression| {
                let known = surroundings.known();
                let mut names = known.unknown_names(expression);
                names.append(&mut known.own_handles(NETWORK, expression));
                names.retain(|name| is_handle(name));
                names
            })
        });
        let names = names.await?;
        caller.renew(api);
        if names.is_empty() {
            return Ok(None);
        }
        // That a handle is nobody's changes nothing for filters, and so no revision.
        let (asked, mut nobodys): (Vec<_>, _) = (names.iter().map(String::as_str).collect(), BTreeSet::new());
        for some in asked.chunks(ASKED) {
            let found = api.database().nobodys_handles(NETWORK, caller.account(), some);
            nobodys.append(&mut api.ask(caller.until, found).await?);
            caller.renew(api);
        }
        Ok(Some(Self::among(names, &nobodys)))
    }

    /// Of handles of which it is not known whose they are, some are nobody's.
    fn among(handles: BTreeSet<String>, nobodys: &BTreeSet<String>) -> Self {
        let (nobodys, handles) = handles.into_iter().partition(|handle| nobodys.contains(handle));
        let ((handles, more), (nobodys, more_nobodys)) = (first(handles), first(nobodys));
        Self { handles, more, nobodys, more_nobodys }
    }

    /// What follows from it, as a part of a sentence. Of other posts than those by these people it says nothing.
    pub(super) fn said(&self) -> String {
        let unknown = self.handles.first().map(|first| match self.handles.len() + self.more {
            1 => format!("no post is known to be by {first}: it is not known whose handle on Bluesky that is"),
            many => format!(
                "no post is known to be by {many} handles of Bluesky, the first {first}: it is not known whose they are"
            ),
        });
        let nobodys = self.nobodys.first().map(|first| match self.nobodys.len() + self.more_nobodys {
            1 => format!("there is no post by {first}: nobody on Bluesky has this handle"),
            many => {
                format!("there is no post by {many} handles, the first {first}: nobody on Bluesky has them")
            }
        });
        unknown.into_iter().chain(nobodys).collect::<Vec<_>>().join("; ")
    }
}

/// The first that are named, and how many more there are.
fn first(mut handles: Vec<String>) -> (Vec<String>, usize) {
    let more = handles.len().saturating_sub(NAMED);
    handles.truncate(NAMED);
    (handles, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_first_are_named_and_all_are_counted() {
        let handles = |kind: char, count: usize| (0..count).map(move |n| format!("{kind}{n:04}.example"));
        let told = |unknown: usize, nobodys: usize| {
            let all = handles('u', unknown).chain(handles('n', nobodys)).collect();
            // More are nobody's than are named here.
            let found = UnknownHandles::among(all, &handles('n', nobodys + 1).collect());
            let counts = (found.handles.len(), found.more, found.nobodys.len(), found.more_nobodys);
            (counts, found.said())
        };
        let one = "no post is known to be by u0000.example: it is not known whose handle on Bluesky that is";
        assert_eq!(told(1, 0), ((1, 0, 0, 0), one.to_owned()));
        let many = "no post is known to be by 102 handles of Bluesky, the first u0000.example: it is not known whose they are";
        assert_eq!(told(102, 0), ((100, 2, 0, 0), many.to_owned()));
        let nobodys = "there is no post by n0000.example: nobody on Bluesky has this handle";
        assert_eq!(told(0, 1), ((0, 0, 1, 0), nobodys.to_owned()));
        let both = format!(
            "{one}; there is no post by 103 handles, the first n0000.example: nobody on Bluesky has them"
        );
        assert_eq!(told(1, 103), ((1, 0, 100, 3), both));
    }
}
