//! Requests one after the other on each of several connections, for a while.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::client::{Client, get, request};
use crate::chain::load::{ACCOUNTS, FILTERS_EACH, Load};
use crate::random::Random;

/// Posts of a page.
pub(super) const PAGE: usize = 20;
/// Pages that are looked at before another account is.
const PAGES: usize = 4;
/// Requests of each connection before the clock starts.
const WARM: usize = 20;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Pages of the timeline: the newest, then those before it, then another account's.
    Timeline,
    /// The newest page of an account, if it is another than the one that is known.
    Unchanged,
    /// The filters of an account.
    Filters,
    /// What is wrong with an expression.
    Check,
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Ran {
    /// Of each answer, in milliseconds, sorted.
    pub(super) latencies: Vec<f64>,
    pub(super) seconds: f64,
}

struct Asker {
    client: Client,
    asked: Asked,
    random: Random,
    account: i64,
    /// Where the next page begins, and how many were looked at.
    next: Option<(String, usize)>,
    /// The request that is sent again and again.
    known: Option<String>,
    checks: std::sync::Arc<Vec<(String, bool)>>,
}

/// Asks on so many connections for a time.
pub(super) async fn run(
    address: SocketAddr,
    asked: Asked,
    connections: usize,
    time: Duration,
    load: &Load,
) -> io::Result<Ran> {
    let checks = std::sync::Arc::new(checks(load));
    let mut askers = Vec::new();
    for number in 0..connections {
        let mut asker = Asker {
            client: Client::connect(address).await?,
            asked,
            random: Random::new(number as u64),
            account: (number * ACCOUNTS / connections) as i64 + 1,
            next: None,
            known: None,
            checks: checks.clone(),
        };
        for _ in 0..WARM {
            asker.ask().await?;
        }
        askers.push(asker);
    }
    let (begin, mut tasks) = (Instant::now(), tokio::task::JoinSet::new());
    for mut asker in askers {
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let sent = Instant::now();
                if sent - begin >= time {
                    return io::Result::Ok(latencies);
                }
                asker.ask().await?;
                latencies.push(sent.elapsed().as_secs_f64() * 1e3);
            }
        });
    }
    let mut ran = Ran::default();
    while let Some(ended) = tasks.join_next().await {
        ran.latencies.extend(ended.map_err(io::Error::other)??);
    }
    ran.seconds = begin.elapsed().as_secs_f64();
    ran.latencies.sort_unstable_by(f64::total_cmp);
    Ok(ran)
}

impl Asker {
    async fn ask(&mut self) -> io::Result<()> {
        match self.asked {
            Asked::Timeline => {
                let (path, pages) = match self.next.take() {
                    Some((next, pages)) => (format!("/timeline?limit={PAGE}&before={next}"), pages),
                    None => {
                        self.account = self.random.below(ACCOUNTS) as i64 + 1;
                        (format!("/timeline?limit={PAGE}"), 0)
                    }
                };
                let answer = self.client.ask(&get(&path, self.account)).await?;
                answer.must(200, Some(PAGE))?;
                let next = answer.said("next").filter(|_| pages + 1 < PAGES);
                self.next = next.map(|next| (next.to_owned(), pages + 1));
            }
            Asked::Unchanged => {
                let path = format!("/timeline?limit={PAGE}");
                let known = match &self.known {
                    Some(known) => known,
                    None => {
                        let answer = self.client.ask(&get(&path, self.account)).await?;
                        answer.must(200, Some(PAGE))?;
                        let tag = format!("If-None-Match: {}\r\n", answer.header("etag").unwrap_or_default());
                        self.known.insert(request("GET", &path, self.account, &tag, ""))
                    }
                };
                self.client.ask(known).await?.must(304, None)?;
            }
            Asked::Filters => {
                self.account = self.random.below(ACCOUNTS) as i64 + 1;
                let answer = self.client.ask(&get("/filters", self.account)).await?;
                answer.must(200, Some(FILTERS_EACH))?;
            }
            Asked::Check => {
                let (body, valid) = &self.checks[self.random.below(self.checks.len())];
                let answer = self.client.ask(&request("POST", "/check", self.account, "", body)).await?;
                answer.must(200, None)?;
                if answer.body.contains("\"valid\":true") != *valid {
                    return Err(super::client::broken(&format!("{body} is answered with {}", answer.body)));
                }
            }
        }
        Ok(())
    }
}

/// What is checked, and whether it is valid: filters, and every fifth of them broken off.
fn checks(load: &Load) -> Vec<(String, bool)> {
    let broken = |(number, text): (usize, &String)| match number % 5 {
        0 => format!("({text} OR (a b"),
        _ => text.clone(),
    };
    let texts = load.filters().iter().take(1_000).enumerate().map(broken);
    texts
        .map(|text| {
            let valid = tweetfilter_core::Expression::parse(&text).is_ok();
            (serde_json::json!({ "text": text }).to_string(), valid)
        })
        .collect()
}
