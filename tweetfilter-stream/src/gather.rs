//! Lines of a source become entries: decoded once, copies for several viewers joined.
//!
//! A site stream sends a post once for every user who saw it. Copies that arrive together become one entry with
//! all its viewers; those that come a little later are recognized by their bytes, and neither decoded nor
//! shrunk again.
//!
//! ```
//! use tweetfilter_stream::entry::{Audience, Entry};
//! use tweetfilter_stream::gather::Gather;
//! let mut gather = Gather::new("site", Audience::Viewers(Vec::new()));
//! gather.line(br#"{"for_user":"7","message":{"id_str":"1","text":"Snow","user":{"id_str":"3"}}}"#, 0);
//! gather.line(br#"{"for_user":"9","message":{"id_str":"1","text":"Snow","user":{"id_str":"3"}}}"#, 0);
//! let batch = gather.take();
//! let entry = Entry::from_slice(&batch.entries[0].bytes)?;
//! assert_eq!(entry.to, Audience::Viewers(vec!["7".into(), "9".into()]));
//! assert_eq!((batch.entries.len(), batch.counts.posts, batch.counts.merged), (1, 2, 1));
//! # Ok::<(), tweetfilter_stream::entry::EntryError>(())
//! ```

mod change;
mod order;
mod recent;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tweetfilter_core::post::{Millis, Post};

use self::change::{Asked, changed, size_of_change};
use self::order::{Moment, Nameless};
use self::recent::{Known, Recent, Told};
use crate::Event;
use crate::buffer::{Batch, Counts, Encoded, Gap};
use crate::entry::{Audience, Change, Content, Entry, Written};
use crate::source::Place;
use crate::wire::{self, Reason};

/// Viewers of a post that are looked through one by one; more of them are found in a set.
const LOOKED_THROUGH: usize = 16;

/// Collects what a source says until it is taken as a batch.
#[derive(Debug)]
pub struct Gather {
    source: String,
    bare: Audience,
    pending: Vec<Pending>,
    /// What of `pending` may be met again, by its key.
    waiting: HashMap<u64, Waiting>,
    recent: Recent,
    moment: Moment,
    nameless: Nameless,
    counts: Counts,
    gaps: Vec<Gap>,
    bytes: usize,
    /// What else was said since the batch before, in order.
    notices: Vec<Event>,
}

/// Places of what waits under one key. Each is asked for by itself, so that what is said of a post again and again costs no
/// more for every time that it was said before.
#[derive(Debug, Default)]
struct Waiting {
    /// Posts: one, or one for each kind of audience.
    posts: Vec<usize>,
    /// Deletes, each once.
    deletes: Vec<usize>,
    /// The last change of whatever kind.
    last_change: Option<usize>,
}

/// An entry that may still get further viewers.
#[derive(Debug)]
struct Pending {
    key: u64,
    at: Millis,
    to: Audience,
    /// Of a post without an id.
    place: Option<String>,
    /// Those whom it reaches, once there are so many that looking through them takes long.
    known: HashSet<String>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Post(Arc<Told>),
    Change(Change),
}

impl Pending {
    fn new(key: u64, at: Millis, to: Audience, body: Body) -> Self {
        Self { key, at, to, place: None, known: HashSet::new(), body }
    }

    /// Adds an audience of the same kind, and tells how many bytes more that takes.
    fn add(&mut self, more: &Audience) -> Option<usize> {
        let (Audience::Viewers(all), Audience::Viewers(more)) = (&mut self.to, more) else {
            return (self.to == *more).then_some(0);
        };
        let mut bytes = 0;
        for viewer in more {
            if self.known.is_empty() && all.len() >= LOOKED_THROUGH {
                self.known.extend(all.iter().cloned());
                bytes += size_of_list(all);
            }
            let is_known =
                if self.known.is_empty() { all.contains(viewer) } else { self.known.contains(viewer) };
            if is_known {
                continue;
            }
            if !self.known.is_empty() {
                self.known.insert(viewer.clone());
                bytes += size(viewer);
            }
            bytes += size(viewer);
            all.push(viewer.clone());
        }
        Some(bytes)
    }

    /// Bytes that it takes; a post that is remembered as well counts all the same.
    fn size(&self) -> usize {
        let body = match &self.body {
            Body::Post(post) => post.network.len() + post.id.len() + post.written.len(),
            Body::Change(change) => size_of_change(change),
        };
        let to = match &self.to {
            Audience::Viewers(viewers) => size_of_list(viewers),
            _ => 0,
        };
        size_of::<Self>() + body + to + self.place.as_ref().map_or(0, String::len)
    }

    fn change(&self) -> Option<&Change> {
        match &self.body {
            Body::Change(change) => Some(change),
            Body::Post(_) => None,
        }
    }
}

