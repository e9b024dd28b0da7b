//! Measures the whole chain: `cargo run --release -p tweetfilter-bench --bin chain -- --help`.

use std::process::ExitCode;

use tweetfilter_bench::chain::alone::redis;
use tweetfilter_bench::chain::report::{Plan, measure};
use tweetfilter_bench::chain::run;
use tweetfilter_bench::chain::scenarios::ALL;
use tweetfilter_bench::record::Report;

/// That of the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str = "\
Measures source → buffer → worker → store, with 10,000 filters of 1,000 accounts, and raw v1.1 lines of 5 KB.

Each run starts with a fresh store on a real disk and syncs it as a server does; servers are started in folders of
their own. A figure is printed only if the store holds every post, delivery and match that it must.

  chain [OPTIONS] [SCENARIO…]

  SCENARIO      without one, all of them:
                  embedded, servers                  posts that 20 accounts see each, as fast as it goes
                  embedded-apart, servers-apart      the same, first all of it into the buffer, then out of it
                  embedded-site, servers-site        a line for each viewer of each post
                  embedded-latency, servers-latency  1,000 posts a second: from line to commit
                  embedded-size                      2,000 posts a second: memory, and bytes of file
                  redis-alone                        entries of 1 KB into a buffer on Redis and out of it
  --posts N     posts of each run instead of each scenario's own number; embedded-size --posts 1000000
                takes nine minutes, and 6 GB for the lines and 2 GB for the store in the temporary folder
  --rounds N    rounds of all scenarios in turn, of which the median counts; default 3
  --workers N   workers in the process; default 1
  --strict      end with 1 if a figure that must be reached is not
  --record      also write benches/record/DATE-COMMIT-chain.md and .csv
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match &arguments[..] {
        [child, job] if child == "--child" => run_job(job),
        _ => match read(arguments) {
            Ok(Some(asked)) => run_plan(&asked),
            Ok(None) => return ExitCode::SUCCESS,
            Err(message) => Err(format!("{message}\n\n{HELP}").into()),
        },
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("chain: {error}");
            ExitCode::from(2)
        }
    }
}

fn run_job(job: &str) -> Result<bool, Box<dyn std::error::Error>> {
    let ran = run::run(&serde_json::from_str(job)?)?;
    println!("{}", serde_json::to_string(&ran)?);
    Ok(true)
}

/// What was asked for.
struct Asked {
    plan: Plan,
    redis_alone: bool,
    strict: bool,
    record: bool,
}

/// False if something is strictly asked for and not reached.
fn run_plan(asked: &Asked) -> Result<bool, Box<dyn std::error::Error>> {
    let mut report = Report::default();
    let reached = measure(&asked.plan, &mut report)?;
    if asked.redis_alone {
        redis(&mut report)?;
    }
    if asked.record {
        report.write("-chain", "cargo run --release -p tweetfilter-bench --bin chain", "scenario,posts")?;
    }
    Ok(reached || !asked.strict)
}

fn read(given: Vec<String>) -> Result<Option<Asked>, String> {
    let plan = Plan { scenarios: Vec::new(), posts: None, rounds: 3, workers: 1 };
    let mut asked = Asked { plan, redis_alone: false, strict: false, record: false };
    let mut given = given.into_iter();
    while let Some(option) = given.next() {
        let mut number = || {
            let text = given.next().ok_or_else(|| format!("{option} needs a number"))?;
            text.parse::<u64>().ok().filter(|n| *n > 0).ok_or_else(|| format!("{text} is no number above 0"))
        };
        match option.as_str() {
            "--posts" => asked.plan.posts = Some(number()?),
            "--rounds" => asked.plan.rounds = number()? as usize,
            "--workers" => asked.plan.workers = number()? as usize,
            "--strict" => asked.strict = true,
            "--record" => asked.record = true,
            "redis-alone" => asked.redis_alone = true,
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(None);
            }
            name => match ALL.iter().find(|scenario| scenario.name == name) {
                Some(scenario) => asked.plan.scenarios.push(*scenario),
                None => return Err(format!("{name} is no option and no scenario")),
            },
        }
    }
    if asked.plan.scenarios.is_empty() && !asked.redis_alone {
        asked.plan.scenarios = ALL.to_vec();
        asked.redis_alone = true;
    }
    Ok(Some(asked))
}
