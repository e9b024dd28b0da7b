//! The results of a filter as a feed, at an address that only its owner knows.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tweetfilter_sql::{Feed, Made, Page, TimelinePost};
use utoipa::ToSchema;

use super::answer::{Answer, ApiError, Refused, Result, Summary};
use super::caller::Caller;
use super::extract::{Body, Path};
use super::filters::own;
use super::shapes::{Author, ShownPost};
use super::tag::{Made as FromState, digest_of};
use super::timeline::newest;
use super::{Api, address, digest, secret};
use crate::people::unnamed;
use crate::time::rfc3339;

/// Posts of a feed.
const POSTS: usize = 50;
/// Feeds of an account, at most.
const MOST: usize = 1_000;

/// A filter to make a feed of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddFeed {
    /// Its number.
    pub filter: i64,
    /// 64 hexadecimal digits at random, of which the address is made: sent again, as after an answer that was lost, it makes
    /// no second feed. They may be those of no token. Without it the server has some.
    #[serde(default)]
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub secret: Option<String>,
}

/// A feed that was made. Its address is not shown again.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewFeed {
    /// Its number, by which it is revoked.
    pub id: i64,
    /// The filter.
    pub filter: i64,
    /// The path of the Atom feed. Whoever knows it can read the feed, without a token.
    pub atom: String,
    /// The path of the JSON Feed.
    pub json: String,
}

/// A feed, without its address.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownFeed {
    /// Its number, by which it is revoked.
    pub id: i64,
    /// The filter.
    pub filter: i64,
    /// When it was made.
    pub created_at: String,
}

/// The account's feeds.
#[utoipa::path(get, path = "/feeds", operation_id = "list_feeds", tag = "feeds", responses((status = 200, body = Answer<Vec<ShownFeed>>)))]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Answer<Vec<ShownFeed>>> {
    let feeds = api.ask(caller.until, api.database().feeds(caller.account())).await?;
    let shown =
        |feed: Feed| ShownFeed { id: feed.id, filter: feed.filter, created_at: rfc3339(feed.created_at) };
    let shown: Vec<_> = feeds.into_iter().map(shown).collect();
    Ok(Answer::new(Summary::counted(shown.len(), "feed"), shown))
}

/// Makes a feed of what a filter matches, at a secret address that is shown once.
///
/// Sent again, it makes another, of which nobody knows if the answer is lost. Who does not want that sends a `secret`.
#[utoipa::path(post, path = "/feeds", operation_id = "add_feed", tag = "feeds", request_body = AddFeed,
    responses((status = 201, body = Answer<NewFeed>),
        (status = 200, body = Answer<NewFeed>, description = "It was made before, by the same `secret`"),
        (status = 404, body = Refused), (status = 422, body = Refused,
            description = "The account has as many feeds as it may (`too_many_feeds`), there is another of this `secret` (`secret_taken`), or what was made with it was revoked (`secret_revoked`)")))]
pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    Body(add): Body<AddFeed>,
) -> Result<Response> {
    own(&api, &caller, add.filter).await?;
    let secret = secret::own_or_new(secret::FEED, add.secret.as_deref())?;
    secret::is_of_no_other(&api, &caller, secret::TOKEN, add.secret.as_deref()).await?;
    let digest = digest(&secret);
    let kept = api.database().add_feed(caller.account(), add.filter, &digest, MOST);
    let (status, id) = match api.ask(caller.until, kept).await? {
        Made::Now(id) => (StatusCode::CREATED, id),
        Made::Before(id) => (StatusCode::OK, id),
        Made::Otherwise => return Err(secret::taken()),
        Made::Revoked => return Err(secret::revoked()),
        Made::TooMany => {
            let message = format!("This account has {MOST} feeds; revoke some first");
            return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "too_many_feeds", message));
        }
    };
    let feed = NewFeed {
        id,
        filter: add.filter,
        atom: format!("/feeds/{secret}.atom"),
        json: format!("/feeds/{secret}.json"),
    };
    let summary = Summary::new("Keep the address; it is not shown again");
    Ok((status, Answer::new(summary, feed)).into_response())
}

