//! Processes of a chain.

use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// A process of the chain, killed with its value.
pub struct Part(Arc<Process>);

/// The same as others see it.
pub struct Process {
    name: String,
    child: Mutex<Child>,
}

impl From<Child> for Part {
    fn from(child: Child) -> Self {
        Self::new("server", child)
    }
}

impl Part {
    pub fn new(name: &str, child: Child) -> Self {
        Self(Arc::new(Process { name: name.to_owned(), child: Mutex::new(child) }))
    }

    /// Kills it without notice; false if it had ended by itself.
    pub fn kill(&mut self) -> bool {
        let mut child = self.0.child();
        let was_alive = matches!(child.try_wait(), Ok(None));
        let _ = child.kill();
        let _ = child.wait();
        was_alive
    }

    /// Stops it (`STOP`), or lets it go on (`CONT`).
    pub fn signal(&self, name: &str) {
        let id = self.0.child().id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill");
        assert!(sent.success());
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.ended()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Process {
    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().expect("nobody breaks here")
    }

    fn ended(&self) -> Option<ExitStatus> {
        self.child().try_wait().expect("it can be asked")
    }

    fn works(&self) -> bool {
        self.name.starts_with("worker") && self.ended().is_none()
    }

    /// Whether it runs, and what the system says that it does.
    fn told(&self) -> String {
        let (ended, id) = (self.ended(), self.child().id());
        let state = || {
            let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            status.lines().find_map(|line| line.strip_prefix("State:")).unwrap_or("unknown").trim().to_owned()
        };
        let state = ended.map_or_else(|| format!("runs, {}", state()), |ended| format!("ended, {ended}"));
        format!("{} (process {id}): {state}", self.name)
    }
}

/// The processes that a chain started and that somebody still has.
#[derive(Default)]
pub struct Parts(Mutex<Vec<Weak<Process>>>);

impl Parts {
    pub fn add(&self, part: &Part) {
        self.0.lock().expect("nobody breaks here").push(Arc::downgrade(&part.0));
    }

    fn all(&self) -> Vec<Arc<Process>> {
        self.0.lock().expect("nobody breaks here").iter().filter_map(Weak::upgrade).collect()
    }

    /// How each of them is, line by line.
    pub fn told(&self) -> String {
        self.all().iter().map(|process| process.told() + "\n").collect()
    }

    /// The workers that run.
    pub fn workers(&self) -> Vec<Arc<Process>> {
        self.all().into_iter().filter(|process| process.works()).collect()
    }
}

/// Whether there are workers, of which none has ended.
pub fn all_work(workers: &[Arc<Process>]) -> bool {
    !workers.is_empty() && workers.iter().all(|worker| worker.works())
}
