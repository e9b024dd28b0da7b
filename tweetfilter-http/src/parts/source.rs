//! The sources that the settings name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tweetfilter_stream::buffer::Gap;
use tweetfilter_stream::entry::Audience;
use tweetfilter_stream::source::file::{FileSource, Pace};
use tweetfilter_stream::source::net::{Jetstream, Live, Mastodon, Token, TokioClock, Trust, X};
use tweetfilter_stream::source::{Chunk, Source, SourceError};

use super::PartError;
use super::generated::{Generated, Invented};

/// Characters of a source's name; the store takes no more.
pub const LONGEST_NAME: usize = 190;

/// Whether a source may have a name.
///
/// # Errors
/// [`SourceError::Setup`] for one that is empty or too long, or has white space at an end: to MariaDB, spaces at the end
/// of a name are none.
pub fn check_name(name: &str) -> Result<(), SourceError> {
    let length = name.chars().count();
    match length {
        0 => Err(SourceError::Setup("the name of a source is empty".to_owned())),
        _ if name.trim() != name => Err(SourceError::Setup(format!(
            "the name of the source begins or ends with white space, which nobody sees: {name:?}"
        ))),
        1..=LONGEST_NAME => Ok(()),
        _ => Err(SourceError::Setup(format!(
            "the name of the source has {length} characters; {LONGEST_NAME} are the most: {name}"
        ))),
    }
}

/// A pace in lines a second, if it is one at which something is given.
///
/// # Errors
/// [`SourceError::Setup`] else.
pub fn usable_rate(rate: f64) -> Result<f64, SourceError> {
    // Slower than one a day is no pace.
    let usable = rate.is_finite() && rate * 86_400.0 >= 1.0;
    let refused = || {
        SourceError::Setup(format!(
            "rate is {rate}: it must be a number of lines a second above 0, and at least one a day (0.0000116)"
        ))
    };
    usable.then_some(rate).ok_or_else(refused)
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Files, or standard input.
    File,
    /// The invented stream of `gen`.
    Generated,
    /// Bluesky's Jetstream, which needs no key.
    Jetstream,
    /// X's sample stream, API v1.1.
    XSample,
    /// X's filter stream, API v1.1.
    XFilter,
    /// X's user stream, API v1.1.
    XUser,
    /// X's site stream, API v1.1: what each of many users sees.
    XSite,
    /// X's filtered stream, API v2.
    XV2,
    /// The home timeline of a Mastodon account.
    Mastodon,
}

/// How a source is read, as the configuration says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SourceSettings {
    /// What it is.
    pub kind: Kind,
    /// Whom bare messages reach: `public`, `follows`, `envelope` (nobody but those whom an envelope names), or
    /// `account NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Of `file`: the files; `-` is standard input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PathBuf>,
    /// Of `file` and `generated`: lines a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Of `file`: as fast as it was recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_recorded: bool,
    /// Of a server: its address, where it is not the network's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Of a server: the file that holds the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Of a server: the variable of the environment that holds the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_variable: Option<String>,
    /// Of X's streams of API v1.1: the file of the keys that requests are signed with (OAuth 1.0a), in place of a token: JSON with
    /// `consumer_key`, `consumer_secret`, `token` and `token_secret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_file: Option<PathBuf>,
    /// Of a server: a file of certificates (PEM) of authorities that its own may be certified by, beside those that the
    /// machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Of X: messages come with their length.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delimited: bool,
    /// Of X and Jetstream: parameters such as `follow` and `track`. Of `generated`: `posts`, `seed`, `accounts`, `audience`
    /// and `live`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

