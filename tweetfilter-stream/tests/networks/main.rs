//! Messages of every other wire, made up for these tests.

#[path = "../support/read.rs"]
mod read;

use proptest::prelude::*;
use read::{event, matches, post};
use tweetfilter_core::post::{Account, MediaKind, Post};
use tweetfilter_stream::Event;
use tweetfilter_stream::wire::{Reason, decode};

mod all;
mod bluesky;
mod enterprise;
mod mastodon;
mod x;

const V2: &str = r##"{"data":{"id":"20","author_id":"7","text":"so &amp; @bo #x https://t.co/q https://t.co/m","lang":"en",
    "created_at":"2022-10-03T18:00:23.000Z","conversation_id":"11","possibly_sensitive":true,"source":"Web",
    "in_reply_to_user_id":"8","edit_history_tweet_ids":["19","20"],
    "referenced_tweets":[{"type":"quoted","id":"4"},{"type":"replied_to","id":"11"}],
    "public_metrics":{"retweet_count":1,"reply_count":2,"like_count":3,"quote_count":4},
    "attachments":{"media_keys":["3_1","16_2"],"poll_ids":["p"]},"geo":{"place_id":"pl","coordinates":{"type":"Point","coordinates":[10.5,59.5]}},
    "context_annotations":[{"domain":{"id":"46","name":"Brand"},"entity":{"id":"781","name":"Acme"}}],
    "entities":{"mentions":[{"start":9,"end":12,"username":"bo","id":"8"}],"hashtags":[{"start":13,"end":15,"tag":"x"}],
        "annotations":[{"start":0,"end":1,"type":"Place","normalized_text":"Oslo"}],
        "urls":[{"start":16,"end":30,"url":"https://t.co/q","expanded_url":"https://twitter.com/cy/status/4","title":"T"},
            {"start":31,"end":45,"url":"https://t.co/m","expanded_url":"https://twitter.com/al/status/20/photo/1","media_key":"3_1"}]}},
    "includes":{"users":[{"id":"7","username":"al","name":"Al","description":"see https://t.co/b","verified_type":"blue","protected":false,
            "entities":{"description":{"urls":[{"start":4,"end":18,"url":"https://t.co/b","expanded_url":"https://b.example"}]}},
            "public_metrics":{"followers_count":5,"following_count":6,"tweet_count":7,"listed_count":8}},
            {"id":"8","username":"bo","name":"Bo"}],
        "tweets":[{"id":"4","author_id":"8","text":"original"}],
        "media":[{"media_key":"3_1","type":"photo","alt_text":"a dog"}],
        "places":[{"id":"pl","name":"Oslo","full_name":"Oslo, Norway","country_code":"NO","geo":{"bbox":[10,59,11,60]}}]},
    "matching_rules":[{"id":"1"}]}"##;
