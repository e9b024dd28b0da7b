//! Clients that come and go miss nothing, however commits are delayed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tweetfilter_http::api::{Options, digest};
use tweetfilter_sql::{Database, Scope};

use crate::house::{House, patient};
use crate::late::Late;
use crate::live::Events;
use crate::maria::{Folder, Maria};

const WORKERS: u64 = 4;
const COMMITS: u64 = 20;
/// Posts of a commit: a client may be cut off between two of them.
const EACH: u64 = 3;
const ALL: usize = (WORKERS * COMMITS * EACH) as usize;
const CLIENTS: u64 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_misses_a_post_on_sqlite() {
    let house = House::with(options()).await;
    let workers = vec![house.database.clone(); WORKERS as usize];
    nobody_misses_a_post(Arc::new(house), workers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_misses_a_post_on_mariadb() {
    let Some(server) = Maria::start_with(Folder::new(), true, &[]) else {
        println!("skipped: no mariadbd");
        return;
    };
    let database: Database = server.database("resume").await;
    // Each worker has connections of its own, on which each COMMIT comes late.
    let late = Late::start(server.port());
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        workers.push(Database::open(&Maria::address_at(late.port, "resume")).await.unwrap());
    }
    let before = late.kept_back();
    nobody_misses_a_post(Arc::new(House::over(database, options())), workers).await;
    assert_eq!(late.kept_back() - before, WORKERS * COMMITS);
}

fn options() -> Options {
    Options { streams: CLIENTS as usize + 10, rate: 1e9, burst: 1e9, ..patient() }
}

/// Workers store at their own pace; clients read a little, break off, and take up the stream behind the last commit
/// that they were told.
async fn nobody_misses_a_post(house: Arc<House>, workers: Vec<Database>) {
    let account = house.database.add_account("ann", &[]).await.unwrap();
    house.database.add_token(account, "", &digest("secret"), Scope::Read).await.unwrap();
    let filter = house.filter(account, "snow").await;
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        let house = house.clone();
        clients.push(tokio::spawn(async move {
            let (mut found, mut after, mut opened) = (BTreeSet::new(), 0, 0);
            while found.len() < ALL {
                let query = format!("?after={after}&filter={filter}");
                let mut events = match Events::try_open(&house, "secret", &query).await {
                    Ok(events) => events,
                    // On a busy machine the store may be slow; a client comes back then.
                    Err(answer) => {
                        let is_late = answer.contains("store_away") || answer.contains("store_busy");
                        assert!(is_late, "{answer}");
                        println!("{answer}");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                };
                opened += 1;
                // Some stay away for so long that what they missed has to be read for them alone.
                if client % 10 == 0 && opened == 2 {
                    drop(events);
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    continue;
                }
                // Some break off in the midst of a commit.
                for _ in 0..3 + (client + opened) % 20 {
                    let Some((name, id, data)) = events.next().await else { break };
                    // A commit that was told in full is not told again.
                    assert!(name != "post" || data["commit"].as_i64() > Some(after), "{after} {data}");
                    assert!(id.is_none_or(|id| id >= after), "{name}: {id:?} after {after}");
                    after = id.unwrap_or(after);
                    if name == "post" {
                        found.insert(data["id"].as_str().unwrap().to_owned());
                    }
                    if found.len() == ALL {
                        break;
                    }
                }
            }
            opened
        }));
    }
    let mut working = Vec::new();
    for (worker, database) in (0..).zip(workers) {
        working.push(tokio::spawn(async move {
            for n in 0..COMMITS {
                let ids: Vec<_> = (0..EACH).map(|post| format!("{worker}-{n}-{post}")).collect();
                House::posts_in(&database, &ids, "Snow", false, &[(account, &[filter])]).await;
                tokio::time::sleep(Duration::from_millis((worker * 7 + n * 13) % 17)).await;
            }
        }));
    }
    for worker in working {
        worker.await.unwrap();
    }
    for client in clients {
        let opened =
            tokio::time::timeout(Duration::from_secs(120), client).await.expect("all was found").unwrap();
        assert!(opened > 5, "a client was cut off {opened} times only");
    }
}
