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
