//! A MariaDB of the test's own, which can be stopped and killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tweetfilter_sql::Database;

pub struct Maria {
    child: Child,
    folder: PathBuf,
}

impl Maria {
    /// Starts one; `None` if none is installed.
    pub fn start() -> Option<Self> {
        let (server, install) = (binary("mariadbd")?, binary("mariadb-install-db")?);
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("tweetfilter-api-maria-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let data = folder.join("data");
        // One after the other: several at once are more than a busy machine bears.
        static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let id = Command::new("id").arg("-u").output();
        let root = id.is_ok_and(|id| id.stdout.starts_with(b"0\n")).then_some("--user=root");
        let done = Command::new(install)
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", data.display()))
            .args(root)
            .env("USER", std::env::var("USER").unwrap_or_default())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success(), "mariadb-install-db failed");
        let child = Command::new(server)
            .args(["--no-defaults", "--skip-networking"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", folder.join("s").display()))
            .arg(format!("--pid-file={}", folder.join("pid").display()))
            .args(root)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, folder };
        let begin = Instant::now();
        while !server.folder.join("s").exists() {
            assert!(begin.elapsed() < Duration::from_secs(60), "MariaDB does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// Makes an empty database and opens it.
    pub async fn database(&self, name: &str) -> Database {
        let socket = self.folder.join("s");
        let done = Command::new(binary("mariadb").expect("the client comes with the server"))
            .args(["--no-defaults", "-uroot", "-e", &format!("CREATE DATABASE {name}")])
            .arg(format!("--socket={}", socket.display()))
            .status()
            .unwrap();
        assert!(done.success());
        Database::open(&format!("mysql://root@localhost/{name}?socket={}", socket.display())).await.unwrap()
    }

    /// Sends it a signal.
    pub fn signal(&mut self, name: &str) {
        let done = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(done.unwrap().success());
        if name == "KILL" {
            self.child.wait().unwrap();
        }
    }
}

impl Drop for Maria {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn binary(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
}
