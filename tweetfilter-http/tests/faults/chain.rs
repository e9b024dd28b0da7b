//! A chain of real parts on real servers: a site stream in a file, Redis, workers, MariaDB.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tweetfilter_core::Expression;
use tweetfilter_stream::Event;
use tweetfilter_stream::wire::decode;

use crate::maria::{Folder, Maria};
use crate::oracle::{Delivered, FILTERS, Filter, History, Said};
pub use crate::part::Part;
use crate::part::{Parts, all_work};
use crate::redis::{FIT, RedisServer};
use crate::support::{Ended, Files, command, for_user};

/// How long something may take that is not measured: on two processors that others use, ten times of what it takes
/// alone.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// What filters are changed to while they are used.
const EDITS: &[&str] =
    &["lang:en", "followers:>50", "has:hashtags", "-is:reply", "emoji:>1", "lang:ja OR lang:es"];

/// The servers, and what is to go through them.
pub struct Chain {
    pub files: Files,
    pub redis: RedisServer,
    pub maria: Maria,
    /// The port of MariaDB.
    pub port: u16,
    pub said: Said,
    pub history: History,
    pub source: String,
    /// Where the parts look for their servers.
    pub database: String,
    pub buffer: String,
    parts: Parts,
}

impl Chain {
    /// Starts the servers, with accounts and filters; `None` if one of them is not installed.
    pub fn start(stream: &str) -> Option<Self> {
        Self::start_in(stream, Folder::new(), &FIT)
    }

    /// The same with the data of MariaDB in a folder and other options for Redis.
    pub fn start_in(stream: &str, folder: Folder, redis: &[&str]) -> Option<Self> {
        let small = ["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=32M"];
        let Some(maria) = Maria::start_with(folder, true, &small) else {
            println!("skipped: no mariadbd");
            return None;
        };
        let redis = RedisServer::start(redis)?;
        let port = maria.port();
        maria.say("CREATE DATABASE tf");
        let files = Files::new().with("site.ndjson", stream);
        let mut chain = Self {
            files,
            database: Maria::address_at(port, "tf"),
            buffer: redis.url(),
            redis,
            maria,
            port,
            said: Said::read(stream),
            history: History::new(),
            source: String::new(),
            parts: Parts::default(),
        };
        chain.set_rate(None);
        chain.point_at_buffer();
        for name in ["1", "2", "3", "4", "5"] {
            chain.ok(&["account", "add", name, "--identity", &format!("x:{name}")]);
        }
        for (account, filter, action) in FILTERS {
            chain.ok(&["filter", "add", account, filter, "--action", action]);
        }
        chain.remember();
        Some(chain)
    }

    /// Has commands beside the chain ask its servers, with nothing in between.
    pub fn point_at_buffer(&self) {
        let settings =
            format!("database = \"{}\"\nbuffer = \"{}\"\n", self.maria.address("tf"), self.redis.url());
        std::fs::write(self.files.path("tweetfilter.toml"), settings).expect("written");
    }

    /// Has the file read at so many lines a second, by whoever starts from now on.
    pub fn set_rate(&mut self, rate: Option<f64>) {
        let rate = rate.map(|rate| format!("rate = {rate:.1}\n")).unwrap_or_default();
        self.source = format!(
            "[source.site]\nkind = \"file\"\naudience = \"envelope\"\nfiles = [\"site.ndjson\"]\n{rate}"
        );
    }

    /// Starts `ingest`, or a worker of any other name.
    pub fn part(&self, name: &str) -> Part {
        self.part_with(name, &[], &[])
    }

    /// The same with options, and variables of the environment.
    pub fn part_with(&self, name: &str, options: &[&str], variables: &[(&str, &str)]) -> Part {
        let settings =
            format!("database = \"{}\"\nbuffer = \"{}\"\n{}", self.database, self.buffer, self.source);
        // A file of its own: whoever was just started may not have read the last one yet.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let file = format!("part-{}.toml", NEXT.fetch_add(1, Ordering::Relaxed));
        std::fs::write(self.files.path(&file), settings).expect("written");
        let log = std::fs::File::options().create(true).append(true).open(self.files.path("log"));
        let kind: &[&str] =
            if name.starts_with("ingest") { &["ingest", "--source", "site"] } else { &["work"] };
        let child = command()
            .args(kind)
            .args(["--config", &file, "--instance", name])
            .args(options)
            .envs(variables.iter().copied())
            .current_dir(self.files.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"))
            .spawn();
        let part = Part::new(name, child.expect("it starts"));
        self.parts.add(&part);
        part
    }

    /// Runs a command beside the chain.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.files.run(arguments)
    }

