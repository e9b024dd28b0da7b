//! Filters over documents that are no tweets: log lines with fields of their own, read by `attr.NAME:`.
//!
//! ```sh
//! cargo run -p tweetfilter-core --example custom_fields
//! cargo run -p tweetfilter-core --example custom_fields 'attr.load:>3 -attr.host:web'
//! ```

use std::process::ExitCode;

use tweetfilter_core::{FilterId, FilterSetBuilder, Post, Scratch};

fn main() -> ExitCode {
    let mut filters: Vec<String> = std::env::args().skip(1).collect();
    if filters.is_empty() {
        filters = [
            // Words and phrases of a field, as of the text.
            r#"attr.host:db timeout"#,
            r#"attr.team:"site reliability""#,
            // With a comparison a field is a number. Where it is missing, neither this nor its negation holds.
            "attr.load:>=3.5",
            "-attr.load:>=3.5",
            "2 of (attr.level:error, attr.host:db, disk)",
        ]
        .map(str::to_owned)
        .to_vec();
    }
    let mut builder = FilterSetBuilder::new();
    for (number, filter) in (1..).zip(&filters) {
        if let Err(error) = builder.add(FilterId(number), filter) {
            eprintln!("{filter}: {error}");
            return ExitCode::FAILURE;
        }
    }
    let set = builder.build();
    let mut scratch = Scratch::default();
    for line in log() {
        println!("{}", line.text);
        for found in set.matches_with(&mut scratch, &line) {
            println!("    {}", filters[found.index as usize]);
        }
    }
    ExitCode::SUCCESS
}

/// Whatever becomes a text and fields can be filtered.
fn log() -> [Post; 4] {
    [
        Post::from_text("Timeout while reading block 7").with_text("host", "db-1").with_number("load", 3.75),
        Post::from_text("Disk is 91% full").with_text("host", "db-2").with_text("level", "error"),
        Post::from_text("Rotated certificates")
            .with_text("team", "Site Reliability")
            .with_number("load", 0.5),
        Post::from_text("Started"),
    ]
}
