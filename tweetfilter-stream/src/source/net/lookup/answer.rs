//! What an AppView's answers say.

use serde::Deserialize;
use tweetfilter_core::post::Author;

use super::{is_did, is_handle};
use crate::wire;

/// Characters of a name that are kept.
const NAME: usize = 640;

#[derive(Deserialize)]
struct Resolved {
    did: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Whose handle it is.
pub(super) fn did(body: &[u8]) -> Option<String> {
    let resolved: Resolved = serde_json::from_slice(body).ok()?;
    Some(resolved.did).filter(|did| is_did(did))
}

/// The profiles of an answer; those that name no account are left out.
pub(super) fn profiles(body: &[u8]) -> Option<Vec<Author>> {
    let mut profiles = wire::bluesky_profiles(str::from_utf8(body).ok()?)?;
    profiles.retain(|profile| is_did(&profile.account.id));
    for profile in &mut profiles {
        if !is_handle(&profile.account.handle) {
            profile.account.handle.clear();
        }
        if let Some(name) = &mut profile.name
            && let Some((end, _)) = name.char_indices().nth(NAME)
        {
            name.truncate(end);
        }
    }
    Some(profiles)
}

/// Whether a refusal says that what was asked for is not there, and would not be if it were asked for again.
pub(super) fn is_about_the_request(body: &[u8]) -> bool {
    let refusal: Result<Refusal, _> = serde_json::from_slice(body);
    refusal.is_ok_and(|refusal| {
        matches!(&*refusal.error, "InvalidRequest" | "HandleNotFound" | "AccountTakedown" | "NotFound")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_and_odd_ones_are_not() {
        assert_eq!(did(br#"{"did":"did:plc:a","more":1}"#).as_deref(), Some("did:plc:a"));
        for odd in [&b"{}"[..], br#"{"did":"ann"}"#, br#"{"did":7}"#, b"", b"<html>", b"\xff"] {
            assert_eq!(did(odd), None);
        }
        assert!(is_about_the_request(br#"{"error":"InvalidRequest","message":"Unable to resolve handle"}"#));
        assert!(!is_about_the_request(br#"{"error":"ExpiredToken"}"#));
        assert!(!is_about_the_request(b"<html>Bad Request</html>"));
    }

    #[test]
    fn profiles_are_read_each_by_itself() {
        let long = "x".repeat(5_000);
        let body = format!(
            r#"{{"profiles":[{{"did":"did:plc:a","handle":"a.example","displayName":"{long}","followersCount":3}},
                {{"did":"nobody"}},7,{{"did":"did:plc:b","handle":"handle.invalid","displayName":5}}]}}"#
        );
        let found = profiles(body.as_bytes()).expect("profiles");
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((&*found[0].account.handle, found[0].followers), ("a.example", Some(3)));
        assert_eq!(found[0].name.as_ref().map(String::len), Some(NAME));
        assert_eq!((&*found[1].account.id, &*found[1].account.handle), ("did:plc:b", ""));
        for odd in [&b"{}"[..], b"[]", b"\xff", br#"{"profiles":{}}"#, br#"{"profiles":["#] {
            assert_eq!(profiles(odd), None);
        }
    }
}
