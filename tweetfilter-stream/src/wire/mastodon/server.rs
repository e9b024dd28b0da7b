//! The server that a status was read from. Its ids are that one's, whoever wrote it, and so is an account that is named
//! without a host; an account of another server is named with it.

use tweetfilter_core::post::Account;

use super::super::view::View;
use super::quoted;

/// Bytes of a host, as names have them at most; what is longer is none.
const LONGEST_HOST: usize = 253;

/// Bytes of an account's id, and of its name; what is longer is none. Both are kept wherever a text mentions it.
const LONGEST_NAME: usize = 320;

/// The server that a status tells to be read from: that of whoever is named in it without a host.
pub(super) fn told(status: &View<'_>, depth: u8) -> Option<String> {
    let account = status.object("account");
    let by_author = || {
        let host = || host_of(&account.text("url")).or_else(|| author_host(status));
        is_local(&account).then(host).flatten()
    };
    let by_mention = || {
        let mut users = status.list("mentions").filter(is_local);
        users.find_map(|user| host_of(&user.text("url")))
    };
    let by_carried = || {
        let below = depth.checked_sub(1)?;
        let carried = [status.some_object("reblog"), quoted(&status.object("quote"))];
        carried.into_iter().flatten().find_map(|status| told(&status, below))
    };
    by_author().or_else(by_mention).or_else(by_carried)
}

/// The server of a status's author, out of its address.
pub(super) fn author_host(status: &View<'_>) -> Option<String> {
    host_of(&status.text("uri")).or_else(|| host_of(&status.text("url")))
}

/// Who a user is. Where it is not known whose the ids are, there is none: under the host of another server it would be
/// somebody else's.
pub(super) fn account(user: &View<'_>, server: Option<&str>) -> Account {
    let host = host_of(&user.text("url"));
    let handle = handle(&user.text("acct"), host.as_deref().or(server));
    Account { id: own_id(user.id("id"), server), handle }
}

/// The account that a text names, of which nothing more is told than where its link leads.
pub(super) fn shown(name: &str, address: &str) -> Account {
    let host = host_of(address);
    Account { id: String::new(), handle: handle(name, host.as_deref()) }
}

/// An account's id, if it is known to be of the server.
pub(super) fn own_id(id: String, server: Option<&str>) -> String {
    if server.is_some() && id.len() <= LONGEST_NAME { id } else { String::new() }
}

/// A host as it stands in an address, in lower case.
pub(super) fn host(text: &str) -> Option<String> {
    let is_host = (1..=LONGEST_HOST).contains(&text.len())
        && text.chars().all(|c| c.is_alphanumeric() || "-._:[]".contains(c));
    // Those are other networks.
    is_host.then(|| text.to_lowercase()).filter(|host| !matches!(host.as_str(), "x" | "bluesky"))
}

fn host_of(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("//")?;
    host(rest.split(['/', '?', '#']).next()?)
}

fn is_local(user: &View<'_>) -> bool {
    let name = user.text("acct");
    !name.is_empty() && !name.contains('@')
}

/// The name with its server. Without one it is nobody's: it could be the id of somebody.
fn handle(name: &str, host: Option<&str>) -> String {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return String::new();
    }
    match host {
        _ if name.contains('@') => name.to_owned(),
        Some(host) => format!("{name}@{host}"),
        None => String::new(),
    }
}
