//! Measures in turn, and tells.

use std::time::Duration;

use serde_json::Value;
use tweetfilter_sql::{Database, Page};

use super::ask::{self, Asked, PAGE};
use super::client::{Client, get};
use super::ground::Ground;
use super::preview::Previews;
use super::server::{Server, Used};
use super::{live, preview};
use crate::chain::load::{ACCOUNTS, FILTERS_EACH, Load};
use crate::chain::report::{percentile, shown};
use crate::chain::store::Fallible;
use crate::record::Report;

/// Accounts whose answers are compared with the store's own.
const SAMPLE: [i64; 3] = [1, 500, 1000];

/// How to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What, by name; none: all.
    pub scenarios: Vec<&'static Scenario>,
    /// Posts in the store.
    pub posts: u64,
    /// How often, in turn; the median counts.
    pub rounds: usize,
    /// Seconds of each run.
    pub seconds: usize,
    /// Live streams.
    pub streams: usize,
}

/// Something that is measured.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    connections: usize,
    what: What,
    goals: &'static [Goal],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Ask(Asked),
    Preview,
    Live,
}

/// A figure, and what it must be and what is aimed at.
#[derive(Clone, Copy, Debug)]
enum Goal {
    AtLeast(&'static str, f64, f64),
    AtMost(&'static str, f64, f64),
}

/// Requests a second, and milliseconds of 99 in 100 of them.
const RATE: &str = "answers/s";
const P99: &str = "p99 ms";

/// All of them.
pub static ALL: [Scenario; 6] = [
    Scenario {
        name: "timeline",
        connections: 32,
        what: What::Ask(Asked::Timeline),
        goals: &[Goal::AtLeast(RATE, 2_000.0, 4_000.0), Goal::AtMost(P99, 40.0, 20.0)],
    },
    Scenario {
        name: "unchanged",
        connections: 32,
        what: What::Ask(Asked::Unchanged),
        goals: &[Goal::AtLeast(RATE, 8_000.0, 8_000.0)],
    },
    Scenario {
        name: "filters",
        connections: 32,
        what: What::Ask(Asked::Filters),
        goals: &[Goal::AtLeast(RATE, 4_000.0, 4_000.0)],
    },
    Scenario {
        name: "check",
        connections: 1,
        what: What::Ask(Asked::Check),
        goals: &[Goal::AtMost(P99, 2.0, 2.0)],
    },
    Scenario {
        name: "preview",
        connections: 1,
        what: What::Preview,
        goals: &[Goal::AtMost("whole ms", 500.0, 500.0), Goal::AtMost("first samples ms", 100.0, 100.0)],
    },
    Scenario { name: "live", connections: 0, what: What::Live, goals: &[Goal::AtMost(P99, 200.0, 200.0)] },
];

/// Figures of one run.
type Figures = Vec<(String, f64)>;

/// Measures what is planned, and says whether everything that must be reached is.
///
/// # Errors
/// Whatever goes wrong, above all an answer that is not the one that it must be.
pub fn measure(plan: &Plan, report: &mut Report) -> Fallible<bool> {
    let load = Load::new();
    let ground = Ground::prepare(plan.posts, &load)?;
    // One thread: the cores are the server's too.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let database = Database::open(&ground.file.to_string_lossy()).await?;
        let server = Server::start(&ground.file)?;
        check(&server, &database).await?;
        let previews = match plan.scenarios.iter().any(|scenario| scenario.what == What::Preview) {
            true => Previews::prepare(&database, &load).await?,
            false => Previews::default(),
        };
        database.close().await;
        let mut runs: Vec<Vec<Figures>> = vec![Vec::new(); plan.scenarios.len()];
        for _ in 0..plan.rounds.max(1) {
            for (scenario, runs) in plan.scenarios.iter().zip(&mut runs) {
                let figures = match scenario.what {
                    What::Ask(asked) => asked_figures(scenario, asked, plan, &server, &load).await?,
                    What::Preview => preview_figures(&server, &previews).await?,
                    What::Live => live_figures(&ground, plan).await?,
                };
                runs.push(figures);
            }
        }
        let mut reached = true;
        for (scenario, runs) in plan.scenarios.iter().zip(runs) {
            reached &= tell(scenario, &runs, plan.posts, report);
        }
        Ok(reached)
    })
}

