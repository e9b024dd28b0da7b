//! What is lost, and how it is told.

use super::*;

#[tokio::test]
async fn what_strangers_remove_is_noticed() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 40).await;
    // Ten in each partition; a few of each are leased, then one partition is trimmed.
    let leased = buffer.lease("a", Most::entries(12), SHORT).await.unwrap();
    server.say(&["XTRIM", "tf:{0}", "MAXLEN", "0"]);
    assert_eq!(buffer.stats().await.unwrap().lost, 10);
    tokio::time::sleep(SHORT * 2).await;
    let again = buffer.lease("b", Most::entries(100), LONG).await.unwrap();
    assert_eq!(again.len(), 30, "{} were leased", leased.len());
    let losses = buffer.losses().await.unwrap();
    assert_eq!(losses.len(), 1);
    assert!(losses[0].reason.contains("XTRIM") && losses[0].missing == Some(3) && losses[0].from > 0);
    buffer.ack("b", &ids(&again)).await.unwrap();
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.leased, stats.lost), (0, 0, 10));
    // Group and stream are made anew, and at the beginning.
    buffer.append(&batch(fence, some(8), "d")).await.unwrap();
    server.say(&["XGROUP", "DESTROY", "tf:{1}", "tf"]);
    server.say(&["DEL", "tf:{2}"]);
    assert_eq!(buffer.lease("a", Most::entries(100), LONG).await.unwrap().len(), 6);
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.lost), (6, 12));
    assert_eq!(buffer.losses().await.unwrap().len(), 3);
    // Of them, too, the newest are kept.
    let old = vec![r#"{"from":1,"to":1,"reason":"old","missing":null}"#; MOST_GAPS];
    server.say(&[&["RPUSH", "tf:losses"][..], &old[..]].concat());
    server.say(&["XGROUP", "DESTROY", "tf:{1}", "tf"]);
    buffer.lease("a", Most::entries(100), LONG).await.unwrap();
    let losses = buffer.losses().await.unwrap();
    assert_eq!((losses.len(), buffer.losses_dropped().await.unwrap()), (MOST_GAPS, 4));
    assert!(losses[MOST_GAPS - 1].reason.contains("consumer group"), "{:?}", losses[MOST_GAPS - 1]);
}

#[tokio::test]
async fn work_goes_on_after_flushall() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let before = filled(&buffer, 20).await;
    let leased = buffer.lease("a", Most::entries(5), LONG).await.unwrap();
    server.say(&["FLUSHALL"]);
    buffer.ack("a", &ids(&leased)).await.unwrap();
    assert_eq!(buffer.lease("a", Most::entries(5), LONG).await.unwrap(), []);
    let forgotten = Err(BufferError::Forgotten { source_name: "s".into() });
    assert_eq!(buffer.append(&batch(before, some(1), "d")).await, forgotten);
    assert_eq!(buffer.renew("s", before, LONG).await, forgotten);
    assert!(filled(&buffer, 3).await > before, "no fencing number comes twice");
    assert_eq!(buffer.lease("a", Most::entries(5), LONG).await.unwrap().len(), 3);
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.lost), (3, 20));
    let losses = buffer.losses().await.unwrap();
    assert!(losses.len() == 1 && losses[0].reason.contains("FLUSHALL"), "{losses:?}");
    // All of it came since the buffer was last seen empty, but for a second in which it may have been on its way.
    let lasted = losses[0].to - losses[0].from;
    assert!((1_000..60_000).contains(&lasted), "{losses:?}");
}

#[tokio::test]
async fn a_loss_is_told_once_whoever_looks_first() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let (buffer, other) = (open(&server).await, open(&server).await);
    filled(&buffer, 20).await;
    assert_eq!(other.stats().await.unwrap().entries, 20);
    server.say(&["FLUSHALL"]);
    // Somebody new, who knows nothing of it, and lays the buffer out anew.
    assert_eq!(open(&server).await.stats().await.unwrap().lost, 0);
    for buffer in [&buffer, &other, &buffer] {
        assert_eq!(buffer.stats().await.unwrap().lost, 20);
    }
    let losses = buffer.losses().await.unwrap();
    assert!(losses.len() == 1 && losses[0].missing == Some(20), "{losses:?}");
}

#[tokio::test]
async fn it_is_known_since_when_what_is_not_done_was_appended() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let (buffer, other) = (open(&server).await, open(&server).await);
    assert_eq!(buffer.oldest_seen(), None);
    let fence = filled(&buffer, 2).await;
    let first = buffer.oldest_seen().unwrap();
    let held = other.lease("gone", Most::entries(2), LONG).await.unwrap();
    for (cursor, done) in [("d", true), ("e", false)] {
        tokio::time::sleep(Duration::from_millis(20)).await;
        buffer.append(&batch(fence, some(9), cursor)).await.unwrap();
        assert_eq!(buffer.oldest_seen(), Some(first), "it is held and not done");
        let leased = other.lease("b", Most::entries(9), LONG).await.unwrap();
        if done {
            other.ack("b", &ids(&leased)).await.unwrap();
        }
    }
    other.ack("gone", &ids(&held)).await.unwrap();
    buffer.append(&batch(fence, some(1), "f")).await.unwrap();
    assert!(buffer.oldest_seen().unwrap() >= first + 30, "what is done is no longer counted");
}

#[tokio::test]
async fn of_losses_that_are_told_when_the_buffer_is_laid_out_the_newest_are_kept_too() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 3).await;
    server.say(&["FLUSHALL"]);
    let old = vec![r#"{"from":1,"to":1,"reason":"old","missing":null}"#; MOST_GAPS];
    server.say(&[&["RPUSH", "tf:losses"][..], &old[..]].concat());
    assert_eq!(buffer.stats().await.unwrap().lost, 3);
    let losses = buffer.losses().await.unwrap();
    assert_eq!((losses.len(), buffer.losses_dropped().await.unwrap()), (MOST_GAPS, 1));
    assert!(losses[MOST_GAPS - 1].reason.contains("FLUSHALL"), "{:?}", losses[MOST_GAPS - 1]);
}

#[tokio::test]
async fn a_loss_began_by_the_time_at_which_who_tells_it_first_saw_what_is_lost() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    filled(&open(&server).await, 20).await;
    let late = open(&server).await;
    server.say(&["FLUSHALL"]);
    assert_eq!(late.stats().await.unwrap().lost, 20);
    let losses = late.losses().await.unwrap();
    let lasted = losses[0].to - losses[0].from;
    assert!((1_000..60_000).contains(&lasted), "{losses:?}");
}
