//! TLS, with nginx as the server and certificates of our own.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::chain::{Server, ok, status, until};
use crate::lookups::post;
use crate::separate::redis::free_port;
use crate::separate::{maria, redis};
use crate::support::{Files, command, tweet};

/// A server of one stream, which ends after its lines and is asked again.
struct Nginx {
    child: Child,
    port: u16,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes an authority, and a certificate of it for `localhost`; `None` without openssl.
fn certify(files: &Files) -> Option<()> {
    let openssl = |arguments: &str| {
        let done = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(files.path(""))
            .stdin(Stdio::null())
            .output()
            .ok()?;
        assert!(done.status.success(), "{arguments}: {}", String::from_utf8_lossy(&done.stderr));
        Some(())
    };
    let new = "req -newkey rsa:2048 -nodes -sha256 -keyout";
    for name in ["authority", "other"] {
        openssl(&format!("{new} {name}.key -x509 -days 2 -out {name}.pem -subj /CN={name}"))?;
    }
    openssl(&format!("{new} server.key -out server.csr -subj /CN=server"))?;
    fs::write(files.path("san"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(
        "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -sha256 \
         -extfile san -out server.pem",
    )
}

/// Starts it, with a port of another server behind it; `None` where it is not installed.
fn start(files: &Files, behind: u16) -> Option<Nginx> {
    let port = free_port();
    let folder = files.path("");
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {folder}/{name};\n"))
        .collect();
    let user = if fs::metadata("/proc/self").is_ok_and(|of| is_root(&of)) { "user root;\n" } else { "" };
    // What comes over a WebSocket is passed on to whoever speaks that without TLS.
    let passed = format!(
        "location /subscribe {{ proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; \
         proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }}"
    );
    let settings = format!(
        "{user}daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}server {{\nlisten 127.0.0.1:{port} ssl;\nroot {folder};\n\
         ssl_certificate {folder}/server.pem;\nssl_certificate_key {folder}/server.key;\n{passed}\n}}\n}}\n"
    );
    fs::write(files.path("nginx.conf"), settings).unwrap();
    let log = fs::File::create(files.path("nginx.log")).unwrap();
    let nginx = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"];
    let nginx = nginx.iter().find(|path| fs::exists(path).is_ok_and(|there| there))?;
    let child = Command::new(nginx)
        .args(["-p", &folder.to_string(), "-c", &files.path("nginx.conf").display().to_string()])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    Some(Nginx { child, port })
}

#[cfg(unix)]
fn is_root(of: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(of) == 0
}

#[cfg(not(unix))]
fn is_root(_: &fs::Metadata) -> bool {
    false
}

#[test]
fn a_source_is_read_over_tls_from_whom_the_authority_certified_and_from_nobody_else() {
    let files = Files::new().with("token", "s3cret").with("empty.pem", "");
    let Some(nginx) = certify(&files).and_then(|()| start(&files, 9)) else {
        println!("skipped: no openssl, or no nginx");
        return;
    };
    fs::create_dir(files.path("1.1")).unwrap();
    fs::write(files.path("1.1/stream.json"), format!("{}\r\n", tweet("1", "bob", "Snow"))).unwrap();
    let ask = |host: &str, authority: &str| {
        let _ = fs::remove_file(files.path("log"));
        let settings = format!(
            "[source.people]\nkind = \"x-user\"\naudience = \"public\"\ntoken-file = \"token\"\n{authority}\n\
             address = \"https://{host}:{}/1.1/stream.json\"\n",
            nginx.port
        );
        fs::write(files.path("tweetfilter.toml"), settings).unwrap();
        Server::start(&files, &["serve"])
    };
    let log = || fs::read_to_string(files.path("log")).unwrap_or_default();
    for (host, authority, reason) in [
        ("localhost", "", "UnknownIssuer; if a proxy"),
        ("localhost", "ca-file = \"other.pem\"", "invalid peer certificate"),
        ("127.0.0.1", "ca-file = \"authority.pem\"", "not valid for name"),
        ("localhost", "ca-file = \"empty.pem\"", "empty.pem: there is no certificate in it"),
        ("localhost", "ca-file = \"none.pem\"", "none.pem: no certificates can be read"),
    ] {
        let _server = ask(host, authority);
        until(reason, &files, || log().contains(reason));
        assert_eq!(status(&files)["posts"], 0, "{}", log());
    }
    let _server = ask("localhost", "ca-file = \"authority.pem\"");
    until("the post is stored", &files, || status(&files)["posts"] == 1);
    assert!(!log().contains("invalid peer certificate") && !log().contains("s3cret"), "{}", log());
    ok(files.run(&["status"]));
}

/// A Jetstream that says one post to everybody who asks, and how many did.
fn jetstream() -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU32::new(0)));
    let count = asked.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::Relaxed);
            let Ok(mut socket) = tungstenite::accept(socket) else { continue };
            let _ = socket.send(tungstenite::Message::text(post("did:plc:a", 1)));
            while socket.read().is_ok() {}
        }
    });
    (port, asked)
}

