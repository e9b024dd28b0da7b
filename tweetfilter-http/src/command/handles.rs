//! Handles of filters that are saved: looked up at once, if that takes no time worth mentioning.

use std::collections::BTreeSet;
use std::time::Duration;

use tweetfilter_http::parts::named_handles;
use tweetfilter_sql::{Database, NewFilter};
use tweetfilter_stream::source::net::lookup::NETWORK;
use tweetfilter_stream::store::{Snapshot, Store, StoredFilter};

use super::Failure;
use super::settings::{Settings, failure};

/// How long whoever saves a filter waits for answers.
const PATIENCE: Duration = Duration::from_secs(4);

/// Looks up the handles of filters that were just saved, and says on stderr which nobody has. They are saved all the
/// same, and a server asks for them again.
pub(super) async fn look_up(
    settings: &Settings,
    database: &Database,
    account: i64,
    saved: &[NewFilter],
) -> Result<(), Failure> {
    let Some(client) = settings.lookup()? else { return Ok(()) };
    let Some(snapshot) = database.filters(None).await.map_err(failure)? else { return Ok(()) };
    let filter = |new: &NewFilter| StoredFilter {
        id: 0,
        account,
        text: new.text.clone(),
        dialect: new.dialect,
        action: new.action,
    };
    let bluesky = settings.bluesky() || database.plays_a_part(NETWORK).await.map_err(failure)?;
    // What accounts and follows name is the server's to look up.
    let only = Snapshot {
        filters: saved.iter().map(filter).collect(),
        sets: snapshot.sets,
        own_sets: snapshot.own_sets.into_iter().filter(|set| set.0 == account).collect(),
        ..Snapshot::default()
    };
    let by_what = named_handles(&only, bluesky);
    for (naming, of_it) in &by_what {
        database.name_handles(NETWORK, naming, of_it).await.map_err(failure)?;
    }
    let named: BTreeSet<String> = by_what.into_values().flat_map(|of_it| of_it.handles).collect();
    if named.is_empty() {
        return Ok(());
    }
    let known = database.named_handles(NETWORK).await.map_err(failure)?;
    let known: BTreeSet<_> =
        known.into_iter().filter(|handle| handle.id.is_some()).map(|handle| handle.handle).collect();
    let mut client = client.timeout(PATIENCE);
    let mut answers = Vec::new();
    let mut reason = format!("no answer within {} s", PATIENCE.as_secs());
    let asking = async {
        for handle in named.difference(&known) {
            match client.handle(handle).await {
                Ok(id) => answers.push((handle.clone(), id)),
                Err(later) => {
                    reason = later.reason;
                    break;
                }
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, asking).await;
    database.handles_answered(NETWORK, &answers).await.map_err(failure)?;
    for (handle, _) in answers.iter().filter(|(_, id)| id.is_none()) {
        told!(
            "tweetfilter: warning: nobody on Bluesky has the handle {handle}; the filter finds no post by its author \
             until somebody has it. It is asked for again by the server"
        );
    }
    let asked: BTreeSet<_> = answers.into_iter().map(|(handle, _)| handle).collect();
    let open: Vec<_> = named.difference(&known).filter(|handle| !asked.contains(*handle)).collect();
    if let Some(first) = open.first() {
        let more = if open.len() > 1 { format!(" and {} more", open.len() - 1) } else { String::new() };
        told!(
            "tweetfilter: warning: {first}{more} could not be looked up ({reason}); the server does it when it can. \
             --no-lookup asks nobody"
        );
    }
    Ok(())
}
