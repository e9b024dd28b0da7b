//! Secrets that sources identify themselves with.

use std::fmt;
use std::io::Read;
use std::path::Path;

use crate::source::SourceError;

/// A bearer token. It is read from a file or the environment, and never shown.
///
/// ```
/// use tweetfilter_stream::source::net::Token;
/// # let path = std::env::temp_dir().join(format!("tweetfilter-token-doc-{}", std::process::id()));
/// # std::fs::write(&path, "AAAA\n")?;
/// let token = Token::from_file(&path)?;
/// assert_eq!(format!("{token:?}"), "Token(…)");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Bytes of a token at most.
const LONGEST: u64 = 8192;

impl Token {
    /// Reads it from a file; white space around it does not count.
    ///
    /// # Errors
    /// [`SourceError::Setup`] when the file can't be read or holds no token.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let path = path.as_ref();
        let mut text = String::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
            .map_err(|error| SourceError::Setup(format!("the token in {}: {error}", path.display())))?;
        Self::new(&text, &path.display().to_string())
    }

    /// Takes it from a variable of the environment.
    ///
    /// # Errors
    /// [`SourceError::Setup`] when it is not set or holds no token.
    pub fn from_env(variable: &str) -> Result<Self, SourceError> {
        match std::env::var(variable) {
            Ok(text) => Self::new(&text, variable),
            Err(_) => Err(SourceError::Setup(format!("the variable {variable} is not set, or not to text"))),
        }
    }

    fn new(text: &str, from: &str) -> Result<Self, SourceError> {
        let text = text.trim();
        if text.is_empty() || text.len() as u64 > LONGEST || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SourceError::Setup(format!("{from} holds no token: one word of ASCII was expected")));
        }
        Ok(Self(text.to_owned()))
    }

    /// The value of the header `Authorization`, which is not shown either.
    pub(super) fn header(&self) -> Option<reqwest::header::HeaderValue> {
        let mut value = reqwest::header::HeaderValue::try_from(format!("Bearer {}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn nothing_shows_a_token() {
        let token = Token::new(" s3cret\r\n", "here").expect("a token");
        let header = token.header().expect("a header");
        assert_eq!(header.to_str().ok(), Some("Bearer s3cret"));
        assert!(!format!("{token:?} {header:?}").contains("s3cret"));
        for text in ["", " \n", "two words", "sécret", &"x".repeat(9000)] {
            let error = Token::new(text, "here").expect_err("no token").to_string();
            assert!(error.starts_with("here holds no token") && !error.contains("cret"), "{error}");
        }
        assert!(Token::from_env("TWEETFILTER_NO_SUCH_VARIABLE").is_err());
    }
}
