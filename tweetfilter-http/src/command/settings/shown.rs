//! Settings as they are shown: for people a file of settings, of which each line says where it is from, for programs the
//! same as JSON.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tweetfilter_http::parts::without_secrets;

use super::Settings;

/// A setting that stands in no table.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) key: String,
    value: toml::Value,
    pub(super) origin: String,
}

impl Settings {
    /// What holds, for people.
    pub(crate) fn show(&self) -> String {
        let lines = self.shown.iter().map(Shown::line);
        let api = table("api", &self.api, &|key| self.of_api(key));
        let sources = self.sources.iter().map(|(name, source)| {
            let name = format!("source.{}", quoted(name));
            table(&name, &source.without_secrets(), &|_| self.file())
        });
        lines.chain(std::iter::once(api)).chain(sources).collect()
    }

    /// The same for programs: in place of each value an object of it and where it is from.
    pub(crate) fn json(&self) -> Value {
        let mut all: Map<String, Value> = self
            .shown
            .iter()
            .map(|Shown { key, value, origin }| (key.clone(), json!({ "value": value, "from": origin })))
            .collect();
        all.insert("api".to_owned(), object(&self.api, &|key| self.of_api(key)));
        let sources = self
            .sources
            .iter()
            .map(|(name, source)| (name.clone(), object(&source.without_secrets(), &|_| self.file())));
        all.insert("source".to_owned(), Value::Object(sources.collect()));
        Value::Object(all)
    }

    /// Where a key of `[api]` is from.
    fn of_api(&self, key: &str) -> String {
        if self.of_api.contains(key) { self.file() } else { "default".to_owned() }
    }

    /// The file, in which all stands that is said of a source.
    fn file(&self) -> String {
        self.path.display().to_string()
    }
}

impl Shown {
    pub(super) fn new(name: &str, value: &impl Serialize, origin: String) -> Self {
        let value = match toml::Value::try_from(value) {
            Ok(toml::Value::String(text)) => toml::Value::String(without_secrets(&text)),
            Ok(value) => value,
            Err(error) => toml::Value::String(error.to_string()),
        };
        Self { key: name.replace('_', "-"), value, origin }
    }

    pub(super) fn line(&self) -> String {
        let Self { key, value, origin } = self;
        format!("{key} = {value}  # {origin}\n")
    }
}

/// A table of this name, and those in it behind it.
fn table(name: &str, values: &impl Serialize, origin: &impl Fn(&str) -> String) -> String {
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

/// A table and those in it.
fn object(values: &impl Serialize, origin: &impl Fn(&str) -> String) -> Value {
    let Ok(toml::Value::Table(values)) = toml::Value::try_from(values) else { return Value::Null };
    let shown = values.into_iter().map(|(key, value)| {
        let shown = match value {
            toml::Value::Table(inner) => object(&inner, origin),
            value => json!({ "value": value, "from": origin(&key) }),
        };
        (key, shown)
    });
    Value::Object(shown.collect())
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
