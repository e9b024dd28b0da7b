//! X's streams.

use std::io::Write;
use std::time::Duration;

use tweetfilter_stream::entry::Audience;
use tweetfilter_stream::gather::Gather;
use tweetfilter_stream::generate::{Generator, LINE_END, Options};
use tweetfilter_stream::source::net::{Live, Token, X};

use crate::server::Step::{Chunk as C, Cut, Raw, Stay, Wait};
use crate::server::{LIMIT, SILENCE, Server, Step, ok, read, refused, status, token, waits};

async fn sample(answers: Vec<Vec<Step>>) -> (Server, X) {
    let server = Server::start(answers).await;
    let address = format!("http://127.0.0.1:{}/1.1/statuses/sample.json", server.port);
    let x = X::sample(token()).expect("a client").address_is(&address).expect("of this machine");
    (server, x)
}

const LINES: [&str; 4] = [
    "{\"id_str\":\"1\",\"text\":\"Schnee é 😀\"}",
    "",
    "{\"limit\":{\"track\":3}}",
    "{\"delete\":{\"status\":{\"id_str\":\"1\"}}}",
];

fn body() -> Vec<u8> {
    LINES.map(|line| format!("{line}\r\n")).concat().into_bytes()
}

fn gzip(parts: &[&[u8]]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for part in parts {
        packer.write_all(part).expect("packed");
        packer.flush().expect("packed");
    }
    packer.get_ref().clone()
}

