//! How it runs: what each part counts, what is kept of it over time, and who shows it.
//!
//! ```text
//! Counted<Buffer>, Counted<Store> ┐
//! supervise, api                  ├─► Part ──┬─► metrics   (scraped, as it is now)
//!                                 ┘          └─► Recorder ─► store: `sample`, `process` ─► Overview, History
//! the machine ─► Probe ──────────────────────────┘                                        (status, page, API)
//! ```
//!
//! A [`Part`] has its counters and its state; whatever does the work changes them, and nothing else is told. A
//! [`Process`] has its parts. The [`Recorder`] of each process notes them every 15 seconds, beside what the [`Probe`] finds of
//! the machine, and keeps what it noted while the store is away. Counts add up from when a process began, so a sample
//! that is missing loses nothing: rates are worked out by whoever reads, from two samples.

mod connection;
mod counted;
mod counters;
mod elsewhere;
mod figures;
mod gone;
mod history;
mod metrics;
mod needed;
mod outlook;
mod overview;
mod part;
mod probe;
mod process;
mod recorder;
mod shown;
mod unreadable;
mod unwell;
mod waiting;

pub use counted::Counted;
pub use counters::Counters;
pub use elsewhere::Elsewhere;
pub use figures::{
    BufferFigures, HostFigures, PartFigures, PartState, ProcessFigures, ProcessState, Refusal, Usage,
};
pub use history::{Series, Span, history};
pub use metrics::Metrics;
pub(crate) use needed::Server;
pub use outlook::Outlook;
pub use overview::{HostNow, Overview, PartNow, ProcessNow, Rates, overview};
pub use part::{Part, State};
pub use probe::Probe;
pub use process::Process;
pub use recorder::{EVERY, Recorder};
pub use shown::{ShownHost, ShownOutlook, ShownPart, ShownProcess, ShownRates, ShownRoom, ShownWatched};
pub use unwell::{Look, Unwell};
pub use waiting::Waiting;
