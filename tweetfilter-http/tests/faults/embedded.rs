//! The whole chain in one process, on one file.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::chain::{PATIENCE, Part};
use crate::oracle::{self, Delivered, FILTERS, History, Said};
use crate::support::{Files, command};

/// A SQLite file, and what is to go through it.
pub struct Embedded {
    files: Files,
    database: PathBuf,
    pub said: Said,
    pub history: History,
    /// What is to stay free on the disk.
    pub reserve: &'static str,
}

impl Embedded {
    /// Accounts and filters, in a file in a folder, or somewhere.
    pub fn start(stream: &str, folder: Option<&std::path::Path>) -> Self {
        let files = Files::new().with("site.ndjson", stream);
        let database = folder.map_or_else(|| files.path("tf.db"), |folder| folder.join("tf.db"));
        let mut chain =
            Self { files, database, said: Said::read(stream), history: History::new(), reserve: "0" };
        for name in ["1", "2", "3", "4", "5"] {
            chain.ok(&["account", "add", name, "--identity", &format!("x:{name}")]);
        }
        let mut numbers = Vec::new();
        for (account, filter, action) in FILTERS {
            let number = chain.ok(&["filter", "add", account, filter, "--action", action]);
            numbers.push(number.trim().parse().expect("a number"));
        }
        let filters = oracle::filters(numbers.into_iter());
        chain.history.insert(0, filters);
        chain
    }

    pub fn ok(&self, arguments: &[&str]) -> String {
        let database = self.database.display().to_string();
        let ended =
            self.files.run(&[arguments, &["--database", &database, "--disk-reserve", self.reserve]].concat());
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.err);
        ended.out
    }

    /// Starts the server, which reads so many lines a second.
    pub fn serve(&self, rate: Option<f64>, variables: &[(&str, &str)]) -> Part {
        let rate = rate.map(|rate| format!("rate = {rate:.1}\n")).unwrap_or_default();
        let source = "[source.site]\nkind = \"file\"\naudience = \"envelope\"\nfiles = [\"site.ndjson\"]\n";
        let settings = format!("database = \"{}\"\n{source}{rate}", self.database.display());
        std::fs::write(self.files.path("parts.toml"), settings).expect("written");
        let log = std::fs::File::options().create(true).append(true).open(self.files.path("log"));
        let child = command()
            .args(["serve", "--config", "parts.toml", "--instance", "one"])
            .args(["--disk-reserve", self.reserve])
            .envs(variables.iter().copied())
            .current_dir(self.files.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"))
            .spawn();
        Part::from(child.expect("it starts"))
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.files.path("log")).unwrap_or_default()
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.ok(&["status", "--json"])).expect("JSON")
    }

    pub fn lines_read(&self) -> u64 {
        self.status()["sources"][0]["counts"]["lines"].as_u64().unwrap_or(0)
    }

    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let begin = Instant::now();
        while !holds() {
            assert!(begin.elapsed() < PATIENCE, "not in time: {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until all is read and stored.
    pub fn drain(&self) {
        self.until("all is stored", || {
            let status = self.status();
            let lines = status["sources"][0]["counts"]["lines"].as_u64();
            lines == Some(self.said.lines) && status["buffer"]["entries"] == 0
        });
    }

    /// What is stored is what the oracle says of all that was said.
    pub fn assert_held(&self) {
        self.said.assert_held(&self.delivered(), &self.history);
        self.assert_balanced();
    }

    /// What is stored of who saw what.
    pub fn delivered(&self) -> Vec<Delivered> {
        let mut delivered = Vec::new();
        for name in ["1", "2", "3", "4", "5"] {
            let out = self.ok(&["timeline", name, "--json", "--hidden", "--limit", "1000000"]);
            for line in out.lines() {
                let post: Value = serde_json::from_str(line).expect("JSON");
                let text = |name: &str| post[name].as_str().unwrap_or_default().to_owned();
                let filters = post["filters"].as_array().expect("a list").iter();
                delivered.push(Delivered {
                    account: text("account"),
                    post: text("id"),
                    revision: u64::MAX,
                    hidden: post["hidden"] == true,
                    filters: filters.filter_map(Value::as_i64).collect(),
                });
            }
        }
        delivered
    }

    /// Each line and each post is counted once.
    pub fn assert_balanced(&self) {
        let status = self.status();
        let source = &status["sources"][0];
        let counts = |name: &str| source["counts"][name].as_u64();
        let said = &self.said;
        assert_eq!(
            [counts("lines"), counts("keep_alives"), counts("control"), counts("posts")],
            [said.lines, 0, said.control, said.post_lines].map(Some),
            "{status}"
        );
        // One transaction stores, counts and acknowledges: nothing is counted twice, however often it was cut off.
        let count = |name: &str| source[name].as_u64().unwrap_or(0);
        let came: u64 =
            ["stored", "suppressed", "repeated", "stale", "dead", "unmatched"].map(count).iter().sum();
        assert_eq!(Some(came), counts("entries"), "{status}");
        assert_eq!(status["dead_letters"], 0, "{status}");
        assert!(!self.log().contains("panicked"), "{}", self.log());
    }
}
