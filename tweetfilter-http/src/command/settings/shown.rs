//! Settings for people: a file of settings, of which each line says where it is from.

use serde::Serialize;
use tweetfilter_http::parts::without_secrets;

/// A setting that stands in no table.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) key: String,
    value: String,
    pub(super) origin: String,
}

impl Shown {
    pub(super) fn new(name: &str, value: &impl Serialize, origin: String) -> Self {
        let value = toml::Value::try_from(value).map_or_else(
            |error| error.to_string(),
            |value| match value {
                toml::Value::String(text) => toml::Value::String(without_secrets(&text)).to_string(),
                value => value.to_string(),
            },
        );
        Self { key: name.replace('_', "-"), value, origin }
    }

    pub(super) fn line(&self) -> String {
        let Self { key, value, origin } = self;
        format!("{key} = {value}  # {origin}\n")
    }
}

/// A table of this name, and those in it behind it.
pub(super) fn table(name: &str, values: &impl Serialize, origin: &impl Fn(&str) -> String) -> String {
    let Ok(toml::Value::Table(values)) = toml::Value::try_from(values) else { return String::new() };
    let (mut lines, mut tables) = (format!("\n[{name}]\n"), String::new());
    for (key, value) in values {
        match value {
            toml::Value::Table(inner) => {
                tables += &table(&format!("{name}.{}", quoted(&key)), &inner, origin)
            }
            value => lines += &format!("{} = {value}  # {}\n", quoted(&key), origin(&key)),
        }
    }
    lines + &tables
}

/// A key as it stands in a file.
pub(super) fn quoted(key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match !key.is_empty() && key.bytes().all(is_bare) {
        true => key.to_owned(),
        // What JSON escapes, it escapes as TOML does, but for one control character that it leaves.
        false => serde_json::Value::from(key).to_string().replace('\u{7f}', "\\u007f"),
    }
}