/// Holds whole answers against what the store itself says.
async fn check(server: &Server, database: &Database) -> Fallible<()> {
    let mut client = Client::connect(server.address).await?;
    for account in SAMPLE {
        let answer = client.ask(&get(&format!("/timeline?limit={PAGE}"), account)).await?;
        answer.must(200, Some(PAGE))?;
        let answered: Value = serde_json::from_str(answer.body)?;
        let page = Page { limit: PAGE, ..Page::default() };
        let known = database.timeline(account, &page).await?;
        let known: Vec<_> = known
            .iter()
            .map(|post| {
                (
                    post.cursor.post.into(),
                    post.filters.clone().into(),
                    post.post.content().text.clone().into(),
                )
            })
            .collect();
        let data = answered["data"].as_array().ok_or("a list")?;
        let told: Vec<(Value, Value, Value)> = data
            .iter()
            .map(|post| (post["number"].clone(), post["filters"].clone(), post["content"]["text"].clone()))
            .collect();
        if told != known {
            return Err(format!("the timeline of account {account} is answered as {told:?}").into());
        }
        let answer = client.ask(&get("/filters", account)).await?;
        answer.must(200, Some(FILTERS_EACH))?;
        let answered: Value = serde_json::from_str(answer.body)?;
        for (place, filter) in database.account_filters(account).await?.iter().enumerate() {
            if answered["data"][place]["text"] != filter.filter.text {
                return Err(format!("the filters of account {account} are others").into());
            }
        }
    }
    Ok(())
}

async fn asked_figures(
    scenario: &Scenario,
    asked: Asked,
    plan: &Plan,
    server: &Server,
    load: &Load,
) -> Fallible<Figures> {
    let before = server.used();
    let time = Duration::from_secs(plan.seconds as u64);
    let ran = ask::run(server.address, asked, scenario.connections, time, load)
        .await
        .map_err(|error| format!("{}: {error}", scenario.name))?;
    let count = ran.latencies.len() as f64;
    let mut figures = vec![
        (RATE.to_owned(), count / ran.seconds),
        ("p50 ms".to_owned(), percentile(&ran.latencies, 50.0)),
        (P99.to_owned(), percentile(&ran.latencies, 99.0)),
        ("p99.9 ms".to_owned(), percentile(&ran.latencies, 99.9)),
    ];
    shares(&mut figures, before, server, ran.seconds, count);
    Ok(figures)
}

async fn preview_figures(server: &Server, previews: &Previews) -> Fallible<Figures> {
    let (before, begin) = (server.used(), std::time::Instant::now());
    let preview::Ran { mut whole, mut first } = previews.run(server.address).await?;
    whole.sort_unstable_by(f64::total_cmp);
    first.sort_unstable_by(f64::total_cmp);
    let mut figures = vec![
        ("whole ms".to_owned(), percentile(&whole, 50.0)),
        ("slowest whole ms".to_owned(), percentile(&whole, 100.0)),
        ("first samples ms".to_owned(), percentile(&first, 50.0)),
        ("slowest first samples ms".to_owned(), percentile(&first, 100.0)),
    ];
    shares(&mut figures, before, server, begin.elapsed().as_secs_f64(), whole.len() as f64);
    Ok(figures)
}

