//! Gnip's activities (PowerTrack and Historical PowerTrack), and what their streams say of posts and users: deleted,
//! withheld, without a place. Where a post or user is withheld, an activity of a post itself does not say.

mod pages;

use tweetfilter_core::post::{
    self, Account, Author, Engagement, Place, Post, PostFlags, ProfileGeo, Reference, ReplyTo,
};
use tweetfilter_core::text;

use pages::Pages;

use super::html::{self, Offsets};
use super::retweet;
use super::v1::{self, Entities, Geometry, Surroundings, Url};
use super::view::View;
use super::{compliance, post_and, withheld};
use crate::Event;

/// Activities inside each other that are read.
const NESTED: u8 = 4;

/// Whether an object is an activity, and no text of no network.
pub(super) fn is_activity(object: &View<'_>) -> bool {
    (object.has("verb") || object.text("objectType") == "activity") && !object.has("text")
}

/// The event of an activity.
pub(super) fn event(activity: &View<'_>) -> Event {
    let object = || activity.object("object");
    let user = |id: String| Account { id: last_part(&id), handle: String::new() };
    let at = || activity.time("timestampMs").or_else(|| activity.time("postedTime"));
    match &*activity.text("verb") {
        "post" | "share" | "" if activity.has("body") => {
            let mut also = Vec::new();
            say_versions(&mut also, activity, NESTED);
            post_and(post(activity, Around::default(), NESTED), also)
        }
        "delete" => Event::Delete {
            network: v1::NETWORK.to_owned(),
            id: last_part(&object().id("id")),
            author: user(activity.object("actor").id("id")),
            at: at(),
        },
        "scrub_geo" => Event::ScrubGeo {
            author: user(activity.object("actor").id("id")),
            up_to: last_part(&activity.object("target").id("up_to_id")),
        },
        "status_withheld" => Event::StatusWithheld {
            id: last_part(&object().id("id")),
            author: user(object().id("user_id")),
            countries: object().ids("withheld_in_countries"),
            at: at(),
        },
        "user_withheld" => Event::UserWithheld {
            author: user(object().id("id")),
            countries: activity.ids("withheld_in_countries"),
            at: at(),
        },
        verb => {
            let ids = [object().id("id"), activity.object("actor").id("id")];
            let id = ids.iter().find(|id| !id.is_empty()).map(|id| last_part(id)).unwrap_or_default();
            compliance::state_of(verb, id, at()).unwrap_or_else(|| Event::Other { kind: verb.to_owned() })
        }
    }
}

/// Ids of the versions of a post up to now, the first one first.
fn versions(activity: &View<'_>) -> Vec<String> {
    activity.object("edit_history").ids("edit_tweet_ids")
}

/// Adds that earlier versions are no more, of what is shared or quoted too.
fn say_versions(found: &mut Vec<Event>, activity: &View<'_>, depth: u8) {
    let versions = versions(activity);
    if versions.len() > 1 {
        let actor = activity.object("actor");
        let author = Account { id: last_part(&actor.id("id")), handle: actor.id("preferredUsername") };
        withheld::versions(found, &last_part(&activity.id("id")), &author, &versions);
    }
    let Some(below) = depth.checked_sub(1) else { return };
    for carried in ["object", "twitter_quoted_status"].into_iter().filter_map(|key| activity.some_object(key))
    {
        say_versions(found, &carried, below);
    }
}

/// What is said of a post around its activity: Gnip tells beside the outermost alone what it found out about the post
/// that is shared there, and some tell there alone what that one quotes.
#[derive(Default)]
struct Around<'a> {
    lang: Option<String>,
    quoted: Option<View<'a>>,
    pages: Pages<'a>,
}

impl<'a> Around<'a> {
    /// With what an activity says itself, which goes before.
    fn and(mut self, activity: &View<'a>) -> Self {
        let guessed = || activity.object("gnip").object("language").string("value");
        self.lang = activity.string("twitter_lang").or_else(guessed).or(self.lang);
        self.quoted = activity.some_object("twitter_quoted_status").or(self.quoted);
        self.pages.add(activity);
        self
    }
}

fn post<'a>(activity: &View<'a>, around: Around<'a>, depth: u8) -> Post {
    let around = around.and(activity);
    let mut post = Post { lang: around.lang.clone(), ..act(activity) };
    let shared = activity.some_object("object").filter(|_| activity.text("verb") == "share");
    match (shared, depth.checked_sub(1)) {
        (Some(object), Some(below)) if object.has("body") => {
            let original = retweet::original(self::post(&object, around, below));
            let (id, account) = (original.id.clone(), Account::default());
            post.retweet_of = Some(Box::new(Reference { id, account, post: Some(original) }));
        }
        (shared, below) => {
            post.quote_of = around.quoted.map(|quoted| quote(&quoted, below));
            (post.text, post.entities) = content(activity, &post.id, post.quote_of.as_deref(), around.pages);
            if let Some(object) = shared {
                let id = last_part(&object.id("id"));
                let mut original = Box::new(Reference { id, ..Reference::default() });
                retweet::uncover(&mut post.text, &mut post.entities, &mut original);
                post.retweet_of = Some(original);
            }
        }
    }
    post
}

