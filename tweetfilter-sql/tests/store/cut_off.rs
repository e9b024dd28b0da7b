//! What is cut off while the server is asked, as a request is of which the sender hangs up.

use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use tracing_subscriber::util::SubscriberInitExt as _;
use tweetfilter_sql::Database;

use crate::common::Maria;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a future gives, or nothing if it is dropped first, where it waits for the so manieth time.
async fn cut_off<T>(at: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut waited) = (pin!(future), 0);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(given) => Poll::Ready(Some(given)),
        Poll::Pending if waited == at => Poll::Ready(None),
        Poll::Pending => {
            waited += 1;
            Poll::Pending
        }
    })
    .await
}

/// On one thread, so that all that the pool says is heard.
#[tokio::test]
async fn what_is_cut_off_leaves_no_answer_to_the_next_on_maria() {
    let Some(server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    server.database("cut_off").await.add_account("ann", &[]).await.unwrap();
    let log = Log::default();
    let kept = log.clone();
    let _heard = tracing_subscriber::fmt()
        .with_writer(move || kept.clone())
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .finish()
        .set_default();
    let mut tries = 0;
    for writes in [false, true] {
        // How often it waits is the server's: one that answers fast is asked again.
        let mut cuts = 0;
        for _ in 0..100 {
            for at in 0.. {
                tries += 1;
                // On a connection of its own, which has no statement prepared.
                let database = Database::connect(&server.address("cut_off")).await.unwrap();
                let whole = match writes {
                    true => cut_off(at, database.add_account(&format!("ben{tries}"), &[])).await.is_some(),
                    false => cut_off(at, database.accounts()).await.is_some(),
                };
                let accounts = database.accounts().await.unwrap();
                assert_eq!(accounts.iter().filter(|account| account.name == "ann").count(), 1, "{at}");
                database.close().await;
                if whole {
                    break;
                }
                cuts += 1;
            }
            if cuts > 2 {
                break;
            }
        }
        assert!(cuts > 2, "it waited {cuts} times");
    }
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!said.contains("on-release"), "{said}");
}
