//! `account` and `set`: who uses the server, and lists that filters may name.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use tweetfilter_core::Limits;
use tweetfilter_core::post::Account;
use tweetfilter_core::syntax::NamedSets;
use tweetfilter_sql::{Database, Followed};

use super::Failure;
use super::filter::refused;
use super::filters::{named_file, read_text};
use super::settings::{Common, block_on, failure};
use super::terminal::one_line;

/// Adds and lists accounts: the people whose filters are run.
#[derive(clap::Args)]
#[command(after_long_help = "\
Examples:
  tweetfilter account add ann --identity x:1888:ann --identity bluesky:ann.bsky.social
  tweetfilter account follow ann bluesky did:plc:abc
  tweetfilter account show ann
  tweetfilter account list
  tweetfilter account list --json | jq -r 'select(.identities == []).name'
      whom nothing tells from others on any network")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    common: Common,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Adds an account
    Add {
        name: String,

        /// Who they are on a network: NETWORK:ID, NETWORK:ID:HANDLE or NETWORK:HANDLE; may be given again
        ///
        /// A handle of digits alone is written with an @, as in x:@1888. Networks are `x`, `bluesky`, or the host of the
        /// Mastodon server that posts are read from: the id is the one that this server has for them, and the handle is
        /// whole, as in mastodon.example:43:ann@mastodon.example. Posts of an envelope are for the account with the
        /// envelope's id; `me` in a filter stands for all of them.
        #[arg(long = "identity", value_name = "WHO", value_parser = identity)]
        identities: Vec<(String, Account)>,
    },
    /// Lists accounts, with who they are
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Shows who an account is, and whom it follows
    ///
    /// Whom it follows is said with who says so: the account's `own` are those of `account follow`, and those of the
    /// `network` are the friends that its stream told.
    Show {
        name: String,

        /// Writes JSON
        #[arg(long)]
        json: bool,
    },
    /// Removes an account, its filters and results
    ///
    /// It is gone at once. What it saw is removed bit by bit by whoever runs `serve` or `work`.
    Remove { name: String },
    /// Lets an account see what an author writes, in sources whose audience is `follows`
    Follow {
        name: String,
        /// `x`, `bluesky`, or the host of a Mastodon server
        #[arg(value_parser = network)]
        network: String,
        /// The author's id or handle; @123 is a handle of digits alone. Of Mastodon, @ann is one of the network's own server,
        /// and others are written ann@elsewhere.example
        author: String,
        /// No longer
        #[arg(long)]
        not: bool,
    },
}

fn identity(text: &str) -> Result<(String, Account), String> {
    let usage = || "write NETWORK:ID, NETWORK:ID:HANDLE or NETWORK:HANDLE".to_owned();
    let (network, rest) = text.split_once(':').ok_or_else(usage)?;
    let (at, rest) = (rest.starts_with('@'), rest.trim_start_matches('@'));
    if network.is_empty() || rest.is_empty() {
        return Err(usage());
    }
    let network = self::network(network)?;
    // A DID has two colons of its own.
    let own = if rest.starts_with("did:") { 2 } else { 0 };
    let cut = rest.match_indices(':').nth(own).map(|(at, _)| at);
    let (first, handle) = cut.map_or((rest, ""), |at| (&rest[..at], &rest[at + 1..]));
    let is_id = own > 0 || !handle.is_empty() || !at && is_number(first);
    let (id, handle) = if is_id { (first, handle) } else { ("", first) };
    let handle = whole(&network, handle);
    Ok((network, Account { id: id.to_owned(), handle }))
}

/// A network as posts name it.
fn network(text: &str) -> Result<String, String> {
    let network = text.to_ascii_lowercase();
    let is_host = network.contains('.') || network == "localhost";
    if !is_host && !["x", "bluesky"].contains(&&*network) {
        return Err(
            "networks are x, bluesky, or the host of a Mastodon server, such as mastodon.example".to_owned()
        );
    }
    Ok(network)
}

/// A handle as posts of its network give it: those of Mastodon always have a host.
fn whole(network: &str, handle: &str) -> String {
    if ["x", "bluesky"].contains(&network) || handle.is_empty() || handle.contains('@') {
        return handle.to_owned();
    }
    format!("{handle}@{network}")
}

/// An author as posts of a network name them. What has no `@` may be an id of a server as well as a handle without its host.
fn of_network(network: &str, author: &str) -> Result<String, String> {
    let is_mastodon = !["x", "bluesky"].contains(&network);
    let bare = author.trim_start_matches('@');
    if !is_mastodon || is_number(author) || bare.contains('@') {
        return self::author(author);
    }
    if bare != author && !bare.is_empty() {
        return Ok(whole(network, bare));
    }
    Err(format!("handles have a host there: write @{bare}, or {bare}@ and the host"))
}

