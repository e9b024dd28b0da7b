//! What the command line says, and how commands end.

/// Says something on stderr. Who has closed it does not want to know, and is no reason to end.
macro_rules! tell {
    ($($said:tt)*) => { $crate::command::stderr::write(format!($($said)*).as_bytes()) };
}

/// The same as a line.
macro_rules! told {
    ($($said:tt)*) => { $crate::command::stderr::write((format!($($said)*) + "\n").as_bytes()) };
}

mod account;
mod bar;
mod check;
mod demo;
mod explain;
mod filter;
mod filters;
mod gen_;
mod handles;
mod highlight;
mod match_;
mod misread;
mod overview;
mod reapply;
mod render;
mod replay;
mod running;
mod serve;
mod settings;
mod status;
mod stderr;
mod terminal;
mod time;
mod timeline;
mod token;
mod tree;

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

/// Filters for tweets: write what you look for, see every tweet that says it, and why.
#[derive(Parser)]
#[command(name = "tweetfilter", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tweetfilter match --expr 'snow -rain' posts.ndjson.gz
  tweetfilter match --filters filters.txt --output count *.ndjson.gz
  tweetfilter check filters.txt
  tweetfilter explain --expr 'snow -rain' posts.ndjson
  tweetfilter demo

`tweetfilter COMMAND --help` explains a command with examples.";

/// Their documentation is that of their arguments.
#[derive(Subcommand)]
enum Command {
    Match(match_::Arguments),
    Check(check::Arguments),
    Explain(explain::Arguments),
    Gen(gen_::Arguments),
    Demo(demo::Arguments),
    Serve(serve::Serve),
    Ingest(serve::Ingest),
    Work(serve::Work),
    Api(serve::Api),
    Replay(replay::Replay),
    Reapply(reapply::Arguments),
    Account(account::Arguments),
    Filter(filter::Arguments),
    Set(account::Sets),
    Token(token::Arguments),
    Timeline(timeline::Timeline),
    Tail(timeline::Tail),
    Status(status::Status),
    DeadLetters(status::DeadLetters),
    Migrate(status::Migrate),
    Config(status::Config),
}

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A filter is invalid; it has been said on stderr.
    Filters,
    /// Usage or unreadable input.
    Input(String),
    /// Whoever read our output has closed it: nothing is wrong.
    Closed,
}

impl Failure {
    fn code(&self) -> ExitCode {
        match self {
            Self::Closed => ExitCode::SUCCESS,
            Self::Filters => ExitCode::from(1),
            Self::Input(_) => ExitCode::from(2),
        }
    }

    /// Says what is wrong; how the command ends.
    fn end(&self) -> ExitCode {
        if let Self::Input(message) = self {
            told!("tweetfilter: {message}");
        }
        self.code()
    }

    /// A failure to write the output.
    pub(crate) fn writing(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Input(format!("can't write the output: {error}")),
        }
    }

    /// A thread that can't be started.
    pub(crate) fn thread(error: io::Error) -> Self {
        Self::Input(format!("can't start a thread: {error}"))
    }

    /// A file that can't be made or written to.
    pub(crate) fn making(name: impl fmt::Display, error: &io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such directory, and none can be made".to_owned(),
            io::ErrorKind::IsADirectory => "is a directory".to_owned(),
            _ => why(error),
        };
        Self::Input(format!("{name}: can't be written: {why}"))
    }

    /// A file that can't be read.
    pub(crate) fn reading(name: impl fmt::Display, error: &io::Error) -> Self {
        Self::Input(format!("{name}: {}", why(error)))
    }
}

/// What went wrong with a file, without the number of the system's error.
pub(crate) fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory; name the files in it".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// Why a file can't be read to its end: it breaks off, or is of a kind that is not read.
pub(crate) fn why_not(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::Unsupported => why(error),
        _ => format!("breaks off: {}", why(error)),
    }
}

/// Runs the command that the arguments ask for.
pub(crate) fn run() -> ExitCode {
    let matches = match heeding_no_empty_variable(Arguments::command()).try_get_matches() {
        Ok(matches) => matches,
        Err(said) => return print(&said),
    };
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(said) => return print(&said),
    };
    let result = match arguments.command {
        Command::Match(arguments) => {
            let order = matches.subcommand().map(|(_, m)| filters::order(m)).unwrap_or_default();
            match_::run(&arguments, &order)
        }
        Command::Check(arguments) => check::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Gen(arguments) => gen_::run(&arguments),
        Command::Serve(arguments) => serve::serve(&arguments),
        Command::Ingest(arguments) => serve::ingest(&arguments),
        Command::Work(arguments) => serve::work(&arguments),
        Command::Api(arguments) => serve::api(&arguments),
        Command::Replay(arguments) => replay::replay(&arguments),
        Command::Reapply(arguments) => reapply::run(&arguments),
        Command::Account(arguments) => account::run(&arguments),
        Command::Filter(arguments) => filter::run(&arguments),
        Command::Set(arguments) => account::sets(&arguments),
        Command::Token(arguments) => token::run(&arguments),
        Command::Timeline(arguments) => timeline::timeline(&arguments),
        Command::Tail(arguments) => timeline::tail(&arguments),
        Command::Status(arguments) => status::status(&arguments),
        Command::DeadLetters(arguments) => status::dead_letters(&arguments),
        Command::Migrate(arguments) => status::migrate(&arguments),
        Command::Config(arguments) => status::config(&arguments),
    };
    let code = result.map_or_else(|failure| failure.end(), |()| ExitCode::SUCCESS);
    stderr::flush();
    code
}

/// The same command, to which a variable that is there and empty is none.
fn heeding_no_empty_variable(command: clap::Command) -> clap::Command {
    let is_empty =
        |argument: &Arg| argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    command
        .mut_args(|argument| if is_empty(&argument) { argument.env(Resettable::Reset) } else { argument })
        .mut_subcommands(heeding_no_empty_variable)
}

/// Prints what the arguments themselves ask for, help or version, or what is wrong with them.
fn print(said: &clap::Error) -> ExitCode {
    match said.print().and_then(|()| io::stdout().flush()) {
        Err(error) if !said.use_stderr() => Failure::writing(&error).end(),
        _ => u8::try_from(said.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
    }
}
