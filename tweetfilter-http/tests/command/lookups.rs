//! Handles in filters, over a stream that gives ids alone.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tungstenite::Message;

use crate::chain::{Server, ok, until};
use crate::support::Files;

type Shared<T> = Arc<Mutex<T>>;

/// An AppView that knows some handles, and calls everybody by their DID.
struct AppView {
    address: String,
    handles: Shared<HashMap<String, String>>,
    asked: Shared<Vec<String>>,
}

impl AppView {
    fn start(handles: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let handles = handles.iter().map(|(handle, id)| ((*handle).to_owned(), (*id).to_owned())).collect();
        let view = Self { address, handles: Arc::new(Mutex::new(handles)), asked: Shared::default() };
        let (handles, asked) = (view.handles.clone(), view.asked.clone());
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let _ = answer(socket, &handles, &asked);
            }
        });
        view
    }

    fn asked(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|path| path.contains(what)).count()
    }
}

fn answer(
    mut socket: TcpStream,
    handles: &Shared<HashMap<String, String>>,
    asked: &Shared<Vec<String>>,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut some = [0; 1024];
        match socket.read(&mut some)? {
            0 => return Ok(()),
            n => request.extend_from_slice(&some[..n]),
        }
    }
    let request = String::from_utf8_lossy(&request);
    let path = request.split(' ').nth(1).unwrap_or_default().replace("%3A", ":");
    asked.lock().unwrap().push(path.clone());
    let (method, query) = path.split_once('?').unwrap_or((&path, ""));
    let values: Vec<&str> = query.split('&').filter_map(|part| Some(part.split_once('=')?.1)).collect();
    let (status, body) = if method.ends_with("resolveHandle") {
        match handles.lock().unwrap().get(values[0]) {
            Some(id) => ("200 OK", json!({ "did": id })),
            None => ("400 Bad", json!({ "error": "InvalidRequest", "message": "Unable to resolve handle" })),
        }
    } else {
        let profile = |id: &&str| {
            let name = id.rsplit(':').next();
            json!({ "did": id, "handle": format!("{}.shown.example", name.unwrap()), "displayName": "Ms Shown" })
        };
        ("200 OK", json!({ "profiles": values.iter().map(profile).collect::<Vec<_>>() }))
    };
    let body = body.to_string();
    let length = body.len();
    write!(
        socket,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// A Jetstream that sends what it is given, to whoever is connected.
fn jetstream() -> (String, Sender<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("ws://{}/subscribe", listener.local_addr().unwrap());
    let (sender, lines): (_, Receiver<String>) = channel();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let Ok(mut socket) = tungstenite::accept(socket) else { continue };
            loop {
                let Ok(line) = lines.recv() else { return };
                if socket.send(Message::text(line)).is_err() {
                    break;
                }
            }
        }
    });
    (address, sender)
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()
}

pub fn post(did: &str, key: usize) -> String {
    json!({
        "did": did, "time_us": now(), "kind": "commit",
        "commit": {
            "rev": format!("r{key}"), "operation": "create", "collection": "app.bsky.feed.post",
            "rkey": format!("k{key}"), "cid": format!("c{key}"),
            "record": { "$type": "app.bsky.feed.post", "text": format!("post {key}") },
        },
    })
    .to_string()
}

fn identity(did: &str, handle: &str, seq: u64) -> String {
    json!({
        "did": did, "time_us": now(), "kind": "identity",
        "identity": { "did": did, "handle": handle, "seq": seq, "time": "2024-05-06T07:08:09Z" },
    })
    .to_string()
}

fn timeline(files: &Files) -> Vec<Value> {
    let out = ok(files.run(&["timeline", "ann", "--json", "--limit", "1000"]));
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn by<'t>(timeline: &'t [Value], did: &str) -> Vec<&'t Value> {
    timeline.iter().filter(|seen| seen["author"]["id"] == did).collect()
}

const ALICE: &str = "did:plc:alice";
const OTHER: &str = "did:plc:other";

