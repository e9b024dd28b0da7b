//! Live sources against servers that speak the real wire over loopback.

mod jetstream;
mod mastodon;
mod server;
mod x;
