//! `replay`: files through the buffer into the store.

use std::path::PathBuf;
use std::time::Duration;

use indicatif::ProgressBar;
use tweetfilter_http::ops::{Counted, Part};
use tweetfilter_http::parts::{
    self, Ingested, Instance, Kind, LONGEST_NAME, PartError, SourceSettings, Stop, Worked, catch_panics,
};
use tweetfilter_stream::buffer::Counts;
use tweetfilter_stream::entry::Audience;
use tweetfilter_stream::gather::key;

use super::Failure;
use super::account::account;
use super::bar::bar;
use super::serve::{Noted, Working, ended_by_signal, told, works};
use super::settings::{Common, block_on, failure};

/// Reads files as if they came from a stream, through the buffer into the store.
///
/// Everything that `match` reads is read. A file that was read halfway is gone on with; one that was read already
/// changes nothing; another one in its place is read from its beginning, and so are other files under the name of a
/// source. A last line that is cut off is passed over, and read when the file has grown; of a JSON array or a document
/// over several lines that breaks off what is whole is kept, and it ends with 2, as it does where the last lines may be
/// the beginning of one: they are read when the file has grown. It ends when the buffer is empty; what
/// a worker holds that was killed is waited for, for a minute, and done too. Lines without an id are known by their file
/// and number: those that say the same are posts of their own, and each is stored once. Posts that X held back while it was
/// recorded (`limit`) are missing: a gap of that time, which `status` shows.
#[derive(clap::Args)]
pub(crate) struct Replay {
    /// Whom posts in no envelope reach: public, follows, envelope, or `account NAME`
    #[arg(long, value_name = "WHO", default_value = "public")]
    audience: String,

    /// The name of the source under which it is counted, 190 characters at most [default: replay, and the files' names]
    #[arg(long, value_name = "NAME", value_parser = source_name)]
    source: Option<String>,

    /// Lines a second, at least one a day
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,

    /// As fast as it was recorded; leaps of more than a day are not waited for
    #[arg(long, conflicts_with = "rate")]
    as_recorded: bool,

    /// Leave what was read in the buffer, for workers
    #[arg(long)]
    no_work: bool,

    /// Files; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    common: Common,
}

fn source_name(text: &str) -> Result<String, String> {
    parts::check_name(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().map_err(|_| "it is no number".to_owned())?;
    parts::usable_rate(rate).map_err(|error| error.to_string())
}

/// The name of the source that files are if nobody gave it one. Many files, and names that are none for a source, are told
/// apart by a hash.
fn name_of(files: &[PathBuf]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let whole = format!("replay {}", names.join(" "));
    if parts::check_name(&whole).is_ok() {
        return whole;
    }
    let hash = key("", &whole);
    let rest = format!("… ({} files, {hash:016x})", files.len());
    let room = LONGEST_NAME - rest.chars().count();
    whole.chars().take(room).chain(rest.chars()).collect()
}

pub(crate) fn replay(arguments: &Replay) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    settings.log()?;
    catch_panics();
    for file in arguments.files.iter().filter(|file| file.as_os_str() != "-") {
        std::fs::metadata(file).map_err(|error| Failure::reading(file.display(), &error))?;
    }
    let name = arguments.source.clone().unwrap_or_else(|| name_of(&arguments.files));
    let (reads, part) = (Part::new(&format!("ingest {name}")), Part::new("work"));
    let instance = Instance::new(&settings.instance).told_by(&reads);
    let source = SourceSettings {
        audience: Some(arguments.audience.clone()),
        files: arguments.files.clone(),
        rate: arguments.rate,
        as_recorded: arguments.as_recorded,
        ..SourceSettings::new(Kind::File)
    };
    let audience = source.audience().map_err(failure)?;
    block_on(async {
        let database = match &audience {
            // Who has no account sees nothing.
            Audience::Account(name) => {
                let database = settings.open_existing().await?;
                account(&database, name).await?;
                database
            }
            _ => settings.open().await?,
        };
        // Who takes nothing out of it need not be who has it.
        let buffer = match arguments.no_work {
            true => settings.open_buffer(&database).await.map_err(failure)?,
            false => settings.buffer(&database).await?,
        };
        let (tell, stop) = Stop::new();
        let (done, read) = Stop::new();
        let works = works(&settings, &database, &buffer, &part);
        let mut parts = vec![&reads];
        parts.extend((!arguments.no_work).then_some(&part));
        let noted = Noted::begin("replay", &parts, &database, &buffer).await;
        let bar = bar(Some(0), "{bar:30} {percent}% {msg} {eta}").unwrap_or_else(ProgressBar::hidden);
        let ingests = async {
            let ingested = parts::ingest(
                Counted::new(buffer.clone(), &reads),
                &name,
                &source,
                &instance,
                stop.clone(),
                |counts, progress| {
                    show(&bar, counts, progress);
                },
            )
            .await;
            let _ = done.send(true);
            ingested
        };
        // On a thread of its own, where there is one.
        let draining = (!arguments.no_work).then(|| tokio::spawn(drain(works, read, stop.clone())));
        // Reading waits where the disk is short of room, so room has to be made.
        let retention = (!arguments.no_work).then(|| {
            tokio::spawn(parts::retention(database.clone(), settings.keep_time(), stop.clone(), |_| ()))
        });
        let working = async {
            match draining {
                Some(draining) => draining.await.map_err(failure)?.map_err(failure),
                None => Ok(Worked::default()),
            }
        };
        let signals = async {
            let _ = ended_by_signal().await;
            let _ = tell.send(true);
            std::future::pending::<()>().await;
        };
        let (ingested, worked) = tokio::select! {
            both = async { tokio::join!(ingests, working) } => both,
            () = signals => unreachable!("it waits for ever"),
        };
        bar.finish_and_clear();
        let _ = tell.send(true);
        noted.end().await;
        if let Some(retention) = retention {
            retention.await.map_err(failure)?;
        }
        let Ingested { counts, ended } = ingested.map_err(failure)?;
        told!(
            "{} messages: {} posts ({} merged), {} others, {} unreadable{}{}",
            counts.lines,
            counts.posts,
            counts.merged,
            counts.control,
            counts.undecodable.values().sum::<u64>(),
            if counts.missing > 0 { format!(", {} missing", counts.missing) } else { String::new() },
            if ended { "" } else { "; stopped before the end, the same command goes on" }
        );
        told(&worked?);
        database.close().await;
        Ok(())
    })
}

/// Works while it is read, and then until the buffer is empty.
async fn drain(mut works: Working, read: Stop, mut stop: Stop) -> Result<Worked, PartError> {
    while !stop.is_told() {
        let all_read = read.is_told();
        if works.batch(&mut stop).await? {
            continue;
        }
        if all_read {
            if works.waits_for_others(&mut stop).await {
                continue;
            }
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(works.end().await)
}

fn show(bar: &ProgressBar, counts: &Counts, progress: Option<(u64, Option<u64>)>) {
    if let Some((read, Some(total))) = progress {
        bar.set_length(total);
        bar.set_position(read);
    }
    let seconds = bar.elapsed().as_secs_f64().max(0.001);
    bar.set_message(format!("{} messages, {:.0}/s", counts.lines, counts.lines as f64 / seconds));
}