fn quote(activity: &View<'_>, depth: Option<u8>) -> Box<Reference> {
    let post = depth.map(|depth| post(activity, Around::default(), depth));
    Box::new(Reference { id: last_part(&activity.id("id")), account: Account::default(), post })
}

/// What an activity says of a post itself, without its content.
fn act(activity: &View<'_>) -> Post {
    let id = last_part(&activity.id("id"));
    let author = author(&activity.object("actor"), &activity.object("gnip"));
    let reply_to = reply(&activity.object("inReplyTo").text("link"));
    let own = |reply: &ReplyTo| reply.account.handle.eq_ignore_ascii_case(&author.account.handle);
    let flags = PostFlags {
        sensitive: activity.flag("possibly_sensitive"),
        self_thread: reply_to.as_ref().is_some_and(own),
        nullcast: activity.flag("nullcast"),
        edited: versions(activity).first().is_some_and(|first| *first != id),
        ..PostFlags::default()
    };
    Post {
        network: v1::NETWORK.to_owned(),
        created_at: activity.time("postedTime"),
        source: activity.object("generator").string("displayName"),
        reply_to,
        place: activity.some_object("location").map(|location| place(&location)),
        // Latitude first, as in X's own field of that name.
        coordinates: activity.keep::<Geometry>("geo").and_then(|shape| match shape.coordinates.as_slice() {
            [lat, lon] => v1::point(*lon, *lat),
            _ => None,
        }),
        flags,
        counts: Engagement {
            likes: activity.count("favoritesCount"),
            retweets: activity.count("retweetCount"),
            ..Engagement::default()
        },
        id,
        author,
        ..Post::default()
    }
}

/// The text and what stands in it.
fn content(
    activity: &View<'_>,
    id: &str,
    quote: Option<&Reference>,
    pages: Pages<'_>,
) -> (String, post::Entities) {
    let long = activity.some_object("long_object").filter(|long| long.has("body"));
    let holder = long.as_ref().unwrap_or(activity);
    let escaped = holder.text("body");
    let offsets = Offsets::of_escaped(&escaped);
    let text = html::unescape(escaped).into_owned();
    let mut entities = match holder.keep::<Entities<'_>>("twitter_entities") {
        Some(entities) => {
            let more = holder.keep::<Entities<'_>>("twitter_extended_entities");
            let more = more.map(|more| more.media).unwrap_or_default();
            let quoted = quote.map(Reference::id).unwrap_or_default();
            let leads =
                |url: &Url<'_>, id: &str| url.expanded.as_deref().is_some_and(|to| v1::leads_to(to, id));
            let (quote_link, own_link) = (|url: &Url<'_>| leads(url, quoted), |url: &Url<'_>| leads(url, id));
            entities.convert(
                more,
                &Surroundings {
                    text: &text,
                    offsets: &offsets,
                    quote_link: &quote_link,
                    own_link: &own_link,
                },
            )
        }
        None => text::entities(&text),
    };
    pages.tell(&mut entities.links);
    (text, entities)
}

fn author(actor: &View<'_>, gnip: &View<'_>) -> Author {
    let address = gnip.list("profileLocations").next().map(|location| location.object("address"));
    Author {
        account: Account { id: last_part(&actor.id("id")), handle: actor.id("preferredUsername") },
        name: actor.string("displayName"),
        bio: actor.string("summary"),
        location: actor.object("location").string("displayName"),
        followers: actor.count("followersCount"),
        following: actor.count("friendsCount"),
        posts: actor.count("statusesCount"),
        listed: actor.count("listedCount"),
        created_at: actor.time("postedTime"),
        verified: actor.flag("verified"),
        profile_geo: address.map(|address| ProfileGeo {
            country: address.string("country"),
            country_code: address.string("countryCode"),
            region: address.string("region"),
            locality: address.string("locality"),
        }),
        ..Author::default()
    }
}

/// The answered post and its author out of `http://twitter.com/NAME/statuses/ID`.
fn reply(link: &str) -> Option<ReplyTo> {
    let (before, id) = link.rsplit_once('/')?;
    let name = before.strip_suffix("/statuses").or_else(|| before.strip_suffix("/status"))?;
    let handle = name.rsplit('/').next().unwrap_or_default().to_owned();
    Some(ReplyTo { id: id.to_owned(), account: Account { id: String::new(), handle } })
}

fn place(location: &View<'_>) -> Place {
    let mut names: Vec<_> =
        [location.string("name"), location.string("displayName")].into_iter().flatten().collect();
    names.dedup();
    let link = location.text("link");
    let id = link.rsplit('/').next().unwrap_or_default().trim_end_matches(".json").to_owned();
    Place {
        id,
        names,
        country: location.string("country_code"),
        country_code: location.string("twitter_country_code"),
        center: location.keep::<Geometry>("geo").and_then(|shape| v1::center(&shape.coordinates)),
    }
}

/// The bare id in `tag:search.twitter.com,2005:123`, `id:twitter.com:7` and `tag:search.twitter.com,2012:user/7`.
fn last_part(id: &str) -> String {
    id.rsplit([':', '/']).next().unwrap_or_default().to_owned()
}
