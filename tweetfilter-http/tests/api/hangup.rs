//! Clients that hang up before they are answered.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use tower::ServiceExt;
use tweetfilter_http::api::Options;
use tweetfilter_sql::Scope;

use crate::house::{House, patient, request};

#[tokio::test]
async fn who_hangs_up_has_asked_all_the_same() {
    let house = House::with(Options { rate: 0.001, burst: 100.0, ..patient() }).await;
    let (ann, _) = house.account("ann", Scope::Read).await;
    for is_known in [true, false] {
        let token = house.token(ann, Scope::Read).await;
        if is_known {
            house.get(&token, "/me").await.ok();
        }
        for _ in 0..90 {
            let asked = house.app.clone().oneshot(request(Method::GET, "/me", &token, None));
            let mut asked = Box::pin(asked);
            // It has begun, and the store is asked whose token it is.
            let is_begun = poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_pending())).await;
            assert!(is_begun);
        }
        // The store may still be answering.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut answered = 0;
        loop {
            let got = house.get(&token, "/me").await;
            if got.status == StatusCode::TOO_MANY_REQUESTS {
                break;
            }
            got.ok();
            answered += 1;
            assert!(answered <= 50, "nobody counted those that hung up; known: {is_known}");
        }
    }
}
