//! Verdicts are those of what a scrub leaves, whichever comes first.

use std::time::Duration;

use tweetfilter_core::Post;
use tweetfilter_core::post::{Point, Reference};
use tweetfilter_sql::{Database, Embedded, NewFilter, Page};
use tweetfilter_stream::buffer::{Batch, Buffer, Encoded, Most};
use tweetfilter_stream::entry::{Audience, Change, Content, Entry};
use tweetfilter_stream::store::Action;
use tweetfilter_stream::worker::{Options, Worker};

use crate::common::{Clock, Folder, Maria};
use crate::contract::{all_orders, post};

/// Who sees it in which entry; `None`: what the scrub is about goes.
const TOLD: [Option<&str>; 3] = [Some("ann"), Some("ben"), None];

fn placed(id: &str) -> Post {
    Post { coordinates: Some(Point { lon: 10.7, lat: 59.9 }), ..post(id, "here") }
}

/// In each order, and in batches of each size, what all accounts see of a post is the same as if it had come without a place.
async fn verdicts_are_those_of_what_is_left(database: &Database, buffer: &Embedded) {
    let fence = buffer.claim("s", "a", Duration::from_secs(60)).await.unwrap().fence;
    let mut filters = Vec::new();
    for name in ["ann", "ben", "cid"] {
        let account = database.add_account(name, &[]).await.unwrap();
        let filter = |text: &str, action| NewFilter { text: text.into(), action, ..NewFilter::default() };
        let geo = database.add_filter(account, &filter("has:geo", Action::Hide)).await.unwrap();
        let none = database.add_filter(account, &filter("-has:geo", Action::Highlight)).await.unwrap();
        let words = database.add_filter(account, &filter("here", Action::Notify)).await.unwrap();
        filters.push((account, geo, none, words));
    }
    let mut round = 0;
    for (public, of_quoted, batch) in
        [(false, false, 1), (false, false, 9), (true, false, 1), (true, false, 9), (false, true, 1)]
    {
        for order in all_orders(TOLD.len()) {
            round += 1;
            // Others of the author stand in the same packs.
            let (author, id) = (format!("author {round}"), (1_000 * round).to_string());
            let mut one = placed(&id);
            one.author.account.id.clone_from(&author);
            if of_quoted {
                let outer = post(&format!("{id}1"), "here");
                let reference = Reference { id: id.clone(), post: Some(one), ..Reference::default() };
                one = Post { quote_of: Some(Box::new(reference)), ..outer };
            }
            let what = format!("public {public}, quoted {of_quoted}, {order:?} in batches of {batch}");
            for (step, &told) in order.iter().enumerate() {
                let content = match TOLD[told] {
                    Some(_) => Content::Post(Box::new(one.clone())),
                    None => Content::Change(Change::ScrubGeo {
                        network: "x".into(),
                        author: author.clone(),
                        up_to: id.clone(),
                    }),
                };
                let to = match TOLD[told] {
                    Some(name) if !public || step > 0 => Audience::Account(name.to_owned()),
                    _ => Audience::Public,
                };
                let entry = Entry { source: "s".into(), at: Clock::START, to, place: None, content };
                let entry = Encoded { key: 1, bytes: entry.to_vec().unwrap() };
                let batch = Batch { source: "s".into(), fence, entries: vec![entry], ..Batch::default() };
                buffer.append(&batch).await.unwrap();
            }
            let options = Options { batch: Most::entries(batch), ..Options::default() };
            let mut worker = Worker::new("w", buffer.clone(), database.clone(), options);
            while worker.step(Clock::START).await.unwrap().entries > 0 {}
            for &(account, geo, none, words) in &filters {
                let page = Page { hidden: true, limit: 1, ..Page::default() };
                let shown = database.timeline(account, &page).await.unwrap();
                let shown = shown.into_iter().find(|shown| shown.native_id == one.id);
                let sees = account != filters[2].0 || (public && TOLD[order[0]].is_some());
                assert_eq!(shown.is_some(), sees, "{what}: {account}");
                let Some(shown) = shown else { continue };
                assert_eq!(shown.filters, [none, words], "{what}: {account}");
                assert!(!shown.verdict.hidden && shown.verdict.highlighted, "{what}: {account}");
                assert!(!serde_json::to_string(&shown.post).unwrap().contains("59.9"), "{what}");
                let of_geo = Page { filter: Some(geo), hidden: true, ..Page::default() };
                assert!(database.timeline(account, &of_geo).await.unwrap().is_empty(), "{what}: {account}");
            }
        }
    }
}

#[tokio::test]
async fn verdicts_are_those_of_what_is_left_on_sqlite() {
    let (folder, clock) = (Folder::new(), Clock::new());
    let database = clock.set(Database::open(&folder.file("a.db")).await.unwrap());
    verdicts_are_those_of_what_is_left(&database, &database.buffer().unwrap()).await;
    database.close().await;
}

pub async fn verdicts_are_those_of_what_is_left_on_maria(server: &Maria) {
    let (folder, clock) = (Folder::new(), Clock::new());
    let database = clock.set(server.database("scrubbed").await);
    let entries = clock.set(Database::open(&folder.file("b.db")).await.unwrap());
    verdicts_are_those_of_what_is_left(&database, &entries.buffer().unwrap()).await;
    entries.close().await;
    database.close().await;
}
