//! The API as clients see it; most of it without a socket.
#![allow(missing_docs)]

mod filters;
mod house;
mod live;
mod server;
mod timeline;
mod tokens;
