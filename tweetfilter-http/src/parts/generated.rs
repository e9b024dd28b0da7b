//! The source of invented posts: what its settings say, and its lines.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;

use tweetfilter_stream::buffer::Gap;
use tweetfilter_stream::generate::{Generator, LINE_END, Options};
use tweetfilter_stream::source::file::{FileSource, Progress};
use tweetfilter_stream::source::{Chunk, Source, SourceError};

/// What it takes, for who said something else.
const TAKES: &str = "it takes posts, seed, accounts, audience and live, as in parameters = { accounts = \"50\", audience = \"5\" }";
/// Accounts for whom there may be lines, as many as `tweetfilter gen` takes.
const MOST_ACCOUNTS: u32 = 10_000_000;

/// What is to be invented.
#[derive(Debug)]
pub(super) struct Invented {
    options: Options,
    /// Whether posts carry the time at which they are read.
    live: bool,
}

impl Invented {
    /// What parameters ask for. Each that is not said is as for everybody; one that means nothing would be missed by
    /// who said it, and is refused.
    pub(super) fn read(parameters: &BTreeMap<String, String>) -> Result<Self, SourceError> {
        let known = ["posts", "seed", "accounts", "audience", "live"];
        if let Some(name) = parameters.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(SourceError::Setup(format!("a generated source has no parameter {name}; {TAKES}")));
        }
        let accounts = number(parameters, "accounts", 1..=MOST_ACCOUNTS)?.unwrap_or(5);
        let audience = number(parameters, "audience", 0..=accounts)?.unwrap_or(accounts.min(2));
        let live = number(parameters, "live", 0..=1_u32)?.unwrap_or(0) == 1;
        let posts = number(parameters, "posts", 1..=u64::MAX)?.unwrap_or(1_000_000_000);
        let seed = number(parameters, "seed", 0..=u64::MAX)?.unwrap_or(1);
        let start = live.then(clock);
        Ok(Self { options: Options { start, posts, seed, accounts, audience }, live })
    }

    /// Its lines.
    pub(super) fn source(self) -> FileSource {
        let Self { options, live } = self;
        let lines = LineReader { lines: Generator::new(options), live, open: Vec::new(), at: 0 };
        FileSource::from_reader("generated", lines)
    }
}

/// Invented lines as a source. They are invented anew each time; by its cursor it is known what was read under its name.
#[derive(Debug)]
pub struct Generated(FileSource);

/// What its cursor begins with; when its last line was invented follows.
const CURSOR: &str = "generated ";

impl Generated {
    /// Begins.
    pub(super) fn begin(lines: FileSource, cursor: Option<&str>) -> Result<Self, SourceError> {
        match cursor.is_none_or(|cursor| cursor.starts_with(CURSOR)) {
            true => Ok(Self(lines)),
            false => Err(SourceError::Cursor("generated posts")),
        }
    }

    /// As [`FileSource::progress`].
    pub(super) fn progress(&self) -> Progress {
        self.0.progress()
    }
}

impl Source for Generated {
    async fn next(&mut self) -> Result<Option<Chunk>, SourceError> {
        let mut chunk = self.0.next().await?;
        if let Some(chunk) = chunk.as_mut().filter(|chunk| !chunk.lines.is_empty()) {
            chunk.cursor = Some(format!("{CURSOR}{}", chunk.at));
        }
        Ok(chunk)
    }

    fn rest(&mut self) -> Vec<Gap> {
        self.0.rest()
    }
}

/// The number that a parameter says, if it is there.
fn number<N: FromStr + PartialOrd + std::fmt::Display>(
    parameters: &BTreeMap<String, String>,
    name: &str,
    range: RangeInclusive<N>,
) -> Result<Option<N>, SourceError> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| range.contains(number));
    let refused = || {
        let (least, most) = (range.start(), range.end());
        let why = if name == "audience" { ", no more than there are accounts" } else { "" };
        SourceError::Setup(format!(
            "{name} = {text:?} must be a whole number from {least} to {most}{why}; {TAKES}"
        ))
    };
    number.ok_or_else(refused).map(Some)
}

/// What time it is, as the generator counts.
fn clock() -> u64 {
    super::now().try_into().unwrap_or_default()
}

/// Lines as something to be read.
struct LineReader {
    lines: Generator,
    /// Whether they carry the time at which they are read.
    live: bool,
    open: Vec<u8>,
    at: usize,
}

impl std::io::Read for LineReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.open.len() {
            self.at = 0;
            self.open.clear();
            if self.live {
                self.lines.set_time(clock());
            }
            if let Some(line) = self.lines.next() {
                self.open.extend_from_slice(line.as_bytes());
                self.open.extend_from_slice(LINE_END.as_bytes());
            }
        }
        let rest = &self.open[self.at..];
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parameters: &[(&str, &str)]) -> Result<Invented, String> {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Invented::read(&parameters.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_said_is_what_is_invented() {
        let all = [("posts", "7"), ("seed", "0"), ("accounts", "100"), ("audience", "20"), ("live", "0")];
        let options = Options { start: None, posts: 7, seed: 0, accounts: 100, audience: 20 };
        assert_eq!(read(&all).unwrap().options, options);
        let (one, bare) = (read(&[("accounts", "1")]).unwrap(), read(&[("audience", "0")]).unwrap());
        assert_eq!((one.options.audience, bare.options.audience), (1, 0));
        let live = read(&[("live", "1")]).unwrap();
        assert!(live.live && live.options.start.is_some());
    }

    #[test]
    fn what_means_nothing_is_refused_with_what_does() {
        for (name, value, said) in [
            ("acounts", "5", "no parameter acounts; it takes posts, seed"),
            ("Posts", "5", "no parameter Posts"),
            ("rate", "5", "no parameter rate"),
            ("accounts", "many", "accounts = \"many\" must be a whole number from 1 to 10000000;"),
            ("accounts", "0", "from 1 to"),
            ("accounts", "4294967296", "from 1 to"),
            ("audience", "6", "from 0 to 5, no more than there are accounts"),
            ("audience", "-1", "from 0 to 5"),
            ("posts", "0", "from 1 to"),
            ("posts", "1e6", "from 1 to"),
            ("seed", "", "seed = \"\" must be"),
            ("live", "true", "from 0 to 1"),
        ] {
            let refused = read(&[(name, value)]).unwrap_err();
            assert!(refused.contains(said) && refused.contains("as in parameters = {"), "{refused}");
        }
    }
}
