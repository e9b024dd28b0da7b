//! The JSON API over the store: stateless, one account for each token, described by the OpenAPI document that it is
//! generated with.
//!
//! [`Api`] is what all requests share, [`app`] the routes, [`listen`] the server with its timeouts. Nothing that a
//! client needs later is kept here, so any number of processes can answer for one store.

mod address;
mod answer;
mod caller;
mod check;
mod coming;
mod document;
mod encoded;
mod exchange;
mod explain;
mod export;
mod expression;
mod extract;
mod feeds;
mod filters;
mod handles;
mod health;
mod letters;
mod limits;
mod live;
mod manual;
mod me;
mod named;
mod nameless;
mod options;
mod order;
mod place;
mod preview;
mod pulse;
mod reading;
mod routes;
mod scan;
mod search;
mod secret;
mod server;
mod sets;
mod shapes;
mod socket;
mod status;
mod tag;
mod timeline;
mod tokens;
mod turns;
mod unused;
mod withdrawn;
mod wording;
mod words;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use tweetfilter_sql::Database;
use tweetfilter_stream::redis_streams;
use tweetfilter_stream::store::StoreError;

pub use answer::{Answer, ApiError, ErrorBody, Finding, FixIt, Refused, Second, Summary};
pub use document::document;
pub use options::Options;
pub use place::Place;
pub use routes::app;
pub use secret::{digest, new_secret};
pub use server::{Serving, listen, listen_as};
pub use status::try_write;

use crate::ops::{Part, Server};
use crate::parts::Stop;
use crate::people::People;

/// The first part of the path of all routes that need a token.
pub const PREFIX: &str = "/api/v1";

/// How long the store may take to show that it is only busy, once it did not answer in time.
const LOOK: Duration = Duration::from_millis(150);

/// What all requests share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    database: Database,
    options: Options,
    stop: Stop,
    uses: limits::Uses,
    pulse: pulse::Heart,
    tokens: Mutex<caller::Tokens>,
    probed: health::Probed,
    surroundings: Mutex<expression::Remembered>,
    unknown: handles::LastUnknown,
    turns: turns::Turns,
    part: Arc<Part>,
    buffer: letters::Way,
    /// The store is not to be asked yet.
    waits: AtomicBool,
}

impl Api {
    /// An API over a store, until it is told to stop.
    #[must_use]
    pub fn new(database: Database, options: Options, stop: Stop) -> Self {
        let pulse = pulse::Heart::new(database.clone(), options.store_time);
        let uses = limits::Uses::default();
        let (part, buffer) = (Part::new("api"), letters::Way::new(&database));
        Self(Arc::new(Shared {
            database,
            options,
            stop,
            uses,
            pulse,
            tokens: Mutex::default(),
            probed: health::Probed::default(),
            surroundings: Mutex::default(),
            unknown: handles::LastUnknown::default(),
            turns: turns::Turns::default(),
            part,
            buffer,
            waits: AtomicBool::new(false),
        }))
    }

    /// Says where the buffer is, if that is not in the store's file.
    pub fn buffer_at(&self, address: String, options: redis_streams::Options) {
        self.0.buffer.at(address, options);
    }

    /// Says whether the store is waited for, when the process begins: its tables may be half made, so nobody is let at
    /// it, and whoever asks is told that it is away.
    pub fn waits_for_store(&self, waits: bool) {
        self.0.waits.store(waits, Ordering::SeqCst);
    }

    /// The part that this is, with what it counts.
    #[must_use]
    pub fn part(&self) -> &Arc<Part> {
        &self.0.part
    }

    fn database(&self) -> &Database {
        &self.0.database
    }

    fn options(&self) -> &Options {
        &self.0.options
    }

    /// Until when the store may take to answer what it is asked now.
    fn until(&self) -> Instant {
        Instant::now() + self.0.options.store_time
    }

    /// Asks the store, and says that it is away or busy if it takes too long.
    async fn ask<T>(
        &self,
        until: Instant,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, ApiError> {
        if self.0.waits.load(Ordering::SeqCst) {
            return Err(ApiError::away("this server has just begun and waits for it"));
        }
        // Whoever goes away before there is an answer says nothing of the store.
        match tokio::time::timeout_at(until, asked).await {
            Ok(answer) => {
                self.0.part.heard(
                    Server::Store,
                    match &answer {
                        Err(error @ StoreError::Away(_)) => Some(error.to_string()),
                        _ => None,
                    },
                );
                answer.map_err(ApiError::from)
            }
            Err(_) => Err(self.late().await),
        }
    }

    /// Who people are whom posts give by id alone.
    async fn people(&self, until: Instant, unnamed: BTreeSet<(String, String)>) -> Result<People, ApiError> {
        // What needs no answer needs no store either.
        match unnamed.is_empty() {
            true => Ok(People::default()),
            false => self.ask(until, People::of(self.database(), unnamed)).await,
        }
    }

    /// Why the store did not answer in time: it is away, unless it answers something that is quickly said.
    async fn late(&self) -> ApiError {
        match self.store_answers().await {
            true => ApiError::busy(
                "it answers, but this took too long. Try again in a moment; if this was a change, look first \
                 whether it was made",
            ),
            false => ApiError::away("it does not answer in time"),
        }
    }

    /// Whether the store answers what is quickly said.
    async fn store_answers(&self) -> bool {
        let looked = tokio::time::timeout(LOOK, self.0.pulse.now()).await;
        let answers = matches!(looked, Ok(Ok(_)));
        self.0.part.heard(Server::Store, (!answers).then(|| "it does not answer in time".to_owned()));
        answers
    }
}
