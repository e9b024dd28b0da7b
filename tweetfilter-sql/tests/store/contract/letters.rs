//! Dead letters that several write and put back at once.

use std::time::Duration;

use tweetfilter_sql::Database;
use tweetfilter_stream::buffer::Buffer;
use tweetfilter_stream::entry::{Audience, Content, Entry};
use tweetfilter_stream::store::{DeadLetter, Outcome, Store, StoreError};

use super::post;
use crate::common::{Clock, Folder};

/// Letters that are put back while a worker keeps the same again, and another one keeps others.
pub async fn letters_that_are_put_back_while_others_die_are_counted_as_they_are(
    database: &Database,
    _: &Clock,
) {
    let folder = Folder::new();
    let other = Database::open(&folder.file("b.db")).await.unwrap();
    let buffer = other.buffer().unwrap();
    let fence = buffer.claim("retry", "a", Duration::from_secs(600)).await.unwrap().fence;
    let letter = |number: usize| {
        let content = Content::Post(Box::new(post(&number.to_string(), "Snow")));
        let entry = Entry { source: "s".into(), at: 1, to: Audience::Public, place: None, content };
        DeadLetter::new(entry.to_vec().unwrap(), "why".into(), Clock::START)
    };
    let outcome = Outcome { dead: (0..30).map(letter).collect(), at: 1, ..Outcome::default() };
    let work = || {
        let (database, outcome) = (database.clone(), outcome.clone());
        tokio::spawn(async move {
            for _ in 0..12 {
                // As workers do.
                while let Err(error) = database.commit(&outcome, &[]).await {
                    assert!(matches!(error, StoreError::Retry(_)), "{error}");
                }
            }
        })
    };
    let workers = [work(), work()];
    let (mut rounds, mut put_back) = (0, 0);
    while rounds < 3 || workers.iter().any(|worker| !worker.is_finished()) {
        let ids: Vec<i64> = database.dead_letters(0, 100).await.unwrap().iter().map(|one| one.id).collect();
        put_back += database.retry_dead_letters(&ids, &buffer, "retry", fence).await.unwrap();
        rounds += 1;
    }
    for worker in workers {
        worker.await.unwrap();
    }
    assert!(put_back > 0);
    database.commit(&outcome, &[]).await.unwrap();
    let dead = database.status().await.unwrap().sources[0].dead;
    assert_eq!((dead, database.count_dead_letters().await.unwrap()), (30, 30));
    other.close().await;
}