async fn live_figures(ground: &Ground, plan: &Plan) -> Fallible<Figures> {
    // It is written to, so it is a store of its own.
    let copy = ground.copy()?;
    let (server, database) = (Server::start(&copy.0)?, Database::open(&copy.0.to_string_lossy()).await?);
    let (before, begin) = (server.used(), std::time::Instant::now());
    let latencies = live::run(server.address, &database, plan.streams, plan.seconds).await?;
    let mut figures = vec![
        ("posts/s".to_owned(), latencies.len() as f64 / plan.seconds as f64),
        ("p50 ms".to_owned(), percentile(&latencies, 50.0)),
        (P99.to_owned(), percentile(&latencies, 99.0)),
        ("slowest ms".to_owned(), percentile(&latencies, 100.0)),
    ];
    shares(&mut figures, before, &server, begin.elapsed().as_secs_f64(), latencies.len() as f64);
    database.close().await;
    Ok(figures)
}

/// Who used how much of a core, and what an answer costs.
fn shares(figures: &mut Figures, before: Used, server: &Server, seconds: f64, count: f64) {
    let used = server.used();
    for (name, seconds_used) in [
        ("SQLite", used.sqlite - before.sqlite),
        ("server", used.rest - before.rest),
        ("clients", used.clients - before.clients),
    ] {
        figures.push((format!("{name}: % of a core"), seconds_used / seconds * 100.0));
        figures.push((format!("{name}: µs an answer"), seconds_used / count * 1e6));
    }
    figures.push(("peak memory MB".to_owned(), server.memory() as f64 / 1e6));
}

/// Tells of a scenario, and whether it reached what it must: the median of each figure.
fn tell(scenario: &Scenario, runs: &[Figures], posts: u64, report: &mut Report) -> bool {
    let Some(first) = runs.first() else { return true };
    let mut figures = Figures::new();
    for (place, (name, _)) in first.iter().enumerate() {
        let mut values: Vec<f64> = runs.iter().map(|run| run[place].1).collect();
        values.sort_unstable_by(f64::total_cmp);
        figures.push((name.clone(), percentile(&values, 50.0)));
    }
    let of = |name: &str| figures.iter().find(|(of, _)| of == name).map_or(f64::NAN, |(_, value)| *value);
    let word = |yes: bool| if yes { "reached" } else { "NOT REACHED" };
    let (mut reached, mut told) = (true, Vec::new());
    for &goal in scenario.goals {
        let (name, must, aim, at) = match goal {
            Goal::AtLeast(name, must, aim) => (name, must, aim, "at least"),
            Goal::AtMost(name, must, aim) => (name, must, aim, "at most"),
        };
        let value = of(name);
        let is = |bound: f64| if at == "at least" { value >= bound } else { value <= bound };
        reached &= is(must);
        let aimed = if must == aim { String::new() } else { format!(", aim {aim} {}", word(is(aim))) };
        told.push(format!("{name} {}: must be {at} {must} {}{aimed}", shown(value), word(is(must))));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let parts = ["SQLite", "server", "clients"].map(|name| (name, of(&format!("{name}: % of a core"))));
    let full = parts.iter().map(|(_, share)| share).sum::<f64>() / cores;
    let most = parts.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or("nobody", |(name, _)| name);
    let bound = if full > 85.0 { "the processor" } else { "waiting, or what others use of the processor" };
    let line: Vec<_> = figures.iter().map(|(name, value)| format!("{name} {}", shown(*value))).collect();
    report.say(&format!(
        "{}: {}\n  {}\n  bound by {bound}: {full:.0} % of {cores:.0} cores are used, most by {most}\n",
        scenario.name,
        told.join("; "),
        line.join(" · ")
    ));
    for (name, value) in figures {
        report.rows.push((scenario.name.to_owned(), posts as usize, name, value));
    }
    reached
}

/// What the store holds, in a sentence.
#[must_use]
pub fn described(plan: &Plan) -> String {
    format!(
        "{} posts, {ACCOUNTS} accounts with {FILTERS_EACH} filters each, {} rounds",
        plan.posts, plan.rounds
    )
}
