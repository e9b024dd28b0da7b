//! Folders, clocks and servers for tests.
#![allow(dead_code)] // Each test uses a part.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tweetfilter_sql::Database;
use tweetfilter_stream::store::StoreError;

/// How long it may take on a machine with much else to do until a server answers.
const LIMIT: Duration = Duration::from_secs(180);

/// A folder that is gone with its test.
pub struct Folder(pub PathBuf);

impl Folder {
    /// One within another folder.
    pub fn within(folder: &Path) -> Self {
        let path = folder.join("mariadb");
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tweetfilter-sql-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        // A process that had this number before may have left something.
        let _ = std::fs::remove_dir_all(&path);
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

    /// Sets it to so many seconds after its start.
    pub fn jump(&self, seconds: i64) {
        self.0.store(Self::START + seconds * 1_000, Ordering::SeqCst);
    }

    pub fn set(&self, database: Database) -> Database {
        let clock = self.0.clone();
        database.with_clock(move || clock.load(Ordering::SeqCst))
    }
}

/// A MariaDB server of the test's own, on a socket, and on a port of 127.0.0.1 if it is told so.
pub struct Maria {
    child: Child,
    folder: Folder,
    /// For its temporary tables: a server that starts removes all that it finds where it keeps them, also another's. Not
    /// with its data, of which a test may fill the disk.
    temporary: Folder,
    port: Option<u16>,
    options: Vec<String>,
}

impl Maria {
    /// Starts one; `None` if none is installed.
    pub fn start() -> Option<Self> {
        Self::start_with(Folder::new(), false, &[])
    }

    /// Starts one with its data in a folder, on a port too if it is to listen at one, with further options.
    pub fn start_with(folder: Folder, listens: bool, options: &[&str]) -> Option<Self> {
        let install = binary("mariadb-install-db")?;
        // One after the other: several at once are more than a busy machine bears.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let temporary = Folder::new();
        let user = std::env::var("USER").unwrap_or_default();
        let run = || {
            let _ = std::fs::remove_dir_all(folder.file("data"));
            Command::new(&install)
                .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
                .arg(format!("--datadir={}", folder.file("data")))
                .arg(format!("--tmpdir={}", temporary.0.display()))
                .args(&options)
                .args(is_root().then_some("--user=root"))
                .env("USER", &user)
                .output()
                .unwrap()
        };
        // On a machine with much else to do it fails now and then.
        let mut done = run();
        for _ in 0..3 {
            if !done.status.success() {
                done = run();
            }
        }
        let said = [done.stdout, done.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        assert!(done.status.success(), "mariadb-install-db failed: {}", said.concat());
        // Not before, so that hardly anybody else takes it meanwhile.
        let port = listens.then(free_port);
        let child = spawn(&folder, &temporary, port, &options)?;
        let mut server = Self { child, folder, temporary, port, options };
        // Who finds its port taken ends.
        for _ in 0..4 {
            if !listens || server.comes_up() {
                break;
            }
            server.port = Some(free_port());
            server.child = spawn(&server.folder, &server.temporary, server.port, &server.options)?;
        }
        server.wait();
        Some(server)
    }

    fn spawn(&self) -> Child {
        spawn(&self.folder, &self.temporary, self.port, &self.options).expect("it was there before")
    }

    /// Waits until it answers. Somebody else may have its port for a moment, as a connection may anywhere.
    fn wait(&mut self) {
        for _ in 0..5 {
            if self.comes_up() {
                return;
            }
            std::thread::sleep(Duration::from_millis(500));
            self.child = self.spawn();
        }
        panic!("MariaDB ends: {}", self.log());
    }

    /// Waits until it answers; false if it has ended.
    fn comes_up(&mut self) -> bool {
        let begin = Instant::now();
        while !self.answers() {
            if let Ok(Some(_)) = self.child.try_wait() {
                return false;
            }
            assert!(begin.elapsed() < LIMIT, "MariaDB does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    fn answers(&self) -> bool {
        std::os::unix::net::UnixStream::connect(self.folder.0.join("s")).is_ok()
    }

    /// Kills it as a power cut would, and waits until it is dead. False if it was dead before.
    pub fn kill(&mut self) -> bool {
        let was_alive = matches!(self.child.try_wait(), Ok(None));
        let _ = self.child.kill();
        let _ = self.child.wait();
        was_alive
    }

    /// Starts it again on what it left on disk.
    pub fn restart(&mut self) {
        self.kill();
        self.child = self.spawn();
        self.wait();
    }

    /// Stops it so that it keeps its connections and answers nothing (`STOP`), or lets it go on (`CONT`).
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill");
        assert!(sent.success());
    }

    /// Makes an empty database and opens it. Of a test's name it takes as much as a database's name may have.
    pub async fn database(&self, name: &str) -> Database {
        let name = &name[..name.len().min(64)];
        self.say(&format!("CREATE DATABASE {name}"));
        let begin = Instant::now();
        loop {
            match Database::open(&self.address(name)).await {
                // It waits for a connection for as long as people do, which a busy machine may need for one.
                Err(StoreError::Away(_)) if begin.elapsed() < LIMIT => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                opened => return opened.unwrap(),
            }
        }
    }

    /// Says something to it as whoever runs it would.
    pub fn say(&self, statements: &str) {
        self.ask("", statements);
    }

    /// Asks it something; rows of columns.
    pub fn ask(&self, database: &str, statements: &str) -> Vec<Vec<String>> {
        self.try_ask(database, statements).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same, if it may say no.
    pub fn try_ask(&self, database: &str, statements: &str) -> Result<Vec<Vec<String>>, String> {
        let client = binary("mariadb").expect("the client comes with the server");
        let done = Command::new(client)
            .args(["--no-defaults", "-uroot", "-N", "-B", "-e", statements])
            .arg(format!("--socket={}", self.folder.file("s")))
            .arg(database)
            .output()
            .unwrap();
        if !done.status.success() {
            return Err(String::from_utf8_lossy(&done.stderr).into_owned());
        }
        let text = String::from_utf8(done.stdout).unwrap();
        Ok(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
    }

    pub fn address(&self, name: &str) -> String {
        format!("mysql://root@localhost/{name}?socket={}", self.folder.file("s"))
    }

    /// Its address at another port of 127.0.0.1, behind which it is.
    pub fn address_at(port: u16, name: &str) -> String {
        format!("mysql://root@127.0.0.1:{port}/{name}")
    }

    /// The port at which it listens.
    pub fn port(&self) -> u16 {
        self.port.expect("it was started on a port")
    }

    /// What it wrote since it was first started.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
    }
}

impl Drop for Maria {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(folder: &Folder, temporary: &Folder, port: Option<u16>, options: &[String]) -> Option<Child> {
    let _ = std::fs::remove_file(folder.0.join("s"));
    let log = std::fs::File::options().create(true).append(true).open(folder.0.join("log")).unwrap();
    let network = match port {
        Some(port) => vec![format!("--port={port}"), "--bind-address=127.0.0.1".to_owned()],
        None => vec!["--skip-networking".to_owned()],
    };
    let child = Command::new(binary("mariadbd")?)
        .args(["--no-defaults", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=1"])
        .arg(format!("--datadir={}", folder.file("data")))
        .arg(format!("--socket={}", folder.file("s")))
        .arg(format!("--pid-file={}", folder.file("pid")))
        .arg(format!("--tmpdir={}", temporary.0.display()))
        .args(network)
        .args(options)
        .args(is_root().then_some("--user=root"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    Some(child.unwrap())
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
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
