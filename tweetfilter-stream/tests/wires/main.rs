//! Live sources against servers that speak the real wire over loopback.

mod answers;
mod jetstream;
mod lookup;
mod mastodon;
mod server;
mod x;
