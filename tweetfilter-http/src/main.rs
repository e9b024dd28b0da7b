//! The `tweetfilter` command.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tweetfilter_core::{FilterId, FilterSetBuilder, Scratch};
use tweetfilter_stream::wire::{Event, decode};

/// Filters for tweets.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints which filters each post matches.
    Match {
        /// An expression.
        #[arg(long = "expr")]
        expressions: Vec<String>,
        /// NDJSON of posts.
        inputs: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    let Command::Match { expressions, inputs } = Arguments::parse().command;
    match run(&expressions, &inputs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tweetfilter: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(expressions: &[String], inputs: &[PathBuf]) -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = FilterSetBuilder::new();
    for (n, text) in expressions.iter().enumerate() {
        builder.add(FilterId(n as u64 + 1), text)?;
    }
    let set = builder.build();
    let mut scratch = Scratch::default();
    let mut out = std::io::stdout().lock();
    for input in inputs {
        for line in BufReader::new(File::open(input)?).lines() {
            let Ok(Event::Post(post)) = decode(line?.as_bytes()) else { continue };
            let found = set.matches_with(&mut scratch, &post);
            if !found.is_empty() {
                let filters: Vec<String> = found.iter().map(|m| format!("e{}", m.id.0)).collect();
                writeln!(out, "{}", serde_json::json!({"post": post.id, "filters": filters}))?;
            }
        }
    }
    Ok(())
}
