//! Answers that are not as usual: from servers that read the standards in their own way, and from who stands in between.

use std::io::Write;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tweetfilter_stream::buffer::Gap;
use tweetfilter_stream::source::net::{Jetstream, Live, Mastodon, X};

use crate::server::Step::{Chunk as C, Cut, Raw, Stay};
use crate::server::{Seen, Server, Step, ok, read, refused, status, token, waits};

async fn sample(answers: Vec<Vec<Step>>) -> (Server, Live<X>) {
    let server = Server::start(answers).await;
    let address = format!("http://127.0.0.1:{}/1.1/statuses/sample.json", server.port);
    let x = X::sample(token()).expect("a client").address_is(&address).expect("of this machine");
    (server, Live::new(x))
}

async fn home(answers: Vec<Vec<Step>>) -> (Server, Live<Mastodon>) {
    let server = Server::start(answers).await;
    let address = format!("http://127.0.0.1:{}", server.port);
    (server, Live::new(Mastodon::home(&address, token()).expect("a client")))
}

/// The head of an answer of a type, if it says one.
fn head(kind: Option<&str>, headers: &str) -> Step {
    let kind = kind.map(|kind| format!("Content-Type: {kind}\r\n")).unwrap_or_default();
    Raw(format!("HTTP/1.1 200 OK\r\n{kind}{headers}Transfer-Encoding: chunked\r\n\r\n").into())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).expect("packed");
    packer.flush().expect("packed");
    packer.get_ref().clone()
}

fn gaps(seen: &Seen) -> Vec<Gap> {
    seen.chunks.iter().flat_map(|chunk| chunk.gaps.clone()).collect()
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_kept_in_whatever_way_it_is_said() {
    for (asked, least, most) in [
        ("6.5", 6_500, 6_500),
        ("99999999999999999999999", 3_600_000, 3_600_000),
        ("-70", 5_000, 5_000),
        ("Friday, 31-Dec-49 23:59:59 GMT", 3_600_000, 3_600_000),
        ("Fri Dec 31 23:59:59 2049", 3_600_000, 3_600_000),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 5_000, 5_000),
        ("Sun Nov  6 08:49:37 1994", 5_000, 5_000),
    ] {
        let (_server, mut x) =
            sample(vec![status("503 Away", &format!("Retry-After: {asked}\r\n"), "")]).await;
        let (wait, said) = waits(&mut x).await;
        assert!((least..=most).contains(&wait.as_millis()), "{asked}: {wait:?} {said}");
    }
}

