//! Chromiums that tests use one after the other, since to start one takes longer than many a test.
//!
//! A test has one to itself, and in it a browser context: storage, caches and tabs of its own, which are thrown away after
//! it. So is the driver's session, to which sizes, schemes, time zones and scripts belong. A Chromium comes back only from
//! a test that came to its end; the one of a test that failed is ended.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use crate::browser::Browser;
use crate::served::Served;

/// How long a browser may take to start, or to answer, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Those that no test has at the moment.
static IDLE: Mutex<Vec<Chromium>> = Mutex::new(Vec::new());

/// Starts Chromium and its driver, and ends both when its input ends: with the `Chromium` that holds the other side, or with
/// the tests' process, however that ends, since nobody drops a static. All of them are one process group.
const GUARD: &str = r#"
    chromium=$1 driver=$2 folder=$3
    shift 3
    export TMPDIR="$folder"
    "$chromium" "$@" --user-data-dir="$folder/profile" about:blank </dev/null >/dev/null &
    browser=$!
    "$driver" --port=0 </dev/null &
    cat >/dev/null
    # It ends what it started in good order, and outlives that.
    trap '' TERM
    kill -TERM 0
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        kill -0 "$browser" || break
        sleep 0.2
    done
    rm -rf "$folder"
    kill -KILL 0
"#;

/// The last ones are what chromedriver adds when it starts one itself, as far as it concerns tests.
const OPTIONS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--lang=en-US",
    "--remote-debugging-port=0",
    "--disable-background-networking",
    "--disable-client-side-phishing-detection",
    "--disable-default-apps",
    "--disable-hang-monitor",
    "--disable-popup-blocking",
    "--disable-prompt-on-repost",
    "--disable-sync",
    "--enable-automation",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-service-autorun",
    "--password-store=basic",
    "--test-type=webdriver",
    "--use-mock-keychain",
];

pub struct Chromium {
    guard: Child,
    folder: PathBuf,
    /// The ports of the driver and of the browser itself.
    pub driver: u16,
    pub debugger: u16,
    socket: WebSocket<TcpStream>,
    asked: u64,
    /// The browser context of the test that has it.
    of_test: Value,
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The guard's input ends.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

impl Chromium {
    /// One with a new browser context; `None` where there is no Chromium.
    pub fn take() -> Option<Self> {
        let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some(mut chromium) = idle() {
            // Nobody looked after it meanwhile.
            match chromium.begin() {
                Ok(()) => return Some(chromium),
                Err(error) => println!("a chromium is given up: {error}"),
            }
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = |name: &str| {
            std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
        };
        let (binary, driver) = (found("chromium")?, found("chromedriver")?);
        let mut tries = 0;
        loop {
            let begun = Self::start(&binary, &driver).and_then(|mut chromium| {
                chromium.begin()?;
                Ok(chromium)
            });
            match begun {
                Ok(chromium) => return Some(chromium),
                Err(error) => {
                    tries += 1;
                    assert!(tries < 3, "chromium does not start: {error}");
                }
            }
        }
    }

    /// Makes the browser context of a test.
    pub fn begin(&mut self) -> Result<(), String> {
        self.of_test = self.ask("Target.createBrowserContext", json!({}))?["browserContextId"].take();
        Ok(())
    }

    /// Throws that away, with all tabs, and whatever they kept.
    pub fn forget(&mut self) -> Result<(), String> {
        let of_test = self.of_test.take();
        self.ask("Target.disposeBrowserContext", json!({"browserContextId": of_test})).map(drop)
    }

    /// Leaves it to the next test.
    pub fn give_back(self) {
        IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(self);
    }

    /// Opens a tab of the test's, in a window of its own or beside another; gives its id, which is the driver's handle of it.
    pub fn tab(&mut self, window: bool) -> Result<String, String> {
        let tab = json!({"url": "about:blank", "browserContextId": self.of_test, "newWindow": window});
        let opened = self.ask("Target.createTarget", tab)?;
        Ok(opened["targetId"].as_str().ok_or("a tab has no id")?.to_owned())
    }

    fn start(binary: &Path, driver: &Path) -> Result<Self, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("tweetfilter-page-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        // A process that had this number before may have left something.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .args([binary, driver, &folder])
            .args(OPTIONS)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("sh: {error}"))?;
        let lines = BufReader::new(guard.stdout.take().ok_or("no output")?).lines();
        let driver = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let reached = driver.ok_or("chromedriver says no port".to_owned()).and_then(|driver| {
            let (debugger, socket) = reached(&folder.join("profile/DevToolsActivePort"))?;
            Ok((driver, debugger, socket))
        });
        match reached {
            Ok((driver, debugger, socket)) => {
                Ok(Self { guard, folder, driver, debugger, socket, asked: 0, of_test: Value::Null })
            }
            Err(error) => {
                drop(guard.stdin.take());
                let _ = guard.wait();
                Err(error)
            }
        }
    }

