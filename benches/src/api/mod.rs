//! The API under load: a server in a process of its own, asked over sockets by clients that do as little as they can.
//!
//! The store is filled once, by the store's own commits with what the filters say of each post, and kept. **Every
//! answer is looked at before it counts**: its status, how many things it lists, and before the clock starts a few whole
//! answers against what the store says itself.

mod ask;
mod client;
pub mod ground;
mod live;
mod preview;
pub mod report;
pub mod server;
