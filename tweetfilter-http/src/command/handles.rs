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
    saved: &[NewFilter],
) -> Result<(), Failure> {
    let Some(client) = settings.lookup()? else { return Ok(()) };
    let Some(snapshot) = database.filters(None).await.map_err(failure)? else { return Ok(()) };
    let filter = |new: &NewFilter| StoredFilter {
        id: 0,
        account: 0,
        text: new.text.clone(),
        dialect: new.dialect,
        action: new.action,
    };
    let identities = || snapshot.accounts.iter().flat_map(|account| &account.identities);
    let bluesky = settings.bluesky() || identities().any(|(network, _)| network == NETWORK);
    // What accounts and follows name is the server's to look up.
    let only =
        Snapshot { filters: saved.iter().map(filter).collect(), sets: snapshot.sets, ..Snapshot::default() };
    let named = named_handles(&only, bluesky);
    if named.is_empty() {
        return Ok(());
    }
    database.name_handles(NETWORK, &named).await.map_err(failure)?;
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
            "tweetfilter: warning: nobody on Bluesky has the handle {handle}; the filter finds nothing by it until \
             somebody has. It is asked for again by the server"
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
