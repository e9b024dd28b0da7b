//! Answers that are not as usual: from servers that read the standards in their own way, and from who stands in between.

use tweetfilter_stream::source::net::{Live, X};

use crate::server::{Server, Step, status, token, waits};

async fn sample(answers: Vec<Vec<Step>>) -> (Server, Live<X>) {
    let server = Server::start(answers).await;
    let address = format!("http://127.0.0.1:{}/1.1/statuses/sample.json", server.port);
    let x = X::sample(token()).expect("a client").address_is(&address).expect("of this machine");
    (server, Live::new(x))
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_kept_in_whatever_way_it_is_said() {
    for (asked, least, most) in [
        ("6.5", 6_500, 6_500),
        ("99999999999999999999999", 3_600_000, 3_600_000),
        ("-70", 5_000, 5_000),
        ("Friday, 31-Dec-49 23:59:59 GMT", 3_600_000, 3_600_000),
        ("Fri Dec 31 23:59:59 2049", 3_600_000, 3_600_000),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 5_000, 5_000),
        ("Sun Nov  6 08:49:37 1994", 5_000, 5_000),
    ] {
        let (_server, mut x) =
            sample(vec![status("503 Away", &format!("Retry-After: {asked}\r\n"), "")]).await;
        let (wait, said) = waits(&mut x).await;
        assert!((least..=most).contains(&wait.as_millis()), "{asked}: {wait:?} {said}");
    }
}
