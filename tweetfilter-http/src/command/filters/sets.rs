//! Named sets of terms, from files.

use tweetfilter_core::syntax::{Diagnostic, NamedSets, NodeKind};
use tweetfilter_core::{Expression, FilterSetBuilder, Limits};

use super::super::Failure;
use super::super::tree;
use super::read_text;

/// A set that was read.
#[derive(Debug)]
pub(super) struct NamedSet {
    name: String,
    file: String,
    terms: String,
}

/// Reads the files; a name can be given once.
pub(super) fn read(sets: &[(String, String)]) -> Result<Vec<NamedSet>, Failure> {
    let mut read: Vec<NamedSet> = Vec::with_capacity(sets.len());
    for (name, file) in sets {
        if let Some(other) = read.iter().find(|set| set.name == *name) {
            let message = format!("--set {name}={file}: the set {name} is {} already", other.file);
            return Err(Failure::Input(message));
        }
        read.push(NamedSet { name: name.clone(), file: file.clone(), terms: read_text(file)? });
    }
    Ok(read)
}

/// Adds the sets, or says of every line that is no term where it stands.
pub(super) fn add(sets: &[NamedSet], builder: &mut FilterSetBuilder) -> Result<(), Failure> {
    let mut faults = Vec::new();
    for NamedSet { name, file, terms } in sets {
        let Err(error) = builder.named_set(name, terms) else { continue };
        faults.extend(error.diagnostics().iter().map(|found| {
            let before = terms.as_bytes().get(..found.span.start as usize).unwrap_or_default();
            let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
            format!("{file}:{line}: {}", found.message)
        }));
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::Input(faults.join("\ntweetfilter: "))) }
}

/// Lists of these names, of no terms.
pub(super) fn names(sets: &[NamedSet]) -> NamedSets {
    let mut names = NamedSets::default();
    for set in sets {
        let _ = names.insert(&set.name, "", &Limits::default());
    }
    names
}

/// Lines that are told of one expression.
const MOST: usize = 20;

/// Of an expression that was refused: each line of a set that can't stand where the expression has the set, with the
/// file.
pub(super) fn wrong_lines(sets: &[NamedSet], expression: &Expression) -> Vec<Diagnostic> {
    let mut all = NamedSets::default();
    for set in sets {
        let _ = all.insert(&set.name, &set.terms, &Limits::default());
    }
    let mut wrong = Vec::new();
    let mut open = vec![expression.root()];
    while let Some(node) = open.pop() {
        open.extend(tree::children(node).into_iter().rev());
        let NodeKind::Atom(atom) = &node.kind else { continue };
        if !matches!(all.expand(atom), Err(wrong) if wrong.code == "set_term") {
            continue;
        }
        // One line at a time, the other sets empty, shows each line that is wrong and not just the first.
        let mut alone = names(sets);
        for set in sets {
            for (n, line) in set.terms.lines().enumerate() {
                let _ = alone.insert(&set.name, line, &Limits::default());
                let Err(error) = alone.expand(atom) else { continue };
                if wrong.len() == MOST {
                    let message = "Further lines can't stand where the filter has their set";
                    wrong.push(Diagnostic::error("set_term", node.span, message));
                    return wrong;
                }
                let said = format!("Line 1 of the set {} can't stand here: ", set.name);
                let why = error.message.strip_prefix(&said).unwrap_or(&error.message);
                let message = format!("{}:{} can't stand here: {why}", set.file, n + 1);
                wrong.push(Diagnostic::error("set_term", node.span, message));
            }
            let _ = alone.insert(&set.name, "", &Limits::default());
        }
    }
    wrong
}
