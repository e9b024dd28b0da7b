//! What is measured, with the figures that must be reached and those that are aimed at.

use super::load::Wire;

/// Which store and buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// One SQLite file in one process.
    Embedded,
    /// Redis and MariaDB.
    Servers,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Posts a second, at least: must and aim.
    Posts(f64, f64),
    /// Lines a second, at least.
    Lines(f64),
    /// Milliseconds from line to commit, of 99 in 100 posts, at most.
    Latency(f64),
    /// Bytes of memory in all, and bytes of file a post, at most.
    Size(u64, u64),
    /// Nothing: it explains another one.
    Nothing,
}

/// A run of the chain.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// On what.
    pub on: On,
    /// The wire.
    pub wire: Wire,
    /// Posts, unless told otherwise.
    pub posts: u64,
    /// Posts a second; `None` for as many as it takes.
    pub rate: Option<f64>,
    /// Whether work waits until everything is in the buffer.
    pub apart: bool,
    /// What is asked for.
    pub goal: Goal,
}

const LIST: Scenario = Scenario {
    name: "",
    on: On::Embedded,
    wire: Wire::Follows,
    posts: 40_000,
    rate: None,
    apart: false,
    goal: Goal::Nothing,
};

/// All of them.
pub const ALL: [Scenario; 9] = [
    Scenario { name: "embedded", goal: Goal::Posts(8_000.0, 20_000.0), ..LIST },
    Scenario { name: "embedded-apart", apart: true, ..LIST },
    Scenario { name: "embedded-site", wire: Wire::Site, posts: 6_000, goal: Goal::Lines(30_000.0), ..LIST },
    Scenario {
        name: "embedded-latency",
        rate: Some(1_000.0),
        posts: 15_000,
        goal: Goal::Latency(150.0),
        ..LIST
    },
    Scenario {
        name: "embedded-size",
        rate: Some(2_000.0),
        posts: 50_000,
        goal: Goal::Size(200_000_000, 2_000),
        ..LIST
    },
    Scenario { name: "servers", on: On::Servers, goal: Goal::Posts(4_000.0, 8_000.0), ..LIST },
    Scenario { name: "servers-apart", on: On::Servers, apart: true, ..LIST },
    Scenario {
        name: "servers-site",
        on: On::Servers,
        wire: Wire::Site,
        posts: 6_000,
        goal: Goal::Lines(30_000.0),
        ..LIST
    },
    Scenario {
        name: "servers-latency",
        on: On::Servers,
        rate: Some(1_000.0),
        posts: 15_000,
        goal: Goal::Latency(150.0),
        ..LIST
    },
];
