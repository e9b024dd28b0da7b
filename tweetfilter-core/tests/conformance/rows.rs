//! The rows of `testdata/conformance`: an expression, a post, and whether it matches.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use tweetfilter_core::post::Account;
use tweetfilter_core::syntax::NamedSets;
use tweetfilter_core::{Dialect, Identity, Limits, Post};

/// One line: an expression and either a post with its answer, or the code of the error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    #[serde(skip)]
    pub place: String,
    pub filter: String,
    #[serde(default)]
    pub dialect: Dialect,
    /// A post that is only text …
    text: Option<String>,
    /// … or one with its fields.
    post: Option<Post>,
    #[serde(default)]
    pub sets: BTreeMap<String, String>,
    #[serde(default)]
    me: Vec<Me>,
    /// The post lacks what the expression asks for.
    #[serde(default)]
    pub missing: bool,
    pub expect: Option<bool>,
    /// The code of the first error, for an expression that is refused.
    pub error: Option<String>,
    #[serde(default)]
    #[allow(dead_code, reason = "for readers of the rows")]
    why: Option<String>,
}

#[derive(Deserialize)]
struct Me {
    network: String,
    account: Account,
}

impl Row {
    pub fn post(&self) -> Post {
        match (&self.text, &self.post) {
            (Some(text), None) => Post::from_text(text.as_str()),
            (None, Some(post)) => post.clone(),
            _ => panic!("{}: one of `text` and `post`", self.place),
        }
    }

    pub fn named_sets(&self) -> NamedSets {
        let mut sets = NamedSets::default();
        for (name, text) in &self.sets {
            let inserted = sets.insert(name, text, &Limits::default());
            inserted.unwrap_or_else(|errors| panic!("{}: {{{name}}}: {errors:?}", self.place));
        }
        sets
    }

    pub fn me(&self) -> Vec<Identity> {
        let identity = |me: &Me| Identity { network: me.network.clone(), account: me.account.clone() };
        self.me.iter().map(identity).collect()
    }
}

/// All rows in order of file and line.
pub fn all() -> Vec<Row> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/conformance");
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("the rows").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut rows = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).expect("a file of rows");
        for (number, line) in text.lines().enumerate() {
            let place = format!("{name}:{}", number + 1);
            let mut row: Row = serde_json::from_str(line).unwrap_or_else(|error| panic!("{place}: {error}"));
            row.place = place;
            rows.push(row);
        }
    }
    rows
}
