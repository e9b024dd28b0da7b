//! What processes and threads used, as Linux tells.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Looks at the threads of this process until it is dropped: those that end take their figures with them.
#[derive(Debug)]
pub(crate) struct Threads {
    seen: Arc<Mutex<BTreeMap<u32, (String, f64)>>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Threads {
    pub(crate) fn watch() -> Self {
        let (seen, ended) = (Arc::<Mutex<BTreeMap<_, _>>>::default(), Arc::<AtomicBool>::default());
        let (notes, end) = (seen.clone(), ended.clone());
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                look(&notes);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { seen, ended, thread: Some(thread) }
    }

    /// Seconds of processor time so far, by the threads' names.
    pub(crate) fn seconds(&self) -> BTreeMap<String, f64> {
        look(&self.seen);
        let mut by_name = BTreeMap::new();
        for (name, seconds) in self.seen.lock().unwrap_or_else(PoisonError::into_inner).values() {
            *by_name.entry(name.clone()).or_default() += seconds;
        }
        by_name
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn look(notes: &Mutex<BTreeMap<u32, (String, f64)>>) {
    for entry in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|id| id.parse().ok()) else { continue };
        let read = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        let nanos = read("schedstat").split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok());
        if let Some(nanos) = nanos {
            let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
            notes.insert(id, (read("comm").trim().to_owned(), nanos / 1e9));
        }
    }
}

/// The most memory that a process ever had, in bytes.
pub(crate) fn peak_memory(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

/// Bytes that a process gave to disks, and took from them.
pub(crate) fn disk_bytes(process: &str) -> u64 {
    let io = fs::read_to_string(format!("/proc/{process}/io")).unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes:"));
    line.and_then(|line| line.trim().parse().ok()).unwrap_or(0)
}

/// Seconds of processor time that a process has used.
pub(crate) fn seconds(process: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{process}/task"));
    let of = |path: std::path::PathBuf| {
        let text = fs::read_to_string(path.join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    };
    threads.into_iter().flatten().flatten().filter_map(|entry| of(entry.path())).sum::<f64>() / 1e9
}

/// Children of this process, by name.
pub(crate) fn children() -> Vec<(String, u32)> {
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|id| id.parse::<u32>().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name stands in parentheses, and may hold any of them.
        let Some((name, rest)) = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(") ")) else {
            continue;
        };
        if rest.split(' ').nth(1) == Some(&*own) {
            found.push((name.to_owned(), id));
        }
    }
    found
}

/// Seconds of processor time that the threads of a process have used so far, by their names.
pub(crate) fn seconds_by_thread(process: &str) -> BTreeMap<String, f64> {
    let mut by_name = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let read = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        if let Some(nanos) = read("schedstat").split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()) {
            *by_name.entry(read("comm").trim().to_owned()).or_default() += nanos / 1e9;
        }
    }
    by_name
}
