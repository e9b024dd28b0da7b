//! The real command, run as people run it.

mod check;
mod inputs;
mod matching;
mod support;
