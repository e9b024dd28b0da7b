//! The whole chain under load: lines of a file through buffer and worker into the store.
//!
//! Each scenario runs the real parts in a process of its own, which measures itself and leaves everything else to
//! its parent: load, servers and checks. **Nothing is reported that was not counted first**: posts, deliveries and
//! matches in the store are what the filters say of the posts.

pub mod alone;
mod bound;
pub mod load;
pub(crate) mod processes;
pub mod report;
pub mod run;
pub mod scenarios;
pub(crate) mod servers;
pub(crate) mod store;
mod watched;
