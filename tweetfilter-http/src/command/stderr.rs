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
/// What may wait when something is drawn, in bytes: who takes so little sees no picture that moves.
const BEHIND: usize = 4 << 10;

/// Takes away what stands in the line.
const CLEAR: &[u8] = b"\r\x1b[2K";

/// Who writes for all others, once there is one.
static ASIDE: OnceLock<&Aside> = OnceLock::new();

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

/// Draws a line over what was drawn before. It is left out where that has not been taken yet: the next picture shows more than this one.
pub(crate) fn draw(picture: &[u8]) {
    match ASIDE.get() {
        Some(aside) => aside.draw(picture),
        None => write_now(picture),
    }
}

/// From now on a thread of its own writes, so that nobody else waits for whoever reads. `dropped` words how many lines were
/// dropped meanwhile, unless somebody else said it before.
pub(crate) fn write_aside(dropped: fn(u64) -> String) -> io::Result<()> {
    if ASIDE.get().is_some() {
        return Ok(());
    }
    // For as long as the process lasts.
    let aside: &'static Aside = Box::leak(Box::new(Aside { dropped, ..Aside::default() }));
    std::thread::Builder::new().name("stderr".to_owned()).spawn(|| aside.run(write_now))?;
    let _ = ASIDE.set(aside);
    Ok(())
}

/// How lines that nobody took are told of.
pub(crate) fn dropped(lines: u64) -> String {
    format!("… {lines} {DROPPED}\n")
}

/// What is said of them.
pub(crate) const DROPPED: &str = "lines of the log were dropped, since nobody took them for a while";

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
    /// What was put last is a picture, which is in the way of a line.
    drawn: bool,
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
        if std::mem::take(&mut waits.drawn) {
            return self.add(waits, &[CLEAR, text].concat());
        }
        self.add(waits, text);
    }

    fn draw(&self, picture: &[u8]) {
        let mut waits = self.waits();
        if waits.bytes <= BEHIND {
            waits.drawn = true;
            self.add(waits, picture);
        }
    }

    fn add(&self, mut waits: MutexGuard<'_, Waiting>, text: &[u8]) {
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
        // Nor would anybody see it move.
        aside.draw(b"picture");
        assert!(!aside.flush(Duration::from_millis(1)));
        drop(go_on);
        let lengths: Vec<_> = (0..2).map(|_| taken.recv().unwrap().len()).collect();
        assert_eq!(lengths, [ROOM / 2, ROOM / 2]);
        assert_eq!(taken.recv().unwrap(), "3 dropped");
        assert!(aside.flush(Duration::MAX));
        aside.draw(b"picture");
        assert_eq!(taken.recv().unwrap(), "picture");
        aside.put(b"last");
        assert_eq!(taken.recv().unwrap(), "\r\x1b[2Klast", "a line stands where the picture stood");
        aside.put(b"very last");
        assert_eq!(taken.recv().unwrap(), "very last");
    }
}
