//! Addresses and parameters as they may be shown.

use std::collections::BTreeMap;

use super::SourceSettings;

/// What stands in place of a secret.
const HIDDEN: &str = "HIDDEN";

/// What is in the names of parameters whose values are nobody's business.
const SECRET: [&str; 5] = ["token", "secret", "passw", "signature", "credential"];

/// An address without the password and the secret parameters in it.
#[must_use]
pub fn without_secrets(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    // A password may hold a `/` or `?` that nobody encoded, so that the last `@` ends it, wherever it stands.
    let (place, query) = if query.contains('@') { (rest, "") } else { (place, query) };
    let place = match place.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split_once(':').map_or(user, |(user, _)| user)),
        None => place.to_owned(),
    };
    let shown = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={HIDDEN}"),
        _ => parameter.to_owned(),
    };
    let query: Vec<_> = query.split('&').filter(|parameter| !parameter.is_empty()).map(shown).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{scheme}://{place}{mark}{}", query.join("&"))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|word| name.contains(word))
        || name.ends_with("key")
        || name.starts_with("authoriz")
        || name == "auth"
}

impl SourceSettings {
    /// The same with secrets left out, to be shown.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let shown = |(name, value): (&String, &String)| {
            (name.clone(), if is_secret(name) { HIDDEN.to_owned() } else { value.clone() })
        };
        let parameters: BTreeMap<_, _> = self.parameters.iter().map(shown).collect();
        Self { address: self.address.as_deref().map(without_secrets), parameters, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_tokens_are_not_shown() {
        for (address, shown) in [
            ("tweetfilter.db", "tweetfilter.db"),
            ("redis://host", "redis://host"),
            ("mysql://tf:secret@db/tf", "mysql://tf@db/tf"),
            ("mysql://tf:s/c@r?t@db/tf", "mysql://tf@db/tf"),
            ("redis://:secret@host:1/0", "redis://@host:1/0"),
            (
                "https://a.example/s?track=a&access_token=s&b",
                "https://a.example/s?track=a&access_token=HIDDEN&b",
            ),
            ("https://a.example/?Api-Key=s", "https://a.example/?Api-Key=HIDDEN"),
        ] {
            assert_eq!(without_secrets(address), shown);
        }
    }
}
