//! What is logged, and how.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::{Failure, LogFormat, Settings};
use crate::command::stderr;

impl Settings {
    /// Starts logging to stderr.
    pub(crate) fn log(&self) -> Result<(), Failure> {
        let filter = filter(&self.log).map_err(|reason| self.refused("log", reason))?;
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Stderr);
        // What can't be written would be told on stderr itself, which panics where that takes nothing.
        let builder = builder.with_target(false).log_internal_errors(false);
        let builder = builder.with_ansi(io::stderr().is_terminal());
        let dropped: fn(u64) -> String = match self.log_format {
            LogFormat::Human => stderr::dropped,
            LogFormat::Json => dropped,
        };
        stderr::write_aside(dropped).map_err(Failure::thread)?;
        match self.log_format {
            LogFormat::Human => builder.init(),
            LogFormat::Json => builder.json().init(),
        }
        Ok(())
    }

    /// Looks whether what is to be logged can be read.
    pub(super) fn check_log(&self) -> Result<(), Failure> {
        filter(&self.log).map(drop).map_err(|reason| self.refused("log", reason))
    }
}

/// What is logged goes to stderr, line by line.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        stderr::write(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is told of lines that nobody took, in the form of all others.
fn dropped(lines: u64) -> String {
    let fields = serde_json::json!({"message": stderr::DROPPED, "lines": lines});
    format!("{}\n", serde_json::json!({"level": "WARN", "fields": fields}))
}

/// What lets through what is to be logged. A single word must be a level: the name of a part of the program says nothing of
/// all the others, so that a slip in a level would switch the log off.
fn filter(text: &str) -> Result<EnvFilter, String> {
    let way = "say off, error, warn, info, debug or trace, and of one part of the program TARGET=LEVEL, as in info,sqlx=debug";
    // Fields in brackets may have commas of their own.
    let words = text.split(',').map(str::trim).filter(|_| !text.contains('['));
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    if let Some(word) = words.into_iter().find(|word| !word.contains('=') && !is_level(word)) {
        return Err(format!("{word:?} is no level: {way}"));
    }
    EnvFilter::try_new(text).map_err(|error| format!("{text:?}: {error}; {way}"))
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn a_word_that_is_no_level_is_refused_and_not_taken_for_a_part_of_the_program() {
        for text in [
            "info",
            "WARN",
            "off",
            "info,sqlx=debug",
            "warn,tweetfilter_http=trace",
            "sqlx=debug",
            "tweetfilter_sql[a{b=1}]=info",
        ] {
            assert!(filter(text).is_ok(), "{text}");
        }
        for text in ["infoo", "", "info,", "warning", "sqlx", "info,sqlx", "info,sqlx=debgu"] {
            let reason = filter(text).expect_err(text);
            assert!(reason.contains("trace, and of one part of the program TARGET=LEVEL"), "{reason}");
        }
    }
}
