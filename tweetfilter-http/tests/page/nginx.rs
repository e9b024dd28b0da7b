//! The example of nginx with TLS in front, tried on a real nginx. Without one it says `skipped: no nginx`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::json;

use self::http2::Http2;
use crate::served::{Seen, Served};

mod http2;

const EXAMPLE: &str = include_str!("../../deploy/nginx/tweetfilter.conf");
const NAME: &str = "tweets.example.org";

/// An nginx of the test's own.
struct Nginx {
    child: Child,
    folder: PathBuf,
    plain: u16,
    tls: u16,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // So that it takes its workers along.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Nginx {
    fn start(served: &Served) -> Option<Self> {
        let nginx = ["/usr/sbin/nginx", "/usr/bin/nginx"].iter().find(|path| Path::new(path).exists())?;
        let folder =
            std::env::temp_dir().join(format!("tweetfilter-nginx-{}-{}", std::process::id(), free()));
        std::fs::create_dir_all(&folder).unwrap();
        let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args(["-subj", &format!("/CN={NAME}"), "-addext", &format!("subjectAltName=DNS:{NAME}")])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            return None;
        }
        // The example itself, but for addresses and files.
        let (plain, tls) = (free(), free());
        let (mut example, letsencrypt) = (EXAMPLE.to_owned(), format!("/etc/letsencrypt/live/{NAME}"));
        for (from, to) in [
            ("listen [::]:80;", String::new()),
            ("listen [::]:443 ssl http2;", String::new()),
            ("listen 80;", format!("listen 127.0.0.1:{plain};")),
            ("listen 443 ssl http2;", format!("listen 127.0.0.1:{tls} ssl http2;")),
            // The test comes from where probes may, and asks as whoever comes from elsewhere.
            ("allow 127.0.0.1;", String::new()),
            ("allow ::1;", String::new()),
            ("server 127.0.0.1:8080;", format!("server {};", served.address)),
            ("/var/log/nginx/error.log", folder.join("error.log").display().to_string()),
            (&format!("{letsencrypt}/fullchain.pem"), certificate.display().to_string()),
            (&format!("{letsencrypt}/privkey.pem"), key.display().to_string()),
        ] {
            assert_eq!(example.matches(from).count(), 1, "{from}");
            example = example.replace(from, &to);
        }
        let at = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|name| format!("{name}_temp_path {at}/{name};\n"))
            .collect();
        let all = format!(
            "daemon off;\npid {at}/pid;\nerror_log {at}/error.log;\nevents {{}}\n\
             http {{\naccess_log {at}/access.log;\n{temporary}{example}}}\n"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, all).unwrap();
        let child = Command::new(nginx)
            .arg("-c")
            .arg(&file)
            .arg("-e")
            .arg(folder.join("error.log"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Self { child, folder, plain, tls };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", tls)).is_err() {
            assert!(
                begin.elapsed() < Duration::from_secs(30),
                "nginx does not start: {}",
                nginx.log("error")
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(nginx)
    }

    fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(format!("{name}.log"))).unwrap_or_default()
    }

    fn open(&self) -> Tunnel {
        self.open_for("http/1.1")
    }

    fn open_for(&self, protocol: &str) -> Tunnel {
        let mut child = Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_quiet", "-verify_return_error", "-verify_hostname", NAME])
            .args([
                "-alpn",
                protocol,
                "-servername",
                NAME,
                "-connect",
                &format!("127.0.0.1:{}", self.tls),
                "-CAfile",
            ])
            .arg(self.folder.join("certificate.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut out, stdin) = (child.stdout.take().unwrap(), child.stdin.take());
        let (said, hears) = channel();
        std::thread::spawn(move || {
            let mut some = [0; 16 << 10];
            while let Ok(n @ 1..) = out.read(&mut some) {
                let _ = said.send(some[..n].to_vec());
            }
        });
        Tunnel { child, stdin, hears, heard: String::new() }
    }

    /// The whole answer to a request.
    fn ask(&self, head: &str, body: &str) -> String {
        let mut tunnel = self.open();
        tunnel.say(&format!("{head}\r\nHost: {NAME}\r\nConnection: close\r\n\r\n{body}"));
        tunnel.hear_all();
        std::mem::take(&mut tunnel.heard)
    }
}

/// What goes through TLS, whose certificate was looked at.
struct Tunnel {
    child: Child,
    stdin: Option<ChildStdin>,
    hears: Receiver<Vec<u8>>,
    heard: String,
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tunnel {
    fn say(&mut self, text: &str) {
        // Who is refused may be cut off while it speaks.
        let _ = self.stdin.as_mut().unwrap().write_all(text.as_bytes());
    }

    fn until(&mut self, wanted: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        while !self.heard.contains(wanted) {
            let left = end.saturating_duration_since(Instant::now());
            let some = self.hears.recv_timeout(left);
            let some = some.unwrap_or_else(|_| panic!("no {wanted:?} in {:?}", self.heard));
            self.heard.push_str(&String::from_utf8_lossy(&some));
        }
    }

    fn hear_all(&mut self) {
        while let Ok(some) = self.hears.recv_timeout(Duration::from_secs(30)) {
            self.heard.push_str(&String::from_utf8_lossy(&some));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_browsers_of_one_address_get_all_files_of_the_page() {
    let served = Served::new().await;
    let Some(nginx) = Nginx::start(&served) else {
        println!("skipped: no nginx");
        return;
    };
    // Two browsers that come one right after the other, and each asks for all at once.
    let mut browsers = [nginx.open_for("h2"), nginx.open_for("h2")].map(Http2::over);
    for browser in &mut browsers {
        for _ in 0..100 {
            browser.get("/page/app.js", None);
        }
        assert_eq!(browser.begun(), (100, 0));
    }
    // And many that come one after the other.
    let mut many = nginx.open();
    many.say(&format!("GET /page/icon.svg HTTP/1.1\r\nHost: {NAME}\r\n\r\n").repeat(600));
    many.say(&format!("GET /page/icon.svg HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"));
    many.hear_all();
    assert!(!many.heard.contains("HTTP/1.1 429"), "{}", many.heard.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_has_its_live_stream_and_all_else_on_one_connection() {
    let served = Served::new().await;
    let Some(nginx) = Nginx::start(&served) else {
        println!("skipped: no nginx");
        return;
    };
    let mut browser = Http2::over(nginx.open_for("h2"));
    let token = Some(&served.token[..]);
    let live = browser.get("/api/v1/live", token);
    browser.until(live, "event: commit");
    // Each event comes when it is there, and what is asked meanwhile is answered beside it.
    for n in 1..4 {
        let text = format!("Snow number {n}");
        served.posts(&[Seen::new(n, &text)]).await;
        browser.until(live, &text);
        let timeline = browser.get("/api/v1/timeline", token);
        assert!(browser.whole(timeline).contains(&text));
    }
    let page = browser.get("/", None);
    assert!(browser.whole(page).contains("Sign in"));
    assert!(!browser.has_ended(live));
    let tokens = browser.get("/api/v1/tokens", token);
    let tokens: serde_json::Value = serde_json::from_str(&browser.whole(tokens)).unwrap();
    assert!(served.house.database.revoke_token(tokens["data"][0]["id"].as_i64().unwrap()).await.unwrap());
    browser.whole(live);
}

#[tokio::test(flavor = "multi_thread")]
async fn page_api_and_live_stream_come_through_nginx_with_tls() {
    let mut served = Served::new().await;
    let Some(nginx) = Nginx::start(&served) else {
        println!("skipped: no nginx");
        return;
    };
    served.posts(&[Seen::new(1, "Snow in Oslo")]).await;
    let page = nginx.ask("GET / HTTP/1.1", "");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("Sign in"), "{page}");
    let head = page.split("\r\n\r\n").next().unwrap().to_lowercase();
    for header in
        ["strict-transport-security: max-age=31536000", "content-security-policy: default-src 'none'"]
    {
        assert!(head.contains(header), "{head}");
    }
    // Without TLS there is nothing but the way to it.
    for path in ["/a?b", "/feeds/tff_secret"] {
        let mut plain = TcpStream::connect(("127.0.0.1", nginx.plain)).unwrap();
        write!(plain, "GET {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n").unwrap();
        let mut moved = String::new();
        plain.read_to_string(&mut moved).unwrap();
        assert!(
            moved.starts_with("HTTP/1.1 308") && moved.contains(&format!("Location: https://{NAME}{path}")),
            "{moved}"
        );
    }

    let token = format!("Authorization: Bearer {}", served.token);
    let timeline = nginx.ask(&format!("GET /api/v1/timeline HTTP/1.1\r\n{token}"), "");
    assert!(timeline.starts_with("HTTP/1.1 200") && timeline.contains("Snow in Oslo"), "{timeline}");
    let refused = nginx.ask("GET /api/v1/timeline HTTP/1.1", "");
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    // Probes are not for everybody; the page asks with its token, and for nothing that is refused.
    assert!(nginx.ask("GET /health/ready HTTP/1.1", "").starts_with("HTTP/1.1 403"));
    let status = nginx.ask(&format!("GET /api/v1/status HTTP/1.1\r\n{token}"), "");
    assert!(status.starts_with("HTTP/1.1 200") && status.contains("\"unwell\":[]"), "{status}");
    for module in ["views/status.js", "model/index.js", "model/api.js", "model/operations.js"] {
        let module = nginx.ask(&format!("GET /page/{module} HTTP/1.1"), "");
        assert!(module.starts_with("HTTP/1.1 200") && !module.contains("/health/"), "{module}");
    }

    // A feed names itself as whoever reads it knows it, whatever they say.
    let filter = served.house.filter(served.ann, "snow").await;
    let feed = served.house.ask(Method::POST, &served.token, "/feeds", json!({"filter": filter})).await;
    let path = feed.ok()["atom"].as_str().unwrap();
    let made_up = "X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example;proto=http";
    let feed = nginx.ask(&format!("GET {path} HTTP/1.1\r\n{made_up}"), "");
    assert!(
        feed.contains(&format!("rel=\"self\" type=\"application/atom+xml\" href=\"https://{NAME}{path}\"")),
        "{feed}"
    );

    // Each event comes when it is there: the next one is made after it was seen.
    let mut live = nginx.open();
    live.say(&format!("GET /api/v1/live HTTP/1.1\r\nHost: {NAME}\r\n{token}\r\n\r\n"));
    live.until("event: commit");
    for n in 2..5 {
        let text = format!("Rain number {n}");
        served.posts(&[Seen::new(n, &text)]).await;
        live.until(&text);
    }

    let head = format!("POST /api/v1/check HTTP/1.1\r\n{token}\r\nContent-Length: 2000000");
    let refused = nginx.ask(&head, "");
    assert!(refused.starts_with("HTTP/1.1 413") && refused.contains("\"code\":\"body\""), "{refused}");
    // What nginx can't read it refuses itself, and in the form of the API. Without a host there is no address either.
    let long = "a".repeat(9_000);
    for (head, status, code) in [
        (format!("GET /api/v1/search?q={long} HTTP/1.1"), "414", "address"),
        (format!("GET /api/v1/me HTTP/1.1\r\nX-Long: {long}"), "431", "headers"),
        ("GET /api/v1/me HTTP/1.1\r\nContent-Length: many".to_owned(), "400", "request"),
        ("GET /api/v1/me HTTP/1.1\r\nHost: another".to_owned(), "400", "request"),
        ("TRACE /api/v1/me HTTP/1.1".to_owned(), "405", "request"),
        ("POST /api/v1/check HTTP/1.1\r\nTransfer-Encoding: odd".to_owned(), "501", "request"),
        ("GET /health/ready HTTP/1.1".to_owned(), "403", "forbidden"),
    ] {
        let refused = nginx.ask(&head, "");
        assert!(refused.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {refused}");
        let (head, body) = refused.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("Content-Type: application/json"), "{refused}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((&body["error"]["code"], &body["data"]), (&code.into(), &serde_json::Value::Null));
        assert_eq!(body["summary"]["text"], body["error"]["message"]);
    }
    // A refusal arrives whole, though nobody reads the body.
    let body = " ".repeat(900_000);
    for _ in 0..10 {
        let head = "POST /api/v1/import HTTP/1.1\r\nAuthorization: Bearer nope\r\nContent-Length: 900000";
        let refused = nginx.ask(head, &body);
        assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("unknown_token"), "{refused}");
    }
    // A secret address is not in the log.
    assert!(nginx.ask("GET /feeds/tff_secret HTTP/1.1", "").starts_with("HTTP/1.1 404"));
    assert!(nginx.log("access").contains("/api/v1/timeline") && !nginx.log("access").contains("tff_secret"));
    // Whoever asks without end is told to wait, while the stream goes on.
    let mut many = nginx.open();
    many.say(&format!("GET /health/live HTTP/1.1\r\nHost: {NAME}\r\n\r\n").repeat(600));
    many.say(&format!("GET /health/live HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"));
    many.hear_all();
    assert!(
        many.heard.contains("HTTP/1.1 200") && many.heard.contains("HTTP/1.1 429"),
        "{}",
        many.heard.len()
    );
    served.posts(&[Seen::new(9, "Hail at last")]).await;
    live.until("Hail at last");

    // Without a server that is said in the form of the API, and the secret address is in no log for it.
    served.end().await;
    let away = loop {
        let answer = nginx.ask("GET /feeds/tff_secret HTTP/1.1", "");
        if !answer.starts_with("HTTP/1.1 429") {
            break answer;
        }
        assert!(answer.contains("Retry-After: 1") && answer.contains("too_many_requests"), "{answer}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert!(away.starts_with("HTTP/1.1 503") && away.contains("Retry-After: 2"), "{away}");
    assert!(away.contains("\"data\":null") && away.contains("server_away"), "{away}");
    // What was too many is so for a moment more.
    let away = loop {
        let answer = nginx.ask("GET /api/v1/me HTTP/1.1", "");
        if !answer.starts_with("HTTP/1.1 429") {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert!(away.starts_with("HTTP/1.1 503"), "{away}");
    assert!(nginx.log("error").contains("/api/v1/me"), "{}", nginx.log("error"));
    for log in ["access", "error"] {
        assert!(!nginx.log(log).contains("tff_secret"), "{}", nginx.log(log));
    }
}
