//! What is logged during a test, on its thread.

use std::io;
use std::sync::{Arc, Mutex, Once};

use tracing::subscriber::DefaultGuard;

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Begins to note what is logged, as long as the guard is there.
    pub(crate) fn begin() -> (Self, DefaultGuard) {
        // Whoever comes to an event first settles whether anybody wants it, and as long as there is one subscriber alone, asks
        // that of its own thread: another test, which notes nothing, would settle that nobody does. So there is one for all.
        static FOR_ALL: Once = Once::new();
        FOR_ALL.call_once(|| {
            let unseen = tracing_subscriber::fmt().with_writer(io::sink).finish();
            tracing::subscriber::set_global_default(unseen).unwrap();
        });
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
        (log, tracing::subscriber::set_default(subscriber.finish()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    pub(crate) fn count(&self, part: &str) -> usize {
        self.text().matches(part).count()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Log;

    #[test]
    fn what_another_thread_came_to_first_is_noted() {
        let (log, _guard) = Log::begin();
        let happens = || tracing::info!("it happens");
        std::thread::spawn(happens).join().unwrap();
        happens();
        assert_eq!(log.count("it happens"), 1);
    }
}
