//! What the demonstration shows: matches as they are stored, and at the end the account of it.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use tweetfilter_core::FilterSet;
use tweetfilter_http::parts::Stop;
use tweetfilter_sql::{Database, TimelinePost};

use super::super::Failure;
use super::super::highlight;
use super::super::settings::failure;
use super::super::terminal::{Color, Style, fit, one_line, pad};

/// How often is looked for what is new.
const LOOK: Duration = Duration::from_millis(100);
/// Commits that are read at once.
const COMMITS: u32 = 100;
/// Columns of what stands before a post.
const PERSON: usize = 6;
const FILTER: usize = 12;
const AUTHOR: usize = 15;

/// The filters that are watched.
pub(super) struct Watched {
    /// For the places of what matched.
    pub(super) set: FilterSet,
    /// By their numbers in the store.
    pub(super) filters: BTreeMap<i64, Shown>,
}

/// A filter that is watched.
pub(super) struct Shown {
    /// Its place in the set.
    pub(super) index: usize,
    pub(super) person: String,
    pub(super) name: String,
}

/// Shows what is stored as it comes, until it is told that nothing comes any more.
pub(super) async fn watch(database: Database, watched: Watched, mut stop: Stop) -> Result<Watched, Failure> {
    let (style, mut after) = (Style::stdout(), 0);
    loop {
        // Asked before what is read: after it, nothing is missed.
        let last = stop.is_told();
        let tail = database.tail(None, after, COMMITS).await.map_err(failure)?;
        let rows: String = tail.posts.iter().flat_map(|post| rows(&watched, post, style)).collect();
        print(&rows)?;
        if tail.up_to > after {
            after = tail.up_to;
        } else if last {
            return Ok(watched);
        } else {
            stop.sleep(LOOK).await;
        }
    }
}

/// A row for each filter that found a post.
fn rows<'w>(watched: &'w Watched, post: &'w TimelinePost, style: Style) -> impl Iterator<Item = String> + 'w {
    let found = post.filters.iter().filter_map(|number| watched.filters.get(number));
    found.map(move |Shown { index, person, name }| {
        let handle = &post.post.author.account.handle;
        let left = style.width().saturating_sub(PERSON + FILTER + AUTHOR + 4).max(20);
        format!(
            "{} {} {} {}\n",
            style.paint(Color::Strong, &pad(person, PERSON)),
            style.paint(Color::Name, &pad(&fit(&one_line(name), FILTER), FILTER)),
            style.paint(Color::Dim, &pad(&format!("@{handle}"), AUTHOR)),
            highlight::line(&watched.set, *index, &post.post, left, style)
        )
    })
}

/// What became of everything that was read, as the store has it.
pub(super) async fn summary(
    database: &Database,
    watched: &Watched,
    time: Duration,
    drained: bool,
) -> Result<(), Failure> {
    let status = database.status().await.map_err(failure)?;
    let results = database.results().await.map_err(failure)?;
    let crashes = database.crashes(10).await.map_err(failure)?;
    let mut out = String::from("\n");
    for (number, Shown { index, person, name }) in &watched.filters {
        let count = results.matches.get(number).copied().unwrap_or(0);
        let (person, name) = (pad(person, PERSON), pad(&fit(&one_line(name), FILTER), FILTER));
        let text = fit(&one_line(watched.set.text(*index).unwrap_or_default()), 70);
        out.push_str(&format!("{count:>7}  {person} {name} {text}\n"));
    }
    for source in &status.sources {
        let counts = &source.counts;
        let undecodable: u64 = counts.undecodable.values().sum();
        out.push_str(&format!(
            "\n{} lines = {} posts + {} other messages + {undecodable} unreadable\n\
             {} posts = {} first + {} copies for further viewers\n\
             {} first = {} stored + {} repeated + {} deleted before they came + {} dead\n",
            counts.lines,
            counts.posts,
            counts.control + counts.keep_alives,
            counts.posts,
            counts.entries,
            counts.merged,
            counts.entries,
            source.stored,
            source.repeated + source.stale,
            source.suppressed,
            source.dead,
        ));
        out.push_str(match (drained, source.balances()) {
            (true, true) => "all of it is accounted for\n",
            (true, false) => "this does not add up, which is a fault of this program\n",
            (false, _) => "some of it still waited in the buffer at the end\n",
        });
    }
    for crash in crashes {
        out.push_str(&format!("{} broke: {}\n", crash.part, one_line(&crash.reason)));
    }
    let lines: u64 = status.sources.iter().map(|source| source.counts.lines).sum();
    let seconds = time.as_secs_f64().max(1e-3);
    let matches: u64 = results.matches.values().sum();
    out.push_str(&format!(
        "{matches} matches in {} deliveries of {} stored posts, in {seconds:.1} s, {:.0} lines/s\n",
        results.deliveries,
        status.posts,
        lines as f64 / seconds
    ));
    print(&out)
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::writing(&error))
}
