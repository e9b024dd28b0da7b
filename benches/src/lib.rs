//! Workloads and measuring for tweetfilter: see README.md beside this crate for what the figures mean.

pub mod api;
pub mod chain;
pub mod check;
pub mod counting;
pub mod measure;
pub mod random;
pub mod recipe;
pub mod record;
pub mod rivals;
pub mod table;
pub mod tf1;
pub mod workload;
