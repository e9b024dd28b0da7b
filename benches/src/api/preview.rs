//! Previews of filters that are not saved, over the newest posts of an account.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use serde_json::json;
use tweetfilter_core::{FilterId, FilterSetBuilder, Scratch};
use tweetfilter_sql::Database;

use super::client::{Client, broken, request, said};
use crate::chain::load::{FILTERS_EACH, Load};
use crate::chain::store::Fallible;

/// Posts that are looked at.
pub(super) const LOOKED_AT: usize = 50_000;
/// Samples that are asked for.
const SAMPLES: usize = 10;
/// Whose posts.
const ACCOUNT: i64 = 500;
/// Filters that are previewed.
const FILTERS: usize = 12;
/// Numbers of posts that are read at once to know what must be found.
const STRETCH: i64 = 1_000;

/// What is previewed, and what must be found.
#[derive(Clone, Debug, Default)]
pub(super) struct Previews {
    asked: Vec<Preview>,
    /// Posts that there are, at most [`LOOKED_AT`].
    looked_at: usize,
}

#[derive(Clone, Debug)]
struct Preview {
    text: String,
    /// The saved filter that it is held against.
    saved: Option<i64>,
    matched: usize,
}

/// What was measured, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Ran {
    /// Until the whole answer was there.
    pub(super) whole: Vec<f64>,
    /// Until the first samples were there.
    pub(super) first: Vec<f64>,
}

impl Previews {
    /// Filters of others by the recipe, and what they match among the newest posts.
    pub(super) async fn prepare(database: &Database, load: &Load) -> Fallible<Self> {
        let saved = (ACCOUNT - 1) * FILTERS_EACH as i64 + 1;
        let mut asked: Vec<_> = load.filters()[..FILTERS]
            .iter()
            .enumerate()
            .map(|(n, text)| Preview { text: text.clone(), saved: (n % 2 == 1).then_some(saved), matched: 0 })
            .collect();
        let mut builder = FilterSetBuilder::new();
        for (number, preview) in asked.iter().enumerate() {
            builder.add(FilterId(number as u64), &preview.text)?;
        }
        let (set, mut scratch, mut looked_at) = (builder.build(), Scratch::default(), 0);
        let (first, last) = database.post_numbers().await?;
        let mut end = last + 1;
        while looked_at < LOOKED_AT && end > first {
            let start = (end - STRETCH).max(first);
            for post in database.seen(ACCOUNT, start..end).await?.iter().take(LOOKED_AT - looked_at) {
                looked_at += 1;
                for found in set.matches_with(&mut scratch, &post.post) {
                    asked[found.id.0 as usize].matched += 1;
                }
            }
            end = start;
        }
        Ok(Self { asked, looked_at })
    }

    /// Previews each once.
    pub(super) async fn run(&self, address: SocketAddr) -> io::Result<Ran> {
        let (mut ran, mut client) = (Ran::default(), Client::connect(address).await?);
        for preview in &self.asked {
            let body = json!({"text": preview.text, "filter": preview.saved, "posts": LOOKED_AT, "samples": SAMPLES});
            let sent = Instant::now();
            let answer = client.ask(&request("POST", "/preview", ACCOUNT, "", &body.to_string())).await?;
            ran.whole.push(sent.elapsed().as_secs_f64() * 1e3);
            ran.first.push(sent.elapsed().as_secs_f64() * 1e3);
            answer.must(200, Some(preview.matched))?;
            let looked_at = answer.body.split_once("\"data\"").and_then(|(_, data)| said(data, "looked_at"));
            if looked_at != Some(&self.looked_at.to_string()) {
                return Err(broken(&format!("{looked_at:?} posts were looked at of {}", self.looked_at)));
            }
        }
        Ok(ran)
    }
}
