//! The oracle shares no code with plan, engine and evaluation.

use std::path::{Path, PathBuf};

/// What of this crate the oracle may name: its own modules, the tree, the post, spans, limits, and tokens.
const MODULES: &[&str] = &["syntax", "post", "text"];
const ITEMS: &[&str] = &["Dialect", "Expression", "Identity", "Limits", "Post", "Span"];
/// What of `text` is tokens, and not the folding of substrings and values, nor counting.
const TEXT: &[&str] = &[
    "Origin",
    "Term",
    "Token",
    "TokenKind",
    "Tokens",
    "exact",
    "near_items",
    "obfuscated",
    "obfuscated_into",
    "pattern",
    "tokenize",
];
fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => sources(&path, out),
            false => out.push(path),
        }
    }
}

/// A source without comments and texts, as words and single signs.
fn lexemes(source: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut text = false;
    for line in source.lines() {
        let mut escaped = false;
        let mut chars = line.char_indices().peekable();
        let mut word = String::new();
        while let Some((at, c)) = chars.next() {
            if text {
                text = escaped || c != '"';
                escaped = c == '\\' && !escaped;
                continue;
            }
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                out.push(std::mem::take(&mut word));
            }
            let rest = &line[at..];
            if rest.starts_with("//") {
                break;
            }
            if rest.starts_with("'\"'") {
                chars.nth(1);
                continue;
            }
            text = c == '"';
            if !c.is_whitespace() && !text {
                out.push(c.to_string());
            }
        }
        if !word.is_empty() {
            out.push(word);
        }
    }
    out
}

/// Every path that begins with `root`, its groups opened: `crate::a::{b, c::d}` is two.
fn paths(lexemes: &[String], root: &str) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    for (at, word) in lexemes.iter().enumerate() {
        let is_path =
            lexemes.get(at + 1).is_some_and(|l| l == ":") && lexemes.get(at + 2).is_some_and(|l| l == ":");
        let inside = at > 2 && lexemes[at - 2..at] == [":", ":"] && lexemes[at - 3] != "self";
        if word == root && is_path && !inside {
            branch(&lexemes[at + 3..], Vec::new(), &mut out);
        }
    }
    out
}

/// Reads one path; how many lexemes it took.
fn branch(lexemes: &[String], mut path: Vec<String>, out: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    loop {
        match lexemes.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while lexemes.get(at).is_some_and(|l| l != "}") {
                    at += branch(&lexemes[at..], path.clone(), out);
                    at += usize::from(lexemes.get(at).is_some_and(|l| l == ","));
                }
                return at + 1;
            }
            Some(name) => path.push(name.to_owned()),
            None => return at,
        }
        at += 1;
        if !(lexemes.get(at).is_some_and(|l| l == ":") && lexemes.get(at + 1).is_some_and(|l| l == ":")) {
            let renamed = lexemes.get(at).is_some_and(|l| l == "as");
            path.extend(renamed.then(|| "as".to_owned()));
            out.push(path);
            return at + if renamed { 2 } else { 0 };
        }
        at += 2;
    }
}

/// Whether the oracle may name this path of the crate.
fn allowed(path: &[&str]) -> bool {
    match path {
        ["text", .., "as"] => false,
        // What a name for the module is used for shows in paths of its own.
        ["text"] | ["text", "self"] => true,
        ["text", item, ..] => TEXT.contains(item),
        [item] | [item, "as"] => ITEMS.contains(item),
        [module, ..] => MODULES.contains(module),
        [] => false,
    }
}

/// What a source names that it may not; `depth` is how many modules below the crate's root its parent stands.
fn forbidden(source: &str, depth: usize) -> Vec<String> {
    let lexemes = lexemes(source);
    let mut all = paths(&lexemes, "crate");
    all.extend(paths(&lexemes, "text").into_iter().map(|path| [vec!["text".to_owned()], path].concat()));
    for path in paths(&lexemes, "super") {
        let ups = 1 + path.iter().take_while(|part| *part == "super").count();
        all.extend((ups > depth).then(|| path[ups - 1..].to_vec()));
    }
    let named = all.iter().map(|path| path.iter().map(String::as_str).collect::<Vec<_>>());
    let mut wrong: Vec<String> = named.filter(|path| !allowed(path)).map(|path| path.join("::")).collect();
    let around =
        [&["crate", "as"][..], &["extern"], &["tweetfilter_core"], &["include", "!"], &["#", "[", "path"]];
    wrong.extend(around.iter().filter(|a| lexemes.windows(a.len()).any(|w| w == **a)).map(|a| a.join(" ")));
    wrong
}

#[test]
fn the_oracle_shares_nothing_with_plan_engine_and_evaluation() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/oracle");
    let mut files = Vec::new();
    sources(&folder, &mut files);
    assert!(files.len() >= 5);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source");
        let place = file.strip_prefix(&folder).expect("it stands there");
        // A module's own file stands beside its folder; `mod.rs` of the oracle is the oracle.
        let depth = place.components().count() - usize::from(place.ends_with("mod.rs"));
        assert_eq!(forbidden(&text, depth), [""; 0], "{}", place.display());
    }
}

#[test]
fn what_is_shared_is_seen_however_it_is_written() {
    for source in [
        "use crate::plan::links;",
        "use crate::{Post, plan::{self, links}};",
        "use crate::{\n    syntax::Atom,\n    eval,\n};",
        "use super::super::engine::Index;",
        "use self::super::super::engine::Index;",
        "use super::{super::eval::run, Reading};",
        "fn f() { crate::filter_set::FilterSet::default(); }",
        "use crate::text::{Needle, tokenize};",
        "use crate::text::{self as t, fold_value};",
        "fn f() { text::fold_for_search(); }",
        "use crate::*;",
        "use crate as c;",
        "include!(\"../eval/run.rs\");",
        "#[path = \"../plan/links.rs\"] mod links;",
        "extern crate self as own;",
    ] {
        assert!(!forbidden(source, 1).is_empty(), "{source}");
    }
    for source in [
        "use crate::{Dialect, Post};\nuse super::Reading; // crate::plan",
        "/// crate::eval\nuse crate::text::{self, Origin, Tokens};\nfn f() { text::tokenize(\"crate::plan\"); }",
        "use super::{Reading, links};\nuse crate::syntax::{Atom, Form as F};",
    ] {
        assert_eq!(forbidden(source, 1), [""; 0], "{source}");
    }
}
