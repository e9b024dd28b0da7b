//! Secrets that sources identify themselves with.

use std::fmt;
use std::io::Read;
use std::path::Path;

use reqwest::header::HeaderValue;
use reqwest::{Method, Url};

use super::oauth1::Keys;
use crate::source::SourceError;

/// A bearer token, or the four keys that requests are signed with. It is read from a file or the environment, and never
/// shown.
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
pub struct Token(Secret);

#[derive(Clone)]
enum Secret {
    Bearer(String),
    Signing(Keys),
}

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

    /// Reads keys to sign requests with (OAuth 1.0a, for X's streams of API v1.1), as a JSON object: `consumer_key`,
    /// `consumer_secret`, `token` and `token_secret`.
    ///
    /// # Errors
    /// [`SourceError::Setup`] when the file can't be read or holds something else.
    pub fn keys_from_file(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let path = path.as_ref();
        let failed =
            |why: &dyn fmt::Display| SourceError::Setup(format!("the keys in {}: {why}", path.display()));
        let mut text = String::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
            .map_err(|error| failed(&error))?;
        // What serde says of it could show some of a key.
        let keys = serde_json::from_str(&text).ok().filter(Keys::are_whole);
        let expected = "an object with consumer_key, consumer_secret, token and token_secret was expected, and nothing else";
        keys.map(|keys| Self(Secret::Signing(keys))).ok_or_else(|| failed(&expected))
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
        Ok(Self(Secret::Bearer(text.to_owned())))
    }

    /// The value of the header `Authorization`, which is not shown either, of a request with all its parameters in the address.
    pub(super) fn header(&self, method: &Method, url: &Url) -> Option<HeaderValue> {
        let value = match &self.0 {
            Secret::Bearer(token) => format!("Bearer {token}"),
            Secret::Signing(keys) => keys.header(method, url),
        };
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{Method, Url};

    use super::Token;

    #[test]
    fn nothing_shows_a_token() {
        let url = Url::parse("https://example.org").expect("an address");
        let token = Token::new(" s3cret\r\n", "here").expect("a token");
        let header = token.header(&Method::GET, &url).expect("a header");
        assert_eq!(header.to_str().ok(), Some("Bearer s3cret"));
        assert!(!format!("{token:?} {header:?}").contains("s3cret"));
        for text in ["", " \n", "two words", "sécret", &"x".repeat(9000)] {
            let error = Token::new(text, "here").expect_err("no token").to_string();
            assert!(error.starts_with("here holds no token") && !error.contains("cret"), "{error}");
        }
        assert!(Token::from_env("TWEETFILTER_NO_SUCH_VARIABLE").is_err());
    }
    #[test]
    fn keys_are_four_and_nothing_shows_them() {
        let path = std::env::temp_dir().join(format!("tweetfilter-keys-{}", std::process::id()));
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            Token::keys_from_file(&path)
        };
        let whole = r#"{"consumer_key":"s3cret","consumer_secret":"s3cret","token":"s3cret","token_secret":"s3cret"}"#;
        let keys = read(whole).expect("keys");
        assert_eq!(format!("{keys:?}"), "Token(…)");
        for wrong in [
            "",
            "s3cret",
            r#"{"token":"s3cret"}"#,
            &whole.replace("s3cret", ""),
            &whole.replace("}", ",\"x\":1}"),
        ] {
            let error = read(wrong).expect_err("no keys").to_string();
            assert!(error.contains("consumer_key, consumer_secret") && !error.contains("s3cret"), "{error}");
        }
        std::fs::remove_file(&path).expect("it is there");
        assert!(Token::keys_from_file(&path).is_err());
    }
}
