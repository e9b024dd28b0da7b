//! Versions of a post through a worker into the store, in any order and in any batches.

use std::time::Duration;

use tweetfilter_core::Post;
use tweetfilter_sql::{Database, Embedded, NewFilter, Page};
use tweetfilter_stream::buffer::{Batch, Buffer, Encoded, Fence, Most};
use tweetfilter_stream::entry::{Audience, Content, Entry};
use tweetfilter_stream::store::Action;
use tweetfilter_stream::worker::{Options, Worker};

use crate::common::{Clock, Folder};
use crate::contract::all_orders;

/// Who is told, of what, and when that was made.
const TOLD: [(&str, &str, Option<i64>); 4] =
    [("ann", "rain", None), ("ben", "rain", None), ("ann", "snow", Some(70)), ("cid", "fog", Some(60))];

async fn append(buffer: &Embedded, fence: Fence, id: &str, order: &[usize]) {
    let entry = |(number, &told): (usize, &usize)| {
        let (name, text, edited_at) = TOLD[told];
        let post = Box::new(Post { id: id.into(), network: "m".into(), edited_at, ..Post::from_text(text) });
        let content = if edited_at.is_some() { Content::Edit(post) } else { Content::Post(post) };
        let at = Clock::START + number as i64;
        let entry =
            Entry { source: "s".into(), at, to: Audience::Account(name.into()), place: None, content };
        Encoded { key: 1, bytes: entry.to_vec().unwrap() }
    };
    let entries = order.iter().enumerate().map(entry).collect();
    buffer.append(&Batch { source: "s".into(), fence, entries, ..Batch::default() }).await.unwrap();
}

#[tokio::test]
async fn whoever_saw_a_version_has_the_newest_with_what_their_filters_say_of_it() {
    let (folder, clock) = (Folder::new(), Clock::new());
    let database = clock.set(Database::open(&folder.file("a.db")).await.unwrap());
    let buffer = database.buffer().unwrap();
    let fence = buffer.claim("s", "a", Duration::from_secs(60)).await.unwrap().fence;
    let mut accounts = Vec::new();
    for name in ["ann", "ben", "cid"] {
        let account = database.add_account(name, &[]).await.unwrap();
        let filter = |text: &str, action| NewFilter { text: text.into(), action, ..NewFilter::default() };
        database.add_filter(account, &filter("rain OR fog", Action::Hide)).await.unwrap();
        let snow = database.add_filter(account, &filter("snow", Action::Highlight)).await.unwrap();
        accounts.push((account, snow));
    }
    let mut rounds = 0;
    for batch in [1, 3, 9] {
        for order in all_orders(TOLD.len()) {
            rounds += 1;
            append(&buffer, fence, &rounds.to_string(), &order).await;
            let options = Options { batch: Most::entries(batch), ..Options::default() };
            let mut worker = Worker::new("w", buffer.clone(), database.clone(), options);
            while worker.step(Clock::START).await.unwrap().entries > 0 {}
            for &(account, snow) in &accounts {
                let shown = database.timeline(account, &Page::default()).await.unwrap().remove(0);
                let what = format!("account {account}, {order:?} in batches of {batch}");
                assert_eq!((&*shown.native_id, &*shown.post.text), (&*rounds.to_string(), "snow"), "{what}");
                assert!(shown.verdict.highlighted && shown.filters == [snow], "{what}: {shown:?}");
            }
        }
    }
    // Each entry came to one end, and no match of an old text is left.
    let source = database.status().await.unwrap().sources.remove(0);
    assert_eq!((source.stored, source.ended()), (rounds, 4 * rounds));
    let matches = database.results().await.unwrap().matches;
    let of_snow: Vec<_> = accounts.iter().map(|&(_, snow)| (snow, rounds)).collect();
    assert_eq!(matches.into_iter().collect::<Vec<_>>(), of_snow);
    database.close().await;
}
