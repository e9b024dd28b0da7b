//! `gen`: writes an invented stream.

use std::io::Write;

use tweetfilter_stream::generate::{Generator, LINE_END, Options};

use super::Failure;

/// Writes a lively multilingual stream of invented tweets, as API v1.1 sent them.
///
/// The shares of languages, retweets, replies, deletes, repeats and disorder are those of the public 1 % sample.
/// So is the vocabulary: most words occur once. The same seed gives the same bytes. As on the wire, lines end in
/// CRLF, and every thirty seconds of the stream, about 700 posts, one is blank to keep the connection alive;
/// whatever reads JSON reads over both. For tools that want a post on every line there is --lf.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// How many posts; deletes and repeats come in addition
    #[arg(long, value_name = "N")]
    posts: u64,

    /// Another seed, another stream
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// Accounts that view the stream, 1 to N, at most ten million; without it 1000. Goes with --audience
    #[arg(long, value_name = "N", requires = "audience", value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    accounts: Option<u32>,

    /// How many of the accounts see a post, in the mean; then every line is a `for_user` envelope
    #[arg(long, value_name = "K")]
    audience: Option<u32>,

    /// End lines in LF alone, and leave out the blank ones
    #[arg(long)]
    lf: bool,
}

const EXAMPLES: &str = "\
Examples:
  tweetfilter gen --posts 100000 --seed 7 > stream.ndjson
  tweetfilter gen --posts 10000 --accounts 50 --audience 5 > seen.ndjson
      what 50 people saw of it, each post seen by 5
  tweetfilter gen --posts 10000 --lf | while read -r line; do …; done
      a message on every line";

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { posts, seed, accounts, audience, lf } = *arguments;
    let end = if lf { "\n" } else { LINE_END };
    if accounts == Some(0) {
        let message =
            "--accounts 0: somebody must see the stream; leave --accounts and --audience out for bare posts";
        return Err(Failure::Input(message.to_owned()));
    }
    let (accounts, audience) = (accounts.unwrap_or(1000), audience.unwrap_or(0));
    if arguments.audience == Some(0) {
        let message = "--audience 0: somebody must see the posts; leave --audience out for bare posts";
        return Err(Failure::Input(message.to_owned()));
    }
    if audience > accounts {
        return Err(Failure::Input(format!("--audience {audience} is more than --accounts {accounts}")));
    }
    let mut out = std::io::BufWriter::with_capacity(256 << 10, std::io::stdout().lock());
    let mut write = || {
        for line in Generator::new(Options { posts, seed, accounts, audience, ..Options::default() }) {
            if line.is_empty() && lf {
                continue;
            }
            out.write_all(line.as_bytes())?;
            out.write_all(end.as_bytes())?;
        }
        out.flush()
    };
    write().map_err(|error| Failure::writing(&error))
}
