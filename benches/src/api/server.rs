//! The server that is asked, in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tweetfilter_http::api::{Api, Options, app, listen};
use tweetfilter_http::parts::Stop;
use tweetfilter_sql::Database;

use crate::chain::processes::{peak_memory, seconds_by_thread};
use crate::chain::store::Fallible;

/// A server; it ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
}

/// Seconds of processor time so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// Threads of the server that run statements.
    pub sqlite: f64,
    /// Its other threads.
    pub rest: f64,
    /// The clients, which are in this process.
    pub clients: f64,
}

impl Server {
    /// Starts one over a store.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(store: &Path) -> Fallible<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--child")
            .arg(store)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("a pipe")?).read_line(&mut line)?;
        let address = line.trim().parse().map_err(|_| format!("the server said {line:?}"))?;
        Ok(Self { address, child })
    }

    /// What was used so far.
    #[must_use]
    pub fn used(&self) -> Used {
        let mut used = Used::default();
        for (name, seconds) in seconds_by_thread(&self.child.id().to_string()) {
            let of = if name.starts_with("sqlx-sqlite") { &mut used.sqlite } else { &mut used.rest };
            *of += seconds;
        }
        used.clients = seconds_by_thread("self").values().sum();
        used
    }

    /// The most memory that it ever had, in bytes.
    #[must_use]
    pub fn memory(&self) -> u64 {
        peak_memory(&self.child.id().to_string())
    }

    /// Its number among the processes.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Answers until the input ends: the same parts as `tweetfilter api`, with no bounds for a token.
///
/// # Errors
/// Those of the store and of the socket.
pub fn run(store: &str) -> Fallible<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let database = Database::open(store).await?;
        let (tell, stop) = Stop::new();
        let options =
            Options { rate: 1e12, burst: 1e12, streams: 1_000, connections: 100_000, ..Options::default() };
        let api = Api::new(database.clone(), options, stop.clone());
        let serving = Arc::new(listen(&api, app(&api), "127.0.0.1:0").await?);
        println!("{}", serving.address()?);
        std::thread::spawn(move || {
            let _ = std::io::stdin().read(&mut [0]);
            let _ = tell.send(true);
        });
        serving.run(stop).await;
        database.close().await;
        Ok(())
    })
}
