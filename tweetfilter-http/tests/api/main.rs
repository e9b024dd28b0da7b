//! The API as clients see it; most of it without a socket.
#![allow(missing_docs)]

mod away;
mod crowd;
mod described;
mod document;
mod exchange;
mod export;
mod expressions;
mod feeds;
mod filters;
mod foreign;
mod hangup;
mod hostile;
mod house;
mod late;
mod live;
#[path = "../../../tweetfilter-sql/tests/common/mod.rs"]
mod maria;
mod meanwhile;
mod operations;
mod outage;
mod owners;
#[path = "../../../tweetfilter-stream/tests/support/servers.rs"]
mod redis;
mod resume;
mod server;
mod sets;
mod timeline;
mod tokens;
mod unchanged;
mod who;
