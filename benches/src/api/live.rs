//! Live streams, and posts that are stored meanwhile.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tweetfilter_core::Post;
use tweetfilter_sql::Database;
use tweetfilter_stream::store::{Delivery, Evaluated, Outcome, Store, Verdict};

use super::client::{Client, broken, get, said};
use crate::chain::load::{ACCOUNTS, FILTERS_EACH, stream};
use crate::chain::store::Fallible;

/// Commits of a second; each account has a match in one of them.
const COMMITS: usize = 20;
/// How long what was stored may be on its way before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// When each commit began.
type Begun = Arc<Mutex<HashMap<i64, Instant>>>;

/// Opens streams, stores a match a second for each of them, and tells how long each was on its way, in milliseconds:
/// from when the commit began to when the client had read it.
pub(super) async fn run(
    address: SocketAddr,
    database: &Database,
    streams: usize,
    seconds: usize,
) -> Fallible<Vec<f64>> {
    let begun = Begun::default();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..streams {
        let mut client = Client::connect(address).await?;
        client.send(&get("/live", (number % ACCOUNTS) as i64 + 1)).await?;
        // It is open when it has told where it begins.
        while client.line().await? != "event: commit" {}
        let begun = begun.clone();
        let time = PATIENCE + Duration::from_secs(seconds as u64);
        tasks.spawn(async move { tokio::time::timeout(time, read(&mut client, &begun, seconds)).await });
    }
    let posts: Vec<Post> = stream(ACCOUNTS as u64).map(|(_, post)| post).collect();
    let mut commit = database.pulse().await?.commit;
    let start = tokio::time::Instant::now();
    for turn in 0..seconds * COMMITS {
        tokio::time::sleep_until(start + Duration::from_secs(1) * turn as u32 / COMMITS as u32).await;
        let outcome = outcome(&posts, turn);
        commit += 1;
        begun.lock().unwrap_or_else(PoisonError::into_inner).insert(commit, Instant::now());
        let done = database.commit(&outcome, &[]).await?;
        if done.number != commit || done.matches as usize != ACCOUNTS / COMMITS {
            return Err(format!("commit {commit} became {done:?}").into());
        }
    }
    let mut latencies = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        let late = |_| format!("a stream has not told of all {} s later", PATIENCE.as_secs());
        latencies.extend(ended?.map_err(late)??);
    }
    latencies.sort_unstable_by(f64::total_cmp);
    Ok(latencies)
}

/// Reads until so many posts came.
async fn read(client: &mut Client, begun: &Begun, posts: usize) -> io::Result<Vec<f64>> {
    let (mut latencies, mut last) = (Vec::with_capacity(posts), 0);
    while latencies.len() < posts {
        while client.line().await? != "event: post" {}
        let data = client.line().await?;
        let now = Instant::now();
        let commit = said(data, "commit").and_then(|commit| commit.parse().ok());
        let commit: i64 = commit.ok_or_else(|| broken(data))?;
        if commit <= last {
            return Err(broken("a post came twice"));
        }
        last = commit;
        let begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = begun.get(&commit).ok_or_else(|| broken("a post of an unknown commit came"))?;
        latencies.push((now - *begun).as_secs_f64() * 1e3);
    }
    Ok(latencies)
}

/// A post for each account whose turn it is, which its first filter matches.
fn outcome(posts: &[Post], turn: usize) -> Outcome {
    let at = 1_800_000_000_000 + turn as i64 * 1000 / COMMITS as i64;
    let evaluated =
        (0..ACCOUNTS).filter(|account| account % COMMITS == turn % COMMITS).map(|account| Evaluated {
            post: Post { id: format!("live-{turn}-{account}"), ..posts[account].clone() },
            version: 0,
            source: "bench".into(),
            at,
            place: None,
            public: false,
            deliveries: vec![Delivery {
                account: account as i64 + 1,
                verdict: Verdict { highlighted: true, ..Verdict::default() },
                filters: vec![(account * FILTERS_EACH) as i64 + 1],
                seen: true,
            }],
            strangers: 0,
            stored: None,
        });
    Outcome { at, posts: evaluated.collect(), ..Outcome::default() }
}
