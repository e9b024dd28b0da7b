//! Which process works under a name, and whether it still runs.

use std::fmt;
use std::fs;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::unique;

/// A process, as it says itself who it is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Process {
    pid: u32,
    host: String,
    /// Within what numbers of processes are told apart: a machine since it was started, and a container on it. Empty where the
    /// system does not say.
    space: String,
    /// When it began, by which it differs from an earlier one of its number.
    began: String,
}

static HERE: LazyLock<Process> = LazyLock::new(|| {
    let pid = std::process::id();
    let began = began(pid);
    Process {
        pid,
        host: read("/proc/sys/kernel/hostname"),
        space: if began.is_some() { space() } else { String::new() },
        began: began.unwrap_or_else(unique),
    }
});

static TEXT: LazyLock<String> = LazyLock::new(|| serde_json::to_string(&*HERE).unwrap_or_else(|_| unique()));

/// This process, as others read it.
pub(super) fn here() -> &'static str {
    &TEXT
}

impl Process {
    /// What a process said; nobody who is known, if it can't be read.
    pub(super) fn of(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Whether it is known to be no more, which only those can tell who are where it was.
    pub(super) fn is_gone(&self) -> bool {
        // Where others' processes are hidden (`hidepid`), the first one is too, and nobody is known to be gone.
        let sees = || began(1).is_some();
        !self.space.is_empty()
            && self.space == HERE.space
            && began(self.pid).as_deref() != Some(&*self.began)
            && sees()
    }
}

impl fmt::Display for Process {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_if_none_of_its_number_began_when_it_did() {
        let here = || Process::of(here());
        assert!(
            !here().is_gone() && here().to_string().starts_with(&format!("process {}", std::process::id()))
        );
        if here().space.is_empty() {
            println!("skipped: this system does not say when processes began");
            return;
        }
        assert!(Process { began: "1".into(), ..here() }.is_gone(), "another one of its number");
        assert!(Process { pid: 4_000_000_000, ..here() }.is_gone());
        // Of those elsewhere nobody here knows.
        assert!(!Process { space: "elsewhere".into(), ..Process { began: "1".into(), ..here() } }.is_gone());
        assert!(!Process::of("no JSON").is_gone());
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
