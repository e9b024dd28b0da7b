//! What events change, as entries say it.

use tweetfilter_core::post::Millis;

use super::{key, size_of_list};
use crate::Event;
use crate::entry::Change;

/// A change that an event asks for.
pub(super) struct Asked {
    /// What its partition is chosen by.
    pub(super) key: u64,
    /// When the network said it, if that is told.
    pub(super) said: Option<Millis>,
    pub(super) change: Change,
}

/// The change that an event asks for; else the event, which is for whoever runs the source.
pub(super) fn changed(event: Event) -> Result<Asked, Box<Event>> {
    let x = || "x".to_owned();
    let of_author = |network: &str, id: &str| key(network, id);
    let (key, said, change) = match event {
        Event::Delete { network, id, .. } => (key(&network, &id), None, Change::Delete { network, id }),
        Event::ScrubGeo { author, up_to } => {
            (of_author("x", &author.id), None, Change::ScrubGeo { network: x(), author: author.id, up_to })
        }
        Event::StatusWithheld { id, countries, at, .. } => {
            (key("x", &id), at, Change::StatusWithheld { network: x(), id, countries })
        }
        Event::UserWithheld { author, countries, at } => (
            of_author("x", &author.id),
            at,
            Change::UserWithheld { network: x(), author: author.id, countries },
        ),
        Event::AccountStatus { network, account, active, status, at } => (
            of_author(&network, &account.id),
            at,
            Change::AccountStatus { network, author: account.id, active, status },
        ),
        Event::Identity { account, at } => (
            of_author("bluesky", &account.id),
            at,
            Change::Identity { network: "bluesky".to_owned(), account },
        ),
        Event::Friends { ids } => (0, None, Change::Friends { network: x(), ids }),
        other => return Err(Box::new(other)),
    };
    Ok(Asked { key, said, change })
}

pub(super) fn size_of_change(change: &Change) -> usize {
    let texts = |texts: &[&String]| texts.iter().map(|text| text.len()).sum();
    match change {
        Change::Delete { network, id } => texts(&[network, id]),
        Change::ScrubGeo { network, author, up_to } => texts(&[network, author, up_to]),
        Change::AccountStatus { network, author, status, .. } => texts(&[network, author, status]),
        Change::Identity { network, account } => texts(&[network, &account.id, &account.handle]),
        Change::Friends { network: of, ids: list }
        | Change::StatusWithheld { network: _, id: of, countries: list }
        | Change::UserWithheld { network: _, author: of, countries: list } => of.len() + size_of_list(list),
    }
}
