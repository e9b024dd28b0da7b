//! What must be stored of a stream that was accepted.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tweetfilter_core::oracle::{self, Surroundings};
use tweetfilter_core::post::Account;
use tweetfilter_core::syntax::NamedSets;
use tweetfilter_core::{Expression, Identity, Post};
use tweetfilter_stream::Event;
use tweetfilter_stream::wire::decode;

/// Account, expression, action.
pub const FILTERS: &[(&str, &str, &str)] = &[
    ("1", "lang:en -is:retweet", "highlight"),
    ("1", "has:images", "hide"),
    ("1", "followers:>500", "show"),
    ("2", "is:reply OR has:links", "notify"),
    ("2", "-lang:en,ja", "highlight"),
    ("3", "lang:ja", "hide"),
    ("3", "emoji:>0", "hide"),
    ("4", "in:retweet(followers:>100) OR in:quote(has:media)", "highlight"),
];

/// A filter as it stood under some revision.
#[derive(Debug)]
pub struct Filter {
    pub id: i64,
    pub account: String,
    pub expression: Expression,
    pub action: String,
}

/// [`FILTERS`], with numbers in their order.
pub fn filters(numbers: impl Iterator<Item = i64>) -> Vec<Filter> {
    let filter = |(id, (account, text, action)): (i64, &(&str, &str, &str))| Filter {
        id,
        account: (*account).to_owned(),
        expression: Expression::parse(text).expect("it is valid"),
        action: (*action).to_owned(),
    };
    numbers.zip(FILTERS).map(filter).collect()
}

/// The filters by the revision from which on they held; those of an account in its order.
pub type History = BTreeMap<u64, Vec<Filter>>;

/// A post in the timeline of an account, as it is stored.
#[derive(Debug)]
pub struct Delivered {
    pub account: String,
    pub post: String,
    /// Of the filters that it was tried on.
    pub revision: u64,
    pub hidden: bool,
    pub filters: Vec<i64>,
}

/// What a stream says.
#[derive(Debug, Default)]
pub struct Said {
    pub posts: HashMap<String, Box<Post>>,
    /// Viewer and post.
    pub audience: BTreeSet<(String, String)>,
    pub deleted: HashSet<String>,
    pub lines: u64,
    pub control: u64,
    pub post_lines: u64,
}

impl Said {
    /// Reads a site stream.
    pub fn read(stream: &str) -> Self {
        let mut said = Self::default();
        for line in stream.lines() {
            said.lines += 1;
            let Ok(Event::ForUser { user, event }) = decode(line.as_bytes()) else { panic!("{line}") };
            match *event {
                Event::Post(post) => {
                    said.post_lines += 1;
                    said.add(user, post);
                }
                Event::Delete { id, .. } => {
                    said.control += 1;
                    said.deleted.insert(id);
                }
                other => panic!("{other:?}"),
            }
        }
        said
    }

    pub fn add(&mut self, user: String, post: Box<Post>) {
        self.audience.insert((user, post.id.clone()));
        self.posts.entry(post.id.clone()).or_insert(post);
    }

    /// Whether a post may not be shown: it is deleted, or a retweet of one that is.
    pub fn is_gone(&self, id: &str) -> bool {
        let carried = self.posts[id].retweet_of.as_ref().map(|original| original.id().to_owned());
        self.deleted.contains(id) || carried.is_some_and(|id| self.deleted.contains(&id))
    }

    /// Each of them was delivered once, to whom it reached, with what the filters of that moment say.
    pub fn assert_held(&self, delivered: &[Delivered], history: &History) {
        let mut wrong = Vec::new();
        let mut left: BTreeSet<_> =
            self.audience.iter().filter(|(_, id)| !self.is_gone(id)).cloned().collect();
        for found in delivered {
            if !left.remove(&(found.account.clone(), found.post.clone())) {
                wrong.push(format!("not theirs, gone, or there twice: {found:?}"));
                continue;
            }
            let Some((_, filters)) = history.range(..=found.revision).next_back() else {
                wrong.push(format!("of no known revision: {found:?}"));
                continue;
            };
            let (hidden, ids) = verdict(&self.posts[&found.post], &found.account, filters);
            if (hidden, &ids) != (found.hidden, &found.filters) {
                wrong.push(format!("must be {hidden} {ids:?}: {found:?}"));
            }
        }
        wrong.extend(left.iter().map(|missing| format!("missing: {missing:?}")));
        let (count, stored) = (wrong.len(), delivered.len());
        wrong.truncate(10);
        assert!(count == 0, "{count} wrong of {stored} deliveries:\n{}", wrong.join("\n"));
    }
}

/// Whether the account's filters hide a post, and which of them match.
pub fn verdict(post: &Post, account: &str, filters: &[Filter]) -> (bool, Vec<i64>) {
    let identity = Account { id: account.to_owned(), ..Account::default() };
    let me = [Identity { network: "x".into(), account: identity }];
    let surroundings = Surroundings { sets: &NamedSets::default(), me: &me };
    let holds = |f: &&Filter| f.account == account && oracle::holds(&f.expression, post, &surroundings);
    let found: Vec<_> = filters.iter().filter(holds).collect();
    let decides = found.iter().find(|f| matches!(&*f.action, "show" | "hide"));
    (decides.is_some_and(|f| f.action == "hide"), found.iter().map(|f| f.id).collect())
}
