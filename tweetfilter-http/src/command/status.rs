//! `status`, `dead-letters`, `migrate` and `config`: how the server is.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use serde_json::json;
use tweetfilter_http::api::try_write;
use tweetfilter_http::ops::{self, Elsewhere, Look, ShownHost, ShownOutlook, ShownProcess, Waiting};
use tweetfilter_http::parts::{Buffers, now};
use tweetfilter_sql::{Database, LetterOutline, PUT_BACK, Room, StoredGap};
use tweetfilter_stream::buffer::{Buffer, BufferError, Fence, Stats};
use tweetfilter_stream::store::{Snapshot, Store};
use tweetfilter_stream::worker::Compiled;

use super::Failure;
use super::overview;
use super::settings::{Common, Settings, block_on, failure};
use super::terminal::one_line;
use super::time::rfc3339;

/// Shows how all is: what is not well, the processes that run parts, their hosts, how full buffer and store are, and what
/// became of what each source gave.
///
/// Processes note every 15 seconds how they are; rates are those of the last minute. One that has noted nothing for 45
/// seconds is silent. Whether the store takes writes is tried by a small one.
#[derive(clap::Args)]
#[command(after_long_help = "\
Examples:
  tweetfilter status
  tweetfilter status --crashes
      with backtraces
  tweetfilter status --json | jq -r '.unwell[].message'
      what is not well, a line each; none: all is well
  tweetfilter status --json | jq '.processes[].parts[] | select(.state != \"running\")'
      what does not run")]
pub(crate) struct Status {
    /// One JSON object
    #[arg(long)]
    json: bool,

    /// The newest crashes with all of their backtraces
    #[arg(long)]
    crashes: bool,

    #[command(flatten)]
    common: Common,
}

/// Shows entries that could not be stored, and has them tried again.
#[derive(clap::Args)]
pub(crate) struct DeadLetters {
    #[command(subcommand)]
    command: Letters,

    #[command(flatten)]
    common: Common,
}

#[derive(clap::Subcommand)]
enum Letters {
    /// Lists them: number, time, source, reason
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Puts them back into the buffer, to be tried again
    Retry {
        /// The numbers of those to put back, as `list` shows them; without any, all that are there now
        #[arg(value_name = "NUMBER")]
        numbers: Vec<i64>,
    },
}

/// Brings the tables of a store up to date, which each part also does when it starts.
#[derive(clap::Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    common: Common,
}

/// Shows which settings hold, and where each is from.
#[derive(clap::Args)]
#[command(after_long_help = "\
Examples:
  tweetfilter config show
  tweetfilter config show --json | jq -r '.database.value'
  tweetfilter config show --json | jq -r '.source[].kind.value'")]
pub(crate) struct Config {
    #[command(subcommand)]
    command: ConfigCommand,

    #[command(flatten)]
    common: Common,
}

#[derive(clap::Subcommand)]
enum ConfigCommand {
    /// Prints them, as a file of settings
    ///
    /// Passwords and tokens are left out.
    Show {
        /// One JSON object, as the file is built: of each setting its `value`, and where it is `from`
        #[arg(long)]
        json: bool,
    },
}

fn write(out: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(out.as_bytes()).map_err(|error| Failure::writing(&error))
}

pub(crate) fn config(arguments: &Config) -> Result<(), Failure> {
    let ConfigCommand::Show { json } = arguments.command;
    let settings = arguments.common.settings()?;
    write(&if json { format!("{}\n", settings.json()) } else { settings.show() })
}

pub(crate) fn migrate(arguments: &Migrate) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    block_on(async {
        settings.open().await?.close().await;
        Ok(())
    })
}

/// The source under which dead letters are put back, how long that is claimed, and how many are put back before the claim is
/// prolonged.
const RETRY: (&str, Duration, usize) = (PUT_BACK, Duration::from_secs(9), 100);

