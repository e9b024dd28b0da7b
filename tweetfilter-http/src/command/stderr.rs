//! Stderr, which nobody may take: whoever read it has gone or has stopped reading, or its disk is full. That is no fault of the
//! program's, and holds up nothing that runs for long.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// What may wait to be written, in bytes: what comes then is dropped, and told of when somebody takes it again.
const ROOM: usize = 1 << 20;
/// How long is waited at the end for what is to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who writes for all others, once there is one.
static ASIDE: OnceLock<Aside> = OnceLock::new();

/// Writes, or has it written where that is done aside. What can't be written is dropped.
pub(crate) fn write(text: &[u8]) {
    match ASIDE.get() {
        Some(aside) => aside.put(text),
        None => write_now(text),
    }
}

fn write_now(text: &[u8]) {
    let _ = io::stderr().write_all(text);
}

/// From now on a thread of its own writes, so that nobody else waits for whoever reads. `dropped` words how many lines were
/// dropped meanwhile.
pub(crate) fn write_aside(dropped: fn(u64) -> String) -> io::Result<()> {
    let aside = ASIDE.get_or_init(|| Aside { dropped, ..Aside::default() });
    std::thread::Builder::new().name("stderr".to_owned()).spawn(|| aside.run(write_now)).map(drop)
}

/// Waits a little until all is written: for ever nobody does.
pub(crate) fn flush() {
    if let Some(aside) = ASIDE.get() {
        aside.flush(PATIENCE);
    }
}

/// What waits for a thread to write it.
struct Aside {
    waits: Mutex<Waiting>,
    /// There is something to write, or nothing any more.
    changed: Condvar,
    dropped: fn(u64) -> String,
}

#[derive(Default)]
struct Waiting {
    texts: VecDeque<Vec<u8>>,
    bytes: usize,
    /// One is being written.
    writes: bool,
    dropped: u64,
}

impl Default for Aside {
    fn default() -> Self {
        Self { waits: Mutex::default(), changed: Condvar::new(), dropped: |_| String::new() }
    }
}

impl Aside {
    fn waits(&self) -> MutexGuard<'_, Waiting> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, text: &[u8]) {
        let mut waits = self.waits();
        if waits.bytes + text.len() > ROOM {
            waits.dropped += 1;
            return;
        }
        waits.bytes += text.len();
        waits.texts.push_back(text.to_vec());
        self.changed.notify_all();
    }

    /// Writes one text after the other, for ever.
    fn run(&self, write: impl Fn(&[u8])) {
        loop {
            let mut waits = self.waits();
            waits.writes = false;
            self.changed.notify_all();
            let mut waits = self
                .changed
                .wait_while(waits, |waits| waits.texts.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            let Some(text) = waits.texts.pop_front() else { continue };
            waits.bytes -= text.len();
            waits.writes = true;
            // Those were dropped that came behind all that waited.
            let dropped = if waits.texts.is_empty() { std::mem::take(&mut waits.dropped) } else { 0 };
            drop(waits);
            write(&text);
            if dropped > 0 {
                write((self.dropped)(dropped).as_bytes());
            }
        }
    }

    /// True if all is written in time.
    fn flush(&self, patience: Duration) -> bool {
        let open = |waits: &mut Waiting| waits.writes || !waits.texts.is_empty();
        let waited = self.changed.wait_timeout_while(self.waits(), patience, open);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn nobody_waits_for_whoever_reads_and_what_was_dropped_is_told() {
        let aside = Arc::new(Aside { dropped: |lines| format!("{lines} dropped"), ..Aside::default() });
        let (take, taken) = channel();
        let (go_on, may) = channel::<()>();
        let writer = aside.clone();
        std::thread::spawn(move || {
            writer.run(|text| {
                take.send(String::from_utf8(text.to_vec()).unwrap()).unwrap();
                let _ = may.recv();
            });
        });
        aside.put(b"first");
        assert_eq!(taken.recv().unwrap(), "first");
        // Nobody takes the rest.
        let long = vec![b'x'; ROOM / 2];
        for _ in 0..5 {
            aside.put(&long);
        }
        assert!(!aside.flush(Duration::from_millis(1)));
        drop(go_on);
        let lengths: Vec<_> = (0..2).map(|_| taken.recv().unwrap().len()).collect();
        assert_eq!(lengths, [ROOM / 2, ROOM / 2]);
        assert_eq!(taken.recv().unwrap(), "3 dropped");
        assert!(aside.flush(Duration::MAX));
        aside.put(b"last");
        assert_eq!(taken.recv().unwrap(), "last");
    }
}
