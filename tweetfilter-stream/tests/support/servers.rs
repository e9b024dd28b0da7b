//! Real servers for tests: each with a folder and a port of its own, gone when its value is dropped.

#![allow(dead_code, reason = "each test that includes this uses a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A redis-server that keeps an append-only file and syncs it at each write, unless told otherwise.
pub struct RedisServer {
    child: Child,
    folder: PathBuf,
    port: u16,
    options: Vec<String>,
    variables: Vec<(String, String)>,
}

/// How long it may take on a machine with much else to do until it answers.
const LIMIT: Duration = Duration::from_secs(60);

/// Makes what is claimed, leased or named so many milliseconds older.
const PASS: &str = "
local time = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', 'tf:*')) do
  local kind = redis.call('TYPE', key).ok
  if kind == 'stream' then
    for _, held in ipairs(redis.call('XPENDING', key, 'tf', '-', '+', 100000)) do
      local idle = string.format('%.0f', held[3] + time)
      redis.call('XCLAIM', key, 'tf', held[2], 0, held[1], 'IDLE', idle, 'JUSTID')
    end
  elseif kind == 'hash' then
    local till = redis.call('HGET', key, 'till')
    if till then
      redis.call('HSET', key, 'till', string.format('%.0f', till - time))
    end
  elseif kind == 'string' and redis.call('PTTL', key) > 0 then
    redis.call('PEXPIRE', key, string.format('%.0f', redis.call('PTTL', key) - time))
  end
end
return 1";

/// What makes a Redis fit to be a buffer.
pub const FIT: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

impl RedisServer {
    /// Starts one with these options; `None`, with a note, if it is not installed.
    pub fn start(options: &[&str]) -> Option<Self> {
        Self::start_with(options, &[])
    }

    /// The same with variables of the environment.
    pub fn start_with(options: &[&str], variables: &[(&str, &str)]) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tweetfilter-redis-{}-{number}", std::process::id()));
        // A process that had this number before may have left something.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder for the server");
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables: Vec<_> = variables.iter().map(owned).collect();
        // Another process may take the port before the server does.
        for _ in 0..5 {
            let port = free_port();
            match spawn(&folder, port, &options, &variables) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    let _ = std::fs::remove_dir_all(&folder);
                    println!("skipped: no redis-server");
                    return None;
                }
                Err(error) => panic!("redis-server: {error}"),
                Ok(child) => {
                    let (options, variables) = (options.clone(), variables.clone());
                    let mut server = Self { child, folder: folder.clone(), port, options, variables };
                    if server.answers() {
                        return Some(server);
                    }
                    // Dropping it takes the folder away.
                    drop(server);
                    std::fs::create_dir_all(&folder).expect("a folder for the server");
                }
            }
        }
        panic!("redis-server does not answer");
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it as a power cut would, and waits until it is dead. False if it was dead before.
    pub fn kill(&mut self) -> bool {
        let was_alive = matches!(self.child.try_wait(), Ok(None));
        let _ = self.child.kill();
        let _ = self.child.wait();
        was_alive
    }

    /// Whether it takes connections.
    pub fn runs(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// Where it keeps its file.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Starts it again on what it left on disk, with other options if need be.
    pub fn restart(&mut self, options: Option<&[&str]>) {
        if let Some(options) = options {
            self.options = options.iter().map(|option| (*option).to_owned()).collect();
        }
        self.kill();
        // Somebody else may have its port for a moment, as a connection may anywhere.
        for _ in 0..5 {
            self.child = spawn(&self.folder, self.port, &self.options, &self.variables)
                .expect("redis-server was there before");
            if self.answers() {
                return;
            }
            self.kill();
            std::thread::sleep(Duration::from_millis(500));
        }
        panic!("redis-server does not answer after its restart");
    }

    /// Stops it so that it keeps its connections and answers nothing (`STOP`), or lets it go on (`CONT`).
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill");
        assert!(sent.success());
    }

    /// Says something to it as a stranger would. The answer is as text, the parts of an array line by line.
    pub fn say(&self, words: &[&str]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_read_timeout(Some(LIMIT)).expect("a time-out");
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        stream.write_all(request.as_bytes()).expect("it listens");
        let mut answer = String::new();
        read_answer(&mut BufReader::new(stream), &mut answer).expect("an answer");
        answer
    }

    /// Lets time go by for the buffer in it, at once. So leases may be long enough to last, however slow the machine is, and
    /// still run out when they are to.
    pub fn pass(&self, time: Duration) {
        let passed = self.say(&["EVAL", PASS, "0", &time.as_millis().to_string()]);
        assert_eq!(passed.trim(), "1");
    }

    fn answers(&mut self) -> bool {
        let until = Instant::now() + LIMIT;
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            if self.runs() && self.say(&["PING"]).contains("PONG") && self.is_it() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Whether it is this one that answers: where another has the port, this one ends only in a moment.
    fn is_it(&self) -> bool {
        self.say(&["INFO", "server"]).contains(&format!("process_id:{}\r\n", self.child.id()))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn spawn(
    folder: &PathBuf,
    port: u16,
    options: &[String],
    variables: &[(String, String)],
) -> std::io::Result<Child> {
    let log = std::fs::File::create(folder.join("log"))?;
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
        .arg(folder)
        .args(options)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(Stdio::null())
        .spawn()
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn read_answer(from: &mut impl BufRead, into: &mut String) -> std::io::Result<()> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at(line.len().min(1));
    match kind {
        "$" => {
            let Ok(length) = rest.parse::<usize>() else {
                into.push_str("(nil)\n");
                return Ok(());
            };
            let mut bytes = vec![0; length + 2];
            from.read_exact(&mut bytes)?;
            into.push_str(&String::from_utf8_lossy(&bytes[..length]));
            into.push('\n');
        }
        "*" => {
            for _ in 0..rest.parse().unwrap_or(0) {
                read_answer(from, into)?;
            }
        }
        _ => {
            into.push_str(rest);
            into.push('\n');
        }
    }
    Ok(())
}
