//! A source that is an account's who is not there.

use std::sync::Arc;
use std::time::Duration;

use tweetfilter_sql::Database;
use tweetfilter_stream::entry::Audience;

use super::{SourceSettings, Stop};
use crate::ops::Part;

/// How often to look whether the account is there.
const AGAIN: Duration = Duration::from_secs(30);

/// Has a part say that what its source gives reaches nobody, as long as there is no account of the name that its audience
/// has: one may still be made, or removed.
pub async fn tell_of_nobody(part: Arc<Part>, settings: SourceSettings, database: Database, stop: Stop) {
    let Ok(Audience::Account(name)) = settings.audience() else { return };
    let is_there = || {
        let (database, name) = (database.clone(), name.clone());
        async move { database.account(&name).await.ok().map(|account| account.is_some()) }
    };
    tell(&part, &name, is_there, stop).await;
}

/// The same of whoever knows whether the account is there; nobody does while the store is away.
async fn tell<F: Future<Output = Option<bool>>>(
    part: &Part,
    account: &str,
    is_there: impl Fn() -> F,
    mut stop: Stop,
) {
    let mut was_there = true;
    while !stop.is_told() {
        let is_there = is_there().await.unwrap_or(was_there);
        match (was_there, is_there) {
            (true, false) => {
                tracing::warn!(
                    part = part.name(),
                    account,
                    "there is no account of this name: what the source gives reaches nobody until `tweetfilter account \
                     add` makes one"
                );
                part.reaches_nobody(Some(account.to_owned()));
            }
            (false, true) => {
                tracing::info!(part = part.name(), account, "there is an account of this name now");
                part.reaches_nobody(None);
            }
            _ => {}
        }
        was_there = is_there;
        stop.sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::parts::logged::Log;

    #[tokio::test(start_paused = true)]
    async fn a_part_says_that_its_source_reaches_nobody_while_there_is_no_such_account() {
        let ((log, _guard), (_tell, stop), part) = (Log::begin(), Stop::new(), Part::new("ingest home"));
        let known = Cell::new(None);
        let says = async || {
            tokio::time::sleep(AGAIN + AGAIN / 2).await;
            part.told().nobody
        };
        let said = async {
            let mut said = Vec::new();
            // The store is away, nobody is there, and so on.
            for now in [None, Some(false), Some(false), None, Some(true), None, Some(false)] {
                known.set(now);
                said.push(says().await);
            }
            said
        };
        let said = tokio::select! {
            () = tell(&part, "ben", || std::future::ready(known.get()), stop) => panic!("nobody told it to end"),
            said = said => said,
        };
        let ben = || Some("ben".to_owned());
        assert_eq!(said, [None, ben(), ben(), ben(), None, None, ben()]);
        assert_eq!((log.count("reaches nobody"), log.count("there is an account of this name now")), (2, 1));
    }
}