pub(crate) fn dead_letters(arguments: &DeadLetters) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    block_on(async {
        let database = settings.open_existing().await?;
        match &arguments.command {
            Letters::List { json: true } => {
                each_letter(&database, |letter| {
                    let LetterOutline { id, source, reason, at, bytes } = letter;
                    let at = rfc3339(*at);
                    let object =
                        json!({ "id": id, "at": at, "source": source, "reason": reason, "bytes": bytes });
                    write(&format!("{object}\n"))
                })
                .await?;
            }
            Letters::List { json: false } => {
                each_letter(&database, |letter| {
                    let (at, reason) = (rfc3339(letter.at), one_line(&letter.reason));
                    write(&format!("{}\t{at}\t{}\t{reason}\n", letter.id, one_line(&letter.source)))
                })
                .await?;
            }
            Letters::Retry { numbers } => {
                let count = retry(&settings, &database, numbers).await?;
                write(&format!("{count} put back\n"))?;
            }
        }
        database.close().await;
        Ok(())
    })
}

/// Looks at all dead letters, page by page and without their entries.
async fn each_letter(
    database: &Database,
    mut look: impl FnMut(&LetterOutline) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let page = database.dead_letter_outlines(after, 1000).await.map_err(failure)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        page.iter().try_for_each(&mut look)?;
    }
}

/// Puts back dead letters, those of some numbers or all that are there now; how many.
async fn retry(settings: &Settings, database: &Database, numbers: &[i64]) -> Result<usize, Failure> {
    let mut known = BTreeSet::new();
    each_letter(database, |letter| {
        known.insert(letter.id);
        Ok(())
    })
    .await?;
    if let Some(unknown) = numbers.iter().find(|number| !known.contains(*number)) {
        return Err(Failure::Input(format!(
            "there is no dead letter {unknown}; nothing was put back. `tweetfilter dead-letters list` shows them"
        )));
    }
    if !numbers.is_empty() {
        known = numbers.iter().copied().collect();
    }
    let ids: Vec<i64> = known.into_iter().collect();
    let buffer = settings.buffer(database).await?;
    let (name, lease, some) = RETRY;
    let fence = turn(&buffer, &settings.instance).await?;
    let mut count = 0;
    let put_back = async {
        for ids in ids.chunks(some) {
            buffer.renew(name, fence, lease).await?;
            count += database.retry_dead_letters(ids, &buffer, name, fence).await?;
        }
        Ok(())
    };
    let put_back: Result<(), BufferError> = put_back.await;
    // Whoever comes next need not wait until the claim runs out.
    let _ = buffer.renew(name, fence, Duration::ZERO).await;
    put_back.map_err(failure)?;
    Ok(count)
}

