//! The store behind the workers: what becomes of posts, and the filters that they are tried on.
//!
//! [`Store`] is a port; MariaDB and SQLite stand behind it in tweetfilter-sql.

use std::collections::BTreeMap;
use std::future::Future;

use serde::Deserialize;
use serde::de::IgnoredAny;
use tweetfilter_core::budget::OverBudget;
use tweetfilter_core::post::{Account, Millis};
use tweetfilter_core::{Dialect, Post};

use crate::buffer::EntryId;
use crate::entry::Change;

/// Where posts, who saw them and what matched are kept.
pub trait Store: Send + Sync {
    /// What workers need to know of accounts and filters, unless it is still of the given revision.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn filters(
        &self,
        known: Option<u64>,
    ) -> impl Future<Output = Result<Option<Snapshot>, StoreError>> + Send;

    /// Stores what became of a batch, in one transaction, with the next commit number. A store whose transactions may
    /// not be as large as that cuts the posts into several, each with a number of its own; changes, friends, counts and
    /// dead letters are part of the first.
    ///
    /// Whoever saw any version of a post has the newest one, with what their filters say of that. Where others have a
    /// post in another version, and it was evaluated without that in mind, nothing of the transaction happens, and
    /// [`StoreError::Outdated`] says what is stored. So it is where a post came with a place that was to be forgotten
    /// (`scrub_geo`), whichever came first: verdicts are those of what is left.
    ///
    /// Every part of it is idempotent: a post that is there already is kept, and only accounts that had not seen
    /// this version of it get a delivery. So what was cut off between two transactions is mended by the same outcome
    /// again. An embedded store acknowledges `leases` in the same transaction, which is always one; any other
    /// remembers them until it is told that they are [acknowledged](Outcome::acknowledged), and says
    /// [`StoreError::Retry`] to whoever comes when the [leases](Outcome::until) have run out, so that none is counted twice.
    ///
    /// # Errors
    /// See [`StoreError`]; after any but [`StoreError::Done`], it may have happened or not. Then the next commit of the
    /// same entries says [`again`](Outcome::again).
    fn commit(
        &self,
        outcome: &Outcome,
        leases: &[EntryId],
    ) -> impl Future<Output = Result<Committed, StoreError>> + Send;
}

/// Accounts, filters and named sets, as they stand at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Raised by each change.
    pub revision: u64,
    /// In order of their numbers.
    pub accounts: Vec<StoredAccount>,
    /// Enabled and not expired, by account and then in the order that the account gave them.
    pub filters: Vec<StoredFilter>,
    /// Lists that all filters know: name and terms, one a line.
    pub sets: Vec<(String, String)>,
    /// Lists of accounts: whose, name and terms.
    pub own_sets: Vec<(i64, String, String)>,
    /// Whom accounts follow: account, network and id of the author.
    pub follows: Vec<(i64, String, String)>,
    /// Handles whose accounts are known, by network: filters that name one mean posts that give the id alone, too.
    pub handles: Vec<(String, Account)>,
}

/// A user of this system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredAccount {
    /// The store's number.
    pub id: i64,
    /// Unique.
    pub name: String,
    /// When it was added: what was received before that for this name was for another.
    pub created_at: Millis,
    /// Who they are, by network.
    pub identities: Vec<(String, Account)>,
}

/// A filter of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFilter {
    /// The store's number, unique over all accounts.
    pub id: i64,
    /// Whose it is.
    pub account: i64,
    /// The expression.
    pub text: String,
    /// How it reads a post.
    pub dialect: Dialect,
    /// What a match does.
    pub action: Action,
}

/// What a match of a filter does with a post in its owner's timeline.
///
/// The first filter of an account, in its order, that shows or hides decides; none: shown. The others add up.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It stays in the timeline.
    Show,
    /// It is kept out of sight.
    Hide,
    /// It is shown with emphasis.
    #[default]
    Highlight,
    /// Its owner is told.
    Notify,
}

/// What is to happen to a post in one timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// Kept out of sight.
    pub hidden: bool,
    /// Shown with emphasis.
    pub highlighted: bool,
    /// Its owner is told.
    pub notify: bool,
}

impl Verdict {
    /// What the filters decide that matched, given in their account's order: the first that shows or hides decides; the
    /// others add up.
    #[must_use]
    pub fn of(actions: impl IntoIterator<Item = Action>) -> Self {
        let (mut verdict, mut decided) = (Self::default(), false);
        for action in actions {
            match action {
                Action::Show | Action::Hide => {
                    verdict.hidden |= !decided && action == Action::Hide;
                    decided = true;
                }
                Action::Highlight => verdict.highlighted = true,
                Action::Notify => verdict.notify = true,
            }
        }
        verdict
    }
}

/// What became of a batch of entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The revision of the filters that posts were tried on.
    pub revision: u64,
    /// When it was evaluated.
    pub at: Millis,
    /// When the newest of its entries was received, by source. They come in order, or in several orders one behind the
    /// other, as the partitions of a buffer have them: then the one that is least far counts, and whatever is not done
    /// was received later.
    pub received: BTreeMap<String, Millis>,
    /// Posts, each at most once.
    pub posts: Vec<Evaluated>,
    /// Changes of stored posts, in the order of arrival; they hold for the posts of the same batch too.
    pub changes: Vec<Said>,
    /// Copies that were joined with another entry about the same post, by source.
    pub copies: BTreeMap<String, u64>,
    /// Posts that are not stored since no filter matched them, by source.
    pub unmatched: BTreeMap<String, u64>,
    /// Whom accounts follow on a network, as the network said it, in the order of arrival.
    pub friends: Vec<Friends>,
    /// What can't be stored.
    pub dead: Vec<DeadLetter>,
    /// Whether some of the entries may have been committed before, by whomever.
    pub again: bool,
    /// When the leases of the entries run out, if they do: from then on another may have committed them, and may have
    /// had that forgotten since it is acknowledged.
    pub until: Option<Millis>,
    /// The first entries of batches whose acknowledgement was answered since the last commit, before their leases ran
    /// out: nobody else has them, and the store need not remember those any longer.
    pub acknowledged: Vec<EntryId>,
}