impl Gather {
    /// Begins to collect for a source. Messages that come in no envelope reach `bare`.
    #[must_use]
    pub fn new(source: impl Into<String>, bare: Audience) -> Self {
        Self {
            source: source.into(),
            bare,
            pending: Vec::new(),
            waiting: HashMap::new(),
            recent: Recent::default(),
            moment: Moment::default(),
            nameless: Nameless::default(),
            counts: Counts::default(),
            gaps: Vec::new(),
            bytes: 0,
            notices: Vec::new(),
        }
    }

    /// Takes one line, which was received at a time. If it comes again later, it is another line.
    pub fn line(&mut self, line: &[u8], at: Millis) {
        self.line_of(line, at, None);
    }

    /// Takes one line, which was received at a time, and has a place in its source: a line that was taken there before is
    /// this one.
    pub fn line_of(&mut self, line: &[u8], at: Millis, place: Option<Place>) {
        self.nameless.place = place.map(|place| (place, 0));
        let line = line.trim_ascii();
        self.counts.lines += 1;
        self.counts.bytes += line.len() as u64;
        if line.is_empty() {
            self.counts.keep_alives += 1;
            return;
        }
        let envelope = envelope(line);
        let message = envelope.map_or(line, |(_, message)| message);
        let hash = self.recent.hash(message);
        if let Some(known) = self.recent.find(hash, message) {
            let post = known.post.clone();
            let to = self.audience(envelope.map(|(user, _)| user));
            self.counts.posts += 1;
            self.join(post, to, at);
            return;
        }
        match wire::decode(line) {
            Ok(Event::Post(post)) => self.one(&post, false, None, at, Some((hash, message))),
            Ok(Event::ForUser { user, event }) if matches!(*event, Event::Post(_)) => {
                if let Event::Post(post) = *event {
                    self.one(&post, false, Some(&user), at, Some((hash, message)));
                }
            }
            Ok(event) => self.other(event, at),
            Err(error) => self.undecodable(error.reason),
        }
    }

    /// Counts a line that is longer than what is read.
    pub fn too_long(&mut self) {
        self.counts.lines += 1;
        self.undecodable(Reason::TooLong);
    }

    /// Records that messages are missing.
    pub fn gap(&mut self, gap: Gap) {
        self.bytes += size_of::<Gap>() + gap.reason.len();
        self.counts.missing = self.counts.missing.saturating_add(gap.missing.unwrap_or(0));
        self.gaps.push(gap);
    }

