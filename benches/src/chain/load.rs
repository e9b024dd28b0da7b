//! Accounts, filters and posts, and what the filters say of the posts.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tweetfilter_core::post::Account;
use tweetfilter_core::{Expression, FilterId, FilterSet, FilterSetBuilder, OwnerId, Post, Scratch};
use tweetfilter_sql::{Database, NewFilter};
use tweetfilter_stream::generate::{Generator, Options};
use tweetfilter_stream::store::{Friends, Outcome, Store, StoreError};

use crate::random::Random;
use crate::recipe::filters_of;
use crate::workload::post_of;

/// Users of the system.
pub const ACCOUNTS: usize = 1_000;
/// Filters of each.
pub const FILTERS_EACH: usize = 10;
/// Accounts that see a post.
pub const AUDIENCE: usize = 20;
/// Authors that wrote all posts, each followed by [`AUDIENCE`] accounts.
const AUTHORS: usize = 2_000;
/// The first author's id.
const FIRST_AUTHOR: usize = 10_000_000;
/// Posts whose copies come mixed.
const MIXED: usize = 10;
/// Accounts whose timelines are compared post by post.
const SAMPLE: [i64; 3] = [1, 500, 1000];

/// How lines name whom they reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wire {
    /// A line a post, for the followers of its author.
    Follows,
    /// A line for each viewer, in the envelope of a site stream.
    Site,
}

/// What must be in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Lines of the file.
    pub lines: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Posts.
    pub posts: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Matches.
    pub matches: u64,
    /// Of some accounts, the posts that they saw with the filters that matched.
    pub seen: BTreeMap<i64, BTreeMap<String, Vec<i64>>>,
}

/// Filters and who sees what.
#[derive(Debug)]
pub struct Load {
    filters: Vec<String>,
    set: FilterSet,
    followers: Vec<Vec<i64>>,
}

impl Load {
    /// Draws filters by TF-1's recipe from another stream than the posts.
    ///
    /// # Panics
    /// When a filter is refused.
    #[must_use]
    pub fn new() -> Self {
        let others = Generator::new(Options { posts: 20_000, seed: 2, ..Options::default() });
        let others: Vec<Post> = others.filter_map(|line| post_of(&line)).collect();
        let filters = filters_of(&others, ACCOUNTS * FILTERS_EACH, 20_261_122 ^ 3);
        let mut builder = FilterSetBuilder::new();
        for (number, filter) in filters.iter().enumerate() {
            let expression = Expression::parse(filter).expect("the recipe gives expressions");
            let owner = OwnerId((number / FILTERS_EACH) as u64 + 1);
            builder.add_expression(FilterId(number as u64 + 1), Some(owner), expression).expect("allowed");
        }
        let followers = (0..AUTHORS).map(|author| followers(author as u64)).collect();
        Self { filters, set: builder.build(), followers }
    }

    /// Puts accounts, whom they follow, and their filters into an empty store, under the numbers that are expected.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn prepare(&self, database: &Database) -> Result<(), StoreError> {
        let mut friends = vec![Vec::new(); ACCOUNTS];
        for (author, followers) in self.followers.iter().enumerate() {
            for &account in followers {
                friends[account as usize - 1].push((FIRST_AUTHOR + author).to_string());
            }
        }
        for (number, friends) in friends.iter().enumerate() {
            let user = (number + 1).to_string();
            let identity = ("x".to_owned(), Account { id: user.clone(), ..Account::default() });
            let account = database.add_account(&user, &[identity]).await?;
            assert_eq!(account, number as i64 + 1, "accounts are numbered in order");
            let friends = vec![Friends { account, network: "x".to_owned(), ids: friends.clone(), at: 0 }];
            database.commit(&Outcome { friends, ..Outcome::default() }, &[]).await?;
            for (place, text) in
                self.filters.iter().skip(number * FILTERS_EACH).take(FILTERS_EACH).enumerate()
            {
                let filter = NewFilter { text: text.clone(), ..NewFilter::default() };
                let id = database.add_filter(account, &filter).await?;
                assert_eq!(id as usize, number * FILTERS_EACH + place + 1, "filters are numbered in order");
            }
        }
        Ok(())
    }

    /// Who follows the author of a post, in order.
    #[must_use]
    pub fn audience(&self, post: &Post) -> &[i64] {
        &self.followers[author_of(post)]
    }

    /// The texts of all filters, those of an account side by side.
    #[must_use]
    pub fn filters(&self) -> &[String] {
        &self.filters
    }

    /// Writes so many distinct posts to a file, and says what the filters find in them.
    ///
    /// # Errors
    /// Those of the file.
    pub fn write(&self, posts: u64, wire: Wire, path: &Path) -> io::Result<Expected> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let mut expected = Expected::default();
        expected.seen.extend(SAMPLE.map(|account| (account, BTreeMap::new())));
        let mut scratch = Scratch::default();
        let mut copies = Vec::new();
        for (line, post) in stream(posts) {
            let audience = self.audience(&post);
            expected.add(&self.set, &mut scratch, &post, audience);
            match wire {
                Wire::Follows => writeln!(out, "{line}")?,
                Wire::Site => {
                    let line = std::rc::Rc::<str>::from(line);
                    copies.extend(audience.iter().map(|&viewer| (viewer, line.clone())));
                    if expected.posts % MIXED as u64 == 0 {
                        write_mixed(&mut out, &mut copies, expected.posts)?;
                    }
                }
            }
        }
        write_mixed(&mut out, &mut copies, expected.posts)?;
        out.flush()?;
        assert_eq!(expected.posts, posts, "the stream has enough posts");
        expected.lines = if wire == Wire::Site { expected.deliveries } else { expected.posts };
        expected.bytes = path.metadata()?.len();
        Ok(expected)
    }
}