#[tokio::test]
async fn what_is_packed_is_unpacked_however_the_coding_is_written() {
    let packed = gzip(b"{\"n\":1}\r\n");
    for coding in ["GZIP", "x-gzip", "X-Gzip", "identity, gzip", "gzip, identity"] {
        let header = format!("Content-Encoding: {coding}\r\n");
        let (_server, mut x) = sample(vec![vec![ok(&header), C(packed.clone()), Stay]]).await;
        assert_eq!(read(&mut x, 1).await.lines, ["{\"n\":1}"], "{coding}");
    }
    for plain in ["Identity", ""] {
        let header = format!("Content-Encoding: {plain}\r\n");
        let (_server, mut x) = sample(vec![vec![ok(&header), C(b"{\"n\":1}\r\n".to_vec()), Stay]]).await;
        assert_eq!(read(&mut x, 1).await.lines, ["{\"n\":1}"], "{plain}");
    }
    for coding in ["gzip, gzip", "deflate", "br, gzip"] {
        let header = format!("Content-Encoding: {coding}\r\n");
        let (_server, mut x) = sample(vec![vec![ok(&header), C(packed.clone()), Stay]]).await;
        let (wait, said) = waits(&mut x).await;
        assert!(said.contains(&format!("it packs its answer as {coding},")), "{said}");
        assert_eq!(wait, Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_packed_home_timeline_is_unpacked_within_the_same_bounds() {
    let event = b"event: delete\ndata: 7\n\n";
    let (_server, mut live) = home(vec![vec![ok("Content-Encoding: gzip\r\n"), C(gzip(event)), Stay]]).await;
    assert!(read(&mut live, 1).await.lines[0].contains(r#""payload":"7""#));
    let bomb = gzip(&[&event[..], &vec![b'\n'; 64 << 20]].concat());
    let (_server, mut live) = home(vec![vec![ok("Content-Encoding: gzip\r\n"), C(bomb), Stay]]).await;
    let (_, said) = waits(&mut live).await;
    assert!(said.contains("unpacks to more than any text would"), "{said}");
    let (_server, mut live) = home(vec![vec![ok("Content-Encoding: zstd\r\n"), C(vec![0]), Stay]]).await;
    assert!(waits(&mut live).await.1.contains("packs its answer as zstd"));
}

#[tokio::test]
async fn a_refusal_that_is_packed_is_read() {
    let body = gzip(b"{\"title\":\"Unauthorized\"}");
    let head = format!("HTTP/1.1 401 No\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
    let (_server, mut x) = sample(vec![vec![Raw([head.into_bytes(), body].concat()), Stay]]).await;
    let (_, reason) = refused(&mut x).await;
    assert!(reason.ends_with("status 401: {\"title\":\"Unauthorized\"}"), "{reason}");
}

#[tokio::test]
async fn a_last_line_without_an_end_is_given_where_the_response_has_ended() {
    let next = || vec![ok(""), C(b"{\"n\":2}\r\n".to_vec()), Stay];
    let error = r#"{"errors":[{"title":"ConnectionException","detail":"too many"}]}"#;
    for (last, reason) in [
        (error, "the server says: too many"),
        (r#"{"n":1}"#, "the server has ended the connection\""),
        (r#"{"n":"#, "the server has ended the connection within a line\""),
        ("Service unavailable", "the server has ended the connection within a line\""),
    ] {
        let (_server, mut x) = sample(vec![vec![ok(""), C(last.into())], next()]).await;
        let seen = read(&mut x, 1).await;
        assert_eq!(seen.lines, [last]);
        assert!(seen.notices().contains(reason), "{last}: {}", seen.notices());
    }
    // One that breaks off is none.
    let (_server, mut x) = sample(vec![vec![ok(""), C(error.into()), Cut], next()]).await;
    assert_eq!(read(&mut x, 1).await.lines, ["{\"n\":2}"]);
    // Of a counted message, its length is.
    let counted = vec![ok(""), C(b"9\r\n{\"n\":1}\r\n17".to_vec())];
    let server = Server::start(vec![counted, vec![ok(""), C(b"9\r\n{\"n\":2}\r\n".to_vec()), Stay]]).await;
    let address = format!("http://127.0.0.1:{}/", server.port);
    let x = X::sample(token()).expect("a client").address_is(&address).expect("ours").delimited();
    assert_eq!(read(&mut Live::new(x), 2).await.lines, ["{\"n\":1}", "{\"n\":2}"]);
}

#[tokio::test]
async fn an_event_without_an_end_is_counted_where_the_response_has_ended() {
    let (_server, mut live) = home(vec![
        vec![ok(""), C(b"event: delete\ndata: 7\n\nevent: delete\ndata: 8\n".to_vec())],
        vec![ok(""), C(b"event: delete\ndata: 9\n\n".to_vec()), Stay],
    ])
    .await;
    let seen = read(&mut live, 3).await;
    let known = |line: &String| tweetfilter_stream::wire::decode(line.as_bytes()).is_ok();
    assert_eq!(seen.lines.iter().map(known).collect::<Vec<_>>(), [true, false, true], "{:?}", seen.lines);
    assert!(seen.notices().contains("has ended the connection within an event"), "{}", seen.notices());
}

#[tokio::test]
async fn a_page_is_no_stream() {
    let page = "<!DOCTYPE html>\n<title>Sign in to the hotel's network</title>\n";
    for kind in ["text/html", "Text/HTML; charset=utf-8", "application/xhtml+xml"] {
        let answer = vec![head(Some(kind), ""), C(page.into()), Stay];
        let (_server, mut x) = sample(vec![answer.clone()]).await;
        let (_other, mut live) = home(vec![answer]).await;
        for (wait, said) in [waits(&mut x).await, waits(&mut live).await] {
            assert_eq!(wait, Duration::from_secs(5), "{kind}: {said}");
            let expected = "a page came where the stream should, such as from a proxy or a portal in between";
            assert!(said.contains(expected) && said.contains("Sign in to the hotel"), "{kind}: {said}");
        }
    }
    let length = format!("Content-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}", page.len());
    let server = Server::start(vec![vec![Raw(format!("HTTP/1.1 200 OK\r\n{length}").into()), Stay]]).await;
    let address = format!("ws://127.0.0.1:{}/", server.port);
    let (wait, said) = waits(&mut Live::new(Jetstream::posts_from([address]).expect("an address"))).await;
    assert!(said.contains("a page came where the stream should") && wait.as_secs() == 5, "{wait:?} {said}");
    // Whoever says something else, or nothing, may mean a stream.
    for kind in [None, Some("application/json"), Some("text/plain"), Some("odd"), Some("text/event-stream")] {
        let (_server, mut x) = sample(vec![vec![head(kind, ""), C(b"{\"n\":1}\r\n".to_vec()), Stay]]).await;
        assert_eq!(read(&mut x, 1).await.lines, ["{\"n\":1}"], "{kind:?}");
        let (_server, mut live) = home(vec![vec![head(kind, ""), C(b"data: 7\n\n".to_vec()), Stay]]).await;
        assert_eq!(read(&mut live, 1).await.lines.len(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn events_are_told_apart_by_every_line_end_of_the_standard() {
    let body = "\u{feff}event: delete\rdata: 7\r\revent: delete\r\ndata: 8\r\n\r\n:thump\revent: delete\ndata: 9\n\n";
    let whole = vec![C(body.into())];
    let bytes = body.as_bytes().chunks(1).map(|byte| C(byte.to_vec())).collect();
    for pieces in [whole, bytes] {
        let (_server, mut live) = home(vec![[vec![ok("")], pieces, vec![Stay]].concat()]).await;
        let lines = read(&mut live, 4).await.lines;
        let payloads = ["7", "8", "9"].map(|id| format!(r#"{{"event":"delete","payload":"{id}","#));
        assert!(lines[0].starts_with(&payloads[0]) && lines[1].starts_with(&payloads[1]), "{lines:?}");
        assert!(lines[2].is_empty() && lines[3].starts_with(&payloads[2]), "{lines:?}");
    }
}

#[tokio::test]
async fn parameters_of_an_address_are_sent_once() {
    let server = Server::start(vec![vec![ok(""), C(b"\r\n".to_vec()), Stay]]).await;
    let address = format!("http://127.0.0.1:{}/path?stall_warnings=false&tag=a+b&tag=c", server.port);
    let x = || X::sample(token()).expect("a client").parameter("with", "old");
    let given = x().address_is(&format!("{address}&with=new")).expect("ours");
    read(&mut Live::new(given), 1).await;
    let replaced = x().address_is(&address).expect("ours").parameter("tag", "d");
    read(&mut Live::new(replaced), 1).await;
    let filter =
        X::filter(token()).expect("a client").address_is(&address).expect("ours").parameter("track", "e");
    read(&mut Live::new(filter), 1).await;
    let asked = server.requests();
    let begins = |n: usize, begin: &str| assert!(asked[n].starts_with(begin), "{}", asked[n]);
    begins(0, "GET /path?stall_warnings=false&tag=a+b&tag=c&with=new HTTP/1.1\r\n");
    begins(1, "GET /path?with=old&stall_warnings=false&tag=d HTTP/1.1\r\n");
    begins(2, "POST /path HTTP/1.1\r\n");
    assert!(asked[2].ends_with("\r\n\r\nstall_warnings=false&tag=a+b&tag=c&track=e"), "{}", asked[2]);
}

#[tokio::test]
async fn what_x_holds_back_is_a_gap_that_says_how_much() {
    let limit = |track: u64| C(format!("{{\"limit\":{{\"track\":{track}}}}}\r\n").into_bytes());
    let post = || C(b"{\"n\":1}\r\n".to_vec());
    let (_server, mut x) =
        sample(vec![vec![ok(""), post(), limit(3), limit(5)], vec![ok(""), post(), limit(4), Stay]]).await;
    // The rest of the first connection is told on the second, beside the time between them; and that one counts anew.
    let seen = read(&mut x, 5).await;
    let gaps = gaps(&seen);
    let told: Vec<_> = gaps.iter().filter(|gap| gap.missing.is_some()).collect();
    assert!(
        told.iter().all(|gap| gap.from <= gap.to && gap.reason.contains("X held posts back")),
        "{told:?}"
    );
    assert_eq!(told.iter().filter_map(|gap| gap.missing).sum::<u64>(), 9, "{told:?}");
    assert_eq!(gaps.len() - told.len(), 1, "{gaps:?}");
}

/// Set by a test that runs itself again with a proxy in its environment.
const AGAIN: &str = "TWEETFILTER_TEST_OF_PROXIES";

#[tokio::test]
async fn every_source_goes_through_the_proxy_that_the_environment_names() {
    if std::env::var_os(AGAIN).is_some() {
        let jetstream = Jetstream::posts_from(["ws://jetstream.invalid/subscribe"]).expect("an address");
        let secure = Jetstream::posts_from(["wss://secure.invalid/subscribe"]).expect("an address");
        let home = Mastodon::home("https://mastodon.invalid", token()).expect("a client");
        let direct = Jetstream::posts_from(["ws://127.0.0.2:1/"]).expect("an address");
        let (_local, mut x) = sample(vec![vec![ok(""), C(b"{\"n\":1}\r\n".to_vec()), Stay]]).await;
        println!("said {}", waits(&mut Live::new(jetstream)).await.1);
        println!("said {}", waits(&mut Live::new(secure)).await.1);
        println!("said {}", waits(&mut Live::new(home)).await.1);
        println!("said {}", waits(&mut Live::new(direct)).await.1);
        assert_eq!(read(&mut x, 1).await.lines, ["{\"n\":1}"], "this machine is reached without one");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let proxy = format!("http://ann:s3cret@{}", listener.local_addr().expect("bound"));
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = asked.clone();
    let task = tokio::spawn(async move {
        loop {
            let Ok((mut socket, _)) = listener.accept().await else { return };
            let heard = heard.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await.expect("a request"));
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let leads = head.contains("jetstream.invalid");
                heard.lock().expect("whole").push(head);
                if leads {
                    // It leads on to a server that answers with no WebSocket.
                    let answer = b"HTTP/1.1 200 Led\r\nVia: x\r\n\r\nHTTP/1.1 503 Full\r\nRetry-After: 33\r\nContent-Length: 0\r\n\r\n";
                    socket.write_all(answer).await.expect("written");
                    let mut rest = Vec::new();
                    let _ = socket.read_to_end(&mut rest).await;
                    heard.lock().expect("whole").push(String::from_utf8_lossy(&rest).into_owned());
                } else {
                    let _ = socket.write_all(b"HTTP/1.1 403 Forbidden by the house\r\n\r\n").await;
                }
            });
        }
    });
    let program = std::env::current_exe().expect("this one");
    let name = "answers::every_source_goes_through_the_proxy_that_the_environment_names";
    let child = tokio::task::spawn_blocking(move || {
        let mut again = std::process::Command::new(program);
        again.args(["--exact", name, "--nocapture"]).env(AGAIN, "1");
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "all_proxy", "no_proxy"] {
            again.env_remove(name);
        }
        again.env("ALL_PROXY", proxy).env("NO_PROXY", "127.0.0.2").output()
    });
    let output = child.await.expect("no panic").expect("it ran");
    task.abort();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let asked = asked.lock().expect("whole").join("\n");
    for server in ["jetstream.invalid:80", "secure.invalid:443", "mastodon.invalid:443"] {
        let request = format!("CONNECT {server} HTTP/1.1\r\n");
        assert!(asked.contains(&request), "{server}: {asked}");
    }
    // ann:s3cret
    assert_eq!(
        asked.to_lowercase().matches("proxy-authorization: basic yw5uonmzy3jlda==").count(),
        3,
        "{asked}"
    );
    assert!(asked.contains("GET /subscribe?wantedCollections=") && !asked.contains("127.0.0.2"), "{asked}");
    let said: Vec<_> = said.lines().filter(|line| line.starts_with("said ")).collect();
    assert!(said[0].contains("status 503") && said[0].contains("wait: 33s"), "{said:?}");
    assert!(
        said[1].contains("Forbidden by the house") && said[1].contains("the proxy http://127.0.0.1:"),
        "{said:?}"
    );
    assert!(said[3].contains("no connection"), "{said:?}");
    assert!(said.iter().all(|line| !line.contains("s3cret")), "{said:?}");
}
