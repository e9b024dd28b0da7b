//! Live streams: X's, Bluesky's Jetstream, Mastodon's.
//!
//! [`Live`] keeps a connection: it connects, notices silence, backs off, connects again, and says what may be
//! missing. What differs between networks is a [`Wire`]: [`X`], [`Jetstream`], [`Mastodon`].
//!
//! All of them go through the proxy that the environment names: `HTTPS_PROXY`, for what is not encrypted `HTTP_PROXY`, else
//! `ALL_PROXY`, but for servers in `NO_PROXY`, and for this machine.
//!
//! ```no_run
//! use tweetfilter_stream::source::Source;
//! use tweetfilter_stream::source::net::{Jetstream, Live};
//! # async fn listen() -> Result<(), tweetfilter_stream::source::SourceError> {
//! let mut source = Live::new(Jetstream::posts());
//! while let Some(chunk) = source.next().await? {
//!     println!("{} lines, up to {:?}", chunk.lines.len(), chunk.cursor);
//! }
//! # Ok(())
//! # }
//! ```

mod backoff;
mod frame;
mod http;
mod inflate;
mod jetstream;
mod live;
pub mod lookup;
mod mastodon;
mod oauth1;
mod proxy;
mod retry_after;
mod seen;
mod sse;
mod time;
mod tls;
mod token;
mod transport;
mod websocket;
mod wire;
mod x;

pub use backoff::{Backoff, HEALTHY, LONGEST_RETRY_AFTER, Trouble};
pub use frame::Framing;
pub use jetstream::{HOSTS, Jetstream};
pub use live::Live;
pub use mastodon::Mastodon;
pub use time::TokioClock;
pub use tls::Trust;
pub use token::Token;
pub use wire::{BoxFuture, Connection, Fault, Received, Wire};
pub use x::X;

/// Bytes of one line that are accepted, unless told otherwise.
pub const LONGEST_LINE: usize = 4 << 20;

/// What a stored time is in microseconds, as Jetstream's cursor is, and no longer in milliseconds, as those of the other
/// streams: 1973 in the one, 5138 in the other.
const MICROS: i64 = 100_000_000_000_000;

/// What a cursor is of that another kind of source can't go on from.
const OF_ITS_KIND: &str = "a stream of its kind";
