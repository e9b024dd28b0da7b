//! Tweets of X's API v1.1.

use serde::Deserialize;
use tweetfilter_core::post::{Account, Author, Post, Reference};

use super::Event;

#[derive(Deserialize)]
struct Tweet {
    id_str: Option<String>,
    text: Option<String>,
    user: Option<User>,
    extended_tweet: Option<Extended>,
    retweeted_status: Option<Box<Tweet>>,
}

#[derive(Deserialize)]
struct Extended {
    full_text: String,
}

#[derive(Deserialize)]
struct User {
    id_str: String,
    screen_name: String,
}

pub(super) fn decode(line: &[u8]) -> serde_json::Result<Event> {
    let tweet: Tweet = serde_json::from_slice(line)?;
    Ok(match tweet.user {
        Some(_) => Event::Post(Box::new(post(tweet))),
        None => Event::Other,
    })
}

fn post(tweet: Tweet) -> Post {
    let account = tweet.user.map(|u| Account { id: u.id_str, handle: u.screen_name }).unwrap_or_default();
    Post {
        network: "x".to_owned(),
        id: tweet.id_str.unwrap_or_default(),
        author: Author { account, ..Author::default() },
        text: tweet.extended_tweet.map(|e| e.full_text).or(tweet.text).unwrap_or_default(),
        retweet_of: tweet
            .retweeted_status
            .map(|t| Box::new(Reference { post: Some(post(*t)), ..Reference::default() })),
        ..Post::default()
    }
}
