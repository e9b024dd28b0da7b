//! Posts and filters to measure with.

use std::fs;
use std::path::PathBuf;

use tweetfilter_core::{FilterId, FilterSet, FilterSetBuilder, OwnerId, Post, TermStatistics};
use tweetfilter_stream::Event;
use tweetfilter_stream::files::{Block, Reader};
use tweetfilter_stream::generate::{Generator, Options};
use tweetfilter_stream::wire::decode;

use crate::random::Random;
use crate::recipe::filters_of;
use crate::tf1::Tf1;

/// Posts to match, other posts for the term statistics, filters, and for real wires the lines themselves.
#[derive(Debug)]
pub struct Workload {
    /// Its name in the table.
    pub name: &'static str,
    /// The posts that are timed.
    pub posts: Vec<Post>,
    /// Posts that are not timed: they give phrases, words and the term statistics.
    pub others: Vec<Post>,
    /// The lines of `posts`, where there is a wire.
    pub lines: Vec<String>,
    /// Filters; smaller sets are the beginning of larger ones.
    pub filters: Vec<String>,
}

/// Accounts see posts in audiences of this many owners, each with ten filters.
pub const AUDIENCE: usize = 20;
const FILTERS_EACH: usize = 10;

/// The numbers of filters that are measured.
pub const SIZES: [usize; 3] = [1000, 10_000, 100_000];

/// TF-1, the generated stream and, where `TWEETFILTER_DATA` names the data, the real one, with so many filters.
#[must_use]
pub fn all(filters: usize) -> Vec<Workload> {
    let real = Workload::real(filters);
    if real.is_none() {
        println!("v1_stream_2021: skipped: no data");
    }
    [Workload::tf1(5000, filters), Workload::generated(5000, filters)].into_iter().chain(real).collect()
}

impl Workload {
    /// TF-1.
    #[must_use]
    pub fn tf1(posts: usize, filters: usize) -> Self {
        let vocabulary = Tf1::new();
        let mut tweets = vocabulary.tweets();
        let others: Vec<Post> = tweets.by_ref().take(20_000).collect();
        let posts = tweets.take(posts).collect();
        let filters = vocabulary.filters(filters, &others);
        Self { name: "TF-1", posts, others, lines: Vec::new(), filters }
    }

    /// The stream that `tweetfilter gen` writes; the filters' names come from a stream of another seed.
    #[must_use]
    pub fn generated(posts: usize, filters: usize) -> Self {
        let stream =
            |seed, posts: usize| Generator::new(Options { posts: posts as u64, seed, ..Options::default() });
        let lines: Vec<String> =
            stream(1, posts).filter(|line| post_of(line).is_some()).take(posts).collect();
        let others: Vec<Post> = stream(2, 20_000).filter_map(|line| post_of(&line)).collect();
        Self::of("gen", lines, others, filters)
    }

    /// The even lines of the real sample give the filters, the odd ones are timed. `None` without the data.
    #[must_use]
    pub fn real(filters: usize) -> Option<Self> {
        let folder = PathBuf::from(std::env::var_os("TWEETFILTER_DATA")?);
        let path = folder.join("v1_stream_2021.ndjson.gz");
        fs::metadata(&path).ok()?;
        let (mut lines, mut others) = (Vec::new(), Vec::new());
        for (number, line) in lines_of(&path).into_iter().enumerate() {
            match post_of(&line) {
                Some(post) if number % 2 == 0 => others.push(post),
                Some(_) => lines.push(line),
                None => {}
            }
        }
        Some(Self::of("v1_stream_2021", lines, others, filters))
    }

    fn of(name: &'static str, lines: Vec<String>, others: Vec<Post>, filters: usize) -> Self {
        let posts = lines.iter().filter_map(|line| post_of(line)).collect();
        let filters = filters_of(&others, filters, 20_261_122 ^ 3);
        Self { name, posts, others, lines, filters }
    }

    /// Statistics of the posts that are not timed.
    #[must_use]
    pub fn statistics(&self) -> TermStatistics {
        let mut statistics = TermStatistics::default();
        self.others.iter().for_each(|post| statistics.observe(post));
        statistics
    }

    /// A builder with the first `count` filters, without owners.
    ///
    /// # Panics
    /// When a filter is refused.
    #[must_use]
    pub fn builder(&self, count: usize, statistics: TermStatistics) -> FilterSetBuilder {
        let mut builder = FilterSetBuilder::new();
        builder.statistics(statistics);
        for (number, filter) in self.filters[..count].iter().enumerate() {
            if let Err(error) = builder.add(FilterId(number as u64), filter) {
                panic!("{filter}: {error}");
            }
        }
        builder
    }

    /// The set of the first `count` filters.
    #[must_use]
    pub fn set(&self, count: usize) -> FilterSet {
        self.builder(count, self.statistics()).build()
    }

    /// The same filters, ten for each owner.
    ///
    /// # Panics
    /// When a filter is refused.
    #[must_use]
    pub fn owned_set(&self, count: usize) -> FilterSet {
        let mut builder = FilterSetBuilder::new();
        builder.statistics(self.statistics());
        for (number, filter) in self.filters[..count].iter().enumerate() {
            let owner = OwnerId((number / FILTERS_EACH) as u64);
            let expression =
                tweetfilter_core::Expression::parse(filter).expect("the filter is an expression");
            builder
                .add_expression(FilterId(number as u64), Some(owner), expression)
                .expect("the filter is allowed");
        }
        builder.build()
    }

    /// For every post twenty owners that saw it.
    #[must_use]
    pub fn audiences(&self, count: usize) -> Vec<Vec<OwnerId>> {
        let owners = (count / FILTERS_EACH).max(1);
        let random = &mut Random::new(9);
        let audience =
            |random: &mut Random| (0..AUDIENCE).map(|_| OwnerId(random.below(owners) as u64)).collect();
        self.posts.iter().map(|_| audience(random)).collect()
    }
}

fn lines_of(path: &std::path::Path) -> Vec<String> {
    let (mut lines, mut block) = (Vec::new(), Block::default());
    let Ok(mut reader) = Reader::open(path) else { return lines };
    while reader.read(&mut block).unwrap_or(false) {
        lines.extend(block.lines().filter_map(|line| String::from_utf8(line.bytes.to_vec()).ok()));
    }
    lines
}

/// The post in a line, if there is one.
#[must_use]
pub fn post_of(line: &str) -> Option<Post> {
    match decode(line.as_bytes()) {
        Ok(Event::Post(post) | Event::PostAnd { post, .. }) => Some(*post),
        _ => None,
    }
}