    /// Bytes that what waits takes in memory, which is more than its entries will have: a name of a few letters is kept by
    /// itself.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing to take.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.counts.is_empty() && self.gaps.is_empty()
    }

    /// Messages for whoever runs the source (a warning, a disconnect, a limit), since the last call.
    pub fn notices(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.notices)
    }

    /// Takes what was collected. Fence and cursor are for the caller to fill in.
    pub fn take(&mut self) -> Batch {
        self.waiting.clear();
        self.bytes = 0;
        let source = &self.source;
        let entries = self.pending.drain(..).filter_map(|pending| {
            let Pending { key, at, to, place, body, .. } = pending;
            let bytes = match body {
                Body::Post(post) => post.written.entry(source, at, &to, place.as_deref()),
                Body::Change(change) => {
                    Entry { source: source.clone(), at, to, place, content: Content::Change(change) }.to_vec()
                }
            };
            // Both are JSON already.
            Some(Encoded { key, bytes: bytes.ok()? })
        });
        Batch {
            entries: entries.collect(),
            source: self.source.clone(),
            counts: std::mem::take(&mut self.counts),
            gaps: std::mem::take(&mut self.gaps),
            ..Batch::default()
        }
    }

    fn audience(&self, viewer: Option<&str>) -> Audience {
        // An envelope that names nobody reaches nobody.
        let of = |user: &str| Some(user.to_owned()).filter(|user| !user.is_empty()).into_iter().collect();
        viewer.map_or_else(|| self.bare.clone(), |user| Audience::Viewers(of(user)))
    }

    /// Takes a decoded post, and the bytes by which its copies are recognized.
    fn one(&mut self, post: &Post, edit: bool, viewer: Option<&str>, at: Millis, seen: Option<(u64, &[u8])>) {
        // A stream may begin to tell of a post when that was edited already.
        let edit = edit || post.edited_at.is_some();
        let Ok(written) = Written::new(post, edit) else {
            return self.undecodable(Reason::UnknownMessage);
        };
        let (network, id) = (post.network.clone(), post.id.clone());
        let post = Arc::new(Told { key: key(&network, &id), network, id, written });
        if let Some((hash, message)) = seen {
            self.recent.add(hash, Known { bytes: message.into(), post: post.clone() });
        }
        let to = self.audience(viewer);
        self.counts.posts += 1;
        if edit {
            let at = self.moment.next(post.key, at);
            self.push_post(post, to, at);
        } else {
            self.join(post, to, at);
        }
    }

    /// Adds viewers to the entry of a post that waits, or makes one. What has no id is no copy of anything.
    fn join(&mut self, post: Arc<Told>, to: Audience, at: Millis) {
        let waiting = self.waiting.get(&post.key).map(|waiting| waiting.posts.as_slice());
        for &index in waiting.unwrap_or_default() {
            let pending = &mut self.pending[index];
            let same =
                matches!(&pending.body, Body::Post(of) if of.network == post.network && of.id == post.id);
            if same && let Some(bytes) = pending.add(&to) {
                self.bytes += bytes;
                self.counts.merged += 1;
                return;
            }
        }
        self.push_post(post, to, at);
    }

    fn push_post(&mut self, post: Arc<Told>, to: Audience, at: Millis) {
        self.counts.entries += 1;
        if !post.written.is_edit() && !post.id.is_empty() {
            self.waiting.entry(post.key).or_default().posts.push(self.pending.len());
        }
        let place = post.id.is_empty().then(|| self.nameless.next(at));
        self.push(Pending { place, ..Pending::new(post.key, at, to, Body::Post(post)) });
    }

    fn push(&mut self, pending: Pending) {
        self.bytes += pending.size();
        self.pending.push(pending);
    }

    /// Takes whatever is not a single post: the line is counted once, as what its first part is.
    fn other(&mut self, event: Event, at: Millis) {
        let mut first = true;
        for (viewer, event) in event.messages() {
            let viewer = viewer.as_deref();
            // Each part of a page stands for a line of its own.
            if !std::mem::take(&mut first) {
                self.counts.lines += 1;
            }
            match event {
                Event::Post(post) => self.one(&post, false, viewer, at, None),
                Event::Edit(post) => self.one(&post, true, viewer, at, None),
                Event::PostAnd { post, also } => {
                    for event in also {
                        self.change(event, viewer, at);
                    }
                    self.one(&post, false, viewer, at, None);
                }
                Event::Unreadable(error) => self.undecodable(error.reason),
                event => self.control(event, viewer, at),
            }
        }
        if first {
            // An empty page.
            self.counts.control += 1;
        }
    }

    fn control(&mut self, event: Event, viewer: Option<&str>, at: Millis) {
        self.counts.control += 1;
        self.change(event, viewer, at);
    }

    fn change(&mut self, event: Event, viewer: Option<&str>, at: Millis) {
        let Asked { key, said, change } = match changed(event) {
            Ok(changed) => changed,
            Err(notice) => return self.notices.push(*notice),
        };
        // That changes nothing, and is no entry.
        if !change.names_somebody() {
            return;
        }
        // Each viewer is told of a delete; once is enough, since it holds for all. Of other changes the last one counts,
        // so only that is not repeated.
        let waiting = self.waiting.get(&key);
        let is_same = |index: &usize| self.pending[*index].change() == Some(&change);
        let again = match &change {
            Change::Delete { .. } => waiting.is_some_and(|waiting| waiting.deletes.iter().any(is_same)),
            // Whose they are stands in the entry.
            Change::Friends { .. } => false,
            _ => waiting.and_then(|waiting| waiting.last_change.as_ref()).is_some_and(is_same),
        };
        if again {
            return;
        }
        // Of several that are received at one time it is known which is the later.
        let at = said.unwrap_or_else(|| self.moment.next(key, at));
        let (waiting, place) = (self.waiting.entry(key).or_default(), self.pending.len());
        waiting.last_change = Some(place);
        if matches!(change, Change::Delete { .. }) {
            waiting.deletes.push(place);
        }
        let to = self.audience(viewer);
        self.push(Pending::new(key, at, to, Body::Change(change)));
    }

    fn undecodable(&mut self, reason: Reason) {
        *self.counts.undecodable.entry(reason.to_string()).or_default() += 1;
    }
}

fn size_of_list(texts: &[String]) -> usize {
    texts.iter().map(|text| size(text)).sum()
}

/// Bytes of a text in a list.
fn size(text: &str) -> usize {
    size_of::<String>() + text.len()
}

/// What partitions of a buffer are chosen by: FNV-1a of network, a zero byte, and id.
#[must_use]
pub fn key(network: &str, id: &str) -> u64 {
    fnv(network.bytes().chain([0]).chain(id.bytes()))
}

/// FNV-1a: the same in every process and version.
pub(crate) fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The user and the message of an envelope in the form that X sent.
fn envelope(line: &[u8]) -> Option<(&str, &[u8])> {
    let rest = line.strip_prefix(b"{\"for_user\":")?;
    let (quoted, rest) = match rest.strip_prefix(b"\"") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (user, rest) = rest.split_at(digits);
    let rest = if quoted { rest.strip_prefix(b"\"")? } else { rest };
    let message = rest.strip_prefix(b",\"message\":")?.strip_suffix(b"}")?;
    let user = str::from_utf8(user).ok().filter(|user| !user.is_empty())?;
    message.starts_with(b"{").then_some((user, message))
}

#[cfg(test)]
mod tests;
