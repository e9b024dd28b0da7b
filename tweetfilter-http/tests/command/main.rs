//! The real command, run as people run it.

mod asking;
mod chain;
mod check;
mod demonstration;
mod ends;
mod explaining;
mod filters;
mod generating;
mod inputs;
mod lookups;
mod matching;
mod operations;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../faults/oracle.rs"]
mod oracle;
mod other_language;
mod refused;
mod replaying;
mod separate;
mod settings;
mod splitting;
mod support;
mod tls;
mod twice;
mod unheard;
mod wires;
