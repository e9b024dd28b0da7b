//! Something on the way to a server that cuts connections at the worst moment.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What is done to the next request of the kind that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The server does not get it.
    Before,
    /// The server does it; its answer gets lost.
    After,
    /// The server does not get it, and the connection stays open in silence.
    Silent,
}

/// A proxy on a port of its own.
pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    mark: &'static [u8],
    /// Bytes that a transaction must have sent to be worth it.
    least: usize,
    /// What an answer that got lost begins with, at which place, if the server did what it was asked for.
    done: (usize, u8),
    armed: Mutex<Option<Cut>>,
    fired: AtomicU64,
    lost: AtomicU64,
}

impl Proxy {
    /// Passes everything on to a port, and looks for requests with a mark, in transactions of so many bytes.
    pub fn start(to: u16, mark: &'static [u8], least: usize, done: (usize, u8)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let shared = Shared { mark, least, done, armed: Mutex::new(None), fired: 0.into(), lost: 0.into() };
        let shared = Arc::new(shared);
        let seen = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                pass(client, server, &seen);
            }
        });
        Self { port, shared }
    }

    pub fn arm(&self, cut: Cut) {
        *self.shared.armed.lock().expect("whole") = Some(cut);
    }

    /// How many connections were cut.
    pub fn fired(&self) -> u64 {
        self.shared.fired.load(Ordering::SeqCst)
    }

    /// How many answers got lost that said that something was done.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::SeqCst)
    }
}

fn pass(client: TcpStream, server: TcpStream, shared: &Arc<Shared>) {
    let swallow = Arc::new(AtomicBool::new(false));
    let (from, to) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    let (seen, swallows) = (shared.clone(), swallow.clone());
    std::thread::spawn(move || requests(from, to, &seen, &swallows));
    let seen = shared.clone();
    std::thread::spawn(move || answers(server, client, &seen, &swallow));
}

fn requests(mut from: TcpStream, mut to: TcpStream, shared: &Shared, swallow: &AtomicBool) {
    let (mut bytes, mut sent) = (vec![0; 64 << 10], 0);
    let has = |bytes: &[u8], mark: &[u8]| bytes.windows(mark.len()).any(|part| part == mark);
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        let bytes = &bytes[..read];
        sent = if has(bytes, b"\x03BEGIN") { 0 } else { sent + read };
        let meant = sent >= shared.least && has(bytes, shared.mark);
        // Not held while it is silent: other connections look as well.
        let cut = if meant { shared.armed.lock().expect("whole").take() } else { None };
        if let Some(cut) = cut {
            shared.fired.fetch_add(1, Ordering::SeqCst);
            match cut {
                Cut::Before => break,
                Cut::After => swallow.store(true, Ordering::SeqCst),
                Cut::Silent => loop {
                    std::thread::park();
                },
            }
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn answers(mut from: TcpStream, mut to: TcpStream, shared: &Shared, swallow: &AtomicBool) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if swallow.load(Ordering::SeqCst) {
            let done = bytes[..read].get(shared.done.0) == Some(&shared.done.1);
            shared.lost.fetch_add(u64::from(done), Ordering::SeqCst);
            break;
        }
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
