//! Runs the command in a directory of its own.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory with files for one test, removed at its end.
pub struct Files {
    dir: PathBuf,
}

/// How the command ended.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Files {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tweetfilter-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(name);
        // A process that had this number before may have left something.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self { dir }
    }

    /// Adds a file.
    pub fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.dir.join(name), content).unwrap();
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs the command with nothing on its standard input.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, b"")
    }

    /// Runs the command with something on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let mut child = command()
            .args(arguments)
            .current_dir(&self.dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || {
            // The command may end without having read all.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ended {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tweetfilter"));
    // Tests run side by side, and there is one default port. The disk may be short of room.
    command.env("TWEETFILTER_LISTEN", "off").env("TWEETFILTER_DISK_RESERVE", "0");
    command
}

/// A tweet of API v1.1.
pub fn tweet(id: &str, author: &str, text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!(
        r#"{{"created_at":"Thu Mar 04 05:06:07 +0000 2021","id":{id},"id_str":"{id}","text":{text},"user":{{"id":77,"id_str":"77","screen_name":"{author}","name":"A"}}}}"#
    )
}

/// The same in the envelope of a site stream.
pub fn for_user(user: &str, message: &str) -> String {
    format!(r#"{{"for_user":"{user}","message":{message}}}"#)
}
