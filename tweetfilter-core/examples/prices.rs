//! Holds the prices of filters against measured times: `cargo run --release -p tweetfilter-core --example prices`.
//!
//! Each row is a set of filters of one form, which differ in a word or number: 500, or 20 regexes, so that all of them
//! stay compiled. Measured is what they add to the time of a post beyond one plain word, for each filter, the least of
//! five rounds.

use std::time::{Duration, Instant};

use tweetfilter_core::budget::Price;
use tweetfilter_core::{FilterId, FilterSet, FilterSetBuilder, Post, Scratch};

const FORMS: &[&str] = &[
    "avalanche{n}",
    "the word{n}",
    "the",
    "\"one of them {n}\"",
    "\"the {n} word\"~5",
    "-is:retweet -snow{n}",
    "followers:>{n}",
    "-has:images followers:>{n} -word{n} -from:a{n}",
    "-contains:\"ab{n}\"",
    "-~viagra{n}",
    "-\"a word{n} of\"",
    "-*x{n}y",
    "-*?{n}",
    "/ab{n}[a-z]+/",
    "/[a-z]+ing{n}?\\d/",
    "/\\w+ \\w+ed {n}?\\w/",
    "/(\\w+ ){{3}}\\d{n}?/",
    "/^[^a]{{20,{n}}}b/",
    "a{n} OR -b{n} OR lang:en",
];

fn posts() -> Vec<Post> {
    let words = "the snow fell over Oslo all night and nobody was walking in the streets; a dog named Bo 7 \
                 watched it with interest #winter @ann and then we went home to make coffee for everyone 2024"
        .split_whitespace()
        .collect::<Vec<_>>();
    let posts = (0..400usize).map(|number| {
        let text = (0..22 + number % 9).map(|n| words[(n * 7 + number * 3 + n * n * number) % words.len()]);
        let mut post = Post::from_text(text.collect::<Vec<_>>().join(" "));
        post.lang = Some("en".to_owned());
        post
    });
    posts.collect()
}

fn measure(set: &FilterSet, posts: &[Post]) -> Duration {
    let mut scratch = Scratch::default();
    let round = |scratch: &mut Scratch| {
        let start = Instant::now();
        for post in posts {
            std::hint::black_box(set.matches_with(scratch, post).len());
        }
        start.elapsed()
    };
    (0..5).map(|_| round(&mut scratch)).min().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let posts = posts();
    let bytes: usize = posts.iter().map(|post| post.text.len()).sum();
    let mut one = FilterSetBuilder::new();
    one.add(FilterId(0), "avalanche")?;
    let bare = measure(&one.build(), &posts);
    println!("{} posts of {} bytes, {:?} each with one word", posts.len(), bytes / posts.len(), bare / 400);
    for form in FORMS {
        let mut builder = FilterSetBuilder::new();
        let filters = if form.starts_with('/') { 20 } else { 500 };
        for number in 0..filters {
            let text = form.replace("{n}", &(number + 30).to_string()).replace("{{", "{").replace("}}", "}");
            if let Err(error) = builder.add(FilterId(number), &text) {
                println!("{text}: {error}");
                break;
            }
        }
        let estimated: Price = builder.prices().into_iter().sum();
        let set = builder.build();
        let measured = measure(&set, &posts).saturating_sub(bare).as_secs_f64() * 1e9;
        let each = measured / posts.len() as f64 / set.len().max(1) as f64;
        let estimated = estimated.nanoseconds() / set.len().max(1) as f64;
        println!("{estimated:>10.2} estimated {each:>10.2} ns measured  {form}");
    }
    Ok(())
}
