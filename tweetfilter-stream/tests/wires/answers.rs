//! Answers that are not as usual: from servers that read the standards in their own way, and from who stands in between.

use std::io::Write;
use std::time::Duration;

use tweetfilter_stream::source::net::{Jetstream, Live, Mastodon, X};

use crate::server::Step::{Chunk as C, Raw, Stay};
use crate::server::{Server, Step, ok, read, refused, status, token, waits};

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
