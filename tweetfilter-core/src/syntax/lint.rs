//! Warnings: what is legal but perhaps not meant.

use super::Node;
use super::report::Report;

/// Adds the warnings that a tree gives rise to.
pub(super) fn tree(_root: &Node, _text: &str, _report: &mut Report) {}
