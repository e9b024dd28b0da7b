//! What an entry must say to be one: whoever appends writes it by hand, perhaps.

use super::{Audience, Change, Content, Entry};

/// What an entry does not say that it must, or says that can't be so; none of what it does say.
pub(super) fn of(entry: &Entry) -> Option<&'static str> {
    if entry.source.is_empty() {
        return Some("it names no source");
    }
    if entry.at < 0 {
        return Some("it was received before 1970");
    }
    match &entry.to {
        Audience::Account(name) if name.is_empty() => return Some("it is for an account without a name"),
        Audience::Viewers(viewers) if viewers.iter().any(String::is_empty) => {
            return Some("it is for a viewer without an id");
        }
        _ => {}
    }
    match &entry.content {
        Content::Change(change) if !change.names_somebody() => Some("its change is of nobody and nothing"),
        _ => None,
    }
}

impl Change {
    /// Whether it says of whom or of what it is; whose list of friends it is, the entry's audience says.
    pub(crate) fn names_somebody(&self) -> bool {
        let named: &[&str] = match self {
            // The network may not be told.
            Self::Delete { id, .. } => &[id],
            Self::ScrubGeo { network, author, up_to } => &[network, author, up_to],
            Self::StatusWithheld { network, id, .. } => &[network, id],
            Self::UserWithheld { network, author, .. } | Self::AccountStatus { network, author, .. } => {
                &[network, author]
            }
            Self::Identity { network, account } => &[network, &account.id],
            Self::Friends { network, .. } => &[network],
        };
        named.iter().all(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_entry_must_say_and_does_not_is_told() {
        let delete = r#""to":"public","change":{"kind":"delete","network":"","id":"7"}"#;
        let change =
            |change: &str| format!(r#"{{"v":1,"source":"s","at":1,"to":"public","change":{change}}}"#);
        let nothing = "its change is of nobody and nothing";
        for (entry, reason) in [
            (format!(r#"{{"v":0,"source":"s","at":1,{delete}}}"#), "there is no version 0 of entries"),
            (format!(r#"{{"v":-1,"source":"s","at":1,{delete}}}"#), "there is no version -1 of entries"),
            (format!(r#"{{"v":1.5,"source":"s","at":1,{delete}}}"#), "there is no version 1.5 of entries"),
            (format!(r#"{{"v":1,"source":"","at":1,{delete}}}"#), "it names no source"),
            (format!(r#"{{"v":1,"source":"s","at":-1,{delete}}}"#), "it was received before 1970"),
            (
                r#"{"v":1,"source":"s","at":1,"to":{"account":""},"post":{"text":"a"}}"#.to_owned(),
                "it is for an account without a name",
            ),
            (
                r#"{"v":1,"source":"s","at":1,"to":{"viewers":["7",""]},"post":{"text":"a"}}"#.to_owned(),
                "it is for a viewer without an id",
            ),
            (change(r#"{"kind":"delete","network":"x","id":""}"#), nothing),
            (change(r#"{"kind":"scrub_geo","network":"x","author":"7","up_to":""}"#), nothing),
            (change(r#"{"kind":"scrub_geo","network":"","author":"7","up_to":"7"}"#), nothing),
            (change(r#"{"kind":"status_withheld","network":"","id":"7","countries":["XX"]}"#), nothing),
            (change(r#"{"kind":"user_withheld","network":"x","author":"","countries":["XX"]}"#), nothing),
            (
                change(r#"{"kind":"account_status","network":"x","author":"","active":true,"status":""}"#),
                nothing,
            ),
            (change(r#"{"kind":"identity","network":"x","account":{"handle":"ann"}}"#), nothing),
            (change(r#"{"kind":"friends","network":"","ids":["7"]}"#), nothing),
        ] {
            let error = Entry::from_slice(entry.as_bytes()).expect_err(&entry).to_string();
            assert_eq!(error, format!("not an entry: {reason}"), "{entry}");
        }
    }

    #[test]
    fn what_an_entry_need_not_say_may_be_left_out() {
        for rest in [
            // Nobody here saw it.
            r#""to":{"viewers":[]},"post":{"network":"x","id":"7","text":"a"}"#,
            // Neither an id nor a place.
            r#""to":"follows","post":{"text":"a"}"#,
            r#""to":"public","change":{"kind":"delete","network":"","id":"7"}"#,
            r#""to":{"account":"ann"},"change":{"kind":"friends","network":"x","ids":[]}"#,
        ] {
            let entry = format!(r#"{{"v":1,"source":"s","at":0,{rest}}}"#);
            assert!(Entry::from_slice(entry.as_bytes()).is_ok(), "{entry}");
        }
        let newer = Entry::from_slice(br#"{"v":4294967296}"#);
        assert!(matches!(newer, Err(super::super::EntryError::NewerVersion { .. })), "{newer:?}");
    }
}
