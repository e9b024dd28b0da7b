//! Measures the API: `cargo run --release -p tweetfilter-bench --bin api -- --help`.

use std::process::ExitCode;

use tweetfilter_bench::api::report::{ALL, Plan, described, measure};
use tweetfilter_bench::api::server;
use tweetfilter_bench::record::Report;

/// That of the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str = "\
Measures the API on SQLite: a server in a process of its own, and clients on the same cores over kept-alive connections.

The store is filled at the first run, which takes minutes and 2 GB for a million posts, and kept in target/bench-api.
A figure is printed only if every answer was what it must be.

  api [OPTIONS] [SCENARIO…]

  SCENARIO      without one, all of them:
                  timeline   pages of 20 posts with verdicts, of all accounts, 32 connections
                  unchanged  the newest page with If-None-Match, 32 connections
                  filters    the filters of an account, 32 connections
                  check      what is wrong with an expression, one after the other
                  preview    50,000 posts each, one after the other
                  live       live streams with a match a second each
  --posts N     posts in the store; default 1000000
  --rounds N    rounds of all scenarios in turn, of which the median counts; default 3
  --seconds N   seconds of each run; default 5
  --streams N   live streams; default 2000
  --strict      end with 1 if a figure that must be reached is not
  --record      also write benches/record/DATE-COMMIT-api.md and .csv
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match &arguments[..] {
        [child, store] if child == "--child" => server::run(store).map(|()| true),
        _ => match read(arguments) {
            Ok(Some(asked)) => run(&asked),
            Ok(None) => return ExitCode::SUCCESS,
            Err(message) => Err(format!("{message}\n\n{HELP}").into()),
        },
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("api: {error}");
            ExitCode::from(2)
        }
    }
}

/// What was asked for.
struct Asked {
    plan: Plan,
    strict: bool,
    record: bool,
}

/// False if something is strictly asked for and not reached.
fn run(asked: &Asked) -> Result<bool, Box<dyn std::error::Error>> {
    let mut report = Report::default();
    report.say(&format!("{}\n", described(&asked.plan)));
    let reached = measure(&asked.plan, &mut report)?;
    if asked.record {
        report.write("-api", "cargo run --release -p tweetfilter-bench --bin api", "scenario,posts")?;
    }
    Ok(reached || !asked.strict)
}

fn read(given: Vec<String>) -> Result<Option<Asked>, String> {
    let plan = Plan { scenarios: Vec::new(), posts: 1_000_000, rounds: 3, seconds: 5, streams: 2_000 };
    let mut asked = Asked { plan, strict: false, record: false };
    let mut given = given.into_iter();
    while let Some(option) = given.next() {
        let mut number = || {
            let text = given.next().ok_or_else(|| format!("{option} needs a number"))?;
            text.parse::<u64>().ok().filter(|n| *n > 0).ok_or_else(|| format!("{text} is no number above 0"))
        };
        match option.as_str() {
            "--posts" => asked.plan.posts = number()?,
            "--rounds" => asked.plan.rounds = number()? as usize,
            "--seconds" => asked.plan.seconds = number()? as usize,
            "--streams" => asked.plan.streams = number()? as usize,
            "--strict" => asked.strict = true,
            "--record" => asked.record = true,
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(None);
            }
            name => match ALL.iter().find(|scenario| scenario.name == name) {
                Some(scenario) => asked.plan.scenarios.push(scenario),
                None => return Err(format!("{name} is no option and no scenario")),
            },
        }
    }
    if asked.plan.scenarios.is_empty() {
        asked.plan.scenarios = ALL.iter().collect();
    }
    Ok(Some(asked))
}
