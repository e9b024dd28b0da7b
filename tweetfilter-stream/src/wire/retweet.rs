//! Retweets: what they carry, or only announce. Where they announce it, their text is the original's behind "RT @name: ".

use tweetfilter_core::Span;
use tweetfilter_core::post::{Entities, Post, Reference};

/// The original of a retweet that carries a post. Networks make no retweets of retweets; where something else did, it is
/// what stands at the bottom, for that has the text.
pub(super) fn original(mut carried: Post) -> Post {
    while let Some(reference) = carried.retweet_of.take_if(|reference| reference.post.is_some()) {
        match reference.post {
            Some(further) => carried = further,
            None => break,
        }
    }
    carried
}

/// Takes "RT @name: " off a text and its entities, so that the content stands there as its author wrote it, and
/// names that author in the reference where nothing else does.
pub(super) fn uncover(text: &mut String, entities: &mut Entities, original: &mut Reference) {
    let Some((handle, length)) = head(text) else { return };
    if original.account.handle.is_empty() {
        original.account.handle = handle;
    }
    text.drain(..length);
    let shift = length as u32;
    let moved = |span: Span| (span.start >= shift).then(|| Span::new(span.start - shift, span.end - shift));
    entities.mentions.retain(|mention| mention.span.is_none_or(|span| span.start >= shift));
    entities.other_links.retain_mut(|span| moved(*span).map(|to| *span = to).is_some());
    let tags = entities.hashtags.iter_mut().chain(&mut entities.cashtags).map(|tag| &mut tag.span);
    let mentions = entities.mentions.iter_mut().map(|mention| &mut mention.span);
    let links = entities.links.iter_mut().map(|link| &mut link.span);
    tags.chain(mentions).chain(links).for_each(|span| *span = span.and_then(moved));
}

/// The name in "RT @name: ", and how many bytes that takes.
fn head(text: &str) -> Option<(String, usize)> {
    let (name, rest) = text.strip_prefix("RT @")?.split_once(": ")?;
    let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    named.then(|| (name.to_owned(), text.len() - rest.len()))
}
