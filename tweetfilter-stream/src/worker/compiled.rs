//! A snapshot of accounts and filters, ready for use.

use std::collections::{HashMap, HashSet};

use tweetfilter_core::budget::Price;
use tweetfilter_core::post::{Account, Millis};
use tweetfilter_core::syntax::{Diagnostic, Severity};
use tweetfilter_core::{AddError, Expression, FilterId, FilterSet, FilterSetBuilder, Limits};

use super::references::{self, owner};
use crate::store::{Action, Snapshot, StoredFilter};

/// Accounts and filters, compiled.
#[derive(Debug)]
pub struct Compiled {
    revision: u64,
    pub(super) set: FilterSet,
    /// By the index of a filter in the set.
    pub(super) filters: Vec<Used>,
    places: HashMap<i64, usize>,
    /// With when each was added.
    by_name: HashMap<String, (i64, Millis)>,
    /// Who a user of a network is.
    identities: Users,
    /// Who follows them.
    followed: Users,
    refused: Vec<RefusedFilter>,
}

/// What is known of a filter beside its compiled form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    pub(super) id: i64,
    account: i64,
    pub(super) action: Action,
}

/// A stored filter that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedFilter {
    /// Its number in the store.
    pub id: i64,
    /// Whose it is.
    pub account: i64,
    /// Why: the code of what is wrong with it, or [`OVER_BUDGET`].
    pub code: &'static str,
    /// The same as a sentence.
    pub reason: String,
}

/// Why a filter is refused that would make those of its account too dear.
pub const OVER_BUDGET: &str = "over_budget";

impl Compiled {
    /// Compiles a snapshot. A filter that is refused harms no other; an account whose filters cost more than the
    /// budget loses its dearest ones, until the rest costs no more.
    #[must_use]
    pub fn new(snapshot: &Snapshot, budget: Price) -> Self {
        let (all, prices) = Self::without(snapshot, Vec::new());
        let too_dear = too_dear(&all, &prices, budget);
        if too_dear.is_empty() { all } else { Self::without(snapshot, too_dear).0 }
    }

    /// Compiles a snapshot without some of its filters; tells what each of the others costs.
    fn without(snapshot: &Snapshot, mut refused: Vec<RefusedFilter>) -> (Self, Vec<Price>) {
        let mut builder = FilterSetBuilder::new();
        let (mut by_name, mut users, mut followed) = (HashMap::new(), Users::default(), Users::default());
        let left_out: HashSet<i64> = refused.iter().map(|filter| filter.id).collect();
        references::state_shared(&mut builder, &snapshot.sets, &snapshot.handles);
        let mut ids: HashMap<(&str, &str), &str> = HashMap::new();
        for (network, known) in &snapshot.handles {
            ids.insert((network, &known.handle), &known.id);
        }
        for account in &snapshot.accounts {
            by_name.insert(account.name.clone(), (account.id, account.created_at));
            for (network, known) in &account.identities {
                users.add(network, known, account.id);
            }
            references::state_account(&mut builder, account.id, &account.identities);
        }
        for (account, name, terms) in &snapshot.own_sets {
            references::state_own_set(&mut builder, *account, name, terms);
        }
        for (account, network, author) in &snapshot.follows {
            let author = written(author);
            followed.add(network, &author, *account);
            if let Some(&id) = ids.get(&(network.as_str(), &*folded(&author.handle))) {
                followed.add(network, &Account { id: id.to_owned(), ..author }, *account);
            }
        }
        let mut filters = Vec::new();
        for filter in snapshot.filters.iter().filter(|filter| !left_out.contains(&filter.id)) {
            match compile(&mut builder, filter) {
                Ok(()) => {
                    filters.push(Used { id: filter.id, account: filter.account, action: filter.action })
                }
                Err(found) => refused.push(RefusedFilter {
                    id: filter.id,
                    account: filter.account,
                    code: found.code,
                    reason: found.message,
                }),
            }
        }
        let (prices, set, revision) = (builder.prices(), builder.build(), snapshot.revision);
        let places = filters.iter().enumerate().map(|(place, filter)| (filter.id, place)).collect();
        (Self { revision, set, filters, places, by_name, identities: users, followed, refused }, prices)
    }

    /// Of which revision it is.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Filters that can't be used.
    #[must_use]
    pub fn refused(&self) -> &[RefusedFilter] {
        &self.refused
    }

    /// Number of filters that are used.
    #[must_use]
    pub fn filters(&self) -> usize {
        self.set.len()
    }

    /// Where a filter stands in the set.
    pub(super) fn place_of(&self, filter: i64) -> Option<usize> {
        self.places.get(&filter).copied()
    }

    /// The account whose name it was at a time. One that was added later is somebody else: an account of this name was
    /// removed while what was for it waited.
    pub(super) fn named(&self, name: &str, at: Millis) -> Option<i64> {
        let (account, created_at) = *self.by_name.get(name)?;
        (at >= created_at).then_some(account)
    }

    /// The accounts of a user of a network, by the id.
    pub(super) fn of_user(&self, network: &str, id: &str) -> &[i64] {
        found(&self.identities.by_id, network, id)
    }

    /// The accounts of somebody whom a post names.
    pub(super) fn named_by(&self, network: &str, user: &Account) -> impl Iterator<Item = i64> {
        self.identities.of(network, user)
    }

    /// The accounts that follow an author.
    pub(super) fn following(&self, network: &str, author: &Account) -> impl Iterator<Item = i64> {
        self.followed.of(network, author)
    }
}

/// By a network's users, in either way in which they are named, the accounts that have to do with them. The two are kept
/// apart: a handle may consist of digits, and be another's id.
#[derive(Debug, Default)]
struct Users {
    by_id: HashMap<(String, String), Vec<i64>>,
    by_handle: HashMap<(String, String), Vec<i64>>,
}