/// A change, and when that was said. Of what is said of one thing the latest holds, in whatever order it comes; at the same
/// time, what comes last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// When the network said it, or else when it was received.
    pub at: Millis,
    /// What was said.
    pub change: Change,
}

/// All whom an account follows on a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Friends {
    /// The account.
    pub account: i64,
    /// The network.
    pub network: String,
    /// The network's ids of those whom it follows.
    pub ids: Vec<String>,
    /// When that was said: the latest list holds.
    pub at: Millis,
}

/// A post, and what it is to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// The post.
    pub post: Post,
    /// The version of its content: 0, or when a new version was made, in milliseconds. A greater one takes the place of
    /// a smaller one, whichever comes first, for all who got either. Of the same version the content that was received
    /// last holds, and whoever got any copy of it has it.
    pub version: Millis,
    /// The source that it came from.
    pub source: String,
    /// When it was received.
    pub at: Millis,
    /// Where it stands in its source, if it has no id: it is the same post as another without an id if source, place and
    /// content are the same. Without it, [`at`](Self::at) takes its place.
    pub place: Option<String>,
    /// Whether it is part of everybody's timeline. Then only accounts with a match stand in `deliveries`.
    pub public: bool,
    /// By account.
    pub deliveries: Vec<Delivery>,
    /// Viewers without an account here.
    pub strangers: u32,
    /// What the store said of it in another version, if that was kept in mind. Of an older one, all who have it are
    /// among those for whom this one was evaluated; where it has [other content](StoredVersion::newer), `deliveries` say
    /// what filters find in that.
    pub stored: Option<Box<StoredVersion>>,
}

/// A post as it is stored in another version than the one that came, or as it may be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredVersion {
    /// Its network.
    pub network: String,
    /// Its id there.
    pub id: String,
    /// The version that is stored.
    pub version: Millis,
    /// When the content of that was received.
    pub at: Millis,
    /// Whether it is part of everybody's timeline.
    pub public: bool,
    /// The accounts that have it since they saw it, in whatever version, themselves.
    pub accounts: Vec<i64>,
    /// What filters are to be tried on instead of what came: the content that is stored, if that is newer; or, of this
    /// version or over an older one, what is left without a place that was to be forgotten.
    pub newer: Option<Post>,
}

/// A post in the timeline of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Who saw it.
    pub account: i64,
    /// What the filters decided.
    pub verdict: Verdict,
    /// The filters that matched, in the account's order.
    pub filters: Vec<i64>,
    /// Whether they saw it themselves, and not only as a part of what everybody sees.
    pub seen: bool,
}

/// An entry that no attempt could store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its bytes.
    pub entry: Vec<u8>,
    /// The source that it came from, if that could be read.
    pub source: String,
    /// What was wrong.
    pub reason: String,
    /// When it was given up.
    pub at: Millis,
}

/// What can be read of an entry that can't be read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outline {
    source: String,
    post: Option<IgnoredAny>,
    edit: Option<IgnoredAny>,
}

impl Outline {
    fn of(entry: &[u8]) -> Self {
        serde_json::from_slice(entry).unwrap_or_default()
    }
}

impl DeadLetter {
    /// Gives an entry up; where it came from is read as far as that can be.
    #[must_use]
    pub fn new(entry: Vec<u8>, reason: String, at: Millis) -> Self {
        Self { source: Outline::of(&entry).source, entry, reason, at }
    }

    /// Whether it is a post that its source counted as an entry, which has come to its end here. Other messages are no
    /// entries in that sense ([`Counts`](crate::buffer::Counts)), and what nobody can read is of no source.
    #[must_use]
    pub fn is_post(&self) -> bool {
        let Outline { post, edit, .. } = Outline::of(&self.entry);
        !self.source.is_empty() && (post.is_some() || edit.is_some())
    }
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Its number, the last if there were several: later commits have greater ones, and none of a smaller number appears
    /// after it.
    pub number: i64,
    /// Whether the leases were acknowledged with it.
    pub acked: bool,
    /// Posts that were new.
    pub new: u32,
    /// Posts that were kept out because they were deleted before.
    pub suppressed: u32,
    /// Deliveries that were new.
    pub deliveries: u32,
    /// Matches that were new.
    pub matches: u32,
}

/// Why a store did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A deadlock, a busy lock: the same again will do.
    #[error("the store wants it again: {0}")]
    Retry(String),
    /// It can't be reached, is full or read-only: hold, and try again later.
    #[error("the store is away: {0}")]
    Away(String),
    /// These entries were committed before, and nothing happened now: acknowledge them, and do the others without them.
    #[error("{} entries were committed before", .0.len())]
    Done(Vec<EntryId>),
    /// These posts are stored in other versions, or came with a place that was to be forgotten, and were evaluated without
    /// that in mind: do it again with it, and commit
    /// all of it as something that may have happened in part.
    #[error("{} posts are stored in other versions, or without their places, and have to be evaluated anew", .0.len())]
    Outdated(Vec<StoredVersion>),
    /// It will never take this; smaller parts of it perhaps.
    #[error("the store refuses it: {0}")]
    Refused(String),
    /// The filters of an account would cost more than its budget.
    #[error("{0}")]
    OverBudget(Box<OverBudget>),
    /// The store itself is broken, or of a version that this program does not know.
    #[error("{0}")]
    Unfit(String),
}