/// Revokes a feed: its address is of no use any more.
#[utoipa::path(delete, path = "/feeds/{id}", operation_id = "remove_feed", tag = "feeds", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, body = Answer<i64>), (status = 404, body = Refused)))]
pub(super) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Answer<i64>> {
    if !api.ask(caller.until, api.database().remove_feed(caller.account(), id)).await? {
        return Err(ApiError::missing(format_args!("feed {id}")));
    }
    Ok(Answer::new(Summary::new("Revoked"), id))
}

/// A feed, by its secret address: `{secret}.atom` or `{secret}.json`.
#[utoipa::path(get, path = "/feeds/{address}", operation_id = "read_feed", tag = "feeds", security(()),
    params(("address" = String, Path, description = "The secret, and `.atom` or `.json`")),
    responses((status = 200, description = "Atom or JSON Feed",
            content((String = "application/atom+xml"), (String = "application/feed+json"))),
        (status = 304, description = "As it was"), (status = 404, description = "No such feed, or it was revoked"),
        (status = 503, description = "The store is away or busy")))]
pub(super) async fn read(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(address): Path<String>,
) -> Result<Response> {
    let until = api.until();
    let unknown = || ApiError::missing("such feed, or it was revoked");
    let (secret, form) = address.rsplit_once('.').ok_or_else(unknown)?;
    let is_atom = match form {
        "atom" => true,
        "json" => false,
        _ => return Err(unknown()),
    };
    let database = api.database();
    let feed = api.ask(until, database.feed(&digest(secret))).await?.ok_or_else(unknown)?;
    let pulse = api.ask(until, database.pulse()).await?;
    let own = match address::public(api.options(), &headers) {
        Some(public) => format!("{public}/feeds/{address}"),
        None => format!("/feeds/{address}"),
    };
    let place = digest_of(&[&own]).cast_signed();
    let made = FromState::of(&[feed.account, pulse.commit, pulse.revision, pulse.rewritten, place]);
    if let Some(unchanged) = made.unchanged(&headers) {
        return Ok(unchanged);
    }
    let rows = api.ask(until, database.account_filters(feed.account)).await?;
    let name = rows.into_iter().find(|row| row.id == feed.filter).map(|row| row.filter);
    let title = match name {
        Some(filter) if filter.name.is_empty() => filter.text,
        Some(filter) => filter.name,
        None => format!("filter {}", feed.filter),
    };
    // Nothing newer than what the tag stands for.
    let page =
        Page { before: Some(newest(pulse.commit)), limit: POSTS, filter: Some(feed.filter), hidden: true };
    let posts = api.ask(until, database.timeline_stretch(feed.account, &page)).await?.posts;
    let people = api.people(until, unnamed(&posts)).await?;
    let shown: Vec<_> = posts.iter().map(|post| ShownPost::of(post, &people)).collect();
    let installation = api.ask(until, database.installation(random()?)).await?;
    let contents = Contents { installation, own: &own, title: &title, posts: &posts, shown: &shown };
    let (kind, body) = match is_atom {
        true => ("application/atom+xml; charset=utf-8", contents.atom(&feed)),
        false => ("application/feed+json; charset=utf-8", contents.json()),
    };
    let digest = digest_of(&[&body]);
    let told = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex")),
    ];
    Ok(made.answer(&headers, digest, &people, (told, body)))
}

/// A name for something that is the same for ever, and that no other installation gives: a UUID of the kind whose bits are
/// free (version 8 of RFC 9562).
fn urn(installation: i64, what: &[&str]) -> String {
    let parts: Vec<_> = what.iter().map(|part| format!("{}:{part}", part.len())).collect();
    let digest = digest(&format!("{installation}:{}", parts.concat()));
    let variant = u8::from_str_radix(&digest[16..17], 16).unwrap_or_default() & 0b0011 | 0b1000;
    format!(
        "urn:uuid:{}-{}-8{}-{variant:x}{}-{}",
        &digest[..8],
        &digest[8..12],
        &digest[13..16],
        &digest[17..20],
        &digest[20..32]
    )
}

/// For a store that has no number yet.
fn random() -> Result<i64> {
    getrandom::u64().map(u64::cast_signed).map_err(|error| secret::no_random(&error))
}

/// What stands in a feed, in whatever form.
struct Contents<'a> {
    installation: i64,
    /// Its own address.
    own: &'a str,
    title: &'a str,
    posts: &'a [TimelinePost],
    /// The same, as they are shown.
    shown: &'a [ShownPost],
}