    /// A command of the browser's own protocol that is for the browser, not for a tab.
    fn ask(&mut self, name: &str, parameters: Value) -> Result<Value, String> {
        self.asked += 1;
        let command = json!({"id": self.asked, "method": name, "params": parameters}).to_string();
        self.socket.send(Message::text(command)).map_err(|error| format!("{name}: {error}"))?;
        loop {
            let said = self.socket.read().map_err(|error| format!("{name}: {error}"))?;
            let Message::Text(said) = said else { continue };
            let mut said: Value = serde_json::from_str(&said).map_err(|error| format!("{name}: {error}"))?;
            if said["id"] != self.asked {
                continue;
            }
            if !said["error"].is_null() {
                return Err(format!("{name}: {}", said["error"]));
            }
            return Ok(said["result"].take());
        }
    }
}

/// The port of a Chromium that writes it into a file when it is there, and a connection to it.
fn reached(file: &Path) -> Result<(u16, WebSocket<TcpStream>), String> {
    let begin = Instant::now();
    loop {
        let said = std::fs::read_to_string(file).unwrap_or_default();
        if let Some((port, path)) = said.split_once('\n')
            && let Ok(port) = port.parse::<u16>()
            && !path.is_empty()
        {
            let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
            stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
            let address = format!("ws://127.0.0.1:{port}{}", path.trim());
            let (socket, _) = tungstenite::client(address, stream).map_err(|error| error.to_string())?;
            return Ok((port, socket));
        }
        if begin.elapsed() > PATIENCE {
            return Err("chromium says no port".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Keeps something in each place that a page has for it.
const KEEP: &str = "(async () => {
    localStorage.a = sessionStorage.a = document.cookie = 'a=b';
    await caches.open('a');
    await new Promise((done) => { indexedDB.open('a').onsuccess = done; });
})()";
const KEPT: &str = "(async () => [
    localStorage.length, sessionStorage.length, document.cookie,
    (await caches.keys()).length, (await indexedDB.databases()).length, window.left ?? null,
])()";

#[tokio::test(flavor = "multi_thread")]
async fn a_test_finds_nothing_that_another_kept_in_its_browser() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let page = format!("http://{}/", served.address);
    let nothing = json!([0, 0, "", 0, 0, null]);
    browser.open(&page).await;
    assert_eq!(browser.wait(KEPT).await, nothing);
    browser.wait(KEEP).await;
    browser.before("window.left = true").await;
    browser.open("about:blank").await;
    browser.open(&page).await;
    let kept = json!([1, 1, "a=b", 1, 1, true]);
    assert_eq!(browser.wait(KEPT).await, kept);

    // At the same time, and in the same browser after it.
    let beside = Browser::start().await.unwrap();
    beside.open(&page).await;
    assert_eq!(beside.wait(KEPT).await, nothing);
    beside.end().await;
    let mut chromium = browser.leave().await.unwrap();
    chromium.begin().unwrap();
    let next = Browser::drive(chromium).await;
    next.open(&page).await;
    assert_eq!(next.wait(KEPT).await, nothing);
    next.end().await;
}

#[test]
fn with_a_test_that_fails_its_browser_ends() {
    let Some(chromium) = Chromium::take() else {
        println!("skipped: no chromium");
        return;
    };
    let ports = [chromium.driver, chromium.debugger];
    let there = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
    assert!(ports.iter().all(|port| there(*port)));
    let folder = chromium.folder.clone();
    assert!(folder.join("profile").is_dir());
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _chromium = chromium;
        panic!("on purpose");
    }));
    assert!(failed.is_err());
    assert!(!ports.iter().any(|port| there(*port)), "they listen no more");
    assert!(!folder.exists());
}
