//! What the machine says of itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use sysinfo::{DiskRefreshKind, Disks, Networks, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::figures::{HostFigures, Usage};

/// Characters that Linux knows of a process's name.
const KNOWN: usize = 15;

/// Looks at the host, this process and those that are watched. What is a share of time is that of the time since the look before.
#[derive(Debug)]
pub struct Probe {
    system: System,
    disks: Option<Disks>,
    networks: Option<Networks>,
    /// Bytes received and sent, as of the last look.
    traffic: Option<(Instant, u64, u64)>,
    /// Milliseconds of processor that those who are of interest had used, as of the last look.
    used: (Option<Instant>, HashMap<Pid, u64>),
    folder: PathBuf,
    watch: Vec<String>,
    /// Names that are missed where nothing is called so: all that are watched, or those that were there once.
    expected: BTreeSet<String>,
}

/// What a look saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    pub(super) host: HostFigures,
    pub(super) own: Usage,
}

impl Probe {
    /// A probe that watches processes of these names, and the disk of a folder; `None` where the system tells nothing. A name
    /// that nothing has is said to be missing. Of a path to a program the last part is its name.
    #[must_use]
    pub fn new(watch: &[String], folder: &Path) -> Option<Self> {
        let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let watch: Vec<_> = watch.iter().map(|name| called(name)).collect();
        let mut probe = Self {
            system: System::new().ok()?,
            disks: Disks::new().ok(),
            networks: Networks::new().ok(),
            traffic: None,
            used: (None, HashMap::new()),
            folder,
            expected: watch.iter().cloned().collect(),
            watch,
        };
        // Of the first look nothing can be told but the present.
        probe.look();
        Some(probe)
    }

    /// Says nothing of a name that nothing had since the probe began: nobody asked for it.
    #[must_use]
    pub fn of_what_ran(mut self) -> Self {
        self.expected.clear();
        self.look();
        self
    }

    /// Looks. It reads files for a few milliseconds.
    pub(super) fn look(&mut self) -> Look {
        let system = &mut self.system;
        system.refresh_cpu_usage();
        system.refresh_memory();
        let kind = ProcessRefreshKind::nothing().without_tasks().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        let own = Pid::from_u32(std::process::id());
        let before = std::mem::replace(&mut self.used, (Some(Instant::now()), HashMap::new()));
        let millis = before.0.map_or(1.0, |then| then.elapsed().as_millis().max(1) as f32);
        // What the library says of a process is a share of the time since the processors were looked at.
        let mut usage = |process: &sysinfo::Process| {
            let used = process.accumulated_cpu_time();
            self.used.1.insert(process.pid(), used);
            let since = before.1.get(&process.pid()).map_or(0, |before| used.saturating_sub(*before));
            Usage { cpu: rounded(since as f32 * 100.0 / millis), memory: process.memory(), count: 1 }
        };
        let own = system.process(own).map(&mut usage).unwrap_or_default();
        let mut watched = BTreeMap::<String, Usage>::new();
        for process in system.processes().values() {
            let name = process.name().to_string_lossy();
            let Some(name) = self.watch.iter().find(|watched| is_called(&name, watched)) else { continue };
            let (sum, one) = (watched.entry(name.clone()).or_default(), usage(process));
            sum.cpu = rounded(sum.cpu + one.cpu);
            (sum.memory, sum.count) = (sum.memory + one.memory, sum.count + 1);
        }
        self.expected.extend(watched.keys().cloned());
        let missing = self.expected.iter().filter(|name| !watched.contains_key(*name)).cloned().collect();
        let (received, sent) = traffic(&mut self.networks, &mut self.traffic);
        let (disk, disk_total) = disk(&mut self.disks, &self.folder);
        let host = HostFigures {
            cpu: rounded(system.global_cpu_usage()),
            cpus: u32::try_from(system.cpus().len()).unwrap_or(u32::MAX),
            load: System::load_average().map_or(0.0, |load| ((load.one * 100.0).round() / 100.0) as f32),
            memory: system.total_memory().saturating_sub(system.available_memory()),
            memory_total: system.total_memory(),
            disk,
            disk_total,
            received,
            sent,
            watched,
            missing,
        };
        Look { host, own }
    }
}

/// Bytes a second, since the look before.
fn traffic(networks: &mut Option<Networks>, before: &mut Option<(Instant, u64, u64)>) -> (u64, u64) {
    let Some(networks) = networks.as_mut() else { return (0, 0) };
    networks.refresh(true);
    let outside = networks.iter().filter(|(name, _)| !name.to_string_lossy().starts_with("lo"));
    let (received, sent) = outside.fold((0, 0), |(received, sent), (_, network)| {
        (received + network.total_received(), sent + network.total_transmitted())
    });
    let Some((then, before_received, before_sent)) = before.replace((Instant::now(), received, sent)) else {
        return (0, 0);
    };
    let seconds = then.elapsed().as_secs_f64().max(0.001);
    let rate = |count: u64, before: u64| (count.saturating_sub(before) as f64 / seconds) as u64;
    (rate(received, before_received), rate(sent, before_sent))
}

