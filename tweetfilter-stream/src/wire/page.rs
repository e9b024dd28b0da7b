//! Messages inside of a message: pages, envelopes, payloads.

use tweetfilter_core::{Parts, Post};

use super::Reason;
use super::room::Room;
use crate::Event;
use crate::shrunk::carried;

/// Messages inside each other that are read: a post in a list in an envelope.
const NESTED: u8 = 4;

/// Where a message stands that is read.
#[derive(Clone, Copy)]
pub(super) struct Inside<'r> {
    /// Messages inside each other that may still follow.
    depth: u8,
    /// What those of pages may still take, of all pages of a line.
    room: &'r Room,
    /// The parts of posts that are kept.
    pub(super) parts: Parts,
}

impl<'r> Inside<'r> {
    /// In nothing, where all pages may take so much.
    pub(super) fn of(room: &'r Room, parts: Parts) -> Self {
        Self { depth: NESTED, room, parts }
    }

    /// One message deeper, if that is read.
    pub(super) fn below(self) -> Option<Self> {
        Some(Self { depth: self.depth.checked_sub(1)?, ..self })
    }

    /// The events of a page's messages; one for all that there is no room for.
    pub(super) fn page<T>(
        self,
        messages: impl Iterator<Item = T>,
        mut read: impl FnMut(T) -> Event,
    ) -> Event {
        let mut events = Vec::new();
        for message in messages {
            let event = self.room.holds::<Event>().then(|| read(message));
            let Some(event) = event.filter(|event| self.room.takes(size_of_posts(event))) else {
                let why = "the messages before it in the same one take too much memory";
                events.push(Event::Unreadable(Reason::TooMany.because(why)));
                break;
            };
            events.push(event);
        }
        Event::Several(events)
    }
}

/// Bytes of the posts of an event, without their texts and lists, and of what is said beside them. Those of a page in it
/// are counted already.
fn size_of_posts(event: &Event) -> usize {
    match event {
        Event::Post(post) | Event::Edit(post) | Event::Activity { post: Some(post), .. } => {
            size_of_post(post)
        }
        Event::PostAnd { post, also } => size_of_post(post) + size_of_val(also.as_slice()),
        Event::ForUser { event, .. } => size_of_posts(event),
        _ => 0,
    }
}

fn size_of_post(post: &Post) -> usize {
    size_of::<Post>() + carried(post).map(size_of_post).sum::<usize>()
}
