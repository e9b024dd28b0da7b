//! A Chromium that a test drives.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::wd::{WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::Url;

use crate::chromium::Chromium;

/// How long the page may take for what it does at once, where that is not what is tried; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// Within what a change shows everywhere, and what a machine of two cores that has other tests to run may add to it.
const SOON: Duration = Duration::from_secs(2);
const BUSY: Duration = Duration::from_secs(3);
/// How long it is waited between two looks, and how many of them are made in that time unless this test or the browser is held
/// up, which says nothing of the page.
const BETWEEN: Duration = Duration::from_millis(30);
const LOOKS: u32 = 100;

pub struct Browser {
    client: Client,
    chromium: Chromium,
}

/// A command of the browser's own protocol.
#[derive(Debug)]
struct Own(&'static str, Value);

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (axum::http::Method, Option<String>) {
        (axum::http::Method::POST, Some(json!({"cmd": self.0, "params": self.1}).to_string()))
    }
}

/// What is written down of each document before its own scripts run.
const WITNESS: &str = "
    window.seen = {violations: [], errors: []};
    window.usable = null;
    new MutationObserver((_, observer) => {
        if (!document.querySelector('.post')) return;
        window.usable = performance.now();
        observer.disconnect();
    }).observe(document, {childList: true, subtree: true});
    document.addEventListener('securitypolicyviolation', (event) =>
        seen.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
    addEventListener('error', (event) => seen.errors.push(String(event.message)));
    addEventListener('unhandledrejection', (event) => seen.errors.push(String(event.reason?.stack ?? event.reason)));
";

impl Browser {
    /// One without traces of another test; `None`, and a line that says so, where there is no Chromium.
    pub async fn start() -> Option<Self> {
        let Some(chromium) = Chromium::take() else {
            println!("skipped: no chromium");
            return None;
        };
        Some(Self::drive(chromium).await)
    }

    /// A tab in it, and a session of the driver.
    pub async fn drive(mut chromium: Chromium) -> Self {
        let tab = chromium.tab(true).expect("a tab opens");
        let options = json!({"debuggerAddress": format!("127.0.0.1:{}", chromium.debugger)});
        // Milliseconds for what a promise gives; a busy machine may need many of them.
        let capabilities = json!({"goog:chromeOptions": options, "timeouts": {"script": 120_000}});
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(serde_json::from_value(capabilities).unwrap())
            .connect(&format!("http://127.0.0.1:{}", chromium.driver))
            .await
            .expect("chromedriver reaches chromium");
        let browser = Self { client, chromium };
        browser.goes_to(tab).await;
        browser.before(WITNESS).await;
        browser.looks(1280, 860, "light").await;
        browser
    }

    async fn goes_to(&self, tab: String) {
        self.client.switch_to_window(WindowHandle::try_from(tab).unwrap()).await.unwrap();
    }

    async fn own(&self, name: &'static str, parameters: Value) -> Value {
        self.client.issue_cmd(Own(name, parameters)).await.unwrap()
    }

    /// The size of the page, and `light` or `dark`.
    pub async fn looks(&self, width: u32, height: u32, scheme: &str) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.own("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}]});
        self.own("Emulation.setEmulatedMedia", scheme).await;
    }

    /// Runs a script in each document from now on, before its own.
    pub async fn before(&self, script: &str) {
        self.own("Page.addScriptToEvaluateOnNewDocument", json!({"source": script})).await;
    }

    /// Lets no address be loaded, from now on, that is like one of these.
    pub async fn blocks(&self, like: &[&str]) {
        self.own("Network.enable", json!({})).await;
        self.own("Network.setBlockedURLs", json!({"urls": like})).await;
    }

    /// The time zone of the page, such as `America/New_York`, from now on.
    pub async fn zone(&self, name: &str) {
        self.own("Emulation.setTimezoneOverride", json!({"timezoneId": name})).await;
    }

    /// Opens another tab, and goes on in it; gives the one before.
    pub async fn tab(&mut self) -> WindowHandle {
        let before = self.client.window().await.unwrap();
        let tab = self.chromium.tab(false).unwrap();
        self.goes_to(tab).await;
        before
    }

    /// Closes this tab, and goes on in another.
    pub async fn close_tab(&self, other: WindowHandle) {
        self.client.close_window().await.unwrap();
        self.client.switch_to_window(other).await.unwrap();
    }

    pub async fn open(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    /// What a function's body returns in the page.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// What a promise in the page gives.
    pub async fn wait(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             ({expression}).then((value) => done({{value}}), (error) => done({{error: String(error.stack)}}))"
        );
        let got = self.client.execute_async(&script, Vec::new()).await.unwrap();
        assert_eq!(got["error"], Value::Null, "{expression}");
        got["value"].clone()
    }

    /// Holds back what the page asks for where an expression of `method`, `path` and `body` is true, until `let_go()` is
    /// called in the page, and again after `hold()`; `let_go(n)` lets go of the first n. `sent` counts it, and `answered`
    /// what was answered of it.
    pub async fn holds(&self, which: &str) {
        let script = format!(
            "let held;
             window.hold = () => {{
                 [window.sent, window.answered] = [0, 0];
                 const [waiting, free] = [[], {{ first: 0 }}];
                 held = (number) => number <= free.first
                     ? null
                     : new Promise((go) => {{ waiting.push([number, go]); }});
                 window.let_go = (first = Infinity) => {{
                     free.first = first;
                     for (const [number, go] of waiting) if (number <= first) go();
                 }};
             }};
             hold();
             const fetched = window.fetch;
             window.fetch = async (address, options = {{}}) => {{
                 const {{method = 'GET', body}} = options;
                 const path = new URL(address, location.href).pathname.replace('/api/v1', '');
                 if ({which}) {{
                     await held(++window.sent);
                     // However long it was held back, the page is not to give it up for that.
                     const isGivenUp = options.signal?.reason?.name === 'TimeoutError';
                     const answer = await fetched(address, isGivenUp ? {{...options, signal: null}} : options);
                     window.answered++;
                     return answer;
                 }}
                 return fetched(address, options);
             }};"
        );
        self.run(&script).await;
    }

    /// Waits until an expression is true, and gives its value.
    pub async fn until(&self, expression: &str) -> Value {
        self.until_counted(expression).await.0
    }

    /// The same, with how often it was looked.
    async fn until_counted(&self, expression: &str) -> (Value, u32) {
        let (begin, mut looks) = (Instant::now(), 0);
        loop {
            looks += 1;
            let value = self.run(&format!("return {expression}")).await;
            if !matches!(value, Value::Null | Value::Bool(false)) && value != json!(0) && value != json!("") {
                return (value, looks);
            }
            if begin.elapsed() > PATIENCE {
                let text = self.run("return document.body.innerText + JSON.stringify(seen)").await;
                self.picture("failed").await;
                panic!("{expression} did not become true; the page: {text}");
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }

    /// What an expression gives as soon as it gives the same in some frames one after the other: what is scrolled to is drawn in
    /// one of the next, and nobody knows how long those take.
    pub async fn still(&self, expression: &str) -> Value {
        let script = format!(
            "(async () => {{
                let [last, same] = [null, 0];
                while (same < 5) {{
                    await new Promise((done) => requestAnimationFrame(done));
                    const now = {expression};
                    same = now && now === last ? same + 1 : 0;
                    last = now;
                }}
                return last;
            }})()"
        );
        self.wait(&script).await
    }

    /// The same of what has to show within two seconds of a change, which was made just now.
    pub async fn soon(&self, expression: &str) -> Value {
        let begin = Instant::now();
        let (value, looks) = self.until_counted(expression).await;
        let took = begin.elapsed();
        println!("{expression} after {took:?}, {looks} looks");
        assert!(took < SOON + BUSY || looks < LOOKS, "{expression} only after {took:?}, {looks} looks");
        value
    }

    /// Waits until the text is seen somewhere.
    pub async fn sees(&self, text: &str) {
        self.until(&format!("document.body.innerText.includes({})", json!(text))).await;
    }

    /// Signs in by a link, and opens the editor for a new filter, whose text has the keyboard.
    pub async fn begins_a_filter(&self, link: &str) {
        self.open(link).await;
        self.sees("Everything").await;
        self.run("location.hash = '#/filters/new'").await;
        self.until("document.activeElement.id === 'filter-text'").await;
    }

    /// What reaches beyond the edges of the window, but for what scrolls within it.
    pub async fn wider(&self) -> Value {
        self.run(
            "return [...document.querySelectorAll('#house *')].filter((element) => {
                 const {left, right, width} = element.getBoundingClientRect();
                 return element.checkVisibility() && !element.closest('.columns, .scrolls, .sub, .tabs, .aside, .excerpt') &&
                     width > 0 && (right > innerWidth + 1 || left < -1);
             }).map((element) => element.outerHTML.slice(0, 120))",
        )
        .await
    }

    pub async fn press(&self, selector: &str) {
        let selector = json!(selector);
        self.until(&format!("!!document.querySelector({selector})")).await;
        self.run(&format!("document.querySelector({selector}).click()")).await;
    }

    /// Types into what has the focus. Keys that write nothing are named by their WebDriver characters.
    pub async fn keys(&self, text: &str) {
        let mut keys = KeyActions::new("keyboard".to_owned());
        for value in text.chars() {
            keys = keys.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(keys).await.unwrap();
    }

    /// A key while another is held.
    pub async fn chord(&self, held: char, key: char) {
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: held })
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key })
            .then(KeyAction::Up { value: held });
        self.client.perform_actions(keys).await.unwrap();
    }

    /// Keeps a picture of what is seen, for people.
    pub async fn picture(&self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/page");
        std::fs::create_dir_all(&folder).unwrap();
        let png = self.client.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }

    /// Nothing was refused by the policy, and no script failed.
    pub async fn was_clean(&self) {
        assert_eq!(self.run("return seen").await, json!({"violations": [], "errors": []}));
    }

    /// Leaves it to the next test; one that failed does not come to that.
    pub async fn end(self) {
        if let Some(chromium) = self.leave().await {
            chromium.give_back();
        }
    }

    /// Leaves it as it was before the test, if that can be done.
    pub async fn leave(self) -> Option<Chromium> {
        let Self { client, mut chromium } = self;
        client.close().await.ok()?;
        chromium.forget().ok()?;
        Some(chromium)
    }
}

pub const ALT: char = '\u{E00A}';
pub const BACKSPACE: char = '\u{E003}';
pub const ENTER: char = '\u{E007}';
pub const CONTROL: char = '\u{E009}';
pub const DOWN: char = '\u{E015}';
pub const ESCAPE: char = '\u{E00C}';
pub const TAB: char = '\u{E004}';
