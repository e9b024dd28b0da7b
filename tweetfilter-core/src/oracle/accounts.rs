//! Accounts by name, by id, and as `me`.

use super::Reading;
use crate::post::{Account, Post};
use crate::syntax::AccountName;

/// Whether a filter's name means the account that a post names: one of that post's network.
pub(super) fn is(name: &AccountName, account: &Account, naming: &Post, reading: &Reading<'_>) -> bool {
    match name {
        AccountName::Name(name) => named(name, account),
        AccountName::Me => reading.surroundings.me.iter().any(|me| {
            // The account itself: a local part alone would also be a stranger's on another server.
            let same = |own: &str, other: &str| !own.is_empty() && own.eq_ignore_ascii_case(other);
            let same_id = same(&me.account.id, &account.id) || same(&me.account.id, &account.handle);
            let same_handle =
                same(&me.account.handle, &account.handle) || same(&me.account.handle, &account.id);
            me.network == naming.network && (same_id || same_handle)
        }),
    }
}

/// Name or id in any case; without a server, the local part on any server.
fn named(name: &str, account: &Account) -> bool {
    let same = |other: &str| !other.is_empty() && name.eq_ignore_ascii_case(other);
    let local = match account.handle.split_once('@') {
        Some((local, _)) if !name.contains('@') => local,
        _ => "",
    };
    same(&account.id) || same(&account.handle) || same(local)
}

/// Whether the posts that mentions are read in mention the account.
pub(super) fn mentioned(name: &AccountName, reading: &Reading<'_>) -> bool {
    reading
        .posts()
        .into_iter()
        .any(|post| post.entities.mentions.iter().any(|mention| is(name, &mention.account, post, reading)))
}