/// Bytes in use, and all, of the disk that a folder is on.
fn disk(disks: &mut Option<Disks>, folder: &Path) -> (u64, u64) {
    let Some(disks) = disks.as_mut() else { return (0, 0) };
    disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
    let holds = disks.iter().filter(|disk| folder.starts_with(disk.mount_point()));
    let disk = holds.max_by_key(|disk| disk.mount_point().as_os_str().len());
    disk.map_or((0, 0), |disk| {
        (disk.total_space().saturating_sub(disk.available_space()), disk.total_space())
    })
}

/// What a process of a program is called that is named by itself or by its path. Names that merely have a slash are left, as
/// the system's own `kworker/0:1`.
fn called(name: &str) -> String {
    let path = Path::new(name);
    let last = path.file_name().filter(|_| path.is_absolute());
    last.map_or_else(|| name.to_owned(), |last| last.to_string_lossy().into_owned())
}

/// Whether a process has a name, of which the system may know the beginning only.
fn is_called(known: &str, name: &str) -> bool {
    known == name || (known.len() >= KNOWN && name.starts_with(known))
}

fn rounded(percent: f32) -> f32 {
    (percent * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_found() {
        let own = std::env::current_exe().unwrap();
        let name = own.file_name().unwrap().to_string_lossy().into_owned();
        let folder = std::env::temp_dir();
        let mut probe = Probe::new(&[name.clone(), "nobody-is-called-so".into()], &folder).unwrap();
        // Something for the processor to do, until it had the time for it.
        let begun = Instant::now();
        let Look { host, own } = loop {
            let (since, mut sum) = (Instant::now(), 0_u64);
            while since.elapsed().as_millis() < 600 {
                sum = std::hint::black_box(sum.wrapping_add(since.elapsed().subsec_nanos().into()));
            }
            let look = probe.look();
            if (look.host.cpu > 0.0 && look.own.cpu > 1.0) || begun.elapsed().as_secs() > 60 {
                break look;
            }
        };
        assert!(host.memory > 0 && host.memory < host.memory_total, "{host:?}");
        assert!(host.cpus > 0 && host.cpu > 0.0, "{host:?}");
        assert!(host.disk > 0 && host.disk < host.disk_total, "{host:?}");
        assert!(own.cpu > 1.0 && own.memory > 1 << 20, "{own:?}");
        assert_eq!(host.watched.keys().collect::<Vec<_>>(), [&name]);
        assert_eq!(host.missing, ["nobody-is-called-so"]);
        // Of what nobody asked for only what ran is missed.
        let called = std::env::temp_dir().join(format!("tf-{}", std::process::id()));
        let _ = std::fs::remove_file(&called);
        std::os::unix::fs::symlink("/bin/sleep", &called).unwrap();
        let mut other = std::process::Command::new(&called).arg("600").spawn().unwrap();
        let name = called.file_name().unwrap().to_string_lossy().into_owned();
        let mut probe =
            Probe::new(&[name.clone(), "nobody-is-called-so".into()], &folder).unwrap().of_what_ran();
        // It is called so as soon as it runs.
        let begun = Instant::now();
        while !probe.look().host.watched.contains_key(&name) {
            assert!(begun.elapsed().as_secs() < 60);
        }
        other.kill().unwrap();
        other.wait().unwrap();
        std::fs::remove_file(&called).unwrap();
        let Look { host, .. } = probe.look();
        assert_eq!((host.watched.len(), &host.missing[..]), (0, &[name][..]));
    }

    #[test]
    fn a_path_names_the_program_that_lies_there() {
        let own = std::env::current_exe().unwrap();
        let name = own.file_name().unwrap().to_string_lossy().into_owned();
        let mut probe = Probe::new(&[own.to_string_lossy().into_owned()], &std::env::temp_dir()).unwrap();
        let Look { host, .. } = probe.look();
        assert_eq!((host.watched.keys().collect::<Vec<_>>(), host.missing.len()), (vec![&name], 0));
        assert_eq!(called("/usr/sbin/mariadbd"), "mariadbd");
        assert_eq!((&*called("kworker/0:1"), &*called("/")), ("kworker/0:1", "/"));
    }

    #[test]
    fn a_name_that_the_system_cut_is_known() {
        assert!(is_called("redis-server", "redis-server") && !is_called("redis", "redis-server"));
        assert!(is_called("a-name-of-more-", "a-name-of-more-than-fifteen"));
    }
}
