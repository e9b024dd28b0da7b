//! Any bytes are a message or an error.

#![no_main]

use std::fmt;

use libfuzzer_sys::fuzz_target;
use tweetfilter_core::{FilterId, FilterSet, FilterSetBuilder};
use tweetfilter_stream::wire::{self, Event};

thread_local! {
    static FILTERS: FilterSet = {
        let mut filters = FilterSetBuilder::new();
        let all = "snow OR /a.b/ OR contains:\"x y\" OR #tag OR url:example OR length:>5 OR caps:>0 OR \"a b\"~3";
        filters.add(FilterId(1), all).expect("a filter");
        filters.build()
    };
}

fn read(event: Event) {
    match event {
        Event::Post(post) | Event::PostAnd { post, .. } => {
            FILTERS.with(|filters| filters.matches(&post));
        }
        Event::ForUser { event, .. } => read(*event),
        _ => {}
    }
}

#[derive(arbitrary::Arbitrary)]
struct Case<'a>(&'a [u8]);

/// As a byte string, to paste.
impl fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

fuzz_target!(|case: Case<'_>| {
    if let Ok(event) = wire::decode(case.0) {
        read(event);
    }
});
