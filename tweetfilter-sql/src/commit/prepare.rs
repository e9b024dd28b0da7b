//! What of a post can be made ready before the transaction begins.

use tweetfilter_core::Post;
use tweetfilter_core::post::Reference;
use tweetfilter_stream::shrunk;
use tweetfilter_stream::store::{Evaluated, StoreError};

use crate::digest::digest;

/// Characters of a network's or a source's name.
pub(super) const NAME: usize = 190;
/// Characters of an id or a handle.
pub(super) const ID: usize = 500;
/// Bytes of a post: a row of 16 MB would look like an outage.
const BODY: usize = 4 << 20;

/// A post under which network and id.
pub(super) type Key = (String, String);

/// A post, ready to be stored.
pub(super) struct Prepared<'o> {
    pub(super) evaluated: &'o Evaluated,
    pub(super) key: Key,
    pub(super) body: String,
    /// Originals within it, and who wrote them.
    pub(super) carried: Vec<(Key, String)>,
    /// Posts with a place, itself included: network, author and id.
    pub(super) placed: Vec<(String, String, String)>,
}

impl<'o> Prepared<'o> {
    pub(super) fn new(evaluated: &'o Evaluated) -> Result<Self, StoreError> {
        let post = &evaluated.post;
        let body = body(post)?;
        let id = match post.id.as_str() {
            // It has no name of its own, so it gets one by which it is recognized when it is delivered or read again, and
            // told from others that say the same.
            "" => {
                let at = evaluated.at.to_le_bytes();
                let place = evaluated.place.as_ref().map_or(&at[..], |place| place.as_bytes());
                format!("~{}", digest([evaluated.source.as_bytes(), place, body.as_bytes()]))
            }
            id => id.to_owned(),
        };
        let key = (post.network.clone(), id);
        let (mut carried, mut placed) = (Vec::new(), Vec::new());
        place(post, &key, &mut placed);
        each_carried(post, &post.network, &mut |network, reference, original| {
            let key = (network.to_owned(), reference.id().to_owned());
            place(original, &key, &mut placed);
            if !key.1.is_empty() {
                carried.push((key, original.author.account.id.clone()));
            }
        });
        carried.sort_unstable();
        carried.dedup_by(|a, b| a.0 == b.0);
        let account = &post.author.account;
        fits(&[&key.0, &evaluated.source], &[&key.1, &account.id, &account.handle])?;
        for (key, author) in &carried {
            fits(&[&key.0], &[&key.1, author])?;
        }
        Ok(Self { evaluated, key, body, carried, placed })
    }

    /// Makes it anew after its post was changed.
    pub(super) fn with_post(&self, post: &Post) -> Result<String, StoreError> {
        body(post).map_err(|error| StoreError::Refused(format!("{}: {error}", self.key.1)))
    }
}

/// A post as it is stored.
pub(super) fn body(post: &Post) -> Result<String, StoreError> {
    let body = shrunk::to_vec(post).map_err(|error| StoreError::Refused(error.to_string()))?;
    let body = String::from_utf8(body).map_err(|error| StoreError::Refused(error.to_string()))?;
    if body.len() > BODY {
        return Err(StoreError::Refused(format!(
            "a post of {} bytes; at most {BODY} are stored",
            body.len()
        )));
    }
    Ok(body)
}

/// Refuses names and ids that a column can't hold, or that a database takes for others: to MariaDB, spaces at the end are
/// none. No network has such ids.
pub(super) fn fits(names: &[&str], ids: &[&str]) -> Result<(), StoreError> {
    let long = |texts: &[&str], limit: usize| texts.iter().any(|text| text.chars().count() > limit);
    let mut all = names.iter().chain(ids);
    if let Some(text) = all.find(|text| text.ends_with(' ')) {
        let shown: String = text.chars().take(40).collect();
        return Err(StoreError::Refused(format!("a name or an id that ends in a space: {shown:?}")));
    }
    if long(names, NAME) || long(ids, ID) {
        return Err(StoreError::Refused(format!(
            "a name of more than {NAME} characters, or an id of more than {ID}"
        )));
    }
    Ok(())
}

/// Calls for every post within a post, with its network.
pub(super) fn each_carried<'p>(
    post: &'p Post,
    network: &str,
    call: &mut impl FnMut(&str, &'p Reference, &'p Post),
) {
    for reference in [&post.retweet_of, &post.quote_of].into_iter().flatten() {
        if let Some(original) = &reference.post {
            let network = if original.network.is_empty() { network } else { &original.network };
            call(network, reference, original);
            each_carried(original, network, call);
        }
    }
}

/// Takes out all originals that a test names. False if the post is a retweet of one, so that nothing is left.
pub(super) fn strip(post: &mut Post, network: &str, gone: &impl Fn(&str, &str) -> bool) -> bool {
    let mut left = true;
    let references = [(&mut post.retweet_of, true), (&mut post.quote_of, false)];
    for (reference, retweet) in references {
        let Some(reference) = reference else { continue };
        let id = reference.id().to_owned();
        let Some(original) = &mut reference.post else { continue };
        let network = if original.network.is_empty() { network.to_owned() } else { original.network.clone() };
        if gone(&network, &id) {
            reference.id = id;
            reference.post = None;
            left &= !retweet;
        } else {
            left &= strip(original, &network, gone) || !retweet;
        }
    }
    left
}

/// Takes places out of a post, and of those within it, that a test names by network, author and id.
pub(super) fn scrub(post: &mut Post, key: &Key, scrubbed: &impl Fn(&str, &str, &str) -> bool) {
    if scrubbed(&key.0, &post.author.account.id, &key.1) {
        post.place = None;
        post.coordinates = None;
    }
    for reference in [&mut post.retweet_of, &mut post.quote_of].into_iter().flatten() {
        let id = reference.id().to_owned();
        if let Some(original) = &mut reference.post {
            let network = if original.network.is_empty() { &key.0 } else { &original.network };
            let key = (network.clone(), id);
            scrub(original, &key, scrubbed);
        }
    }
}

/// Whether an id is at most another: as numbers where both are.
pub(super) fn up_to(id: &str, last: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(id) && digits(last) {
        let number = |text: &str| text.trim_start_matches('0').to_owned();
        let (id, last) = (number(id), number(last));
        (id.len(), id) <= (last.len(), last)
    } else {
        id <= last
    }
}

fn place(post: &Post, key: &Key, placed: &mut Vec<(String, String, String)>) {
    if post.place.is_some() || post.coordinates.is_some() {
        placed.push((key.0.clone(), post.author.account.id.clone(), key.1.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::up_to;

    #[test]
    fn numeric_ids_are_compared_as_numbers() {
        assert!(up_to("99", "100") && up_to("100", "100") && !up_to("101", "100"));
        assert!(up_to("0099", "100") && !up_to("18446744073709551617", "18446744073709551616"));
        assert!(up_to("3kabc", "3kabd") && !up_to("3kabd", "3kabc"));
    }
}
