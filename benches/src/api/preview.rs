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
/// Filters that are previewed as they come, as many of those that match often, and out of how many they are chosen.
const EACH: usize = 6;
const CHOICE: usize = 2_000;
/// One that matches often matches one in so many posts.
const OFTEN: usize = 200;
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
    often: bool,
}

/// What was measured, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Ran {
    /// Until the whole answer was there.
    pub(super) whole: Vec<f64>,
    /// Until the first samples were there, of filters that match often.
    pub(super) first: Vec<f64>,
}

impl Previews {
    /// Filters of others by the recipe: some as they come, which match little, and some that match often; and what they
    /// match among the newest posts.
    pub(super) async fn prepare(database: &Database, load: &Load) -> Fallible<Self> {
        let mut builder = FilterSetBuilder::new();
        for (number, text) in load.filters()[..CHOICE].iter().enumerate() {
            builder.add(FilterId(number as u64), text)?;
        }
        let (set, mut scratch, mut looked_at) = (builder.build(), Scratch::default(), 0);
        let mut matched = vec![0; CHOICE];
        let (first, last) = database.post_numbers().await?;
        let mut end = last + 1;
        while looked_at < LOOKED_AT && end > first {
            let start = (end - STRETCH).max(first);
            for post in database.seen(ACCOUNT, start..end).await?.iter().take(LOOKED_AT - looked_at) {
                looked_at += 1;
                for found in set.matches_with(&mut scratch, &post.post) {
                    matched[found.id.0 as usize] += 1;
                }
            }
            end = start;
        }
        let often = |number: &usize| matched[*number] * OFTEN >= looked_at;
        let chosen = (0..EACH).chain((EACH..CHOICE).filter(often).take(EACH));
        let saved = (ACCOUNT - 1) * FILTERS_EACH as i64 + 1;
        let asked: Vec<_> = chosen
            .map(|number| Preview {
                text: load.filters()[number].clone(),
                saved: (number % 2 == 1).then_some(saved),
                matched: matched[number],
                often: often(&number),
            })
            .collect();
        Ok(Self { asked, looked_at })
    }

    /// Previews each once.
    pub(super) async fn run(&self, address: SocketAddr) -> io::Result<Ran> {
        let (mut ran, mut client) = (Ran::default(), Client::connect(address).await?);
        for preview in &self.asked {
            let body = json!({"text": preview.text, "filter": preview.saved, "posts": LOOKED_AT, "samples": SAMPLES});
            let accept = "Accept: text/event-stream\r\n";
            let sent = Instant::now();
            client.send(&request("POST", "/preview", ACCOUNT, accept, &body.to_string())).await?;
            let (first, whole) = self.read(&mut client, sent, preview).await?;
            if preview.often {
                ran.first.push(first);
            }
            ran.whole.push(whole);
        }
        Ok(ran)
    }

    /// Reads what was found so far until it is all; milliseconds until the first samples and the whole were there.
    async fn read(&self, client: &mut Client, sent: Instant, preview: &Preview) -> io::Result<(f64, f64)> {
        let (mut event, mut first) = (String::new(), None);
        loop {
            let line = client.line().await?;
            if let Some(name) = line.strip_prefix("event: ") {
                name.clone_into(&mut event);
            } else if let Some(data) = line.strip_prefix("data: ") {
                let now = sent.elapsed().as_secs_f64() * 1e3;
                if data.contains("\"samples\":[{") {
                    first.get_or_insert(now);
                }
                match &*event {
                    "preview" => {}
                    "done" => {
                        self.check(data, preview)?;
                        // The rest of the answer says only that it ends.
                        while client.line().await? != "0" {}
                        client.line().await?;
                        return Ok((first.unwrap_or(now), now));
                    }
                    _ => return Err(broken(data)),
                }
            } else if line.starts_with("HTTP/1.1 ") && line != "HTTP/1.1 200 OK" {
                return Err(broken(line));
            }
        }
    }

    fn check(&self, answer: &str, preview: &Preview) -> io::Result<()> {
        let (summary, data) = answer.split_once("\"data\"").ok_or_else(|| broken(answer))?;
        let found = (said(data, "looked_at"), said(summary, "count"));
        if found == (Some(&self.looked_at.to_string()), Some(&preview.matched.to_string())) {
            return Ok(());
        }
        let must = (self.looked_at, preview.matched);
        Err(broken(&format!("{}: looked at and matched {found:?}, and not {must:?}", preview.text)))
    }
}