#[test]
fn a_websocket_is_opened_over_tls_with_whom_the_authority_certified_and_with_nobody_else() {
    let files = Files::new();
    let (behind, asked) = jetstream();
    let Some(nginx) = certify(&files).and_then(|()| start(&files, behind)) else {
        println!("skipped: no openssl, or no nginx");
        return;
    };
    let ask = |host: &str, authority: &str| {
        let _ = fs::remove_file(files.path("log"));
        let settings = format!(
            "[source.sky]\nkind = \"jetstream\"\n{authority}\naddress = \"wss://{host}:{}/subscribe\"\n",
            nginx.port
        );
        fs::write(files.path("tweetfilter.toml"), settings).unwrap();
        Server::start(&files, &["serve", "--no-lookup"])
    };
    let log = || fs::read_to_string(files.path("log")).unwrap_or_default();
    for (host, authority, reason) in [
        ("localhost", "", "UnknownIssuer"),
        ("localhost", "ca-file = \"other.pem\"", "invalid peer certificate"),
        ("127.0.0.1", "ca-file = \"authority.pem\"", "not valid for name"),
    ] {
        let _server = ask(host, authority);
        until(reason, &files, || log().contains(reason));
        assert_eq!((&status(&files)["posts"], asked.load(Ordering::Relaxed)), (&0.into(), 0), "{}", log());
    }
    let _server = ask("localhost", "ca-file = \"authority.pem\"");
    until("the post is stored", &files, || status(&files)["posts"] == 1);
    assert!(asked.load(Ordering::Relaxed) > 0 && !log().contains("invalid peer certificate"), "{}", log());
}

#[test]
fn buffer_and_store_are_reached_over_tls() {
    let files = Files::new();
    if certify(&files).is_none() {
        println!("skipped: no openssl");
        return;
    }
    let path = |name: &str| files.path(name).display().to_string();
    let (certificate, key, authority) = (path("server.pem"), path("server.key"), path("authority.pem"));
    let tls_port = free_port();
    let ssl = [("cert", &certificate), ("key", &key), ("ca", &authority)];
    let ssl = ssl.map(|(name, path)| format!("--ssl-{name}={path}"));
    let options = ssl.each_ref().map(String::as_str);
    let Some(maria) = maria::Maria::start_with(maria::Folder::new(), true, &options) else {
        println!("skipped: no mariadbd");
        return;
    };
    let port = tls_port.to_string();
    let tls = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &authority,
        "--tls-auth-clients",
        "no",
    ];
    let Some(redis) = redis::RedisServer::start(&[&redis::FIT[..], &tls].concat()) else { return };
    maria.say("CREATE DATABASE tf");
    let run = |arguments: &[&str], authority: &str| {
        let database = format!(
            "mysql://root@localhost:{}/tf?ssl-mode=VERIFY_IDENTITY&ssl-ca={}",
            maria.port(),
            path(authority)
        );
        // What Redis is certified by, the machine has to trust; this is how to say so for one process.
        let output = command()
            .args(arguments)
            .env("TWEETFILTER_DATABASE", database)
            .env("TWEETFILTER_BUFFER", format!("rediss://localhost:{port}"))
            .env("SSL_CERT_FILE", path(authority))
            .current_dir(files.path(""))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, _, error) = run(&["status"], "other.pem");
    assert!(code == Some(2) && error.contains("invalid peer certificate"), "{error}");
    fs::write(files.path("posts.ndjson"), tweet("1", "bob", "Snow")).unwrap();
    let (code, _, error) = run(&["replay", "posts.ndjson"], "authority.pem");
    assert_eq!(code, Some(0), "{error}");
    let (code, out, error) = run(&["status"], "authority.pem");
    assert!(code == Some(0) && out.contains("1 posts"), "{out}{error}");
    assert_ne!(maria.ask("", "SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'")[0][1], "0");
    assert_eq!(redis.say(&["HGET", "tf:source:replay posts.ndjson", "counts:lines"]).trim(), "1");
}