impl SourceSettings {
    /// A source of a kind, with nothing said about it.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            audience: None,
            files: Vec::new(),
            rate: None,
            as_recorded: false,
            address: None,
            token_file: None,
            token_variable: None,
            keys_file: None,
            ca_file: None,
            delimited: false,
            parameters: BTreeMap::new(),
        }
    }

    /// Whom bare messages reach.
    ///
    /// # Errors
    /// [`SourceError::Setup`] for a word that says nothing of the kind.
    pub fn audience(&self) -> Result<Audience, SourceError> {
        let nobody = || Audience::Viewers(Vec::new());
        let Some(word) = &self.audience else {
            return Ok(match self.kind {
                Kind::XSite | Kind::Generated => nobody(),
                Kind::XUser | Kind::Mastodon => {
                    let message = "say whose timeline this is: audience = \"account NAME\"";
                    return Err(SourceError::Setup(message.to_owned()));
                }
                _ => Audience::Public,
            });
        };
        match (word.as_str(), word.strip_prefix("account ").map(str::trim)) {
            ("public", _) => Ok(Audience::Public),
            ("follows", _) => Ok(Audience::Follows),
            ("envelope", _) => Ok(nobody()),
            (_, Some(name)) if !name.is_empty() => Ok(Audience::Account(name.to_owned())),
            _ => Err(SourceError::Setup(format!(
                "audience {word:?} is none of public, follows, envelope, account NAME"
            ))),
        }
    }

    /// Looks whether all is said that it needs: what is not will never be, while a file that is lacking may come.
    ///
    /// # Errors
    /// [`SourceError::Setup`] for what is not.
    pub fn check(&self) -> Result<(), SourceError> {
        self.audience()?;
        self.check_address()?;
        match self.kind {
            Kind::File if self.files.is_empty() => {
                let message = "a source of kind file needs files: files = [\"FILE\"]";
                return Err(SourceError::Setup(message.to_owned()));
            }
            Kind::Generated => return self.is_generated(),
            Kind::File | Kind::Mastodon if !self.parameters.is_empty() => {
                let message = "parameters are of X, Jetstream and generated sources only; leave them out";
                return Err(SourceError::Setup(message.to_owned()));
            }
            Kind::File | Kind::Jetstream => return Ok(()),
            Kind::Mastodon => self.server().map(|_| ())?,
            _ => {}
        }
        match self.secret()? {
            Secret::Variable(variable) => Token::from_env(variable).map(|_| ()),
            Secret::Keys(_) | Secret::Token(_) => Ok(()),
        }
    }

    /// Looks whether its address is one that a source of its kind takes, and at nothing that may be there.
    ///
    /// # Errors
    /// [`SourceError::Setup`] if it is none, with the way out.
    pub fn check_address(&self) -> Result<(), SourceError> {
        match (self.kind, &self.address) {
            (_, None) | (Kind::File | Kind::Generated, _) => Ok(()),
            (Kind::Jetstream, Some(address)) => Jetstream::posts_from([address]).map(drop),
            (Kind::Mastodon, Some(address)) => Mastodon::check_address(address),
            (_, Some(address)) => X::check_address(address),
        }
    }

    /// Whether one that is generated has only what is of use to it.
    fn is_generated(&self) -> Result<(), SourceError> {
        let stated = [
            ("files", !self.files.is_empty()),
            ("as-recorded", self.as_recorded),
            ("address", self.address.is_some()),
            ("token-file", self.token_file.is_some()),
            ("token-variable", self.token_variable.is_some()),
            ("keys-file", self.keys_file.is_some()),
            ("ca-file", self.ca_file.is_some()),
            ("delimited", self.delimited),
        ];
        if let Some((key, _)) = stated.iter().find(|(_, is_stated)| *is_stated) {
            let message = format!(
                "{key} is of no use to a generated source, which reads nothing: leave it out, or say another kind. It \
                 takes audience, rate and parameters"
            );
            return Err(SourceError::Setup(message));
        }
        Invented::read(&self.parameters).map(|_| ())
    }

    /// The same error of a part that reads this source, with what is to be done about it where that is known.
    #[must_use]
    pub fn explained(&self, error: PartError) -> PartError {
        use std::io::ErrorKind::{IsADirectory, NotFound, PermissionDenied};
        let (address, status, reason) = match error {
            PartError::Source(SourceError::Refused { address, status, reason }) => (address, status, reason),
            // It may come, but not by itself.
            PartError::Source(SourceError::Read { name, error })
                if matches!(error.kind(), NotFound | PermissionDenied | IsADirectory) =>
            {
                let advice = "`files` of the source says what is read, and it is looked for at each try";
                return SourceError::Setup(format!("{name}: {error}; {advice}")).into();
            }
            error => return error,
        };
        let needs_secret = !matches!(self.kind, Kind::File | Kind::Generated | Kind::Jetstream);
        let advice = match (status, self.secret().ok().filter(|_| needs_secret)) {
            (None | Some(401 | 403), Some(Secret::Keys(file))) => {
                format!("put valid keys into {}, which is read at each try", file.display())
            }
            (None | Some(401 | 403), Some(Secret::Token(file))) => {
                format!("put a valid token into {}, which is read at each try", file.display())
            }
            (None | Some(401 | 403), Some(Secret::Variable(variable))) => {
                format!("start it with a valid token in {variable}")
            }
            _ => "see whether address and parameters of the source are right".to_owned(),
        };
        SourceError::Refused { address, status, reason: format!("{reason}; {advice}") }.into()
    }

    /// Opens it, to be read on from a cursor.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub fn open(&self, cursor: Option<&str>) -> Result<Opened, SourceError> {
        self.rate.map(usable_rate).transpose()?;
        self.check()?;
        let trust = self.ca_file.as_deref().map(Trust::from_file).transpose()?.unwrap_or_default();
        match self.kind {
            Kind::File => self.file(cursor).map(|file| Opened::File(Box::new(file))),
            Kind::Generated => self.generated(cursor).map(|lines| Opened::Generated(Box::new(lines))),
            Kind::Jetstream => {
                let jetstream = match &self.address {
                    Some(address) => Jetstream::posts_from([address])?,
                    None => Jetstream::posts(),
                };
                let jetstream =
                    self.parameters.iter().fold(jetstream, |j, (k, v)| j.parameter(k, v)).trusting(&trust)?;
                live(jetstream, cursor).map(|live| Opened::Jetstream(Box::new(live)))
            }
            Kind::Mastodon => {
                let home = Mastodon::home(self.server()?, self.token()?)?.trusting(&trust);
                live(home.ready()?, cursor).map(|live| Opened::Mastodon(Box::new(live)))
            }
            kind => {
                let token = self.token()?;
                let x = match kind {
                    Kind::XSample => X::sample(token),
                    Kind::XFilter => X::filter(token),
                    Kind::XUser => X::user(token),
                    Kind::XV2 => X::v2(token),
                    _ => X::site(token),
                }?;
                let x = match &self.address {
                    Some(address) => x.address_is(address)?,
                    None => x,
                };
                let x = x.trusting(&trust).ready()?;
                let x = self.parameters.iter().fold(x, |x, (name, value)| x.parameter(name, value));
                let x = if self.delimited { x.delimited() } else { x };
                live(x, cursor).map(|live| Opened::X(Box::new(live)))
            }
        }
    }

    fn file(&self, cursor: Option<&str>) -> Result<FileSource, SourceError> {
        let source = FileSource::open(&self.files);
        let source = match cursor {
            Some(cursor) => source.resume(cursor)?,
            None => source,
        };
        let pace = self.rate.map(Pace::Rate).or(self.as_recorded.then_some(Pace::AsRecorded));
        Ok(match pace {
            Some(pace) => source.paced(pace, Arc::new(TokioClock::default())),
            None => source,
        })
    }

    fn generated(&self, cursor: Option<&str>) -> Result<Generated, SourceError> {
        let lines = Invented::read(&self.parameters)?.source();
        let rate = self.rate.unwrap_or(200.0);
        Generated::begin(lines.paced(Pace::Rate(rate), Arc::new(TokioClock::default())), cursor)
    }

    fn server(&self) -> Result<&str, SourceError> {
        self.address.as_deref().ok_or_else(|| {
            SourceError::Setup("say which server: address = \"https://mastodon.example\"".to_owned())
        })
    }

    fn token(&self) -> Result<Token, SourceError> {
        match self.secret()? {
            Secret::Keys(file) => Token::keys_from_file(file),
            Secret::Token(file) => Token::from_file(file),
            Secret::Variable(variable) => Token::from_env(variable),
        }
    }

    fn secret(&self) -> Result<Secret<'_>, SourceError> {
        let refused = |message: &str| Err(SourceError::Setup(message.to_owned()));
        let signs = matches!(self.kind, Kind::XSample | Kind::XFilter | Kind::XUser | Kind::XSite);
        match (&self.keys_file, &self.token_file, &self.token_variable) {
            (Some(_), _, _) if !signs => refused(
                "keys-file is of X's streams of API v1.1 only: remove it, and say where the token is by token-file or \
                 token-variable",
            ),
            (Some(file), None, None) => Ok(Secret::Keys(file)),
            (Some(_), _, _) => refused(
                "keys-file stands beside a token, and only one of them can be sent: remove keys-file to send the token, or \
                 token-file and token-variable to sign with the keys",
            ),
            (None, Some(_), Some(_)) => {
                refused("token-file stands beside token-variable: remove one of them")
            }
            (None, Some(file), None) => Ok(Secret::Token(file)),
            (None, None, Some(variable)) => Ok(Secret::Variable(variable)),
            (None, None, None) => refused(
                "it needs a token: token-file = \"FILE\", or token-variable = \"NAME\" for one in the environment; X's \
                 streams of API v1.1 take keys-file = \"FILE\" too",
            ),
        }
    }
}

