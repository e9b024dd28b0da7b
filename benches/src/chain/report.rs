//! Runs scenarios, checks what they stored, and tells.

use std::path::PathBuf;
use std::process::Command;

use super::bound::{bound, shares};
use super::load::{Expected, Load, Wire};
use super::run::{Job, Ran};
use super::scenarios::{Goal, On, Scenario};
use super::servers::maria::Folder;
use super::store::{Fallible, Ground, Used, check};
use crate::record::Report;

/// How to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What.
    pub scenarios: Vec<Scenario>,
    /// Posts of each; `None` for each scenario's own number.
    pub posts: Option<u64>,
    /// How often, in turn; the median counts.
    pub rounds: usize,
    /// Workers in the process.
    pub workers: usize,
}

/// Measures what is planned, and says whether everything that must be reached is. A scenario whose servers are not installed is skipped with a note.
///
/// # Errors
/// Whatever goes wrong, above all a store that does not hold what it must.
pub fn measure(plan: &Plan, report: &mut Report) -> Fallible<bool> {
    if plan.scenarios.is_empty() {
        return Ok(true);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (load, folder) = (Load::new(), Folder::new());
    let wants = |on: On| plan.scenarios.iter().any(|scenario| scenario.on == on);
    let mut embedded = None;
    if wants(On::Embedded) {
        embedded = Some(runtime.block_on(Ground::embedded(&load))?);
    }
    let mut servers = None;
    if wants(On::Servers) {
        servers = runtime.block_on(Ground::servers(&load))?;
    }
    let mut results: Vec<Vec<Result>> = vec![Vec::new(); plan.scenarios.len()];
    let mut files: Vec<((u64, Wire), PathBuf, Expected)> = Vec::new();
    for _ in 0..plan.rounds.max(1) {
        for (scenario, results) in plan.scenarios.iter().zip(&mut results) {
            let ground = if scenario.on == On::Embedded { &mut embedded } else { &mut servers };
            let Some(ground) = ground else { continue };
            let posts = plan.posts.unwrap_or(scenario.posts);
            let known = files.iter().position(|(of, ..)| *of == (posts, scenario.wire));
            let file = known.map_or_else(
                || {
                    let path = folder.0.join(format!("{posts}-{:?}", scenario.wire));
                    let expected = load.write(posts, scenario.wire, &path)?;
                    files.push(((posts, scenario.wire), path, expected));
                    Ok::<_, std::io::Error>(files.len() - 1)
                },
                Ok,
            )?;
            let (_, path, expected) = &files[file];
            results.push(runtime.block_on(one(scenario, plan, ground, path, expected))?);
        }
    }
    let mut reached = true;
    for (scenario, results) in plan.scenarios.iter().zip(results) {
        match median(scenario, results) {
            Some((result, spread)) => reached &= tell(scenario, &result, spread, report),
            None => report.say(&format!("{}: skipped: no servers\n", scenario.name)),
        }
    }
    Ok(reached)
}

/// One run.
#[derive(Clone, Debug)]
struct Result {
    ran: Ran,
    used: Vec<Used>,
    expected: Expected,
    grown: Option<u64>,
}

async fn one(
    scenario: &Scenario,
    plan: &Plan,
    ground: &mut Ground,
    lines: &std::path::Path,
    expected: &Expected,
) -> Fallible<Result> {
    let place = ground.fresh().await?;
    let job = Job {
        database: place.database.clone(),
        buffer: place.buffer.clone(),
        lines: lines.to_owned(),
        wire: scenario.wire,
        rate: scenario.rate,
        latencies: matches!(scenario.goal, Goal::Latency(_)),
        apart: scenario.apart,
        workers: plan.workers,
    };
    let before = ground.used();
    let child = Command::new(std::env::current_exe()?)
        .args(["--child", &serde_json::to_string(&job)?])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !child.status.success() {
        return Err(format!("{}: the run ended with {}", scenario.name, child.status).into());
    }
    let ran: Ran = serde_json::from_slice(&child.stdout)?;
    let mut used = ground.used();
    for used in &mut used {
        if let Some(before) = before.iter().find(|before| before.name == used.name) {
            used.seconds -= before.seconds;
            used.written -= before.written;
        }
    }
    let counted = (ran.lines, ran.posts, ran.deliveries, ran.matches);
    let wanted = (expected.lines, expected.posts, expected.deliveries, expected.matches);
    if counted != wanted {
        let what = "lines, posts, deliveries, matches";
        return Err(format!("{}: {what} are {counted:?}, and must be {wanted:?}", scenario.name).into());
    }
    check(&place, expected).await.map_err(|error| format!("{}: {error}", scenario.name))?;
    let grown = ground.grown(&place);
    ground.remove(&place);
    Ok(Result { ran, used, expected: expected.clone(), grown })
}

/// The run whose time, or whose slowest hundredth, is the middle one; and the slowest's share of it.
fn median(scenario: &Scenario, mut results: Vec<Result>) -> Option<(Result, f64)> {
    let measure = |result: &Result| match scenario.goal {
        Goal::Latency(_) => percentile(&result.ran.latencies, 99.0),
        Goal::Size(..) => result.ran.memory as f64,
        _ => result.ran.seconds,
    };
    results.sort_by(|a, b| measure(a).total_cmp(&measure(b)));
    let slowest = measure(results.last()?);
    let result = results.swap_remove(results.len() / 2);
    let spread = slowest / measure(&result);
    Some((result, spread))
}

pub(crate) fn percentile(sorted: &[f64], of: f64) -> f64 {
    let place = (sorted.len() as f64 * of / 100.0).ceil() as usize;
    sorted.get(place.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// Tells of a scenario, and whether it reached what it must.
fn tell(scenario: &Scenario, result: &Result, spread: f64, report: &mut Report) -> bool {
    let Result { ran, used, expected, grown } = result;
    let rate = |count: u64| count as f64 / ran.seconds;
    let mut figures: Vec<(String, f64)> = Vec::new();
    let mut add = |name: &str, value: f64| figures.push((name.to_owned(), value));
    add("posts/s", rate(expected.posts));
    if scenario.wire == Wire::Site {
        add("lines/s", rate(expected.lines));
    }
    if scenario.apart {
        add("lines/s into the buffer", expected.lines as f64 / ran.ingest_seconds);
        add("posts/s out of it", expected.posts as f64 / (ran.seconds - ran.ingest_seconds));
    }
    if !ran.latencies.is_empty() {
        for of in [50.0, 99.0, 99.9] {
            add(&format!("p{of} ms"), percentile(&ran.latencies, of));
        }
    }
    add("slowest round ÷ median", spread);
    let memory: u64 = ran.memory + used.iter().map(|used| used.memory).sum::<u64>();
    add("peak memory MB", ran.memory as f64 / 1e6);
    if !used.is_empty() {
        add("peak memory MB, servers included", memory as f64 / 1e6);
    }
    if let Some(grown) = grown {
        add("bytes of file a post", *grown as f64 / expected.posts as f64);
    }
    let written = ran.written + used.iter().map(|used| used.written).sum::<u64>();
    add("bytes written a post", written as f64 / expected.posts as f64);
    for (name, calls) in ran.calls.iter().filter(|(_, calls)| calls.count > 0) {
        add(&format!("{name}: calls/s"), rate(calls.count));
        add(&format!("{name}: entries a call"), calls.items as f64 / calls.count as f64);
        add(&format!("{name}: ms a call"), calls.seconds * 1000.0 / calls.count as f64);
        add(&format!("{name}: % of the time"), calls.seconds / ran.seconds * 100.0);
    }
    for (name, share) in shares(ran, used) {
        add(&format!("{name}: % of a core"), share * 100.0);
        add(&format!("{name}: µs a post"), share * ran.seconds * 1e6 / expected.posts as f64);
    }
    let (reached, told) = reached(scenario, &figures, memory);
    let bound = bound(ran, used, scenario.rate.is_some());
    let line: Vec<_> = figures.iter().map(|(name, value)| format!("{name} {}", shown(*value))).collect();
    report.say(&format!("{}: {told}\n  {}\n  bound by {bound}\n", scenario.name, line.join(" · ")));
    for (name, value) in figures {
        report.rows.push((scenario.name.to_owned(), expected.posts as usize, name, value));
    }
    reached
}

/// Whether what must be reached is, and how that is told.
fn reached(scenario: &Scenario, figures: &[(String, f64)], memory: u64) -> (bool, String) {
    let of = |name: &str| figures.iter().find(|(of, _)| of == name).map_or(f64::NAN, |(_, value)| *value);
    let word = |yes: bool| if yes { "reached" } else { "NOT REACHED" };
    match scenario.goal {
        Goal::Posts(must, aim) => {
            let rate = of("posts/s");
            let (must_is, aim_is) = (word(rate >= must), word(rate >= aim));
            let told = format!("{} posts/s; must {must} {must_is}, aim {aim} {aim_is}", shown(rate));
            (rate >= must, told)
        }
        Goal::Lines(must) => {
            let rate = of("lines/s");
            (rate >= must, format!("{} lines/s; must {must} {}", shown(rate), word(rate >= must)))
        }
        Goal::Latency(most) => {
            let p99 = of("p99 ms");
            (p99 <= most, format!("p99 {} ms; at most {most} {}", shown(p99), word(p99 <= most)))
        }
        Goal::Size(most, each) => {
            let bytes = of("bytes of file a post");
            // A machine with too much else to do makes queues longer than those of this pace.
            let held = scenario.rate.is_none_or(|rate| of("posts/s") >= 0.95 * rate);
            let (small, light) = (bytes <= each as f64, memory <= most);
            let (memory, most, bytes) = (shown(memory as f64 / 1e6), most / 1_000_000, shown(bytes));
            let memory_is = if held { word(light) } else { "not judged, since the pace was not held" };
            let told = format!(
                "{memory} MB of memory; at most {most} {memory_is}; {bytes} bytes of file a post; at most {each} {}",
                word(small)
            );
            (small && (light || !held), told)
        }
        Goal::Nothing => (true, format!("{} posts/s", shown(of("posts/s")))),
    }
}

/// Numbers with three digits that mean something.
pub(crate) fn shown(value: f64) -> String {
    match value {
        v if v >= 1e4 => format!("{:.1} k", v / 1e3),
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}
