//! What the filters of an account may refer to, and builders that know it as a worker's does.

use std::collections::{BTreeSet, HashMap, HashSet};

use tweetfilter_core::post::Account;
use tweetfilter_core::syntax::{NamedSets, account_names, names_me};
use tweetfilter_core::{Expression, FilterSetBuilder, Limits, OwnerId};
use tweetfilter_stream::store::StoreError;
use tweetfilter_stream::worker::references;

use crate::accounts::{self, AccountIdentity};
use crate::database::Database;
use crate::handles;
use crate::sets;
use crate::sql::Tx;

/// What the filters of an account may refer to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// The named sets of all, by name, with their terms.
    pub sets: Vec<(String, String)>,
    /// Its own, which stand for those of all of the same name.
    pub own_sets: Vec<(String, String)>,
    /// Who it is.
    pub identities: Vec<AccountIdentity>,
    /// Whose handles are: of those that it names itself, since what others name is nobody's business.
    pub handles: Handles,
}

/// Handles whose accounts are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handles(HashMap<String, Vec<(String, Account)>>);

impl Database {
    /// What the filters of an account may refer to. Whose a handle is is known to it once one of its filters that is saved and
    /// switched on names it, or an identity or follow.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn known_to(&self, account: i64) -> Result<Known, StoreError> {
        let mut tx = self.read().await?;
        let handles = Handles::of(handles::known_to(&mut tx, account).await?);
        let known = Known::read(&mut tx, account, handles).await?;
        tx.commit().await?;
        Ok(known)
    }

    /// A builder that knows an account as the owner of its filters, and all that they may refer to: what a filter has to
    /// fit in with before it is saved.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn owner(&self, account: i64) -> Result<(FilterSetBuilder, OwnerId), StoreError> {
        let known = self.known_to(account).await?;
        Ok((known.builder(account), references::owner(account)))
    }
}

impl Known {
    /// Reads what is the account's; handles are read apart.
    pub(crate) async fn read(tx: &mut Tx, account: i64, handles: Handles) -> Result<Self, StoreError> {
        Ok(Self {
            sets: sets::shared(tx).await?,
            own_sets: sets::of(tx, account).await?,
            identities: accounts::identities(tx, account).await?,
            handles,
        })
    }

    /// A builder that knows all of it, and the account as the owner.
    pub(crate) fn builder(&self, account: i64) -> FilterSetBuilder {
        self.stated(account, |_| true, self.handles.iter())
    }

    /// A builder for one expression, and its owner: it knows what that may refer to, and what is found with it is what is
    /// found with all. Lists are long and handles many, so the others are left out.
    #[must_use]
    pub fn builder_for(&self, account: i64, expression: &Expression) -> (FilterSetBuilder, OwnerId) {
        self.builder_for_all(account, std::iter::once(expression))
    }

    /// The same for some expressions.
    pub(crate) fn builder_for_all<'e>(
        &self,
        account: i64,
        expressions: impl Iterator<Item = &'e Expression>,
    ) -> (FilterSetBuilder, OwnerId) {
        let (mut texts, mut named) = (Vec::new(), BTreeSet::new());
        for expression in expressions {
            texts.push(expression.text().to_lowercase());
            if !self.handles.0.is_empty() {
                named.extend(self.names_in(expression));
            }
        }
        let may_name = |set: &str| {
            let set = set.to_lowercase();
            texts.iter().any(|text| text.contains(&set))
        };
        let handles = named.iter().filter_map(|name| self.handles.0.get(name)).flatten();
        (self.stated(account, may_name, handles), references::owner(account))
    }

    /// The names of people in an expression, and in the lists that it names, of which it is not known whose they are; in
    /// lower case.
    #[must_use]
    pub fn unknown_names(&self, expression: &Expression) -> BTreeSet<String> {
        let mut names = self.names_in(expression);
        names.retain(|name| !self.handles.0.contains_key(name));
        names
    }

    /// The handles of a network by which alone the account itself is known there, if an expression means it (`from:me`); in
    /// lower case.
    #[must_use]
    pub fn own_handles(&self, network: &str, expression: &Expression) -> BTreeSet<String> {
        if !names_me(expression) {
            return BTreeSet::new();
        }
        let by_handle = self.identities.iter().filter(|(on, account)| on == network && account.id.is_empty());
        by_handle.map(|(_, account)| account.handle.to_ascii_lowercase()).collect()
    }

    /// All of them.
    fn names_in(&self, expression: &Expression) -> BTreeSet<String> {
        let text = expression.text().to_lowercase();
        let mut lists = NamedSets::default();
        for (name, terms) in self.sets.iter().chain(&self.own_sets) {
            if text.contains(&name.to_lowercase()) {
                // One that is refused names nobody.
                let _ = lists.insert(name, terms, &Limits::default());
            }
        }
        account_names(expression, &lists)
    }

    fn stated<'k>(
        &'k self,
        account: i64,
        may_name: impl Fn(&str) -> bool,
        handles: impl Iterator<Item = &'k (String, Account)>,
    ) -> FilterSetBuilder {
        let mut builder = FilterSetBuilder::new();
        let sets = self.sets.iter().filter(|set| may_name(&set.0));
        references::state_shared(&mut builder, sets, handles);
        references::state_account(&mut builder, account, &self.identities);
        for (name, terms) in self.own_sets.iter().filter(|set| may_name(&set.0)) {
            references::state_own_set(&mut builder, account, name, terms);
        }
        builder
    }
}

impl Handles {
    /// Each with its network and whose it is, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &(String, Account)> {
        self.0.values().flatten()
    }

    /// How many names there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All that are known, whoever names them: what workers go by.
    pub(crate) async fn read(tx: &mut Tx) -> Result<Self, StoreError> {
        Ok(Self::of(handles::known(tx).await?))
    }

    fn of(all: Vec<(String, Account)>) -> Self {
        let mut handles: HashMap<String, Vec<(String, Account)>> = HashMap::new();
        for (network, known) in all {
            handles.entry(known.handle.to_ascii_lowercase()).or_default().push((network, known));
        }
        Self(handles)
    }
}

/// The handles among some that stand in texts of filters or lists.
pub(crate) fn handles_in(
    handles: &[(String, Account)],
    texts: impl Iterator<Item = impl AsRef<str>>,
) -> Vec<&(String, Account)> {
    let known: HashSet<String> = handles.iter().map(|(_, known)| known.handle.to_ascii_lowercase()).collect();
    let mut named = HashSet::new();
    // Where nobody's handle is known, texts need no reading.
    for text in texts.take_while(|_| !known.is_empty()) {
        let text = text.as_ref().to_ascii_lowercase();
        for word in text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-' | '_')) {
            if let Some(handle) = known.get(word.trim_matches('.')) {
                named.insert(handle.as_str());
            }
        }
    }
    handles.iter().filter(|(_, known)| named.contains(&*known.handle.to_ascii_lowercase())).collect()
}
