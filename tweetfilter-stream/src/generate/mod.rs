//! A lively multilingual stream for tests, demonstrations and benchmarks, written by this project.
//!
//! The lines are v1.1 objects as the old streaming API sent them, with the shares of languages, kinds of posts,
//! deletes, repeats and disorder of the public 1 % sample, its vocabulary of which most words occur once, and its
//! blank lines. All words, people and links are invented.
//!
//! ```
//! use tweetfilter_stream::generate::{Generator, Options};
//! let lines: Vec<String> = Generator::new(Options { posts: 100, seed: 7, ..Options::default() }).collect();
//! assert!(lines.len() >= 100 && lines[0].starts_with('{'));
//! ```

mod body;
mod json;
mod lexicon;
mod person;
mod random;
mod rare;
mod time;
mod tweet;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use json::Json;
use random::Random;
use time::Clock;
use tweet::Tweet;

/// What a line of the old streaming API ends in.
pub const LINE_END: &str = "\r\n";

/// A line is blank as often as this many milliseconds pass, to keep the connection alive.
const KEEP_ALIVE: u64 = 30_000;
/// Deletes for every thousand posts: 12 % of the lines.
const DELETES: u64 = 136;
/// How many of a hundred deletes belong to the one mass deletion, and how many of a hundred lines it takes
/// while it lasts.
const MASS: u64 = 76;
/// Posts in ten thousand that come a second time.
const REPEATS: u32 = 15;
/// Posts that a delete may refer to.
const RECENT: usize = 500;

/// What stream to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Posts; deletes, repeats and the copies for further viewers come in addition.
    pub posts: u64,
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// Accounts that view the stream, named 1 to this number.
    pub accounts: u32,
    /// How many accounts see a post, in the mean. 0: bare posts; otherwise each line is a `for_user` envelope,
    /// one for every account that saw it.
    pub audience: u32,
    /// When the stream begins, in milliseconds since 1970; without it in March 2021.
    pub start: Option<u64>,
}

impl Default for Options {
    /// 10,000 bare posts.
    fn default() -> Self {
        Self { posts: 10_000, seed: 1, accounts: 1000, audience: 0, start: None }
    }
}

/// Writes the stream line by line, without [line ends](LINE_END); costs memory for one line and the waiting repeats.
///
/// A line is empty at every thirtieth second of the stream: a keep-alive, as the wire has them.
#[derive(Debug)]
pub struct Generator {
    options: Options,
    random: Random,
    clock: Clock,
    posts: u64,
    line: u64,
    /// When the next keep-alive is due.
    quiet: u64,
    /// Deletes of the mass deletion still to come, before which post it begins, and whose posts go.
    mass: u64,
    mass_from: u64,
    mass_author: u64,
    waiting: VecDeque<String>,
    repeats: BinaryHeap<Reverse<(u64, String)>>,
    /// Posts that may be deleted: id, author, the author's key.
    recent: VecDeque<(u64, u64, u64)>,
}

