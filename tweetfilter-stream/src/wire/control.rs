//! Messages of X's streams that are no posts.

use tweetfilter_core::post::{Account, Millis};

use super::fields::Scalar;
use super::view::View;
use super::{DecodeError, Inside, compliance, decode_text, v1};
use crate::Event;

/// The event of a message, if it is one of these.
pub(super) fn event(message: &View<'_>, inside: Inside<'_>) -> Result<Option<Event>, DecodeError> {
    if let Some(event) = message.raw("message").filter(|_| message.has("for_user")) {
        let event = Box::new(decode_text(event, inside)?);
        return Ok(Some(Event::ForUser { user: message.id("for_user"), event }));
    }
    Ok(notice(message)
        .or_else(|| compliance::state(message))
        .or_else(|| happening(message, inside))
        .or_else(|| direct_message(message)))
}

/// The event of what enterprise streams say beside posts, in messages that nothing but their one key marks: to be asked
/// for last.
pub(super) fn enterprise(message: &View<'_>) -> Option<Event> {
    let said = |kind| message.some_object(kind).filter(|body| body.has("message"));
    if let Some(error) = said("error") {
        return Some(Event::Failure { message: error.id("message") });
    }
    if let Some(warning) = said("warn") {
        let (code, message) = (warning.id("code"), warning.id("message"));
        return Some(Event::Warning { code, message, percent_full: None });
    }
    if said("info").is_some() {
        return Some(Event::Other { kind: "info".to_owned() });
    }
    compliance::further(message)
}

/// Messages whose whole content stands under one key.
fn notice(message: &View<'_>) -> Option<Event> {
    const KINDS: [&str; 10] = [
        "delete",
        "limit",
        "scrub_geo",
        "status_withheld",
        "user_withheld",
        "disconnect",
        "warning",
        "control",
        "friends",
        "friends_str",
    ];
    let kind = KINDS.into_iter().find(|kind| message.has(kind))?;
    let body = message.object(kind);
    let countries = || body.ids("withheld_in_countries");
    let at = || timestamp(&body).or_else(|| timestamp(message));
    Some(match kind {
        "delete" => {
            let at = at();
            match body.some_object("direct_message") {
                Some(deleted) => Event::DeleteMessage { id: id(&deleted), user: user_of(&deleted) },
                // A like that was taken back.
                None if body.has("favorite") => Event::Other { kind: "delete of a favorite".to_owned() },
                None => {
                    let deleted = body.object("status");
                    let (id, author) = (id(&deleted), user_of(&deleted));
                    Event::Delete { network: v1::NETWORK.to_owned(), id, author, at }
                }
            }
        }
        "limit" => Event::Limit { undelivered: body.count("track").unwrap_or(0) },
        "scrub_geo" => Event::ScrubGeo {
            author: user_of(&body),
            up_to: body.first_id(&["up_to_status_id_str", "up_to_status_id"]),
        },
        // Which post or user it is, enterprise streams say one step deeper.
        "status_withheld" => {
            let of = body.some_object("status").unwrap_or_else(|| body.clone());
            Event::StatusWithheld { id: id(&of), author: user_of(&of), countries: countries(), at: at() }
        }
        "user_withheld" => {
            let of = body.some_object("user").unwrap_or_else(|| body.clone());
            let author = Account { id: id(&of), handle: String::new() };
            Event::UserWithheld { author, countries: countries(), at: at() }
        }
        "disconnect" => Event::Disconnect {
            code: body.count("code").unwrap_or(0),
            stream: body.id("stream_name"),
            reason: body.id("reason"),
        },
        "warning" => Event::Warning {
            code: body.id("code"),
            message: body.id("message"),
            percent_full: body.count("percent_full"),
        },
        "control" => Event::Control { uri: body.id("control_uri") },
        _ => Event::Friends { ids: message.ids(kind) },
    })
}

/// `{"event": "follow", "source": …, "target": …}`, or a direct message in its later form.
fn happening(message: &View<'_>, inside: Inside<'_>) -> Option<Event> {
    let Scalar::Text(kind) = message.scalar("event") else {
        let event = message.some_object("event")?;
        let created = event.object("message_create");
        let account = |id: String| Account { id, handle: String::new() };
        return Some(Event::DirectMessage {
            id: event.id("id"),
            sender: account(created.id("sender_id")),
            recipient: account(created.object("target").id("recipient_id")),
        });
    };
    let (target, at) = (account(message, "target"), message.time("created_at"));
    // Streams of users say so of accounts, too.
    if let Some(state) = compliance::state_of(&kind, target.id.clone(), at) {
        return Some(state);
    }
    let post = message.raw("target_object").and_then(|object| match decode_text(object, inside) {
        Ok(Event::Post(post) | Event::PostAnd { post, .. }) => Some(post),
        _ => None,
    });
    Some(Event::Activity { kind: kind.into_owned(), source: account(message, "source"), target, post, at })
}

/// Whether a message is what one account wrote to another, which is no post though it has a text.
pub(super) fn is_direct_message(message: &View<'_>) -> bool {
    message.some_object("sender").is_some()
        && message.some_object("recipient").is_some()
        && !message.has("user")
}

fn direct_message(message: &View<'_>) -> Option<Event> {
    let body = match message.some_object("direct_message") {
        Some(body) => body,
        None if message.some_object("sender").is_some() && !message.has("user") => message.clone(),
        None => return None,
    };
    let mut sender = account(&body, "sender");
    if sender == Account::default() {
        sender = user_of(&body);
    }
    Some(Event::DirectMessage { id: id(&body), sender, recipient: account(&body, "recipient") })
}

fn id(body: &View<'_>) -> String {
    body.first_id(&["id_str", "id"])
}

fn user_of(body: &View<'_>) -> Account {
    Account { id: body.first_id(&["user_id_str", "user_id"]), handle: String::new() }
}

/// A user object, or its bare id.
fn account(message: &View<'_>, key: &str) -> Account {
    match message.some_object(key) {
        Some(user) => Account { id: id(&user), handle: user.id("screen_name") },
        None => Account { id: message.id(key), handle: String::new() },
    }
}

/// When a message was said, in whichever form of the wires.
pub(super) fn timestamp(body: &View<'_>) -> Option<Millis> {
    let millis = body.count("timestamp_ms").and_then(|ms| Millis::try_from(ms).ok());
    millis.or_else(|| body.time("timestampMs")).or_else(|| body.time("event_at"))
}
