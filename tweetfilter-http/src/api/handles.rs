//! Handles that an expression names and of which it is not known whose they are. Another part looks them up once somebody has
//! saved it; to answer, nobody is asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use tweetfilter_stream::source::net::lookup::is_handle;
use utoipa::ToSchema;

use super::Api;
use super::answer::Result;
use super::caller::Caller;
use super::expression::Compiled;
use super::turns::Work;

/// Handles that an answer names.
const NAMED: usize = 100;

/// Handles of Bluesky of which it is not known whose they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnknownHandles {
    /// In order; of many the first hundred.
    pub handles: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

impl UnknownHandles {
    /// Those of an expression and of the lists that it names, if there are some.
    pub(super) async fn of(api: &Api, caller: &mut Caller, filter: &Arc<Compiled>) -> Result<Option<Self>> {
        let surroundings = api.surroundings(caller.until, caller.account(), caller.pulse.revision).await?;
        let filter = filter.clone();
        // Lists are long.
        let names = api.aside(Work::Reading, move || surroundings.known().unknown_names(&filter.expression));
        let names = names.await?;
        caller.renew(api);
        Ok(Self::among(names))
    }

    fn among(names: BTreeSet<String>) -> Option<Self> {
        let mut handles: Vec<_> = names.into_iter().filter(|name| is_handle(name)).collect();
        let more = handles.len().saturating_sub(NAMED);
        handles.truncate(NAMED);
        (!handles.is_empty()).then_some(Self { handles, more })
    }

    /// What follows from it, as a part of a sentence.
    pub(super) fn said(&self) -> String {
        let first = self.handles.first().map_or("", String::as_str);
        match self.handles.len() + self.more {
            1 => format!("nothing is found by {first}: it is not known whose handle on Bluesky that is"),
            many => format!(
                "nothing is found by {many} handles of Bluesky, the first {first}: it is not known whose they are"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_first_are_named_and_all_are_counted() {
        let among = |count: usize| {
            let names = (0..count).map(|n| format!("n{n:04}.example")).chain(["bob".to_owned()]);
            UnknownHandles::among(names.collect())
        };
        assert_eq!(among(0), None);
        let told = |count| among(count).map(|found| (found.handles.len(), found.more, found.said()));
        let one = "nothing is found by n0000.example: it is not known whose handle on Bluesky that is";
        assert_eq!(told(1), Some((1, 0, one.to_owned())));
        let many = "nothing is found by 102 handles of Bluesky, the first n0000.example: it is not known whose they are";
        assert_eq!(told(102), Some((100, 2, many.to_owned())));
    }
}
