//! What is wrong in a file of settings. Whatever stands there may be a secret, also where none belongs, so no value is
//! repeated, and no line.

/// Errors that repeat the value before they say what was expected.
const OF_VALUES: [&str; 4] = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];

/// The line, the key if it is known, and what was expected.
pub(super) fn misread(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    // Without the text, it names the key in place of the line.
    let mut bare = error.clone();
    bare.set_input(None);
    let bare = bare.to_string();
    let key = bare.strip_prefix(error.message()).unwrap_or_default().trim();
    let key = key.strip_prefix("in ").map(|key| format!(", {key}")).unwrap_or_default();
    format!("line {line}{key}: {}", without_value(error.message()))
}

fn without_value(message: &str) -> String {
    if !OF_VALUES.iter().any(|kind| message.starts_with(kind)) {
        return message.to_owned();
    }
    let expected = message.rsplit_once(", expected ").map_or("another value", |(_, expected)| expected);
    let expected = match expected {
        "f64" => "a number",
        "u32" | "u64" | "usize" => "a whole number that is not below 0",
        "a boolean" => "true or false",
        "a sequence" => "a list in brackets",
        "a map" => "a table",
        "path string" | "a string" => "a text in quotes",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    format!("expected {expected}")
}
