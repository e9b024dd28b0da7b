//! What X's compliance streams say of accounts and posts, but for what its other streams say as well.
//!
//! An account may be kept back for several reasons at once; each begins and ends with a message of its own.

use tweetfilter_core::post::{Account, Millis};

use super::control::timestamp;
use super::v1::NETWORK;
use super::view::View;
use super::withheld;
use crate::Event;

/// Messages on an account: whether it can be seen as far as this reason goes, and the reason.
const STATES: [(&str, bool, &str); 6] = [
    ("user_delete", false, "deleted"),
    ("user_undelete", true, "deleted"),
    ("user_protect", false, "protected"),
    ("user_unprotect", true, "protected"),
    ("user_suspend", false, "suspended"),
    ("user_unsuspend", true, "suspended"),
];

/// The event of such a message about the user of an id; `None` if it is of another kind, or of nobody.
pub(super) fn state_of(kind: &str, id: String, at: Option<Millis>) -> Option<Event> {
    let (_, active, status) = STATES.into_iter().find(|(known, ..)| *known == kind)?;
    (!id.is_empty()).then(|| Event::AccountStatus {
        network: NETWORK.to_owned(),
        account: account(id),
        active,
        status: status.to_owned(),
        at,
    })
}

/// The event of `{"user_suspend": {"id": …, "timestamp_ms": …}}` and its like; API v2 has the user one step deeper.
pub(super) fn state(message: &View<'_>) -> Option<Event> {
    let (kind, body) = STATES.into_iter().find_map(|(kind, ..)| Some((kind, message.some_object(kind)?)))?;
    let user = body.some_object("user").unwrap_or_else(|| body.clone());
    state_of(kind, user.first_id(&["user_id_str", "user_id", "id_str", "id"]), timestamp(&body))
}

/// The event of a message of API v2, of which this is the `data`; `None` if it is none.
pub(super) fn event(data: &View<'_>) -> Option<Event> {
    // A user or a post, which may have fields of these names.
    if data.has("id") {
        return None;
    }
    state(data).or_else(|| {
        let kinds = ["delete", "withheld", "user_withheld", "scrub_geo"];
        let (kind, body) =
            kinds.into_iter().chain(FURTHER).find_map(|kind| Some((kind, data.some_object(kind)?)))?;
        said(kind, &body)
    })
}

/// Messages that only compliance streams have. The last three are only counted: what was dropped or deleted is gone, and
/// profiles are those that came with the posts.
const FURTHER: [&str; 5] = ["drop", "tweet_edit", "undrop", "status_undelete", "user_profile_modification"];

/// The event of such a message in the format of enterprise streams.
pub(super) fn further(message: &View<'_>) -> Option<Event> {
    let (kind, body) = FURTHER.into_iter().find_map(|kind| Some((kind, message.some_object(kind)?)))?;
    let of = body.some_object("status").unwrap_or_else(|| body.clone());
    let (id, author) = (of.first_id(&["id_str", "id"]), account(of.first_id(&["user_id_str", "user_id"])));
    Some(of_post(kind, id, author, &body))
}

fn of_post(kind: &str, id: String, author: Account, body: &View<'_>) -> Event {
    let at = timestamp(body);
    match kind {
        // It may not be shown, perhaps for a while only; who keeps it back for good shows nothing too early.
        "drop" if !id.is_empty() => Event::Delete { network: NETWORK.to_owned(), id, author, at },
        "tweet_edit" => {
            let mut gone = Vec::new();
            withheld::versions(&mut gone, &id, &author, &body.ids("edit_tweet_ids"));
            Event::Several(gone)
        }
        _ => Event::Other { kind: kind.to_owned() },
    }
}

fn said(kind: &str, body: &View<'_>) -> Option<Event> {
    let (tweet, at) = (body.object("tweet"), timestamp(body));
    let (id, author) = (tweet.id("id"), account(tweet.id("author_id")));
    let user = account(body.object("user").id("id"));
    let countries = body.ids("withheld_in_countries");
    // Said again for each post that quotes it, beside the message for itself.
    if body.has("quote_tweet_id") {
        return Some(Event::Other { kind: kind.to_owned() });
    }
    match kind {
        "delete" if !id.is_empty() => Some(Event::Delete { network: NETWORK.to_owned(), id, author, at }),
        "withheld" if !id.is_empty() => Some(Event::StatusWithheld { id, author, countries, at }),
        "user_withheld" if !user.id.is_empty() => Some(Event::UserWithheld { author: user, countries, at }),
        "scrub_geo" if !user.id.is_empty() => {
            Some(Event::ScrubGeo { author: user, up_to: body.id("up_to_tweet_id") })
        }
        _ if FURTHER.contains(&kind) => Some(of_post(kind, id, author, body)),
        _ => None,
    }
}

fn account(id: String) -> Account {
    Account { id, handle: String::new() }
}
