//! Who reads a store on MariaDB need not be who made its tables.

use tweetfilter_sql::{Database, Page};
use tweetfilter_stream::store::{Outcome, Store};

use crate::common::Maria;
use crate::contract::{post, seen};

/// A machine that is replaced comes from another address, and is another user; so is whoever reads a copy.
pub async fn what_a_user_made_who_is_gone_is_read_by_another(server: &Maria) {
    server.say("CREATE DATABASE owners");
    let address = |user: &str| server.address("owners").replace("root@", &format!("{user}@"));
    let open = async |user: &str| {
        server.say(&format!("CREATE USER {user}@localhost; GRANT ALL ON owners.* TO {user}@localhost"));
        Database::open(&address(user)).await.unwrap()
    };
    let first = open("first").await;
    let account = first.add_account("ann", &[]).await.unwrap();
    let outcome = Outcome { posts: vec![seen(post("1", "bob"), 0, &[account])], ..Outcome::default() };
    first.commit(&outcome, &[]).await.unwrap();
    first.close().await;
    server.say("DROP USER first@localhost");
    let second = open("second").await;
    let page = Page { before: None, limit: 9, filter: None, hidden: true };
    let stretch = second.timeline_stretch(account, &page).await.unwrap();
    assert_eq!(stretch.posts.len(), 1);
    // By SQL, as FORMATS.md says.
    assert_eq!(server.ask("owners", "SELECT COUNT(*) FROM delivery"), [["1"]]);
    second.close().await;
}
