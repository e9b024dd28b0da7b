//! Gaps that a buffer elsewhere noted, and where its sources stand.

use tweetfilter_sql::{Database, SourcePlace, StoredGap};
use tweetfilter_stream::buffer::{Gap, MOST_GAPS};

use crate::common::Clock;

fn gap(from: i64) -> StoredGap {
    let missing = (from % 2 == 0).then_some(3);
    let gap = Gap { from, to: from + 1, reason: "FLUSHALL? \u{1f5d1}".into(), missing };
    StoredGap { source: "s".into(), gap }
}

pub async fn gaps_that_are_told_again_are_kept_once(database: &Database, _: &Clock) {
    database.keep_gaps(&[gap(1), gap(2), gap(1), gap(2)]).await.unwrap();
    // Nobody knows whether that was heard.
    database.keep_gaps(&[gap(2), gap(3), gap(1), gap(3)]).await.unwrap();
    let other = StoredGap { source: "(buffer)".into(), ..gap(1) };
    database.keep_gaps(std::slice::from_ref(&other)).await.unwrap();
    database.keep_gaps(&[]).await.unwrap();
    assert_eq!(database.gaps(9).await.unwrap(), [other, gap(3), gap(2), gap(1)]);
    // The newest of a source are kept, and the others counted.
    let many: Vec<_> = (10..).take(MOST_GAPS).map(gap).collect();
    database.keep_gaps(&many).await.unwrap();
    let status = database.status().await.unwrap();
    assert_eq!((status.gaps, status.gaps_dropped), (MOST_GAPS as u64 + 1, 3));
}

pub async fn of_a_source_the_last_place_is_known(database: &Database, _: &Clock) {
    assert_eq!(database.source_place("s").await.unwrap(), None);
    let places = [(Some("a"), 5), (Some("b"), 7), (None, 6)];
    for (cursor, since) in places {
        let place = SourcePlace { cursor: cursor.map(str::to_owned), since };
        database.keep_source_place("s", &place).await.unwrap();
        assert_eq!(database.source_place("s").await.unwrap(), Some(place));
    }
    assert_eq!(database.source_place("other").await.unwrap(), None);
}