impl Generator {
    /// Begins the stream.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut random = Random::of(options.seed, [0, 0, 0]);
        let mass = options.posts.saturating_mul(DELETES * MASS) / 100_000;
        let clock = Clock::new(options.start);
        let tenth = u32::try_from(options.posts / 10).unwrap_or(u32::MAX).min(u32::MAX / 7);
        Self {
            mass,
            mass_from: u64::from(tenth * 3 + random.below(tenth * 3 + 1)),
            mass_author: u64::from(random.between(100_000_000, u32::MAX - 1)),
            quiet: clock.millis() + 1000 + u64::from(random.below(KEEP_ALIVE as u32)),
            options,
            random,
            clock,
            posts: 0,
            line: 0,
            waiting: VecDeque::new(),
            repeats: BinaryHeap::new(),
            recent: VecDeque::new(),
        }
    }

    /// Moves the stream's time on to a moment, in milliseconds since 1970; from then on it stands until it is moved
    /// again. It never goes back.
    pub fn set_time(&mut self, millis: u64) {
        self.clock.set(millis);
    }

    fn deletes_now(&mut self) -> bool {
        if self.mass > 0 && self.posts >= self.mass_from && self.random.below(100) < MASS as u32 {
            self.mass -= 1;
            return true;
        }
        // The share of lines, so that after a delete another may follow.
        self.random.chance((DELETES * (100 - MASS) / 10) as u32 * 1000 / 1033)
    }

    fn delete(&mut self) {
        let random = &mut self.random;
        let massive = self.mass > 0 && self.posts >= self.mass_from;
        let known = if massive || !random.chance(3000) { None } else { self.recent.pop_front() };
        let (post, author, key) = known.unwrap_or_else(|| {
            let age =
                u64::from(random.quantile(&[(0, 60), (300, 9_000), (700, 4_000_000), (1000, 80_000_000)]));
            let post = time::id(self.clock.millis() - age * 1000, random.next());
            let author =
                if massive { self.mass_author } else { u64::from(random.between(100_000_000, u32::MAX - 1)) };
            (post, author, random.next())
        });
        let mut json = Json::with_capacity(180);
        json.raw("{\"delete\":{\"status\":{\"id\":").number(post).raw(",\"id_str\":\"").number(post);
        json.raw("\",\"user_id\":").number(author).raw(",\"user_id_str\":\"").number(author);
        json.raw("\"},\"timestamp_ms\":\"").number(self.clock.millis()).raw("\"}}");
        self.deliver(json.finish(), key);
    }

    fn post(&mut self) {
        let tweet = Tweet::live(self.options.seed, &mut self.random, &mut self.clock);
        self.posts += 1;
        self.recent.push_back((tweet.id(), tweet.author().id, tweet.author().key()));
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.deliver(tweet.to_json(), tweet.author().key());
        if self.random.chance(REPEATS)
            && let Some(line) = self.waiting.front()
        {
            let due = self.line + u64::from(self.random.between(2, 370));
            self.repeats.push(Reverse((due, line.clone())));
        }
    }

    /// Bare, or once for every account that follows the author of this key.
    fn deliver(&mut self, line: String, key: u64) {
        let Options { audience, accounts, seed, .. } = self.options;
        if audience == 0 || accounts == 0 {
            self.waiting.push_back(line);
            return;
        }
        let followers = &mut Random::of(seed, [4, key, 0]);
        let mean = audience.min(accounts);
        // As many fewer as more of them: the mean holds, also where there are hardly more accounts than that.
        let spread = (mean - 1).min(accounts - mean);
        let count = followers.between(mean - spread, mean + spread);
        for viewer in draw(followers, count, accounts) {
            self.waiting.push_back(format!("{{\"for_user\":\"{viewer}\",\"message\":{line}}}"));
        }
    }
}

/// So many of the numbers from 1 to `all`, in order.
fn draw(random: &mut Random, count: u32, all: u32) -> Vec<u32> {
    // If nearly all are wanted, those who are left out: the last ones would be sought for long.
    let few = count.min(all - count);
    let mut drawn = BTreeSet::new();
    while drawn.len() < few as usize {
        drawn.insert(random.between(1, all));
    }
    match few == count {
        true => drawn.into_iter().collect(),
        false => (1..=all).filter(|number| !drawn.contains(number)).collect(),
    }
}

impl Iterator for Generator {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let due = self.repeats.peek().is_some_and(|Reverse((due, _))| *due <= self.line);
        let repeated = if due { self.repeats.pop().map(|Reverse((_, line))| line) } else { None };
        if repeated.is_none() && self.waiting.is_empty() {
            if self.posts >= self.options.posts {
                // Repeats that are not due would come too close to the first copy.
                return None;
            }
            if self.posts > 0 && self.clock.millis() >= self.quiet {
                self.quiet += KEEP_ALIVE;
                return Some(String::new());
            }
            if self.posts > 0 && self.deletes_now() { self.delete() } else { self.post() }
        }
        self.line += 1;
        repeated.or_else(|| self.waiting.pop_front())
    }
}

#[cfg(test)]
mod tests;