/// Waits until nobody else puts dead letters back: each process is somebody of its own.
async fn turn(buffer: &Buffers, instance: &str) -> Result<Fence, Failure> {
    let (name, lease, _) = RETRY;
    let instance = format!("{instance} {}", std::process::id());
    let mut is_told = false;
    loop {
        match buffer.claim(name, &instance, lease).await {
            Err(BufferError::Taken { holder, .. }) => {
                if !std::mem::replace(&mut is_told, true) {
                    told!("tweetfilter: {} puts dead letters back just now; waits for it", one_line(&holder));
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            claimed => return Ok(claimed.map_err(failure)?.fence),
        }
    }
}

/// Entries of which it is not said what one takes.
const FEW: u64 = 100;
/// How many gaps are shown.
const GAPS: u32 = 10;

pub(crate) fn status(arguments: &Status) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    let out = block_on(async {
        let database = settings.open_existing().await?;
        // A buffer that is away is no reason to say nothing of all the rest.
        let asked = async {
            let buffer = settings.open_buffer(&database).await?;
            let stats = match &buffer {
                Buffers::Embedded(_) => None,
                Buffers::Redis(redis) => Some(redis.stats().await?),
            };
            Ok((stats, Elsewhere::of(&buffer, &database).await?))
        };
        let asked = asked.await;
        let is_told = asked.is_ok();
        let ((stats, elsewhere), away) = match asked {
            Ok(known) => (known, None),
            Err(BufferError::Away(reason)) => ((Some(Stats::default()), Elsewhere::default()), Some(reason)),
            // So is one that can't be read.
            Err(error) if settings.buffer_elsewhere().is_some() => {
                ((Some(Stats::default()), Elsewhere::none(error.to_string())), None)
            }
            Err(error) => return Err(failure(error)),
        };
        let unfit = elsewhere.unfit().to_vec();
        let (status, gaps) = elsewhere.with_store(&database, GAPS).await.map_err(failure)?;
        // Of the same moment as the counts where both are one file.
        let stats = stats.or_else(|| status.buffer.clone()).unwrap_or_default();
        let room = database.room().await.map_err(failure)?;
        let crashes = database.crashes(if arguments.crashes { 50 } else { 5 }).await.map_err(failure)?;
        let mut overview = ops::overview(&database, now()).await.map_err(failure)?;
        if is_told {
            overview.counted(now(), &stats);
        }
        let snapshot = database.filters(None).await.map_err(failure)?.unwrap_or_default();
        let compiled = Compiled::new(&snapshot, settings.owner_budget());
        let store = try_write(&database).await;
        database.close().await;
        let age = stats.oldest.map(|oldest| (now() - oldest).max(0));
        let look = Look {
            now: now(),
            overview: &overview,
            status: &status,
            room,
            store,
            buffer: away.as_deref(),
            unfit: &unfit,
            waiting: is_told.then_some(Waiting { entries: stats.entries, age }),
            unused: compiled.refused().len(),
            names: true,
        };
        let unwell = look.unwell();
        let age = age.map(|age| age as f64 / 1000.0);
        let per_entry = stats.bytes.checked_div(stats.entries).unwrap_or(0);
        if arguments.json {
            let sources: Vec<_> = status
                .sources
                .iter()
                .map(|source| {
                    json!({
                        "name": source.name, "stored": source.stored, "suppressed": source.suppressed,
                        "repeated": source.repeated, "stale": source.stale, "dead": source.dead,
                        "strangers": source.strangers, "unmatched": source.unmatched, "counts": source.counts, "cursor": source.cursor,
                        "holder": source.holder.as_ref().map(|(name, _)| name),
                    })
                })
                .collect();
            let object = json!({
                "unwell": unwell,
                "buffer": is_told.then_some(&stats), "buffer_away": away, "buffer_unfit": unfit,
                "bytes_an_entry": per_entry, "oldest_seconds": age,
                "accounts": status.accounts, "filters": status.filters, "sets": status.sets,
                "posts": status.posts, "dead_letters": status.dead, "gaps": status.gaps,
                "gaps_dropped": status.gaps_dropped,
                "crashes": status.crashes, "commit": status.commit, "revision": status.revision,
                "tombstones": status.tombstones, "tombstones_dropped": status.tombstones_dropped,
                "sources": sources, "unused_filters": unused(&compiled, &snapshot),
                "processes": overview.processes.iter().map(ShownProcess::of).collect::<Vec<_>>(),
                "hosts": overview.hosts.iter().map(ShownHost::of).collect::<Vec<_>>(),
                "outlook": overview.outlook.map(ShownOutlook::of),
                "crash_events": crashes.iter().map(|crash| json!({
                    "part": crash.part, "at": rfc3339(crash.at), "reason": crash.reason,
                    "backtrace": crash.backtrace,
                })).collect::<Vec<_>>(),
                "disk": room.map(|room| json!({
                    "free": room.free, "reusable": room.reusable, "reserve": room.reserve,
                    "state": state(&room),
                })),
                "forgotten_for_room": status.forgotten_for_room,
                "forgotten_up_to": status.forgotten_up_to,
            });
            return Ok(format!("{object}\n"));
        }
        let mut out = match unwell.is_empty() {
            true => "well      all is well\n".to_owned(),
            false => unwell.iter().map(|one| format!("unwell    {}\n", one_line(&one.message))).collect(),
        };
        out += &overview::lines(&overview, now());
        out += &match &away {
            Some(reason) => format!("buffer    away: {}\n", one_line(reason)),
            None if !is_told => "buffer    can't be read, see above\n".to_owned(),
            None => format!(
                "buffer    {} entries, {} leased, {} redelivered, {} bytes{}{}{}\n",
                stats.entries,
                stats.leased,
                stats.redelivered,
                stats.bytes,
                // Of few, most of it is what the buffer takes by itself.
                if stats.entries < FEW { String::new() } else { format!(" ({per_entry} an entry)") },
                age.map(|age| format!(", the oldest {age:.1} s old")).unwrap_or_default(),
                overview::outlook(overview.outlook),
            ),
        };
        out += &format!(
            "store     {} posts, {} accounts, {} filters, {} lists; commit {}, revision {}\n\
             trouble   {} dead letters, {} gaps{}, {} crashes, {} entries lost by strangers\n",
            status.posts,
            status.accounts,
            status.filters,
            status.sets,
            status.commit,
            status.revision,
            status.dead,
            status.gaps,
            older(status.gaps_dropped),
            status.crashes,
            stats.lost,
        );
        if let Some(room) = room {
            out.push_str(&format!("disk      {}: {room}\n", state(&room)));
        }
        if let Some(last) = status.forgotten_up_to {
            let posts = status.forgotten_for_room;
            let last = rfc3339(last);
            out.push_str(&format!("forgotten {posts} posts for want of room, received until {last}\n"));
        }
        if status.tombstones_dropped > 0 {
            let (dropped, kept) = (status.tombstones_dropped, status.tombstones);
            out.push_str(&format!(
                "deletes   {dropped} are no longer remembered, since there were too many; {kept} are\n"
            ));
        }
        for source in &status.sources {
            let counts = &source.counts;
            out.push_str(&format!(
                "source    {}: {} lines, {} posts ({} merged), {} control, {} unreadable{}; stored {}, repeated {}, suppressed {}, stale {}, unmatched {}, dead {}, strangers {}{}\n",
                one_line(&source.name),
                counts.lines,
                counts.posts,
                counts.merged,
                counts.control,
                counts.undecodable.values().sum::<u64>(),
                match counts.missing {
                    0 => String::new(),
                    missing => format!(", {missing} held back or missing"),
                },
                source.stored,
                source.repeated,
                source.suppressed,
                source.stale,
                source.unmatched,
                source.dead,
                source.strangers,
                source.holder.as_ref().filter(|(_, until)| *until > now()).map(|(name, _)| format!("; read by {name}")).unwrap_or_default(),
            ));
        }
        for filter in compiled.refused() {
            out.push_str(&format!(
                "unused    filter {} of {}: {}\n",
                filter.id,
                one_line(name(&snapshot, filter.account)),
                one_line(&filter.reason)
            ));
        }
        for gap in gaps {
            out.push_str(&gap_line(&gap));
        }
        for crash in crashes {
            out.push_str(&format!(
                "crash     {} {}: {}\n",
                rfc3339(crash.at),
                crash.part,
                one_line(&crash.reason)
            ));
            if arguments.crashes {
                out.extend(crash.backtrace.lines().map(|line| format!("          {}\n", one_line(line))));
            }
        }
        Ok(out)
    })?;
    write(&out)
}

/// How many gaps there were beside those that are kept.
fn older(dropped: u64) -> String {
    if dropped == 0 { String::new() } else { format!(" (and {dropped} older ones, no longer kept)") }
}

fn gap_line(StoredGap { source, gap }: &StoredGap) -> String {
    let missing = match gap.missing {
        None => String::new(),
        Some(1) => ", 1 message missing".to_owned(),
        Some(count) => format!(", {count} messages missing"),
    };
    let (from, to) = (rfc3339(gap.from), rfc3339(gap.to));
    format!("gap       {}: {from} to {to}{missing}, {}\n", one_line(source), one_line(&gap.reason))
}

/// What is done about the room that is left.
fn state(room: &Room) -> &'static str {
    match (room.is_full(), room.is_short()) {
        (true, _) => "full, nothing is received",
        (_, true) => "short, the oldest posts are forgotten",
        _ => "ok",
    }
}

/// Filters that workers leave out, and why.
fn unused(compiled: &Compiled, snapshot: &Snapshot) -> Vec<serde_json::Value> {
    let filters = compiled.refused().iter().map(|filter| {
        let (id, reason) = (filter.id, &filter.reason);
        json!({ "filter": id, "account": name(snapshot, filter.account), "reason": reason })
    });
    filters.collect()
}

fn name(snapshot: &Snapshot, account: i64) -> &str {
    let known = snapshot.accounts.iter().find(|known| known.id == account);
    known.map_or("?", |known| &known.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tweetfilter_stream::buffer::Gap;

    #[test]
    fn a_gap_says_how_much_is_missing_if_that_is_known() {
        let line = |missing| {
            let gap = Gap { from: 0, to: 1_000, reason: "cut off".to_owned(), missing };
            gap_line(&StoredGap { source: "s".to_owned(), gap })
        };
        let start = "gap       s: 1970-01-01T00:00:00Z to 1970-01-01T00:00:01Z";
        assert_eq!(line(None), format!("{start}, cut off\n"));
        assert_eq!(line(Some(1)), format!("{start}, 1 message missing, cut off\n"));
        assert_eq!(line(Some(692)), format!("{start}, 692 messages missing, cut off\n"));
    }
}
