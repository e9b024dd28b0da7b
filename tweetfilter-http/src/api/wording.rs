//! What is wrong with what was sent, in words of this API: what reads it speaks of its own types.

use serde::de::IgnoredAny;

/// Why a body is not what a route takes: the field, as a path, and what was said of it.
pub(super) fn of_body(body: &[u8], path: &str, said: &str) -> String {
    if let Err(broken) = serde_json::from_slice::<IgnoredAny>(body) {
        return format!("The body is no JSON: {broken}");
    }
    let said = said.rsplit_once(" at line ").map_or(said, |(said, _)| said);
    let subject = match path {
        "." | "" | "?" => "The body".to_owned(),
        path => format!("`{path}`"),
    };
    of_value(&subject, said)
}

/// Why parameters behind the `?` of an address are not what a route takes.
pub(super) fn of_parameters(said: &str) -> String {
    let said = said.strip_prefix("Failed to deserialize query string: ").unwrap_or(said);
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match said.split_once(": ").filter(|(name, _)| is_name(name)) {
        Some((name, said)) => of_value(&format!("The parameter `{name}`"), said),
        None => of_value("The address", said),
    }
}

/// What a part of an address must be.
pub(super) fn of_part(name: &str, value: &str, kind: &str) -> String {
    format!("`{name}` in the address must be {}, and is `{value}`", kind_of(kind))
}

fn of_value(subject: &str, said: &str) -> String {
    if let Some(name) = said.strip_prefix("missing field ") {
        return format!("{name} is missing");
    }
    if let Some(name) = said.strip_prefix("duplicate field ") {
        return format!("{name} is said twice");
    }
    if let Some((name, expected)) = after(said, "unknown field ", ", ") {
        return match expected.strip_prefix("expected ") {
            Some(expected) => {
                format!("There is no {name} here; there is {}", expected.trim_start_matches("one of "))
            }
            None => format!("There is no {name} here"),
        };
    }
    if let Some((value, expected)) = after(said, "unknown variant ", ", expected ") {
        return format!("{subject} must be {expected}, and is {value}");
    }
    // A list where an object is meant is read as its fields, one after the other, until they end too soon.
    if let Some((count, expected)) = after(said, "invalid length ", ", expected ") {
        let list = if count == "0" { "an empty list".to_owned() } else { format!("a list of {count}") };
        return format!("{subject} must be {}, and is {list}", kind_of(expected));
    }
    for kind in ["invalid type: ", "invalid value: "] {
        if let Some((found, expected)) = after(said, kind, ", expected ") {
            return format!("{subject} must be {}, and is {}", kind_of(expected), found_of(found));
        }
    }
    match said {
        "invalid digit found in string"
        | "cannot parse integer from empty string"
        | "number too large to fit in target type"
        | "number too small to fit in target type" => {
            format!("{subject} must be a whole number that is not too large")
        }
        "provided string was not `true` or `false`" => format!("{subject} must be `true` or `false`"),
        // Where a word of a list is expected.
        "expected value" => format!("{subject} must be a text, one of those that /manual lists"),
        _ => format!("{subject}: {said}"),
    }
}

/// The two parts of a text behind its beginning.
fn after<'t>(text: &'t str, begin: &str, between: &str) -> Option<(&'t str, &'t str)> {
    text.strip_prefix(begin)?.split_once(between)
}

fn kind_of(expected: &str) -> &str {
    match expected {
        "a string" | "a borrowed string" | "string or map" | "variant identifier" => "a text",
        "a boolean" | "bool" => "true or false",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "a JSON object",
        expected if expected.starts_with("struct ") => "a JSON object",
        expected => expected,
    }
}

fn found_of(found: &str) -> &str {
    match found {
        "map" => "a JSON object",
        "sequence" => "a list",
        found => ["integer ", "boolean ", "floating point ", "string "]
            .into_iter()
            .find_map(|kind| found.strip_prefix(kind))
            .unwrap_or(found),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Color {
        Red,
        Blue,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Sent {
        text: String,
        #[serde(default)]
        ids: Vec<i64>,
        color: Option<Color>,
        limit: Option<usize>,
    }

    fn said(body: &str) -> String {
        let read: Result<Sent, _> =
            serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(body));
        let error = read.unwrap_err();
        of_body(body.as_bytes(), &error.path().to_string(), &error.inner().to_string())
    }

    #[test]
    fn a_body_is_spoken_of_in_words_of_the_api() {
        for (body, expected) in [
            ("{}", "`text` is missing"),
            ("7", "The body must be a JSON object, and is `7`"),
            ("[]", "The body must be a JSON object, and is an empty list"),
            (r#"{"text":null}"#, "`text` must be a text, and is null"),
            (r#"{"text":"a","ids":[1,"x"]}"#, "`ids[1]` must be a whole number, and is \"x\""),
            (r#"{"text":"a","color":"green"}"#, "`color` must be `red` or `blue`, and is `green`"),
            (r#"{"text":"a","color":1}"#, "`color` must be a text, one of those that /manual lists"),
            (r#"{"text":"a","limit":-1}"#, "`limit` must be a whole number, 0 or more, and is `-1`"),
            (
                r#"{"text":"a","colour":1}"#,
                "There is no `colour` here; there is `text`, `ids`, `color`, `limit`",
            ),
            (r#"{"text":"a","text":"b"}"#, "`text` is said twice"),
        ] {
            assert_eq!(said(body), expected, "{body}");
        }
        assert!(said("{\"text\":").starts_with("The body is no JSON: EOF"));
    }

    #[test]
    fn parameters_are_named() {
        for (text, expected) in [
            (
                "Failed to deserialize query string: format: unknown variant `own`, expected one of `x`, `plain`, `words`",
                "The parameter `format` must be one of `x`, `plain`, `words`, and is `own`",
            ),
            (
                "Failed to deserialize query string: limit: invalid digit found in string",
                "The parameter `limit` must be a whole number that is not too large",
            ),
            (
                "Failed to deserialize query string: a: unknown field `a`, expected `limit` or `before`",
                "There is no `a` here; there is `limit` or `before`",
            ),
        ] {
            assert_eq!(of_parameters(text), expected);
        }
        assert_eq!(of_part("id", "..", "i64"), "`id` in the address must be a whole number, and is `..`");
    }
}
