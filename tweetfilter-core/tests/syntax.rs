//! The language by rows of data: canonical text, diagnostics, documentation.

#[path = "syntax/canonical.rs"]
mod canonical;
#[path = "syntax/diagnostics.rs"]
mod diagnostics;
#[path = "syntax/documentation.rs"]
mod documentation;
#[path = "syntax/properties.rs"]
mod properties;
#[path = "syntax/rules.rs"]
mod rules;