/// Whom to follow, as it is stored: only what could be taken for an id keeps its `@`.
fn author(text: &str) -> Result<String, String> {
    let handle = text.trim_start_matches('@');
    if handle.is_empty() {
        return Err("write the author's id or handle".to_owned());
    }
    Ok(if handle != text && is_number(handle) { format!("@{handle}") } else { handle.to_owned() })
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    block_on(async {
        let database = match &arguments.command {
            Command::Add { .. } => settings.open().await?,
            _ => settings.open_existing().await?,
        };
        match &arguments.command {
            Command::Add { name, identities } => {
                database.add_account(name, identities).await.map_err(failure)?;
            }
            Command::List { json } => list(&database, *json).await?,
            Command::Show { name, json } => show(&database, name, *json).await?,
            Command::Remove { name } => {
                database.remove_account(account(&database, name).await?).await.map_err(failure)?;
            }
            Command::Follow { name, network, author, not } => {
                let id = account(&database, name).await?;
                if *not {
                    unfollow(&database, (id, name), network, author).await?;
                } else {
                    let author = of_network(network, author).map_err(Failure::Input)?;
                    database.follow(id, network, &author, true).await.map_err(failure)?;
                }
            }
        }
        database.close().await;
        Ok(())
    })
}

/// Says so if there is nothing to end. What is stored otherwise than it would be now goes, too.
async fn unfollow(
    database: &Database,
    (account, name): (i64, &str),
    network: &str,
    author: &str,
) -> Result<(), Failure> {
    let forms = [Ok(author.to_owned()), self::author(author), of_network(network, author)];
    let mut ended = false;
    for form in forms.into_iter().flatten() {
        ended |= database.follow(account, network, &form, false).await.map_err(failure)?;
    }
    if ended {
        return Ok(());
    }
    Err(Failure::Input(format!("{} does not follow {} on {network}", one_line(name), one_line(author))))
}

/// Who somebody is, as it can be written again.
fn known_as((network, who): &(String, Account)) -> String {
    let at = if who.id.is_empty() && is_number(&who.handle) { "@" } else { "" };
    let handle = format!("{at}{}", who.handle);
    let parts = [who.id.clone(), handle].into_iter().filter(|part| !part.is_empty());
    parts.fold(network.clone(), |text, part| format!("{text}:{part}"))
}

async fn show(database: &Database, name: &str, as_json: bool) -> Result<(), Failure> {
    let id = account(database, name).await?;
    let known = database.accounts().await.map_err(failure)?.into_iter().find(|known| known.id == id);
    let identities = known.map(|known| known.identities).unwrap_or_default();
    let followed = database.followed(id).await.map_err(failure)?;
    let by = |one: &Followed| if one.by_network { "network" } else { "own" };
    let mut out = String::new();
    if as_json {
        let follows =
            followed.iter().map(|one| json!({ "network": one.network, "author": one.author, "by": by(one) }));
        let (identities, follows): (_, Vec<_>) = (as_objects(&identities), follows.collect());
        out = format!("{}\n", json!({ "name": name, "identities": identities, "follows": follows }));
    } else {
        for identity in &identities {
            out.push_str(&format!("identity\t{}\n", one_line(&known_as(identity))));
        }
        for one in &followed {
            let (network, author) = (one_line(&one.network), one_line(&one.author));
            out.push_str(&format!("follows\t{network}\t{author}\t{}\n", by(one)));
        }
    }
    std::io::stdout().write_all(out.as_bytes()).map_err(|error| Failure::writing(&error))
}

/// Who somebody is, for programs.
fn as_objects(identities: &[(String, Account)]) -> Vec<Value> {
    let object = |(network, who): &(String, Account)| json!({ "network": network, "id": who.id, "handle": who.handle });
    identities.iter().map(object).collect()
}

async fn list(database: &Database, as_json: bool) -> Result<(), Failure> {
    let mut out = String::new();
    for account in database.accounts().await.map_err(failure)? {
        if as_json {
            let object = json!({ "name": account.name, "identities": as_objects(&account.identities) });
            out.push_str(&format!("{object}\n"));
            continue;
        }
        let identities: Vec<_> = account.identities.iter().map(known_as).collect();
        out.push_str(&format!("{}\t{}\n", one_line(&account.name), one_line(&identities.join(" "))));
    }
    std::io::stdout().write_all(out.as_bytes()).map_err(|error| Failure::writing(&error))
}

/// The number of an account.
pub(crate) async fn account(database: &Database, name: &str) -> Result<i64, Failure> {
    database.account(name).await.map_err(failure)?.ok_or_else(|| {
        Failure::Input(format!(
            "there is no account {}; `tweetfilter account list` shows them",
            one_line(name)
        ))
    })
}

/// Keeps lists of terms that filters name as {NAME}.
///
/// A list belongs to an account, and only its filters know it. One that is made for all is known to every filter, but
/// for those of an account that has one of this name.
#[derive(clap::Args)]
#[command(after_long_help = "\
Examples:
  tweetfilter set add cities=cities.txt --account ann
  tweetfilter filter add ann '{cities} snow'
  tweetfilter set add profanity=words.txt --for-all")]