/// So many distinct posts, each with its line.
pub fn stream(posts: u64) -> impl Iterator<Item = (String, Post)> {
    let mut ids = HashSet::new();
    // A tenth more, since those that are told twice are left out.
    let lines = Generator::new(Options { posts: posts + posts / 10 + 100, ..Options::default() });
    let told = lines.filter_map(|line| {
        let line = by_known_author(&line)?;
        let post = post_of(&line)?;
        Some((line, post))
    });
    told.filter(move |(_, post)| ids.insert(post.id.clone())).take(posts as usize)
}

impl Default for Load {
    fn default() -> Self {
        Self::new()
    }
}

impl Expected {
    fn add(&mut self, set: &FilterSet, scratch: &mut Scratch, post: &Post, audience: &[i64]) {
        let owners: Vec<OwnerId> = audience.iter().map(|&account| OwnerId(account as u64)).collect();
        let found = set.matches_for(scratch, post, &owners);
        self.posts += 1;
        self.deliveries += audience.len() as u64;
        self.matches += found.len() as u64;
        for (account, seen) in &mut self.seen {
            if audience.contains(account) {
                let own = found.iter().filter(|found| found.owner == Some(OwnerId(*account as u64)));
                seen.insert(post.id.clone(), own.map(|found| found.id.0 as i64).collect());
            }
        }
    }
}

/// The copies of some posts, in no order.
fn write_mixed(out: &mut impl Write, copies: &mut Vec<(i64, std::rc::Rc<str>)>, seed: u64) -> io::Result<()> {
    let random = &mut Random::new(seed);
    for last in (1..copies.len()).rev() {
        copies.swap(last, random.below(last + 1));
    }
    for (viewer, line) in copies.drain(..) {
        writeln!(out, "{{\"for_user\":\"{viewer}\",\"message\":{line}}}")?;
    }
    Ok(())
}

/// Distinct accounts.
fn followers(author: u64) -> Vec<i64> {
    let random = &mut Random::new(author);
    let mut followers = Vec::new();
    while followers.len() < AUDIENCE {
        let account = random.below(ACCOUNTS) as i64 + 1;
        if !followers.contains(&account) {
            followers.push(account);
        }
    }
    followers.sort_unstable();
    followers
}

/// The same tweet by one of the authors whom accounts follow; `None` if it is no tweet.
fn by_known_author(line: &str) -> Option<String> {
    const USER: &str = "\"user\":{\"id\":";
    // The author comes before whatever else has one.
    let start = line.find(USER)?;
    let rest = &line[start + USER.len()..];
    let (id, behind) = rest.split_once(",\"id_str\":\"")?;
    let (_, behind) = behind.split_once('"')?;
    let author = FIRST_AUTHOR as u64 + id.parse::<u64>().ok()? % AUTHORS as u64;
    Some(format!("{}{USER}{author},\"id_str\":\"{author}\"{behind}", &line[..start]))
}

fn author_of(post: &Post) -> usize {
    post.author.account.id.parse::<usize>().map_or(0, |id| id - FIRST_AUTHOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_have_the_audience_of_their_author_on_both_wires() {
        let load = Load::new();
        let folder = std::env::temp_dir().join(format!("tweetfilter-load-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let [bare, site] = [Wire::Follows, Wire::Site].map(|wire| {
            let path = folder.join(format!("{wire:?}"));
            let expected = load.write(200, wire, &path).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count() as u64, expected.lines);
            expected
        });
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!((bare.posts, bare.deliveries, bare.lines, site.lines), (200, 4000, 200, 4000));
        assert!(
            bare.matches > 0 && bare.seen == site.seen && bare.seen.values().any(|seen| !seen.is_empty())
        );
        assert!((4_500..6_500).contains(&(bare.bytes / 200)), "{} bytes a post", bare.bytes / 200);
    }
}
