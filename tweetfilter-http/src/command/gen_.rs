//! `gen`: writes an invented stream.

use std::io::Write;

use tweetfilter_stream::generate::{Generator, Options};

use super::Failure;

/// Writes a lively multilingual stream of invented tweets, as API v1.1 sent them.
///
/// The shares of languages, retweets, replies, deletes, repeats and disorder are those of the public 1 % sample.
/// The same seed gives the same bytes.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// How many posts; deletes and repeats come in addition
    #[arg(long, value_name = "N")]
    posts: u64,

    /// Another seed, another stream
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// Accounts that view the stream, 1 to N
    #[arg(long, value_name = "N", default_value_t = 1000)]
    accounts: u32,

    /// How many of the accounts see a post, in the mean; then every line is a `for_user` envelope
    #[arg(long, value_name = "K", default_value_t = 0)]
    audience: u32,
}

const EXAMPLES: &str = "\
Examples:
  tweetfilter gen --posts 100000 --seed 7 > stream.ndjson
  tweetfilter gen --posts 10000 --seed 7 --accounts 50 --audience 5 | tweetfilter match --filters owned.ndjson";

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { posts, seed, accounts, audience } = *arguments;
    if audience > accounts {
        return Err(Failure::Input(format!("--audience {audience} is more than --accounts {accounts}")));
    }
    let mut out = std::io::BufWriter::with_capacity(256 << 10, std::io::stdout().lock());
    let mut write = || {
        for line in Generator::new(Options { posts, seed, accounts, audience }) {
            out.write_all(line.as_bytes())?;
            out.write_all(b"\n")?;
        }
        out.flush()
    };
    write().map_err(|error| Failure::writing(&error))
}