impl Users {
    fn add(&mut self, network: &str, user: &Account, account: i64) {
        for (map, name) in [(&mut self.by_id, &user.id), (&mut self.by_handle, &user.handle)] {
            if !name.is_empty() {
                let accounts = map.entry((network.to_owned(), folded(name))).or_default();
                if !accounts.contains(&account) {
                    accounts.push(account);
                }
            }
        }
    }

    fn of(&self, network: &str, user: &Account) -> impl Iterator<Item = i64> {
        let by_id = found(&self.by_id, network, &user.id);
        by_id.iter().chain(found(&self.by_handle, network, &user.handle)).copied()
    }
}

fn found<'m>(map: &'m HashMap<(String, String), Vec<i64>>, network: &str, name: &str) -> &'m [i64] {
    map.get(&(network.to_owned(), folded(name))).map_or(&[], Vec::as_slice)
}

/// Whom somebody means who wrote an id or a handle: digits alone are an id, what stands behind an `@` is a handle, and
/// anything else may be either.
fn written(author: &str) -> Account {
    let is_id = author.bytes().all(|byte| byte.is_ascii_digit());
    match author.strip_prefix('@') {
        Some(handle) => Account { id: String::new(), handle: handle.to_owned() },
        None if is_id => Account { id: author.to_owned(), handle: String::new() },
        None => Account { id: author.to_owned(), handle: author.to_owned() },
    }
}

/// The dearest filters of accounts that are over the budget, as few as bring each back to it.
fn too_dear(all: &Compiled, prices: &[Price], budget: Price) -> Vec<RefusedFilter> {
    let mut by_account: HashMap<i64, Vec<(Price, i64)>> = HashMap::new();
    for (filter, &price) in all.filters.iter().zip(prices) {
        by_account.entry(filter.account).or_default().push((price, filter.id));
    }
    let mut refused = Vec::new();
    for (account, mut filters) in by_account {
        let mut sum: Price = filters.iter().map(|filter| filter.0).sum();
        if sum <= budget {
            continue;
        }
        let reason = |price, sum| {
            format!(
                "it costs {price} a post; the filters of its account cost {sum} together, and may cost {budget}"
            )
        };
        let whole = sum;
        filters.sort_unstable();
        while sum > budget
            && let Some((price, id)) = filters.pop()
        {
            sum = filters.iter().map(|filter| filter.0).sum();
            let reason = reason(price, whole);
            refused.push(RefusedFilter { id, account, code: OVER_BUDGET, reason });
        }
    }
    refused.sort_unstable_by_key(|filter| filter.id);
    refused
}

/// Ids and handles, compared without case.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// What keeps a filter from being used.
struct Wrong {
    code: &'static str,
    message: String,
}

impl Wrong {
    fn of(error: AddError) -> Self {
        let said = |found: Diagnostic| Self { code: found.code, message: found.message };
        let none = |message| Self { code: "refused", message };
        match error {
            AddError::Refused(found) => said(*found),
            AddError::Parse(error) => {
                let first = error.diagnostics().iter().find(|found| found.severity == Severity::Error);
                first.cloned().map_or_else(|| none(error.to_string()), said)
            }
            AddError::DuplicateId(_) => none(error.to_string()),
        }
    }
}

fn compile(builder: &mut FilterSetBuilder, filter: &StoredFilter) -> Result<(), Wrong> {
    let expression = Expression::parse_with(&filter.text, filter.dialect, &Limits::default());
    let expression = expression.map_err(|error| Wrong::of(error.into()))?;
    let id = FilterId(filter.id.cast_unsigned());
    let added = builder.add_expression(id, Some(owner(filter.account)), expression);
    added.map(|_| ()).map_err(Wrong::of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoredAccount;

    fn user(id: &str, handle: &str) -> Account {
        Account { id: id.into(), handle: handle.into() }
    }

    fn account(id: i64, who: Account) -> StoredAccount {
        let identities = vec![("x".into(), who)];
        StoredAccount { id, name: format!("account {id}"), identities, ..StoredAccount::default() }
    }

    #[test]
    fn a_handle_of_digits_is_not_the_id_of_the_same_digits() {
        let follow = |account, author: &str| (account, "x".to_owned(), author.to_owned());
        let snapshot = Snapshot {
            accounts: vec![
                account(1, user("1888", "ann")),
                account(2, user("7", "1888")),
                account(3, user("", "42")),
            ],
            follows: vec![follow(1, "42"), follow(2, "@42"), follow(3, "Zoe"), follow(1, "@bob")],
            handles: vec![("x".into(), user("99", "bob"))],
            ..Snapshot::default()
        };
        let compiled = Compiled::new(&snapshot, Price::MAX);
        // An envelope gives ids.
        assert_eq!((compiled.of_user("x", "1888"), compiled.of_user("x", "42")), (&[1][..], &[][..]));
        let named = |id: &str, handle: &str| compiled.named_by("x", &user(id, handle)).collect::<Vec<_>>();
        assert_eq!((named("", "1888"), named("1888", ""), named("", "ANN")), (vec![2], vec![1], vec![1]));
        assert_eq!((named("5", "42"), named("42", "")), (vec![3], vec![]));
        let following =
            |id: &str, handle: &str| compiled.following("x", &user(id, handle)).collect::<Vec<_>>();
        assert_eq!((following("42", "eve"), following("5", "42")), (vec![1], vec![2]));
        assert_eq!((following("6", "zoe"), following("zoe", "")), (vec![3], vec![3]));
        assert_eq!((following("99", ""), following("", "Bob")), (vec![1], vec![1]));
        assert_eq!(compiled.following("y", &user("42", "42")).count(), 0);
    }
}
