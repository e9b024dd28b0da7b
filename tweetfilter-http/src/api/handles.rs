//! Handles that an expression names and of which it is not known whose they are, or known that nobody has them. Another part
//! looks them up once somebody has saved it; to answer, nobody is asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use tweetfilter_stream::source::net::lookup::{NETWORK, is_handle};
use utoipa::ToSchema;

use super::Api;
use super::answer::Result;
use super::caller::Caller;
use super::expression::Compiled;
use super::turns::Work;

/// Handles that an answer names.
const NAMED: usize = 100;
/// Handles of which the store is asked at once.
const ASKED: usize = 5_000;

/// Handles of Bluesky in an expression by which nothing is found: its posts name their authors by id, and whose these handles
/// are is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnknownHandles {
    /// Whose they are was not asked yet, or is asked anew. It is looked up within seconds once a filter that names them is
    /// saved, unless this server looks nothing up (`--no-lookup`): then name people by id, as in `from:did:plc:…`. In order; of
    /// many the first hundred.
    pub handles: Vec<String>,
    /// How many more of them there are.
    pub more: usize,
    /// Nobody has them: Bluesky was asked, and is asked again as long as a filter names them. In order; of many the first
    /// hundred.
    pub nobodys: Vec<String>,
    /// How many more of these there are.
    pub more_nobodys: usize,
}

impl UnknownHandles {
    /// Those of an expression and of the lists that it names, if there are some.
    pub(super) async fn of(api: &Api, caller: &mut Caller, filter: &Arc<Compiled>) -> Result<Option<Self>> {
        let surroundings = api.surroundings(caller.until, caller.account(), caller.pulse.revision).await?;
        let filter = filter.clone();
        // Lists are long.
        let names = api.aside(Work::Reading, move || {
            let mut names = surroundings.known().unknown_names(&filter.expression);
            names.retain(|name| is_handle(name));
            names
        });
        let names = names.await?;
        caller.renew(api);
        if names.is_empty() {
            return Ok(None);
        }
        // That a handle is nobody's changes nothing for filters, and so no revision.
        let (asked, mut nobodys): (Vec<_>, _) = (names.iter().map(String::as_str).collect(), BTreeSet::new());
        for some in asked.chunks(ASKED) {
            nobodys.append(&mut api.ask(caller.until, api.database().nobodys_handles(NETWORK, some)).await?);
            caller.renew(api);
        }
        Ok(Some(Self::among(names, &nobodys)))
    }

    /// Of handles of which it is not known whose they are, some are nobody's.
    fn among(handles: BTreeSet<String>, nobodys: &BTreeSet<String>) -> Self {
        let (nobodys, handles) = handles.into_iter().partition(|handle| nobodys.contains(handle));
        let ((handles, more), (nobodys, more_nobodys)) = (first(handles), first(nobodys));
        Self { handles, more, nobodys, more_nobodys }
    }

    /// What follows from it, as a part of a sentence.
    pub(super) fn said(&self) -> String {
        let unknown = self.handles.first().map(|first| match self.handles.len() + self.more {
            1 => format!("nothing is found by {first}: it is not known whose handle on Bluesky that is"),
            many => format!(
                "nothing is found by {many} handles of Bluesky, the first {first}: it is not known whose they are"
            ),
        });
        let nobodys = self.nobodys.first().map(|first| match self.nobodys.len() + self.more_nobodys {
            1 => format!("nothing is found by {first}: nobody on Bluesky has this handle"),
            many => {
                format!("nothing is found by {many} handles, the first {first}: nobody on Bluesky has them")
            }
        });
        unknown.into_iter().chain(nobodys).collect::<Vec<_>>().join("; ")
    }
}

/// The first that are named, and how many more there are.
fn first(mut handles: Vec<String>) -> (Vec<String>, usize) {
    let more = handles.len().saturating_sub(NAMED);
    handles.truncate(NAMED);
    (handles, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_first_are_named_and_all_are_counted() {
        let handles = |kind: char, count: usize| (0..count).map(move |n| format!("{kind}{n:04}.example"));
        let told = |unknown: usize, nobodys: usize| {
            let all = handles('u', unknown).chain(handles('n', nobodys)).collect();
            // More are nobody's than are named here.
            let found = UnknownHandles::among(all, &handles('n', nobodys + 1).collect());
            let counts = (found.handles.len(), found.more, found.nobodys.len(), found.more_nobodys);
            (counts, found.said())
        };
        let one = "nothing is found by u0000.example: it is not known whose handle on Bluesky that is";
        assert_eq!(told(1, 0), ((1, 0, 0, 0), one.to_owned()));
        let many = "nothing is found by 102 handles of Bluesky, the first u0000.example: it is not known whose they are";
        assert_eq!(told(102, 0), ((100, 2, 0, 0), many.to_owned()));
        let nobodys = "nothing is found by n0000.example: nobody on Bluesky has this handle";
        assert_eq!(told(0, 1), ((0, 0, 1, 0), nobodys.to_owned()));
        let both = format!(
            "{one}; nothing is found by 103 handles, the first n0000.example: nobody on Bluesky has them"
        );
        assert_eq!(told(1, 103), ((1, 0, 100, 3), both));
    }
}