pub(crate) struct Sets {
    #[command(subcommand)]
    command: SetCommand,

    #[command(flatten)]
    common: Common,
}

/// Whose a list is.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// This account's
    #[arg(long, value_name = "NAME")]
    account: Option<String>,

    /// Every filter's
    #[arg(long)]
    for_all: bool,
}

#[derive(clap::Subcommand)]
enum SetCommand {
    /// Adds a list, one term a line, or replaces it
    Add {
        /// Its name, and the file of its terms
        #[arg(value_name = "NAME=FILE", value_parser = named_file, allow_hyphen_values = true)]
        set: (String, String),
        #[command(flatten)]
        whose: Whose,
    },
    /// Lists the names, and how many terms each has
    List {
        #[command(flatten)]
        whose: Whose,
    },
    /// Writes the terms of a list
    Show {
        #[arg(allow_hyphen_values = true)]
        name: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Removes a list
    Remove {
        #[arg(allow_hyphen_values = true)]
        name: String,
        #[command(flatten)]
        whose: Whose,
    },
}

pub(crate) fn sets(arguments: &Sets) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    block_on(async {
        let database = match &arguments.command {
            SetCommand::Add { .. } => settings.open().await?,
            _ => settings.open_existing().await?,
        };
        let (SetCommand::Add { whose, .. }
        | SetCommand::List { whose }
        | SetCommand::Show { whose, .. }
        | SetCommand::Remove { whose, .. }) = &arguments.command;
        let of = match &whose.account {
            Some(name) => Some(account(&database, name).await?),
            None => None,
        };
        let missing = |name: &str| Failure::Input(format!("there is no set {name}"));
        let known = || database.named_sets(of);
        let mut out = String::new();
        match &arguments.command {
            SetCommand::Add { set: (name, file), .. } => {
                let terms = read_text(file)?;
                check(name, file, &terms)?;
                database.set_named(of, name, &terms).await.map_err(refused)?;
            }
            SetCommand::List { .. } => {
                for (name, terms) in known().await.map_err(failure)? {
                    let count = terms.lines().filter(|line| !line.trim().is_empty()).count();
                    out.push_str(&format!("{}\t{count}\n", one_line(&name)));
                }
            }
            SetCommand::Show { name, .. } => {
                let mut known = known().await.map_err(failure)?.into_iter();
                out = known.find(|(n, _)| n == name).ok_or_else(|| missing(name))?.1;
            }
            SetCommand::Remove { name, .. } => {
                if !database.remove_named(of, name).await.map_err(failure)? {
                    return Err(missing(name));
                }
            }
        }
        database.close().await;
        std::io::stdout().write_all(out.as_bytes()).map_err(|error| Failure::writing(&error))
    })
}

fn check(name: &str, file: &str, terms: &str) -> Result<(), Failure> {
    let checked = NamedSets::default().insert(name, terms, &Limits::default());
    checked.map_err(|found| {
        let lines: Vec<_> = found.iter().map(|diagnostic| diagnostic.message.clone()).collect();
        Failure::Input(format!("{}: {}", PathBuf::from(file).display(), lines.join("\ntweetfilter: ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_read_in_every_form() {
        for (text, network, id, handle) in [
            ("x:1888", "x", "1888", ""),
            ("x:1888:ann", "x", "1888", "ann"),
            ("x:@ann", "x", "", "ann"),
            ("x:@1888", "x", "", "1888"),
            ("bluesky:ann.bsky.social", "bluesky", "", "ann.bsky.social"),
            ("bluesky:did:plc:abc", "bluesky", "did:plc:abc", ""),
            ("bluesky:did:plc:abc:ann.bsky.social", "bluesky", "did:plc:abc", "ann.bsky.social"),
            ("bluesky:did:web:a.example", "bluesky", "did:web:a.example", ""),
            ("a.example:ann@a.example", "a.example", "", "ann@a.example"),
            ("A.example:ann", "a.example", "", "ann@a.example"),
            ("X:77", "x", "77", ""),
        ] {
            let account = Account { id: id.into(), handle: handle.into() };
            assert_eq!(identity(text), Ok((network.to_owned(), account)), "{text}");
        }
        assert!(identity("ann").is_err() && identity("x:").is_err() && identity("twitter:77").is_err());
        for (text, stored) in [
            ("43", Some("43")),
            ("@bob", Some("bob@a.example")),
            ("bob@b.example", Some("bob@b.example")),
            ("@bob@b.example", Some("bob@b.example")),
            ("bob", None),
        ] {
            assert_eq!(of_network("a.example", text).ok().as_deref(), stored, "{text}");
        }
        assert_eq!(of_network("x", "@42").as_deref(), Ok("@42"));
        for (text, stored) in [("@ann", "ann"), ("ann", "ann"), ("42", "42"), ("@42", "@42")] {
            assert_eq!(author(text).as_deref(), Ok(stored));
        }
        assert!(author("@").is_err());
    }
}
