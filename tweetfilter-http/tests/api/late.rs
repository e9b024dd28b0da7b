//! Something on the way to a MariaDB that keeps each COMMIT back for a moment, for some longer than for others.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The longest that one is kept back, in milliseconds.
const MOST: u64 = 40;

pub struct Late {
    pub port: u16,
    kept_back: Arc<AtomicU64>,
}

impl Late {
    /// Passes everything on to a port.
    pub fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept_back = Arc::<AtomicU64>::default();
        let count = kept_back.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (from, back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || pass(from, back, |_| {}));
                let count = count.clone();
                std::thread::spawn(move || {
                    pass(client, server, |bytes| {
                        if bytes.windows(7).any(|part| part == b"\x03COMMIT") {
                            let number = count.fetch_add(1, Ordering::SeqCst);
                            // No pattern that the order of workers could follow.
                            let chance = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                            std::thread::sleep(Duration::from_millis(chance % MOST));
                        }
                    });
                });
            }
        });
        Self { port, kept_back }
    }

    /// How many were kept back.
    pub fn kept_back(&self) -> u64 {
        self.kept_back.load(Ordering::SeqCst)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, before: impl Fn(&[u8])) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        before(&bytes[..read]);
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
