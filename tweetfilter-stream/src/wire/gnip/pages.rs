//! What Gnip found behind the links of a post (`gnip.urls`).

use std::borrow::Cow;
use std::collections::HashMap;

use tweetfilter_core::post::Link;

use super::super::view::View;

/// The texts of pages, by the addresses that stand in the text of the post.
#[derive(Default)]
pub(super) struct Pages<'a>(HashMap<Cow<'a, str>, &'a str>);

impl<'a> Pages<'a> {
    /// Adds those of an activity, in place of what was known of the same addresses.
    pub(super) fn add(&mut self, activity: &View<'a>) {
        let pages = activity.object("gnip").raw_objects("urls");
        self.0.extend(pages.map(|page| (View::of(page).text("url"), page)));
    }

    /// Tells links of their pages. Where an address stands several times, its first link alone has the page: for filters
    /// one is enough, and a long description is not kept as often as a short address is repeated.
    pub(super) fn tell(mut self, links: &mut [Link]) {
        for link in links {
            #[cfg(test)]
            LOOKS.set(LOOKS.get() + 1);
            if let Some(page) = self.0.remove(link.url.as_str()).map(View::of) {
                link.unwound = page.string("expanded_url").or(link.unwound.take());
                link.title = page.string("expanded_url_title").or(link.title.take());
                link.description = page.string("expanded_url_description").or(link.description.take());
            }
        }
    }
}

#[cfg(test)]
thread_local! {
    /// How often a link was looked at: what tests count instead of time.
    static LOOKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::{LOOKS, Link, Pages, View};

    /// The links of a text, with the pages that an activity tells.
    fn told(addresses: impl Iterator<Item = String>, activity: &str) -> Vec<Link> {
        let mut links: Vec<_> = addresses.map(|url| Link { url, ..Link::default() }).collect();
        let mut pages = Pages::default();
        pages.add(&View::of(activity));
        pages.tell(&mut links);
        links
    }

    #[test]
    fn ten_times_the_pages_cost_ten_times_the_looks_at_links() {
        let looks = |count: usize| {
            let page =
                |n: usize| format!(r#"{{"url":"http://t.co/{n}","expanded_url":"http://a.example/{n}"}}"#);
            let pages: Vec<_> = (0..count).rev().map(page).collect();
            let activity = format!(r#"{{"gnip":{{"urls":[{}]}}}}"#, pages.join(","));
            LOOKS.set(0);
            let links = told((0..count).map(|n| format!("http://t.co/{n}")), &activity);
            for (n, link) in links.iter().enumerate() {
                assert_eq!(link.unwound, Some(format!("http://a.example/{n}")));
            }
            LOOKS.get()
        };
        let (small, large) = (looks(100), looks(1_000));
        assert!(small >= 100 && large <= 11 * small, "{small} looks, then {large}");
    }

    #[test]
    fn a_page_is_kept_once_however_often_its_address_stands() {
        let activity = r#"{"gnip":{"urls":[{"url":"http://t.co/1","expanded_url":"http://a.example",
            "expanded_url_title":"Snow","expanded_url_description":"A long one"}]}}"#;
        let links = told(std::iter::repeat_n("http://t.co/1".to_owned(), 1_000), activity);
        let described: Vec<_> = links.iter().filter_map(|link| link.description.as_deref()).collect();
        assert_eq!((described, links[0].title.as_deref()), (vec!["A long one"], Some("Snow")));
    }
}
