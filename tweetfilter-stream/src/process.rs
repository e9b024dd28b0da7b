//! Which process somebody is, and whether it still runs.

use std::fmt;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// A process, as it says itself who it is: a number alone is given again, and in each container anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    pid: u32,
    host: String,
    /// Within what numbers of processes are told apart: a machine since it was started, and a container on it. Empty where the
    /// system does not say.
    space: String,
    /// When it began, by which it differs from an earlier one of its number.
    began: String,
}

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It runs.
    Runs,
    /// It is no more.
    Gone,
    /// That can't be seen from here.
    Unknown,
}

static HERE: LazyLock<Identity> = LazyLock::new(|| {
    let pid = std::process::id();
    let began = began(pid);
    Identity {
        pid,
        host: read("/proc/sys/kernel/hostname"),
        space: if began.is_some() { space() } else { String::new() },
        began: began.unwrap_or_else(unique),
    }
});

impl Identity {
    /// This process.
    #[must_use]
    pub fn here() -> &'static Self {
        &HERE
    }

    /// What a process said; nobody who is known, if it can't be read.
    #[must_use]
    pub fn of(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Whether it still runs, which only those can tell who are where it was.
    #[must_use]
    pub fn fate(&self) -> Fate {
        if self.space.is_empty() || self.space != HERE.space {
            return Fate::Unknown;
        }
        if began(self.pid).as_deref() == Some(&*self.began) {
            return Fate::Runs;
        }
        // Where others' processes are hidden (`hidepid`), the first one is too, and nobody is known to be gone.
        if began(1).is_some() { Fate::Gone } else { Fate::Unknown }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, &*self.host) {
            (0, _) => f.write_str("it does not say where it runs"),
            (pid, "") => write!(f, "process {pid}"),
            (pid, host) => write!(f, "process {pid} on {host}"),
        }
    }
}

/// When a process began, in ticks of its machine's clock; `None` if there is none, or none any more that does anything.
fn began(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program stands in parentheses, and may hold some itself.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let is_dead = matches!(fields.next()?, "Z" | "X");
    fields.nth(18).filter(|_| !is_dead).map(str::to_owned)
}

fn space() -> String {
    let boot = read("/proc/sys/kernel/random/boot_id");
    match fs::read_link("/proc/self/ns/pid") {
        Ok(space) if !boot.is_empty() => format!("{boot} {}", space.display()),
        _ => String::new(),
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// A text that nobody else has.
pub(crate) fn unique() -> String {
    format!("{:016x}", RandomState::new().hash_one((std::process::id(), SystemTime::now())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_if_none_of_its_number_began_when_it_did() {
        let here = || Identity::here().clone();
        assert!(here().to_string().starts_with(&format!("process {}", std::process::id())));
        if here().space.is_empty() {
            println!("skipped: this system does not say when processes began");
            return;
        }
        let text = serde_json::to_string(Identity::here()).unwrap();
        assert_eq!((Identity::of(&text).fate(), Identity::of(&text)), (Fate::Runs, here()));
        let other = Identity { began: "1".into(), ..here() };
        assert_eq!(other.fate(), Fate::Gone, "another one of its number");
        assert_eq!(Identity { pid: 4_000_000_000, ..here() }.fate(), Fate::Gone);
        // Of those elsewhere nobody here knows.
        assert_eq!(Identity { space: "elsewhere".into(), ..other }.fate(), Fate::Unknown);
        assert_eq!(Identity::of("no JSON").fate(), Fate::Unknown);
    }

    #[test]
    fn a_process_that_nobody_waited_for_is_gone() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while began(child.id()).is_some() {
            assert!(std::time::Instant::now() < end, "it still runs");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        child.wait().unwrap();
    }
}
