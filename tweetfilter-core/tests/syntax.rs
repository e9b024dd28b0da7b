//! The language by rows of data: canonical text, diagnostics, documentation.

#[path = "syntax/canonical.rs"]
mod canonical;
