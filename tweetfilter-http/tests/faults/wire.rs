//! A site stream as it comes over HTTP, with everything that parts it, down to MariaDB.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::chain::{Chain, stream};

/// Lines between two ends of the connection.
const LINES: usize = 300;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// In the middle of a line, which comes again with the next one.
    Cut,
    /// As the protocol has it.
    Whole,
    /// After a message that says so.
    Said,
    /// Before it has begun: the server is overloaded.
    Refused,
}

/// The ends of the connections, in turn; the last one stays open.
const ENDS: [End; 7] = [End::Cut, End::Whole, End::Said, End::Refused, End::Cut, End::Said, End::Cut];

/// A server of one stream, which goes on where the connection before ended.
struct Site {
    port: u16,
    sent: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn start(lines: &str) -> Self {
        let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let site = Self { port, sent: Arc::default(), requests: Arc::default() };
        let (sent, requests) = (site.sent.clone(), site.requests.clone());
        std::thread::spawn(move || {
            let ends = ENDS.into_iter().map(Some).chain(std::iter::repeat(None));
            for (socket, end) in listener.incoming().flatten().zip(ends) {
                requests.lock().expect("whole").push(head(&socket));
                // Whoever has gone away gets the rest with the next connection.
                let _ = serve(socket, &lines, &sent, end);
            }
        });
        site
    }
}

fn head(mut socket: &TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(socket.read(&mut byte), Ok(1)) {
        head.extend_from_slice(&byte);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn serve(
    mut socket: TcpStream,
    lines: &[String],
    sent: &AtomicUsize,
    end: Option<End>,
) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    if end == Some(End::Refused) {
        return socket.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    socket.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    let mut chunk = |text: &str| write!(socket, "{:x}\r\n{text}\r\n", text.len());
    let last = end.map_or(lines.len(), |_| lines.len().min(sent.load(Ordering::SeqCst) + LINES));
    while sent.load(Ordering::SeqCst) < last {
        chunk(&format!("{}\r\n", lines[sent.load(Ordering::SeqCst)]))?;
        sent.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(3));
    }
    match end {
        Some(End::Cut) => chunk(&lines[last].chars().take(70).collect::<String>()),
        Some(End::Said) => {
            chunk("{\"disconnect\":{\"code\":4,\"stream_name\":\"site\",\"reason\":\"over\"}}\r\n")?;
            socket.write_all(b"0\r\n\r\n")
        }
        Some(_) => socket.write_all(b"0\r\n\r\n"),
        None => {
            // It lives, and has nothing more to say.
            let mut more = [0];
            let _ = socket.read(&mut more);
            Ok(())
        }
    }
}

#[test]
fn a_site_stream_that_is_cut_again_and_again_comes_to_everyone_who_saw_it() {
    let lines = stream(1_200, 23);
    let Some(mut chain) = Chain::start(&lines) else { return };
    assert!(chain.said.lines as usize > ENDS.len() * LINES, "{} lines", chain.said.lines);
    let site = Site::start(&lines);
    std::fs::write(chain.files.path("token"), "s3cret").expect("written");
    chain.source = format!(
        "[source.site]\nkind = \"x-site\"\naddress = \"http://127.0.0.1:{}/1.1/site.json\"\n\
         audience = \"envelope\"\ntoken-file = \"token\"\nparameters = {{ follow = \"1,2,3,4,5\" }}\n",
        site.port
    );
    let ingest = chain.part("ingest");
    let mut workers = ["worker-1", "worker-2"].map(|name| chain.part(name));
    for number in 0..6 {
        let next = (number + 1) * LINES / 2;
        chain.until("lines are sent", || site.sent.load(Ordering::SeqCst) > next);
        chain.edit(number as u64 * 7);
        // Those who work may go, with what they have.
        assert!(workers[number % 2].kill());
        workers[number % 2] = chain.part(&format!("worker-{}", number % 2 + 1));
    }
    // What says that the connection ends is a message too.
    let said = ENDS.iter().filter(|end| **end == End::Said).count() as u64;
    chain.said.lines += said;
    chain.said.control += said;
    chain.until("all is read", || chain.lines_read() == chain.said.lines);
    // Whoever hears nothing for long asks anew, so they are counted before all is stored.
    let asked = site.requests.lock().expect("whole").len();
    chain.until("all is stored", || chain.waiting() == 0);
    chain.assert_held();
    assert!(chain.history.len() > 4, "{}", chain.history.len());
    let status = chain.status();
    println!("{} gaps, {} requests", status["gaps"], site.requests.lock().expect("whole").len());
    assert!(status["gaps"].as_u64() >= Some(ENDS.len() as u64 - 1), "{status}");
    let requests = site.requests.lock().expect("whole");
    assert_eq!(asked, ENDS.len() + 1);
    for request in &*requests {
        let asks = "GET /1.1/site.json?stall_warnings=true&follow=1%2C2%2C3%2C4%2C5 HTTP/1.1\r\n";
        assert!(request.starts_with(asks), "{request}");
        assert!(request.to_lowercase().contains("authorization: bearer s3cret\r\n"), "{request}");
    }
    assert!(!chain.log().contains("s3cret"));
    drop(ingest);
}