impl Contents<'_> {
    /// The name of a post, in every feed.
    fn id(&self, post: &TimelinePost) -> String {
        urn(self.installation, &["post", &post.network, &post.native_id])
    }

    fn atom(&self, feed: &Feed) -> String {
        let updated = self.posts.first().map_or(feed.created_at, |post| post.received_at);
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
             <id>{}</id>\n<title>{}</title>\n<updated>{}</updated>\n\
             <link rel=\"self\" type=\"application/atom+xml\" href=\"{}\"/>\n",
            urn(self.installation, &["feed", &feed.id.to_string()]),
            escape(self.title),
            rfc3339(updated),
            escape(self.own),
        );
        for (post, shown) in self.posts.iter().zip(self.shown) {
            let content = &shown.content;
            let author = called(&content.author).unwrap_or_else(|| "unknown".to_owned());
            xml.push_str(&format!(
                "<entry>\n<id>{}</id>\n<title>{}</title>\n<updated>{}</updated>\n<author><name>{}</name></author>\n\
                 <content type=\"text\">{}</content>\n",
                self.id(post),
                escape(&headline(&content.text)),
                rfc3339(post.received_at),
                escape(&author),
                escape(&content.text),
            ));
            if let Some(at) = &content.created_at {
                xml.push_str(&format!("<published>{}</published>\n", escape(at)));
            }
            if let Some(url) = &shown.url {
                xml.push_str(&format!("<link href=\"{}\"/>\n", escape(url)));
            }
            xml.push_str("</entry>\n");
        }
        xml + "</feed>\n"
    }

    fn json(&self) -> String {
        let item = |(post, shown): (&TimelinePost, &ShownPost)| {
            let content = &shown.content;
            let mut item = json!({
                "id": self.id(post), "content_text": content.text,
                "date_published": content.created_at.clone().unwrap_or_else(|| rfc3339(post.received_at)),
            });
            if let Some(name) = called(&content.author) {
                item["authors"] = json!([{"name": name}]);
            }
            if let Some(url) = &shown.url {
                item["url"] = json!(url);
            }
            if let Some(lang) = &content.lang {
                item["language"] = json!(lang);
            }
            item
        };
        let items: Vec<_> = self.posts.iter().zip(self.shown).map(item).collect();
        let (title, own) = (self.title, self.own);
        json!({"version": "https://jsonfeed.org/version/1.1", "title": title, "feed_url": own, "items": items})
            .to_string()
    }
}

/// The name of an author, or else the handle or the id, of which something can be seen.
fn called(author: &Author) -> Option<String> {
    let seen = |text: &str| -> Option<String> {
        let shown: String = text.chars().filter(|c| is_text(*c)).collect();
        let shown = shown.trim();
        (!shown.is_empty()).then(|| shown.to_owned())
    };
    author.name.as_deref().and_then(seen).or_else(|| seen(&author.handle)).or_else(|| seen(&author.id))
}

/// The first line of a text, cut where it gets long.
fn headline(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("(no text)").trim();
    let mut cut: String = line.chars().take(80).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

/// A text within XML: without the control characters that XML can't hold.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if is_text(c) => out.push(c),
            _ => {}
        }
    }
    out
}

/// Whether it is no control character, and may stand in XML.
fn is_text(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_called_by_what_can_be_seen() {
        let author = |name: Option<&str>, handle: &str, id: &str| {
            called(&Author { id: id.into(), handle: handle.into(), name: name.map(str::to_owned) })
        };
        for (name, handle, id, expected) in [
            (Some("Bob\u{7}"), "bob", "1", Some("Bob")),
            (Some("\u{7}"), "bob", "1", Some("bob")),
            (Some(""), "", "1", Some("1")),
            (None, "", "", None),
        ] {
            assert_eq!(author(name, handle, id).as_deref(), expected, "{name:?} {handle:?} {id:?}");
        }
    }

    #[test]
    fn texts_stay_texts_within_xml() {
        assert_eq!(escape("a <b> & \"c\"\u{0}\u{b}\nd"), "a &lt;b&gt; &amp; &quot;c&quot;\nd");
        assert_eq!(headline("\n  one\ntwo"), "one");
        assert_eq!(headline(&"é".repeat(100)).chars().count(), 81);
        assert_eq!(headline(""), "(no text)");
    }
}