    pub fn ok(&self, arguments: &[&str]) -> String {
        let (begin, mut ended) = (Instant::now(), self.run(arguments));
        // Servers that are held up for longer than a command waits for them are away to it; who only asks asks again.
        while ended.code != 0 && arguments[0] == "status" && begin.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(200));
            ended = self.run(arguments);
        }
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.err);
        ended.out
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.files.path("log")).unwrap_or_default()
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.ok(&["status", "--json"])).expect("JSON")
    }

    /// The last commit that is stored.
    pub fn commit(&self) -> i64 {
        self.maria.ask("tf", "SELECT value FROM state WHERE name = 'commit'")[0][0].parse().expect("a number")
    }

    /// Entries that wait in the buffer, as Redis itself counts them.
    pub fn waiting(&self) -> u64 {
        (0..4).map(|p| self.redis.say(&["XLEN", &format!("tf:{{{p}}}")]).trim().parse().unwrap_or(0)).sum()
    }

    /// Lines of the source that are in the buffer, or went through it.
    pub fn lines_read(&self) -> u64 {
        self.redis.say(&["HGET", "tf:source:site", "counts:lines"]).trim().parse().unwrap_or(0)
    }

    /// Waits until something holds: longer than anything takes, but on a machine that has much else to do.
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) -> Duration {
        let begin = Instant::now();
        while !holds() {
            if begin.elapsed() >= PATIENCE {
                println!("{}\n{}", self.log_end(), self.parts.told());
                panic!("not in time: {what}\n{}", self.held_up());
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        begin.elapsed()
    }

    /// What may tell why nothing gets on: what the chain says of itself, how many entries there are, which of them are new to
    /// the group or pending, who holds them since when, and what the store does.
    fn held_up(&self) -> String {
        let status = self.run(&["status", "--json"]);
        let pending = |p: u8| {
            let stream = format!("tf:{{{p}}}");
            let groups = self.redis.say(&["XINFO", "GROUPS", &stream]);
            let entries = self.redis.say(&["XLEN", &stream]);
            (entries, groups, self.redis.say(&["XPENDING", &stream, "tf", "-", "+", "3"]))
        };
        let pending: Vec<_> = (0..4).map(pending).collect();
        let store = self.maria.try_ask("tf", "SHOW FULL PROCESSLIST");
        format!("{}{}\n{pending:?}\n{store:?}", status.out, status.err)
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Changes a filter, and remembers from which revision on.
    pub fn edit(&mut self, number: u64) {
        let filter = (number % FILTERS.len() as u64 + 1).to_string();
        let text = EDITS[(number / 3) as usize % EDITS.len()];
        // Cut off, it happened or not: what is asked next says so.
        let _ = self.run(&["filter", "edit", &filter, "--filter", text]);
        self.remember();
    }

    /// Remembers the filters as they stand.
    pub fn remember(&mut self) {
        let rows = self.maria.ask(
            "tf",
            "SELECT s.value, f.id, a.name, f.text, f.action FROM state s JOIN filter f JOIN account a
             ON a.id = f.account WHERE s.name = 'revision' ORDER BY f.account, f.position, f.id",
        );
        let filter = |row: &Vec<String>| Filter {
            id: row[1].parse().expect("a number"),
            account: row[2].clone(),
            expression: Expression::parse(&row[3]).expect("it was accepted"),
            action: row[4].clone(),
        };
        let revision = rows[0][0].parse().expect("a number");
        self.history.insert(revision, rows.iter().map(filter).collect());
    }

    /// Waits until all is read and stored by the workers that run.
    pub fn drain(&self, ingest: &mut Part) {
        let workers = self.parts.workers();
        let check = || {
            assert!(all_work(&workers), "a worker has ended\n{}{}", self.parts.told(), self.log_end());
        };
        self.until("all is read", || {
            check();
            ingest.ended().is_some()
        });
        assert!(ingest.ended().is_some_and(|ended| ended.success()), "{}", self.log_end());
        self.until("all is stored", || {
            check();
            self.waiting() == 0
        });
    }

    /// What is stored of who saw what.
    pub fn delivered(&self) -> Vec<Delivered> {
        let rows = self.maria.ask(
            "tf",
            "SELECT a.name, d.native_id, d.revision, d.hidden, d.filters
             FROM delivery d JOIN account a ON a.id = d.account",
        );
        let delivered = |row: &Vec<String>| Delivered {
            account: row[0].clone(),
            post: row[1].clone(),
            revision: row[2].parse().expect("a number"),
            hidden: row[3] == "1",
            filters: serde_json::from_str(&row[4]).unwrap_or_default(),
        };
        rows.iter().map(delivered).collect()
    }

    /// What is stored is what the oracle says of all that was said, and everything is accounted for.
    pub fn assert_held(&self) {
        let delivered = self.delivered();
        self.said.assert_held(&delivered, &self.history);
        // Matches stand in a table of their own.
        let row = |row: Vec<String>| (row[0].clone(), row[1].parse().expect("a number"), row[2].clone());
        let matches = self.maria.ask(
            "tf",
            "SELECT a.name, m.filter, p.native_id FROM matches m JOIN account a ON a.id = m.account
             JOIN post p ON p.num = m.post",
        );
        let (count, matches) = (matches.len(), matches.into_iter().map(row).collect::<BTreeSet<_>>());
        let of = |d: &Delivered| {
            let (account, post) = (d.account.clone(), d.post.clone());
            d.filters.iter().map(move |&filter| (account.clone(), filter, post.clone())).collect::<Vec<_>>()
        };
        let expected: BTreeSet<(String, i64, String)> = delivered.iter().flat_map(of).collect();
        assert!(matches == expected, "{} matches, {} by the deliveries", matches.len(), expected.len());
        assert_eq!(count, matches.len(), "a match stands twice");
        self.assert_balanced();
        assert!(!self.log().contains("panicked"), "{}", self.log_end());
    }

    /// Lines, entries, posts: each is counted, and no count says more than there is.
    pub fn assert_balanced(&self) {
        let (status, said) = (self.status(), &self.said);
        let source = status["sources"].as_array().expect("sources").iter().find(|s| s["name"] == "site");
        let source = source.expect("the source is counted");
        let number = |of: &Value, name: &str| of[name].as_u64().unwrap_or_else(|| panic!("{name}: {of}"));
        let counts = |name: &str| number(&source["counts"], name);
        assert_eq!(
            (counts("lines"), counts("keep_alives"), counts("control"), counts("posts")),
            (said.lines, 0, said.control, said.post_lines),
            "{source}"
        );
        assert_eq!(counts("posts"), counts("entries") + counts("merged"), "{source}");
        let waiting = (number(&status["buffer"], "entries"), number(&status["buffer"], "lost"));
        assert_eq!((waiting, number(&status, "dead_letters")), ((0, 0), 0), "{status}");
        // Posts that are in no row were deleted before they came.
        let stored: BTreeSet<_> = self.rows("SELECT native_id FROM post").into_iter().collect();
        let buried: BTreeSet<_> = self.rows("SELECT native_id FROM tombstone").into_iter().collect();
        assert_eq!(number(source, "stored"), stored.len() as u64, "{source}");
        for id in said.posts.keys().filter(|id| !stored.contains(*id)) {
            assert!(said.is_gone(id), "post {id} is nowhere");
        }
        assert!(said.deleted.iter().all(|id| buried.contains(id)), "a delete was forgotten");
        let shown = self.rows("SELECT native_id FROM post WHERE body IS NOT NULL");
        assert!(!shown.iter().any(|id| said.is_gone(id)), "a deleted post is there");
        // Each entry is counted once, also what came twice since an answer was lost.
        let came: u64 = ["stored", "suppressed", "repeated", "stale", "dead", "unmatched"]
            .map(|n| number(source, n))
            .iter()
            .sum();
        assert_eq!(came, counts("entries"), "{source}");
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        self.maria.ask("tf", sql).into_iter().map(|mut row| row.remove(0)).collect()
    }
}

/// A stream for the accounts of a chain, with deletes before and behind what they are about.
pub fn stream(posts: u64, seed: u64) -> String {
    let ended = Files::new().run(&[
        "gen",
        "--lf",
        "--posts",
        &posts.to_string(),
        "--seed",
        &seed.to_string(),
        "--accounts",
        "5",
        "--audience",
        "3",
    ]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let (mut lines, mut late) = (Vec::new(), Vec::new());
    let mut last = String::new();
    let mut number = 0;
    for line in ended.out.lines() {
        let id =
            line.split("\"id_str\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        if line.contains("\"text\"") && id != last {
            last = id.to_owned();
            number += 1;
            let delete = for_user(
                "1",
                &format!(r#"{{"delete":{{"status":{{"id_str":"{id}","user_id_str":"77"}}}}}}"#),
            );
            match number % 40 {
                7 => lines.push(delete),
                23 => late.push((lines.len() + 60, delete)),
                _ => {}
            }
        }
        lines.push(line.to_owned());
        while late.first().is_some_and(|(at, _)| *at <= lines.len()) {
            lines.push(late.remove(0).1);
        }
    }
    lines.extend(late.into_iter().map(|(_, line)| line));
    lines.join("\n") + "\n"
}

/// Real posts, each for one of the accounts; none where no folder of them is named.
pub fn real_posts() -> String {
    let Some(folder) = std::env::var_os("TWEETFILTER_DATA") else {
        println!("skipped: no data");
        return String::new();
    };
    let path = std::path::Path::new(&folder).join("v1_stream_2021.ndjson.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: no {}", path.display());
        return String::new();
    };
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).expect("it is text");
    let posts = text.lines().filter(|line| matches!(decode(line.as_bytes()), Ok(Event::Post(_))));
    let posts: Vec<_> = posts.take(1_000).collect();
    println!("{} real posts", posts.len());
    posts.iter().enumerate().map(|(n, post)| for_user(&(n % 5 + 1).to_string(), post) + "\n").collect()
}
