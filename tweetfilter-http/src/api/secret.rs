//! Secrets: 256 bits that are shown once and kept as a digest.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// A new secret behind a prefix that tells what it is, in hexadecimal digits.
///
/// # Errors
/// If the system has no random numbers to give.
pub fn new_secret(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{prefix}{}", hexadecimal(&bytes)))
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
        // The digest of the empty text, as FIPS 180 gives it.
        assert!(digest("").starts_with("e3b0c44298fc1c14"));
    }
}