/// Where the secret of a source is.
enum Secret<'s> {
    Keys(&'s Path),
    Token(&'s Path),
    Variable(&'s str),
}

fn live<W: tweetfilter_stream::source::net::Wire>(
    wire: W,
    cursor: Option<&str>,
) -> Result<Live<W>, SourceError> {
    let live = Live::new(wire);
    match cursor {
        Some(cursor) => live.resume(cursor),
        None => Ok(live),
    }
}

/// A source that was opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Opened {
    /// Files.
    File(Box<FileSource>),
    /// Lines that are made here.
    Generated(Box<Generated>),
    /// One of X's streams.
    X(Box<Live<X>>),
    /// Bluesky.
    Jetstream(Box<Live<Jetstream>>),
    /// A Mastodon server.
    Mastodon(Box<Live<Mastodon>>),
}

impl Opened {
    /// How far files were read: bytes, of how many.
    #[must_use]
    pub fn progress(&self) -> Option<(u64, Option<u64>)> {
        match self {
            Self::File(file) => Some((file.progress().read, file.progress().total)),
            Self::Generated(lines) => Some((lines.progress().read, lines.progress().total)),
            _ => None,
        }
    }
}

impl Source for Opened {
    async fn next(&mut self) -> Result<Option<Chunk>, SourceError> {
        match self {
            Self::File(source) => source.next().await,
            Self::Generated(source) => source.next().await,
            Self::X(source) => source.next().await,
            Self::Jetstream(source) => source.next().await,
            Self::Mastodon(source) => source.next().await,
        }
    }

    fn rest(&mut self) -> Vec<Gap> {
        match self {
            Self::File(source) => source.rest(),
            Self::Generated(source) => source.rest(),
            Self::X(source) => source.rest(),
            Self::Jetstream(source) => source.rest(),
            Self::Mastodon(source) => source.rest(),
        }
    }
}