#[test]
fn handles_are_looked_up_when_saved_and_when_their_owners_say_that_they_changed() {
    let view = AppView::start(&[("alice.bsky.social", ALICE)]);
    let (stream, send) = jetstream();
    let settings = format!(
        "lookup-address = \"{}\"\n[source.live]\nkind = \"jetstream\"\naddress = \"{stream}\"\n",
        view.address
    );
    let files = Files::new().with("tweetfilter.toml", settings);
    ok(files.run(&["account", "add", "ann", "--identity", "bluesky:me.example"]));

    // Saved in any case; who is there and who is not is said at once.
    let saved = files.run(&["filter", "add", "ann", "from:Alice.bsky.social"]);
    assert_eq!((saved.code, &*saved.out, &*saved.err), (0, "1\n", ""));
    let saved = files.run(&["filter", "add", "ann", "from:nobody.example OR to:nobody.example"]);
    assert_eq!((saved.code, &*saved.out), (0, "2\n"));
    let said =
        "nobody on Bluesky has the handle nobody.example; the filter finds no post by its author until";
    assert!(saved.err.contains(said), "{}", saved.err);
    let asked = view.asked("resolveHandle");
    assert_eq!(asked, 2, "{:?}", view.asked.lock().unwrap());
    let saved = files.run(&["filter", "add", "ann", "from:quiet.example", "--no-lookup"]);
    assert_eq!((saved.code, &*saved.err, view.asked("quiet")), (0, "", 0));
    assert!(ok(files.run(&["filter", "list", "ann"])).contains("from:Alice.bsky.social"));

    let _server = Server::start(&files, &["serve"]);
    let mut key = 0;
    let mut both = || {
        for did in [ALICE, OTHER] {
            key += 1;
            send.send(post(did, key)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(150));
    };
    until("alice is found by her handle", &files, || {
        both();
        !by(&timeline(&files), ALICE).is_empty()
    });
    assert!(by(&timeline(&files), OTHER).is_empty());
    // What the others name is looked up by the server: a filter saved without asking, and who ann is.
    until("the rest is looked up", &files, || view.asked("quiet") > 0 && view.asked("me.example") > 0);
    until("authors are shown by name", &files, || {
        let seen = timeline(&files);
        let author = &by(&seen, ALICE)[0]["author"];
        author["handle"] == "alice.shown.example" && author["name"] == "Ms Shown"
    });
    let shown = ok(files.run(&["timeline", "ann", "--limit", "1"]));
    assert!(shown.contains("@alice.shown.example"), "{shown}");
    assert!(view.asked("actors=did:plc:other") == 0, "only who was found is looked up");

    // Alice takes another name, and somebody else hers.
    view.handles.lock().unwrap().insert("alice.bsky.social".into(), OTHER.into());
    send.send(identity(ALICE, "alice.new", 1)).unwrap();
    send.send(identity(OTHER, "alice.bsky.social", 2)).unwrap();
    until("the filter finds who is called so now", &files, || {
        both();
        !by(&timeline(&files), OTHER).is_empty()
    });
    let (before, seen) = (by(&timeline(&files), ALICE).len(), by(&timeline(&files), OTHER).len());
    for _ in 0..5 {
        both();
    }
    until("posts go on", &files, || by(&timeline(&files), OTHER).len() >= seen + 5);
    assert_eq!(by(&timeline(&files), ALICE).len(), before);
}

#[test]
fn a_server_that_nobody_reaches_is_a_warning() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = format!("lookup-address = \"http://{closed}\"\n");
    let files = Files::new().with("tweetfilter.toml", &settings);
    ok(files.run(&["account", "add", "ann", "--identity", "x:1"]));
    let saved = files.run(&["filter", "add", "ann", "from:alice.bsky.social"]);
    assert_eq!((saved.code, &*saved.out), (0, "1\n"));
    assert!(saved.err.contains("alice.bsky.social could not be looked up"), "{}", saved.err);
    // Without Bluesky, a name with a dot is nothing to look up.
    let saved = files.run(&["filter", "add", "ann", "from:nasa.gov"]);
    assert_eq!((saved.code, &*saved.err), (0, ""));
    let off = Files::new().with("tweetfilter.toml", format!("{settings}lookup = false\n"));
    ok(off.run(&["account", "add", "ann"]));
    assert_eq!(off.run(&["filter", "add", "ann", "from:alice.bsky.social"]).err, "");
    let shown = ok(off.run(&["config", "show"]));
    assert!(shown.contains("lookup = false  # tweetfilter.toml\n"), "{shown}");
}

/// Its posts come from a file, no source is of it, and no account is known there.
#[test]
fn handles_are_looked_up_where_a_post_of_bluesky_is_kept() {
    let view = AppView::start(&[("alice.example", ALICE)]);
    let settings = format!(
        "lookup-address = \"{}\"\n[source.kept]\nkind = \"file\"\naudience = \"account ann\"\nfiles = [\"posts.ndjson\"]\n",
        view.address
    );
    let files = Files::new().with("tweetfilter.toml", settings).with("posts.ndjson", post(ALICE, 1) + "\n");
    ok(files.run(&["account", "add", "ann"]));
    let saved = files.run(&["filter", "add", "ann", "from:alice.example"]);
    assert_eq!((saved.code, &*saved.err, view.asked("alice")), (0, "", 0), "nothing is of Bluesky yet");
    let _server = Server::start(&files, &["serve"]);
    until("what was saved before is looked up", &files, || view.asked("handle=alice.example") > 0);
    let saved = files.run(&["filter", "add", "ann", "from:nobody.example"]);
    assert!(saved.err.contains("nobody on Bluesky has the handle nobody.example"), "{}", saved.err);
}
