//! Secrets: 256 bits that are shown once and kept as a digest.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use axum::http::StatusCode;
use sha2::{Digest, Sha256};

use tweetfilter_sql::Made;

use super::Api;
use super::answer::{ApiError, Result};
use super::caller::Caller;

/// What stands before the digits of a token's secret, and before those of a feed's.
pub(super) const TOKEN: &str = "tf_";
pub(super) const FEED: &str = "";

/// A new secret behind a prefix that tells what it is, in hexadecimal digits.
///
/// # Errors
/// If the system has no random numbers to give.
pub fn new_secret(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{prefix}{}", hexadecimal(&bytes)))
}

/// The one that a caller made, or a new one, behind a prefix.
pub(super) fn own_or_new(prefix: &str, own: Option<&str>) -> Result<String> {
    match own {
        Some(digits) => own_secret(prefix, digits).ok_or_else(|| {
            ApiError::bad(
                "`secret` must be 64 hexadecimal digits (0 to 9, a to f) at random, as `openssl rand -hex 32` gives them",
            )
        }),
        None => new_secret(prefix).map_err(|error| no_random(&error)),
    }
}

/// Refuses the digits of a caller that are known with another prefix: whoever reads a feed's address would have the token, and
/// whoever has a token that was revoked would have the feed.
pub(super) async fn is_of_no_other(
    api: &Api,
    caller: &Caller,
    prefix: &str,
    own: Option<&str>,
) -> Result<()> {
    let Some(digits) = own else { return Ok(()) };
    let digest = digest(&format!("{prefix}{digits}"));
    match api.ask(caller.until, api.database().known_secret(&digest)).await? {
        None => Ok(()),
        Some(Made::Revoked) => Err(revoked()),
        Some(_) => Err(taken()),
    }
}

/// The system has no random numbers to give.
pub(super) fn no_random(error: &getrandom::Error) -> ApiError {
    let message = format!("No random numbers: {error}");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
}

/// Something else is known by the secret that a caller made.
pub(super) fn taken() -> ApiError {
    let message = "Something else was made with this `secret`; take another, at random";
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "secret_taken", message)
}

/// What was made with the secret of a caller was revoked since, and stays so.
pub(super) fn revoked() -> ApiError {
    let message = "What was made with this `secret` was revoked; take another, at random";
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "secret_revoked", message)
}

/// The secret that a caller made, behind a prefix; none if it is not 256 bits in hexadecimal digits, or can't be random.
fn own_secret(prefix: &str, digits: &str) -> Option<String> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    // Of 32 random bytes about 30 are different, and never fewer than half.
    let different: BTreeSet<&[u8]> = digits.as_bytes().chunks(2).collect();
    let is_random = digits.len() == 64 && digits.bytes().all(is_digit) && different.len() >= 16;
    is_random.then(|| format!("{prefix}{digits}"))
}

/// What is kept of a secret.
#[must_use]
pub fn digest(secret: &str) -> String {
    hexadecimal(&Sha256::digest(secret.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, other) = (new_secret("tf_").unwrap(), new_secret("tf_").unwrap());
        assert_eq!(one.len(), 3 + 64);
        assert_ne!(one, other);
        // One that a caller made is the same behind its prefix; what anybody may guess is none.
        assert_eq!(own_secret("tf_", &one[3..]), Some(one.clone()));
        for digits in
            ["", &one, &one[4..], &"0".repeat(64), &"0123456789abcdef".repeat(4), &one[3..].to_uppercase()]
        {
            assert_eq!(own_secret("", digits), None, "{digits}");
        }
        // The digest of the empty text, as FIPS 180 gives it.
        assert!(digest("").starts_with("e3b0c44298fc1c14"));
    }
}
