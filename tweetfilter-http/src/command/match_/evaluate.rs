//! One worker: lines in, output and counts out.

use tweetfilter_core::{Match, OwnerId, Post, Scratch};
use tweetfilter_stream::Event;
use tweetfilter_stream::files::Line as Raw;

use super::input::{Chunk, push_line};
use super::output::{Found, Writer};
use super::tally::{Place, Tally};
use super::{Job, Output};

/// What a chunk gave.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// For standard output.
    pub(super) out: Vec<u8>,
    /// Filters and the lines of the chunk that each gets, by their indices.
    pub(super) split: Vec<(u32, u32)>,
    /// Posts in the chunk.
    pub(super) posts: u64,
}

/// Decodes, evaluates and writes.
pub(super) struct Evaluator<'a> {
    job: &'a Job,
    writer: Writer<'a>,
    scratch: Scratch,
    matches: Vec<Match>,
    has_owners: bool,
    /// What all chunks gave so far.
    pub(super) tally: Tally,
}

/// The line that is being evaluated.
struct Line<'a> {
    raw: Raw<'a>,
    place: Place,
    index: u32,
    /// Whether it was written to the output; it holds several posts at times.
    written: bool,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(job: &'a Job) -> Self {
        Self {
            job,
            writer: Writer::new(job),
            scratch: Scratch::default(),
            matches: Vec::new(),
            has_owners: !job.compiled.owners.is_empty() && !job.ignore_owners,
            tally: Tally::new(job.compiled.entries.len()),
        }
    }

    /// Evaluates the lines of a chunk.
    pub(super) fn chunk(&mut self, chunk: &Chunk) -> Outcome {
        let mut outcome = Outcome::default();
        let before = self.tally.posts;
        self.tally.bytes += chunk.size() as u64;
        if let Some((reason, place)) = chunk.damage() {
            self.tally.skip(&reason, place);
        }
        for (index, (raw, place)) in chunk.lines().enumerate() {
            let mut line = Line { raw, place, index: index as u32, written: false };
            self.line(&mut line, &mut outcome);
        }
        outcome.posts = self.tally.posts - before;
        outcome
    }

    fn line(&mut self, line: &mut Line<'_>, outcome: &mut Outcome) {
        if line.raw.too_long {
            self.tally.skip("too long (`match --help` says the limits)", line.place);
            return;
        }
        if self.job.text {
            match line.raw.text() {
                Ok(text) => self.post(&Post::from_text(text), None, line, outcome),
                Err(_) => self.tally.skip("not UTF-8", line.place),
            }
            return;
        }
        match line.raw.decode_parts(self.job.parts) {
            Ok(Event::Post(post)) => self.post(&post, None, line, outcome),
            Ok(event) => self.event(event, line, outcome),
            // It is told as what breaks off, once.
            Err(_) if line.raw.cut_off => {}
            Err(error) => self.tally.skip(&error.reason.to_string(), line.place),
        }
    }

    /// Takes envelopes and pages apart.
    fn event(&mut self, event: Event, line: &mut Line<'_>, outcome: &mut Outcome) {
        for (viewer, event) in event.messages() {
            match event {
                Event::Post(post) | Event::Edit(post) | Event::PostAnd { post, .. } => {
                    self.post(&post, viewer.as_deref(), line, outcome);
                }
                Event::Unreadable(error) => self.tally.skip(&error.reason.to_string(), line.place),
                other => self.tally.other(kind(&other)),
            }
        }
    }

    fn post(&mut self, post: &Post, viewer: Option<&str>, line: &mut Line<'_>, outcome: &mut Outcome) {
        self.tally.posts += 1;
        self.tally.delivered += u64::from(viewer.is_some());
        self.find(post, viewer);
        let period = self.job.by.map(|by| post.created_at.map(|time| by.number(time)));
        let in_period = period.map(|period| self.tally.of_period.entry(period).or_default());
        if self.matches.is_empty() {
            return;
        }
        self.tally.matched_posts += 1;
        self.tally.matches += self.matches.len() as u64;
        for found in &self.matches {
            self.tally.of_filter[found.index as usize] += 1;
        }
        if let Some(counts) = in_period {
            self.matches.iter().for_each(|found| *counts.entry(found.index).or_default() += 1);
        }
        if self.job.split {
            outcome.split.extend(self.matches.iter().map(|found| (found.index, line.index)));
            return;
        }
        if self.job.output == Output::Posts {
            if !line.written {
                line.written = true;
                push_line(&mut outcome.out, &line.raw);
            }
            return;
        }
        let found = Found { post, viewer, place: line.place, matches: &self.matches };
        self.writer.write(&found, &mut outcome.out);
    }

    /// Fills `matches` with the filters that match, of those that are tried on this post.
    fn find(&mut self, post: &Post, viewer: Option<&str>) {
        let set = &self.job.compiled.set;
        let found = if self.has_owners {
            let owner: Option<OwnerId> = viewer.and_then(|user| self.job.compiled.owners.get(user)).copied();
            set.matches_for(&mut self.scratch, post, owner.as_slice())
        } else {
            set.matches_with(&mut self.scratch, post)
        };
        self.matches.clear();
        self.matches.extend_from_slice(found);
    }
}

/// A message that is no post, in words for the summary.
fn kind(event: &Event) -> &str {
    match event {
        Event::Post(_) | Event::Edit(_) | Event::PostAnd { .. } => "post",
        Event::ForUser { .. } => "envelope",
        Event::Several(_) => "page",
        Event::Delete { .. } => "delete",
        Event::DeleteMessage { .. } => "direct message delete",
        Event::ScrubGeo { .. } => "scrub_geo",
        Event::StatusWithheld { .. } => "status_withheld",
        Event::UserWithheld { .. } => "user_withheld",
        Event::Limit { .. } => "limit",
        Event::Disconnect { .. } => "disconnect",
        Event::Warning { .. } => "warning",
        Event::Friends { .. } => "friends",
        Event::Activity { .. } => "event",
        Event::DirectMessage { .. } => "direct message",
        Event::Control { .. } => "control",
        Event::AccountStatus { .. } => "account",
        Event::Identity { .. } => "identity",
        Event::Failure { .. } => "error",
        Event::Other { kind } if !kind.is_empty() => kind,
        _ => "other",
    }
}
