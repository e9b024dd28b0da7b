//! `demo`: an invented stream, live, through a dozen filters.

mod samples;

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tweetfilter_core::post::Account;
use tweetfilter_core::{AddError, Expression, FilterId, FilterSet, FilterSetBuilder, OwnerId, Post, Scratch};
use tweetfilter_stream::generate::{Generator, Options};
use tweetfilter_stream::wire::decode;

use super::Failure;
use super::highlight;
use super::terminal::{Color, Style, fit, pad};
use samples::{PEOPLE, SAMPLES, Sample};

/// Shows an invented stream live through a dozen filters in several languages, until Ctrl-C.
///
/// Five people watch, each with filters of their own and a timeline of their own: a post is shown to whom it
/// reached if one of their filters matches, with the parts that matched.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Ends after so many seconds; without it at Ctrl-C, and after 30 where there is no terminal
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,

    /// Lines of the stream a second
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
}

const EXAMPLES: &str = "\
Examples:
  tweetfilter demo
  tweetfilter demo --seconds 10 --rate 50";

/// Seconds without a terminal.
const UNATTENDED: u64 = 30;

/// What the stream gave so far.
#[derive(Default)]
struct Seen {
    lines: u64,
    posts: u64,
    of_filter: Vec<u64>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    // Without a handler Ctrl-C just ends the command, without its summary.
    let _ = ctrlc::set_handler(move || stopped.store(true, Ordering::Relaxed));

    let seconds = arguments.seconds.or((!std::io::stdout().is_terminal()).then_some(UNATTENDED));
    let end = seconds.map(Duration::from_secs);
    let set = filters().map_err(|error| Failure::Input(format!("a sample filter is refused: {error}")))?;
    let mut seen = Seen { of_filter: vec![0; SAMPLES.len()], ..Seen::default() };
    let started = Instant::now();
    let shown = show(&set, arguments.rate, end, started, &stop, &mut seen);
    let told = shown.and_then(|()| summary(&seen, started.elapsed()));
    told.map_err(|error| Failure::writing(&error))
}

fn filters() -> Result<FilterSet, AddError> {
    let mut builder = FilterSetBuilder::new();
    for (number, Sample { account, filter, .. }) in SAMPLES.iter().enumerate() {
        let owner = Some(OwnerId(u64::from(*account)));
        builder.add_expression(FilterId(number as u64), owner, Expression::parse(filter)?)?;
    }
    Ok(builder.build())
}

fn stream() -> Generator {
    let accounts = PEOPLE.len() as u32;
    // Another stream each day that the demonstration is shown.
    let seed = std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_secs() / 86_400);
    Generator::new(Options { posts: 1_000_000_000, seed, accounts, audience: 2 })
}

fn show(
    set: &FilterSet,
    rate: u32,
    end: Option<Duration>,
    started: Instant,
    stop: &AtomicBool,
    seen: &mut Seen,
) -> std::io::Result<()> {
    let style = Style::stdout();
    let mut out = std::io::stdout().lock();
    let mut scratch = Scratch::default();
    for line in stream() {
        let due = Duration::from_secs_f64(seen.lines as f64 / f64::from(rate));
        loop {
            let now = started.elapsed();
            if stop.load(Ordering::Relaxed) || end.is_some_and(|end| now >= end) {
                return Ok(());
            }
            if now >= due {
                break;
            }
            std::thread::sleep((due - now).min(Duration::from_millis(20)));
        }
        seen.lines += 1;
        let Ok(event) = decode(line.as_bytes()) else { continue };
        for (viewer, post) in event.into_posts() {
            seen.posts += 1;
            let Some(account) = viewer.and_then(|viewer| viewer.parse::<u64>().ok()) else { continue };
            for found in set.matches_for(&mut scratch, &post, &[OwnerId(account)]) {
                seen.of_filter[found.index as usize] += 1;
                let row = row(set, found.index as usize, &post, style);
                writeln!(out, "{row}")?;
            }
        }
        out.flush()?;
    }
    Ok(())
}

const PERSON: usize = 6;
const FILTER: usize = 12;
const AUTHOR: usize = 15;

fn row(set: &FilterSet, filter: usize, post: &Post, style: Style) -> String {
    let sample = &SAMPLES[filter];
    let Account { handle, .. } = &post.author.account;
    let left = style.width().saturating_sub(PERSON + FILTER + AUTHOR + 4).max(20);
    format!(
        "{} {} {} {}",
        style.paint(Color::Strong, &pad(person(sample), PERSON)),
        style.paint(Color::Name, &pad(sample.name, FILTER)),
        style.paint(Color::Dim, &pad(&format!("@{handle}"), AUTHOR)),
        highlight::line(set, filter, post, left, style)
    )
}

fn person(sample: &Sample) -> &'static str {
    PEOPLE.get(sample.account as usize - 1).copied().unwrap_or("?")
}

fn summary(seen: &Seen, time: Duration) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let seconds = time.as_secs_f64().max(1e-3);
    let matches: u64 = seen.of_filter.iter().sum();
    writeln!(out)?;
    for (sample, count) in SAMPLES.iter().zip(&seen.of_filter) {
        let (name, person) = (pad(sample.name, FILTER), pad(person(sample), PERSON));
        writeln!(out, "{count:>7}  {person} {name} {}", fit(sample.filter, 70))?;
    }
    let rate = seen.lines as f64 / seconds;
    writeln!(out, "{matches:>7}  matches of {} posts in {seconds:.1} s, {rate:.0} lines/s", seen.posts)
}
