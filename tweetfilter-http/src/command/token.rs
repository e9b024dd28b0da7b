//! `token`: what lets a program or a page act for an account.

use std::io::Write;

use tweetfilter_http::api::{digest, new_secret};
use tweetfilter_http::names::{TOKEN_NAME, fits};
use tweetfilter_sql::Scope;

use super::Failure;
use super::account::account;
use super::settings::{Common, block_on, failure};
use super::terminal::one_line;
use super::time::rfc3339;

/// Makes and revokes tokens, with which the API is used for an account.
///
/// A token is shown once, when it is made, and kept only as a digest. Who has it may do what its scope says:
/// `read` sees what the account sees, `write` changes its filters, lists and tokens too, `admin` also sees how
/// the whole server is, and tries dead letters again.
#[derive(clap::Args)]
#[command(after_long_help = "\
Examples:
  tweetfilter token add ann
  tweetfilter token add ann --scope read --name phone
  tweetfilter token list
  tweetfilter token revoke 3
  curl -H \"Authorization: Bearer $(tweetfilter token add ann)\" http://127.0.0.1:8080/api/v1/me")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    common: Common,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Makes a token, and prints it; it is not shown again
    Add {
        account: String,

        /// What it may do: see what the account sees; change its filters, lists and tokens; or see how the whole server is
        /// too, and try dead letters again
        #[arg(long, value_name = "read|write|admin", value_parser = scope, default_value = "write")]
        scope: Scope,

        /// What to call it, in at most 100 characters
        #[arg(long, default_value = "", value_parser = token_name)]
        name: String,
    },
    /// Lists tokens: number, account, scope, when it was made, name
    List,
    /// Revokes a token by its number: at once, open streams included
    Revoke { number: i64 },
}

fn token_name(name: &str) -> Result<String, String> {
    fits(name, "a token", TOKEN_NAME).map(|()| name.to_owned())
}

fn scope(text: &str) -> Result<Scope, String> {
    match text {
        "read" => Ok(Scope::Read),
        "write" => Ok(Scope::Write),
        "admin" => Ok(Scope::Admin),
        _ => Err("must be read, write or admin".to_owned()),
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = arguments.common.settings()?;
    let out = block_on(async {
        let database = settings.open_existing().await?;
        let out = match &arguments.command {
            Command::Add { account: name, scope, name: called } => {
                let id = account(&database, name).await?;
                let secret = new_secret("tf_").map_err(failure)?;
                database.add_token(id, called, &digest(&secret), *scope).await.map_err(failure)?;
                format!("{secret}\n")
            }
            Command::List => {
                let tokens = database.tokens().await.map_err(failure)?;
                let line = |token: &tweetfilter_sql::Token| {
                    let scope = format!("{:?}", token.scope).to_lowercase();
                    let (account, name) = (one_line(&token.account_name), one_line(&token.name));
                    format!("{}\t{account}\t{scope}\t{}\t{name}\n", token.id, rfc3339(token.created_at))
                };
                tokens.iter().map(line).collect()
            }
            Command::Revoke { number } => match database.revoke_token(*number).await.map_err(failure)? {
                true => String::new(),
                false => {
                    return Err(Failure::Input(format!(
                        "there is no token {number}; `tweetfilter token list` shows them"
                    )));
                }
            },
        };
        database.close().await;
        Ok(out)
    })?;
    std::io::stdout().write_all(out.as_bytes()).map_err(|error| Failure::writing(&error))
}
