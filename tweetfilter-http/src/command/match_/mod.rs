//! `match`: says which filters each post of the input matches.

mod evaluate;
mod input;
mod output;
mod pipeline;
mod progress;
mod split;
mod summary;
mod tally;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tweetfilter_core::Parts;

use super::Failure;
use super::filters::{self, Compiled};
use super::time::Period;

/// What to print of posts that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// NDJSON, {"post":"ID","filters":["id",…]} for each post with a match
    Matches,
    /// The lines of posts that match, byte for byte; a post of an array or of `statuses` in one line, a page of API v2
    /// as a whole, since its posts share what it includes
    Posts,
    /// One row for each match: post,owner,filter,name,time,author,text. The owner is the filter's; of a filter
    /// without one, the account that the post reached. A retweet's text is `RT @NAME: ` and the original's. A field that
    /// begins with = + - @ (wide ones too), a tab or a line break has an apostrophe before it, since a spreadsheet would
    /// take it for a formula; the other formats have it as it is
    Csv,
    /// Rows for people, a retweet as `RT @NAME: ` and the original's text
    Table,
    /// TSV: filter, period with --by, how many posts matched; then the owner if any filter has one
    Count,
}

/// Reads posts, tries every filter on each, and says which match.
///
/// Input is NDJSON of tweets (v1.1, v2), Bluesky posts and Jetstream events, Mastodon statuses, Gnip activities,
/// or {"text":"…"}, beside which may stand an `id`, a `lang`, and fields of your own for `attr.NAME:`, as
/// {"attr":{"host":"db-1","load":3.5,"up":true,"to":["ann","bob"]}}: of a list each value counts, and a number, in quotes
/// too, is compared and also found as it is written; their names are of letters from a to z, digits, `_`, `-` and `.`; or
/// JSON documents that hold them; plain, .gz, .bz2, .zst, or a .tar of those. All of
/// that is found out by itself. What can't be read is counted, never fatal; a file in a tar that breaks off is named,
/// and the others are read. Of a file, a JSON array or a document over several lines that breaks off, what is whole is
/// read, and it ends with 2.
/// Files of kinds that are not read (.xz, .zip, .7z, UTF-16, .zst with a window of more than 128 MiB) are named with a
/// command that pipes them in.
///
/// A line may have 16 MiB, and so may each post of an array or of {"statuses":[…]}, and each of posts over several lines
/// that follow each other; there may be any number of them. Any other document over several lines, such as a page of
/// v2, may have 64 MiB: one that is longer is skipped as too long; ask for smaller pages, or cut it, which leaves
/// `includes` out: jq -c '.data[]' page.json
///
/// What the posts of a page of v2 refer to may take 64 MiB and 16 times the page's length; posts beyond that are skipped
/// as too large.
///
/// Of the links, tags, mentions, media and other lists of a post, the first are kept that take 5 bytes for each byte of
/// the post and 1 KiB, which is more than any network writes. The messages of a page of v2, or in an envelope, may take
/// 32 MiB and 16 times the line's length; what follows is skipped as too many.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    filters: filters::Sources,

    /// Leave invalid filters out, instead of running nothing
    #[arg(long)]
    keep_going: bool,

    /// Try filters with owners on every post, not only on those that reached their owner
    #[arg(long)]
    ignore_owners: bool,

    /// What to print; without it `table` on a terminal, else `matches`
    #[arg(long, value_enum)]
    output: Option<Output>,

    /// Write the posts that match into one file a filter, DIR/ID.ndjson or DIR/OWNER/ID.ndjson
    ///
    /// What files can't be called everywhere is written %XX, as the first letter of CON or NUL is. A name that is too
    /// long, or differs from another by case alone, gets ~ and a number in place of its end; that is told.
    #[arg(long, value_name = "DIR")]
    split: Option<PathBuf>,

    /// Count by hour or day of the posts' own time
    #[arg(long, value_enum)]
    by: Option<Period>,

    /// Every line of the input is the text of a post
    #[arg(long)]
    text: bool,

    /// Threads that evaluate; without it, as many as there are processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// No summary, progress or warnings on stderr
    #[arg(long, short)]
    quiet: bool,

    /// Files of posts; `-` is standard input, which is also read when none is named and it is no terminal
    #[arg(value_name = "INPUT")]
    inputs: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  tweetfilter match --expr 'snow -rain' posts.ndjson
      who speaks of snow and not of rain
  tweetfilter match --filters filters.txt --output csv day*.gz > found.csv
      a table for a spreadsheet
  tweetfilter match --filters f.ndjson --output count --by hour *.json.bz2
      how often each filter matched in each hour
  tweetfilter match --filters filters.txt --split found posts.ndjson
      found/ID.ndjson holds the posts of filter ID, as they were
  tweetfilter match --expr '{bad} lang:en' --set bad=words.txt posts.ndjson
      any of the terms in words.txt, one a line
  journalctl -f | tweetfilter match --text --expr 'segfault OR oom'
      any lines of text
  tweetfilter match --expr 'attr.load:>3' log.ndjson
      fields of your own, as in {\"text\":\"slow\",\"attr\":{\"load\":3.5}}

Exit: 0 done; 1 a filter is invalid (nothing is run); 2 wrong usage or unreadable input.";

/// What each worker has to do, the same for all.
#[derive(Debug)]
struct Job {
    compiled: Compiled,
    output: Output,
    split: bool,
    by: Option<Period>,
    text: bool,
    ignore_owners: bool,
    names: Arc<input::Names>,
    /// The parts of posts that are read.
    parts: Parts,
}

pub(crate) fn run(arguments: &Arguments, order: &[bool]) -> Result<(), Failure> {
    let started = Instant::now();
    let output = arguments.output()?;
    let inputs = arguments.inputs()?;
    let sources = input::open(&inputs)?;
    let progress = progress::Progress::new(!arguments.quiet, input::total_bytes(&sources));
    let names = Arc::new(input::Names::new(&inputs));
    let reading = pipeline::read(sources, arguments.text, Arc::clone(&names), &progress)?;
    let loaded = filters::load(&arguments.filters, order, arguments.ignore_owners)?;
    let compiled = loaded.compile()?;
    filters::report(&compiled.refused);
    if !compiled.refused.is_empty() && !arguments.keep_going {
        let (refused, all) = (compiled.refused.len(), compiled.refused.len() + compiled.entries.len());
        told!(
            "tweetfilter: {refused} of {all} filters invalid, nothing was run; --keep-going leaves them out"
        );
        return Err(Failure::Filters);
    }
    if !arguments.quiet {
        filters::report_warnings(&compiled.entries);
    }
    // A table marks what matched, for which explanations read all.
    let parts = if output == Output::Table { Parts::ALL } else { compiled.set.parts() };
    let job = Arc::new(Job {
        compiled,
        output,
        split: arguments.split.is_some(),
        by: arguments.by,
        text: arguments.text,
        ignore_owners: arguments.ignore_owners,
        names,
        parts,
    });
    let split = arguments.split.as_deref().map(|dir| {
        split::Split::create(dir, &job.compiled.entries, &arguments.read(&inputs), arguments.quiet)
    });
    let threads = arguments.threads.map_or_else(processors, usize::from);
    let done = pipeline::run(&job, reading, threads, split.transpose()?, &progress);
    progress.finish();
    let (tally, unread) = done?;
    if output == Output::Count {
        output::write_counts(&job, &tally)?;
    }
    if !arguments.quiet {
        summary::print(&job, &tally, started.elapsed());
        summary::print_owners_unused(&job, &tally);
    }
    // The process ends, and the system takes all of it at once.
    std::mem::forget(job);
    match unread {
        None => Ok(()),
        Some(failure) => Err(failure),
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Arguments {
    fn output(&self) -> Result<Output, Failure> {
        let usage = |message: &str| Err(Failure::Input(message.to_owned()));
        match (self.output, self.split.is_some(), self.by.is_some()) {
            (_, true, true) => usage("--split writes posts and --by counts them: give one of the two"),
            (None | Some(Output::Posts), true, _) => Ok(Output::Posts),
            (_, true, _) => usage("--split writes posts: leave out --output, or give --output posts"),
            (None | Some(Output::Count), _, true) => Ok(Output::Count),
            (_, _, true) => usage("--by counts: leave out --output, or give --output count"),
            (Some(output), ..) => Ok(output),
            (None, ..) if std::io::stdout().is_terminal() => Ok(Output::Table),
            (None, ..) => Ok(Output::Matches),
        }
    }

    fn inputs(&self) -> Result<Vec<String>, Failure> {
        let mut inputs = self.inputs.clone();
        if inputs.is_empty() {
            if std::io::stdin().is_terminal() {
                return Err(Failure::Input(
                    "no input: name a file of posts, or pipe posts into the command".to_owned(),
                ));
            }
            inputs.push("-".to_owned());
        }
        if self.read(&inputs).iter().filter(|name| **name == "-").count() > 1 {
            return Err(Failure::Input("`-` (standard input) can be read only once".to_owned()));
        }
        Ok(inputs)
    }

    /// All files that are read.
    fn read<'a>(&'a self, inputs: &'a [String]) -> Vec<&'a str> {
        let sets = self.filters.sets.iter().map(|(_, file)| file);
        inputs.iter().chain(&self.filters.filters).chain(sets).map(String::as_str).collect()
    }
}