#[tokio::test]
async fn lines_come_out_wherever_chunks_and_packets_part_them() {
    let body = body();
    let mut steps = vec![ok("")];
    for at in 0..=body.len() {
        steps.extend(
            [&body[..at], &body[at..]]
                .into_iter()
                .filter(|part| !part.is_empty())
                .map(|part| C(part.to_vec())),
        );
    }
    // Then byte by byte, the coding's own bytes too.
    let framed = [format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n"].concat();
    steps.extend(framed.iter().flat_map(|byte| [Raw(vec![*byte]), Wait(0)]));
    steps.push(Stay);
    let (server, x) = sample(vec![steps]).await;
    let times = body.len() + 2;
    let seen = read(&mut Live::new(x), 4 * times).await;
    assert_eq!(seen.lines, LINES.repeat(times));
    assert_eq!(seen.gaps(), 1, "what X held back, and nothing else");
    let request = &server.requests()[0];
    assert!(
        request.starts_with("GET /1.1/statuses/sample.json?stall_warnings=true HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.to_lowercase().contains("authorization: bearer s3cret\r\n"), "{request}");
}

#[tokio::test]
async fn a_generated_stream_is_read_and_counted_as_one_of_the_wire() {
    let lines: Vec<String> = Generator::new(Options { posts: 1500, seed: 3, ..Options::default() }).collect();
    let body: String = lines.iter().flat_map(|line| [line, LINE_END]).collect();
    let steps: Vec<Step> = body.as_bytes().chunks(16_000).map(|part| C(part.to_vec())).collect();
    let (_server, x) = sample(vec![[vec![ok("")], steps, vec![Stay]].concat()]).await;
    let seen = read(&mut Live::new(x), lines.len()).await;
    assert_eq!(seen.lines, lines);
    let mut gather = Gather::new("x", Audience::Public);
    seen.lines.iter().for_each(|line| gather.line(line.as_bytes(), 0));
    let counts = gather.take().counts;
    let blank = lines.iter().filter(|line| line.is_empty()).count() as u64;
    assert!(blank >= 2 && counts.balance(), "{counts:?}");
    assert_eq!((counts.keep_alives, counts.undecodable.len()), (blank, 0), "{counts:?}");
}

#[tokio::test]
async fn each_stream_is_asked_for_in_its_way() {
    let server = Server::start(vec![vec![ok(""), C(b"\r\n".to_vec()), Stay]]).await;
    let address = format!("http://127.0.0.1:{}/path", server.port);
    let filter = X::filter(token()).expect("a client").parameter("track", "snow,é&a=b").delimited();
    let site = X::site(token()).expect("a client").parameter("follow", "1,2");
    let user = X::user(token()).expect("a client").parameter("with", "followings");
    let v2 = X::v2(token()).expect("a client");
    for x in [filter, site, user, v2] {
        read(&mut Live::new(x.address_is(&address).expect("of this machine")), 1).await;
    }
    let asked = server.requests();
    assert!(asked[0].starts_with("POST /path HTTP/1.1\r\n"), "{}", asked[0]);
    assert!(
        asked[0].ends_with("\r\n\r\nstall_warnings=true&track=snow%2C%C3%A9%26a%3Db&delimited=length"),
        "{}",
        asked[0]
    );
    assert!(asked[1].starts_with("GET /path?stall_warnings=true&follow=1%2C2 "), "{}", asked[1]);
    assert!(asked[2].starts_with("GET /path?stall_warnings=true&with=followings "), "{}", asked[2]);
    assert!(asked[3].contains("tweet.fields=") && asked[3].contains("expansions="), "{}", asked[3]);
}

#[tokio::test]
async fn requests_are_signed_anew_for_each_connection() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("keys-{}", std::process::id()));
    let keys = r#"{"consumer_key":"ck","consumer_secret":"s3cret","token":"tk","token_secret":"s3cret"}"#;
    std::fs::write(&path, keys).expect("written");
    let keys = Token::keys_from_file(&path).expect("keys");
    let server = Server::start(vec![vec![ok(""), C(b"\r\n".to_vec()), Cut]]).await;
    let address = format!("http://127.0.0.1:{}/path", server.port);
    let site =
        X::site(keys).expect("a client").parameter("follow", "1,2").address_is(&address).expect("ours");
    read(&mut Live::new(site), 2).await;
    let asked = server.requests();
    let signed = |request: &str| {
        let header = request.lines().find(|line| line.to_lowercase().starts_with("authorization:"));
        header.and_then(|header| header.split_once("OAuth ")).map(|(_, signed)| signed.to_owned())
    };
    let signed: Vec<_> = asked.iter().map(|request| signed(request).expect(request)).collect();
    assert_ne!(signed[0], signed[1]);
    for signed in signed {
        assert!(signed.starts_with("oauth_consumer_key=\"ck\", oauth_nonce=\""), "{signed}");
        assert!(signed.contains("oauth_token=\"tk\"") && signed.contains("oauth_signature=\""), "{signed}");
        assert!(!signed.contains("s3cret"));
    }
}

#[tokio::test]
async fn counted_messages_are_read() {
    let counted =
        LINES.map(
            |line| if line.is_empty() { "\r\n".into() } else { format!("{}\r\n{line}\r\n", line.len() + 2) },
        );
    let steps = counted.concat().into_bytes().chunks(3).map(|part| C(part.to_vec())).collect::<Vec<_>>();
    let (_server, x) = sample(vec![[vec![ok("")], steps, vec![Stay]].concat()]).await;
    assert_eq!(read(&mut Live::new(x.delimited()), 4).await.lines, LINES);
}

#[tokio::test]
async fn a_cut_gives_no_half_line_and_leaves_a_gap() {
    for end in [
        vec![Cut],
        vec![C(b"9\r\n{\"half\":".to_vec()), Cut],
        vec![Raw(b"ffff\r\n{\"half\":1".to_vec()), Cut],
    ] {
        let first = [vec![ok(""), C(b"{\"n\":1}\r\n{\"half\":".to_vec())], end].concat();
        let (server, x) = sample(vec![first, vec![ok(""), C(b"{\"n\":2}\r\n".to_vec()), Stay]]).await;
        let seen = read(&mut Live::new(x), 2).await;
        if seen.lines[1].starts_with("{\"half\":9") {
            // A line that ended within is whole.
            continue;
        }
        assert_eq!(seen.lines, ["{\"n\":1}", "{\"n\":2}"]);
        let gap = seen.chunks.iter().flat_map(|chunk| &chunk.gaps).next().expect("a gap");
        assert!(gap.to - gap.from >= 250, "{gap:?}");
        assert_eq!((seen.gaps(), server.requests().len()), (1, 2));
    }
}

#[tokio::test]
async fn a_stall_and_a_slow_drip_end_the_connection() {
    let drip = (0..200).flat_map(|_| [C(b"x".to_vec()), Wait(20)]).collect();
    for stall in [vec![Stay], drip] {
        let first = [vec![ok(""), C(b"{\"n\":1}\r\n".to_vec())], stall].concat();
        let (server, x) = sample(vec![first, vec![ok(""), C(b"{\"n\":2}\r\n".to_vec()), Stay]]).await;
        let seen = read(&mut Live::new(x.stalls_after(SILENCE)), 2).await;
        assert_eq!(seen.lines, ["{\"n\":1}", "{\"n\":2}"]);
        assert!(seen.notices().contains("it stalled"), "{}", seen.notices());
        assert_eq!((seen.gaps(), server.requests().len()), (1, 2));
    }
}

#[tokio::test]
async fn keep_alives_hold_a_quiet_connection() {
    let beats = (0..10).flat_map(|_| [Wait(300), C(b"\r\n".to_vec())]).collect();
    let (server, x) = sample(vec![[vec![ok("")], beats, vec![Stay]].concat()]).await;
    let seen = read(&mut Live::new(x.stalls_after(SILENCE)), 10).await;
    assert_eq!((seen.lines, server.requests().len()), (vec![String::new(); 10], 1));
}

#[tokio::test]
async fn floods_garbage_and_lines_without_end_are_borne() {
    let flood = C("{\"n\":1}\r\n".repeat(10_000).into_bytes());
    let garbage = C((0..=255_u8).cycle().take(2560).filter(|b| *b != b'\n').chain(*b"\r\n").collect());
    let endless = (0..300).map(|_| C(vec![b'x'; 64 << 10]));
    let steps =
        [ok(""), flood, garbage].into_iter().chain(endless).chain([C(b"\r\n{\"n\":2}\r\n".to_vec()), Stay]);
    let (server, x) = sample(vec![steps.collect()]).await;
    let seen = read(&mut Live::new(x.longest_line(100_000)), 10_003).await;
    assert!(seen.lines[..10_000].iter().all(|line| line == "{\"n\":1}"));
    assert_eq!(seen.lines[10_001..], ["…", "{\"n\":2}"]);
    let most = seen.chunks.iter().map(|chunk| chunk.lines.size()).max();
    assert!(most < Some(1 << 20), "{most:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn packed_answers_are_unpacked_at_once() {
    let parts = LINES.map(|line| format!("{line}\r\n"));
    let packed = gzip(&parts.each_ref().map(|part| part.as_bytes()));
    for size in [1, 5, packed.len()] {
        let steps = packed.chunks(size).map(|part| C(part.to_vec())).collect();
        let (server, x) =
            sample(vec![[vec![ok("Content-Encoding: gzip\r\n")], steps, vec![Stay]].concat()]).await;
        assert_eq!(read(&mut Live::new(x), 4).await.lines, LINES);
        assert!(server.requests()[0].to_lowercase().contains("accept-encoding: gzip\r\n"));
    }
}

#[tokio::test]
async fn what_is_packed_densely_is_given_a_little_at_a_time() {
    use tweetfilter_stream::source::Source;
    // Keep-alives, and so much noise between them that it is no bomb: some 7 KB become a million lines.
    let mut seed = 1_u64;
    let mut noise = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b' ' + 1 + (seed >> 33) as u8 % 94
    };
    let mut body = Vec::new();
    for _ in 0..60 {
        body.extend([b'\n'; 16_000]);
        body.extend((0..100).map(|_| noise()));
        body.push(b'\n');
    }
    let packed = gzip(&[&body]);
    assert!(packed.len() < 16_000, "{}", packed.len());
    let (server, x) = sample(vec![vec![ok("Content-Encoding: gzip\r\n"), C(packed), Stay]]).await;
    let (mut live, mut lines, mut most) = (Live::new(x), 0, 0);
    while lines < 60 * 16_001 {
        let chunk = tokio::time::timeout(LIMIT, live.next()).await;
        let chunk = chunk.expect("in time").expect("lines").expect("no end");
        lines += chunk.lines.len();
        most = most.max(chunk.lines.len());
    }
    assert_eq!((lines, server.requests().len()), (60 * 16_001, 1));
    assert!(most <= 100_000, "{most} lines at once");
}

#[tokio::test]
async fn bombs_and_broken_packing_end_the_connection() {
    let bomb = gzip(&[b"{\"n\":1}\r\n", &vec![b' '; 64 << 20]]);
    let broken = [gzip(&[b"{\"n\":1}\r\n"]), b"no gzip at all".to_vec()].concat();
    for packed in [bomb, broken] {
        let (_server, x) = sample(vec![vec![ok("Content-Encoding: gzip\r\n"), C(packed), Stay]]).await;
        let mut live = Live::new(x);
        let seen = read(&mut live, 1).await;
        assert_eq!(seen.lines[0], "{\"n\":1}");
        if !seen.notices().contains("BackingOff") {
            assert_eq!(waits(&mut live).await.0, Duration::from_secs(5));
        }
    }
    let (_server, x) = sample(vec![vec![ok("Content-Encoding: br\r\n"), C(vec![0]), Stay]]).await;
    assert!(waits(&mut Live::new(x)).await.1.contains("packs its answer as br"));
}

#[tokio::test]
async fn each_disconnect_code_has_its_consequence() {
    for code in 1..=12 {
        let line = format!(
            "{{\"disconnect\":{{\"code\":{code},\"stream_name\":\"s\",\"reason\":\"because\"}}}}\r\n"
        );
        // The server keeps the connection: what was said counts.
        let (server, x) = sample(vec![vec![ok(""), C(line.clone().into_bytes()), Stay]]).await;
        let mut live = Live::new(x);
        let seen = read(&mut live, 1).await;
        assert_eq!(seen.lines, [line.trim()]);
        let said = seen.notices();
        match code {
            2 | 9 => assert!(said.contains("BackingOff { wait: 5s }"), "{code}: {said}"),
            6 | 7 => assert!(refused(&mut live).await.1.contains("because"), "{code}"),
            _ => assert!(said.contains("BackingOff { wait: 250ms }"), "{code}: {said}"),
        }
        assert_eq!(server.requests().len(), 1);
    }
    let line = "{\"errors\":[{\"title\":\"operational-disconnect\",\"disconnect_type\":\"UpstreamOperationalDisconnect\",\"detail\":\"away\"}]}\r\n";
    let (_server, x) = sample(vec![vec![ok(""), C(line.into()), Stay]]).await;
    assert!(read(&mut Live::new(x), 1).await.notices().contains("the server says: away"));
}

#[tokio::test]
async fn an_error_that_comes_in_no_list_ends_the_stream_for_a_while() {
    let too_many = "{\"title\":\"ConnectionException\",\"detail\":\"too many\",\"connection_issue\":\"TooManyConnections\",\"type\":\"https://api.twitter.com/2/problems/streaming-connection\"}";
    let unknown = "{\"status\":401,\"title\":\"too many\",\"type\":\"about:blank\"}";
    for line in [too_many, unknown] {
        let (_server, x) = sample(vec![vec![ok(""), C(format!("{line}\r\n").into_bytes()), Stay]]).await;
        let seen = read(&mut Live::new(x), 1).await;
        let said = seen.notices();
        assert_eq!(seen.lines, [line]);
        assert!(said.contains("the server says: too many") && said.contains("wait: 5s"), "{said}");
    }
}

#[tokio::test]
async fn statuses_are_obeyed() {
    let server = async |answer: Vec<Step>| {
        let (server, x) = sample(vec![answer]).await;
        (server, Live::new(x))
    };
    for code in [401, 403, 404, 406, 413, 416] {
        let (server, mut live) =
            server(status(&format!("{code} No"), "", "{\"title\":\"no\\u0007\"}\n")).await;
        let (said, reason) = refused(&mut live).await;
        assert_eq!((said, server.requests().len()), (Some(code), 1));
        assert!(reason.contains("{\"title\":"), "{reason}");
    }
    for (answer, wait) in [
        (status("503 Away", "", ""), 5),
        (status("503 Away", "Retry-After: 77\r\n", ""), 77),
        (status("420 Calm", "", "calm"), 60),
        (status("429 Many", "Retry-After: 120\r\n", ""), 120),
        (status("500 Oh", "Retry-After: 99999999\r\n", ""), 3600),
        (status("500 Oh", "Retry-After: soon\r\n", ""), 5),
    ] {
        let (_server, mut live) = server(answer.clone()).await;
        assert_eq!(waits(&mut live).await.0, Duration::from_secs(wait), "{answer:?}");
    }
    let (_server, mut live) = server(vec![Raw(b"SSH-2.0\r\n\r\n".to_vec()), Cut]).await;
    assert_eq!(waits(&mut live).await.0, Duration::from_millis(250));
}

#[tokio::test]
async fn no_redirect_takes_the_token_elsewhere() {
    let elsewhere = Server::start(vec![vec![ok(""), Stay]]).await;
    let location = format!("Location: http://127.0.0.1:{}/?access_token=s3cret\r\n", elsewhere.port);
    for code in ["301 Moved", "307 Moved"] {
        let (_server, x) = sample(vec![status(code, &location, "")]).await;
        let (_, reason) = refused(&mut Live::new(x)).await;
        assert!(reason.contains("it has moved to") && !reason.contains("s3cret"), "{reason}");
    }
    assert!(elsewhere.requests().is_empty());
}
