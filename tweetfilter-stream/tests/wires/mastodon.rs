//! Mastodon's home timeline.

use tweetfilter_stream::Event;
use tweetfilter_stream::source::net::{Live, Mastodon};
use tweetfilter_stream::wire::decode;

use crate::server::Step::{Chunk as C, Cut, Stay};
use crate::server::{SILENCE, Server, ok, read, refused, status, token};

const STATUS: &str =
    r#"{"id":"7","uri":"https://m.example/7","account":{"id":"3","acct":"a"},"content":"<p>Snow</p>"}"#;

#[tokio::test]
async fn events_are_read_and_a_cut_leaves_a_gap_and_no_half_event() {
    let body = format!(
        ":)\n\nevent: update\ndata: {STATUS}\n\nevent: delete\ndata: 7\n\n:thump\nevent: status.update\ndata: {STATUS}\n\n"
    );
    let pieces = body.as_bytes().chunks(1).map(|byte| C(byte.to_vec())).collect();
    let half = format!("event: update\ndata: {STATUS}\n");
    let first = [vec![ok("")], pieces, vec![C(half.into()), Cut]].concat();
    let server =
        Server::start(vec![first, vec![ok(""), C(b"event: delete\ndata: 8\n\n".to_vec()), Stay]]).await;
    let address = format!("http://127.0.0.1:{}", server.port);
    let seen = read(&mut Live::new(Mastodon::home(&address, token()).expect("a client")), 6).await;
    let events: Vec<_> = seen.lines.iter().map(|line| decode(line.as_bytes())).collect();
    // The server's own address is the network: ids are those of the server that is read from.
    let host = format!("127.0.0.1:{}", server.port);
    assert!(matches!(&events[1], Ok(Event::Post(post)) if post.text == "Snow" && post.network == host));
    assert!(matches!(&events[2], Ok(Event::Delete { id, .. }) if id == "7"));
    assert!(matches!(&events[4], Ok(Event::Edit(post)) if post.id == "7" && post.network == host));
    assert!(matches!(&events[5], Ok(Event::Delete { id, .. }) if id == "8"), "{:?}", seen.lines);
    assert_eq!((seen.lines[0].as_str(), seen.lines[3].as_str(), seen.gaps()), ("", "", 1));
    let request = &server.requests()[0];
    assert!(request.starts_with("GET /api/v1/streaming/user HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("authorization: bearer s3cret\r\n"), "{request}");
}

#[tokio::test]
async fn stalls_refusals_and_floods_are_met() {
    let endless = (0..100).map(|_| C(vec![b'x'; 64 << 10]));
    let first = [ok(""), C(b"data: ".to_vec())]
        .into_iter()
        .chain(endless)
        .chain([C(b"\n\n:thump\n".to_vec()), Stay])
        .collect();
    let server = Server::start(vec![first, status("401 No", "", "no")]).await;
    let address = format!("http://127.0.0.1:{}", server.port);
    let home = Mastodon::home(&address, token()).expect("a client").longest_line(100_000);
    let mut live = Live::new(home.stalls_after(SILENCE));
    assert_eq!(read(&mut live, 2).await.lines, ["…", ""]);
    assert_eq!(refused(&mut live).await.0, Some(401));
    assert!(Mastodon::home("http://mastodon.example", token()).is_err());
}
