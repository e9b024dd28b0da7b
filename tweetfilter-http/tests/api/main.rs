//! The API as clients see it; most of it without a socket.
#![allow(missing_docs)]

mod away;
mod exchange;
mod expressions;
mod feeds;
mod filters;
mod foreign;
mod hostile;
mod house;
mod live;
mod maria;
mod operations;
mod resume;
mod server;
mod timeline;
mod tokens;
