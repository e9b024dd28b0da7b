//! Folders, clocks and servers for tests.
#![allow(dead_code)] // Each test uses a part.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tweetfilter_sql::Database;

/// A folder that is gone with its test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tweetfilter-sql-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A clock that goes when it is told to.
#[derive(Clone)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    pub const START: i64 = 1_700_000_000_000;

    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(Self::START)))
    }

    pub fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
    }

    pub fn set(&self, database: Database) -> Database {
        let clock = self.0.clone();
        database.with_clock(move || clock.load(Ordering::SeqCst))
    }
}

/// A MariaDB server of the test's own.
pub struct Maria {
    child: Child,
    folder: Folder,
}

impl Maria {
    /// Starts one; `None` if none is installed.
    pub fn start() -> Option<Self> {
        let (server, install) = (binary("mariadbd")?, binary("mariadb-install-db")?);
        let folder = Folder::new();
        let data = folder.file("data");
        let user = std::env::var("USER").unwrap_or_default();
        let root = is_root().then_some("--user=root");
        let done = Command::new(install)
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={data}"))
            .args(root)
            .env("USER", user)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success(), "mariadb-install-db failed");
        let child = Command::new(server)
            .args(["--no-defaults", "--skip-networking", "--innodb-flush-log-at-trx-commit=1"])
            .arg(format!("--datadir={data}"))
            .arg(format!("--socket={}", folder.file("s")))
            .arg(format!("--pid-file={}", folder.file("pid")))
            .args(root)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.0.join("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { child, folder };
        let begin = Instant::now();
        while !server.folder.0.join("s").exists() {
            assert!(begin.elapsed() < Duration::from_secs(60), "MariaDB does not start: {}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// Makes an empty database and opens it.
    pub async fn database(&self, name: &str) -> Database {
        self.say(&format!("CREATE DATABASE {name}"));
        Database::open(&self.address(name)).await.unwrap()
    }

    /// Says something to it as whoever runs it would.
    pub fn say(&self, statements: &str) {
        let client = binary("mariadb").expect("the client comes with the server");
        let done = Command::new(client)
            .args(["--no-defaults", "-uroot", "-e", statements])
            .arg(format!("--socket={}", self.folder.file("s")))
            .status()
            .unwrap();
        assert!(done.success(), "{statements}");
    }

    pub fn address(&self, name: &str) -> String {
        format!("mysql://root@localhost/{name}?socket={}", self.folder.file("s"))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
    }
}

impl Drop for Maria {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}

fn binary(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
}
