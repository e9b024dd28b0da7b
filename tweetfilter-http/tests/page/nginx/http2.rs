//! As much of HTTP/2 as the tests speak: frames as they are on the wire.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use super::{NAME, Tunnel};

/// Kinds of frames, and what they say of themselves.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const WINDOW: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// One connection, on which several requests are under way at once.
pub struct Http2 {
    tunnel: Tunnel,
    /// What is to be said as soon as an answer is waited for, all in one go.
    unsaid: Vec<u8>,
    heard: Vec<u8>,
    /// By the numbers of requests.
    answers: BTreeMap<u32, Answer>,
}

/// What came of a request up to now.
#[derive(Default)]
struct Answer {
    /// Whether it begins with status 200; none before it begins.
    good: Option<bool>,
    body: Vec<u8>,
    ended: bool,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Http2 {
    pub fn over(tunnel: Tunnel) -> Self {
        let mut unsaid = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        // There is room for all of the bodies, those of one request and of all.
        unsaid.extend(frame(SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]));
        unsaid.extend(frame(WINDOW, 0, 0, &[0x7f, 0xff, 0, 0]));
        Self { tunnel, unsaid, heard: Vec::new(), answers: BTreeMap::new() }
    }

    /// Asks for a path, with a token if there is one; gives the number of the request.
    pub fn get(&mut self, path: &str, token: Option<&str>) -> u32 {
        let request = 2 * u32::try_from(self.answers.len()).unwrap() + 1;
        // GET, https, and path, authority and authorization as they are.
        let mut head = [vec![0x82, 0x87], text(&[4], path), text(&[1], NAME)].concat();
        if let Some(token) = token {
            head.extend(text(&[0x0f, 8], &format!("Bearer {token}")));
        }
        self.unsaid.extend(frame(HEADERS, END_HEADERS | END_STREAM, request, &head));
        self.answers.insert(request, Answer::default());
        request
    }

    /// Waits until a request's answer has a text in it.
    pub fn until(&mut self, request: u32, wanted: &str) {
        self.hear(|answers| answers[&request].text().contains(wanted), wanted);
        assert_eq!(self.answers[&request].good, Some(true), "{}", self.answers[&request].text());
    }

    /// The whole answer to a request, if it is a good one.
    pub fn whole(&mut self, request: u32) -> String {
        self.hear(|answers| answers[&request].ended, "the end");
        assert_eq!(self.answers[&request].good, Some(true), "{}", self.answers[&request].text());
        self.answers[&request].text()
    }

    pub fn has_ended(&self, request: u32) -> bool {
        self.answers[&request].ended
    }

    /// How many answers begin with 200, and how many otherwise, as soon as all have begun.
    pub fn begun(&mut self) -> (usize, usize) {
        self.hear(|answers| answers.values().all(|answer| answer.good.is_some()), "all answers");
        let good = self.answers.values().filter(|answer| answer.good == Some(true)).count();
        (good, self.answers.len() - good)
    }

    fn hear(&mut self, is_enough: impl Fn(&BTreeMap<u32, Answer>) -> bool, wanted: &str) {
        self.tunnel.stdin.as_mut().unwrap().write_all(&std::mem::take(&mut self.unsaid)).unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        while !is_enough(&self.answers) {
            let some = self.tunnel.hears.recv_timeout(end.saturating_duration_since(Instant::now()));
            let told = || self.answers.values().map(Answer::text).collect::<Vec<_>>().join("\n");
            self.heard.extend(some.unwrap_or_else(|_| panic!("no {wanted:?} in {}", told())));
            while let Some(length) =
                self.heard.get(..3).map(|at| u32::from_be_bytes([0, at[0], at[1], at[2]]))
                && let whole = 9 + length as usize
                && self.heard.len() >= whole
            {
                let frame: Vec<u8> = self.heard.drain(..whole).collect();
                self.take(&frame);
            }
        }
    }

    fn take(&mut self, frame: &[u8]) {
        let (kind, flags, body) = (frame[3], frame[4], &frame[9..]);
        let request = u32::from_be_bytes([frame[5], frame[6], frame[7], frame[8]]);
        let Some(answer) = self.answers.get_mut(&request) else { return };
        match kind {
            DATA => answer.body.extend(body),
            // A head begins with its status, perhaps behind a change of the table's size; what stands behind the body has none.
            HEADERS if answer.good.is_none() => {
                answer.good = body.iter().find(|byte| *byte & 0xe0 != 0x20).map(|status| *status == 0x88);
            }
            RESET => answer.ended = true,
            _ => {}
        }
        answer.ended |= matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
    }
}

fn frame(kind: u8, flags: u8, request: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &request.to_be_bytes(), body].concat()
}

/// A header by its place in the table that both sides know, with a text as it is.
fn text(place: &[u8], text: &str) -> Vec<u8> {
    assert!(text.len() < 127, "a longer one is said otherwise");
    [place, &[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}
