//! `{"id","filter","owner"?,"name"?,"dialect"?,"action"?,"enabled"?,"expires_at"?}`, one a line.

use serde_json::{Map, Value};
use tweetfilter_core::Dialect;

use super::FilterLine;

/// Whether the first line that is not blank is an object, and it or a later one has a string `filter`: the first may be one
/// that can't be read.
pub(super) fn is_ndjson(text: &str) -> bool {
    let object = |line: &str| serde_json::from_str::<Map<String, Value>>(line).ok();
    let is_filter = |object: &Map<String, Value>| object.get("filter").is_some_and(Value::is_string);
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let Some(first) = lines.next().and_then(object) else { return false };
    is_filter(&first) || lines.filter_map(object).any(|object| is_filter(&object))
}

pub(super) fn read(text: &str) -> Vec<FilterLine> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(n, line)| read_line(line, n + 1)).collect()
}

fn read_line(line: &str, number: usize) -> FilterLine {
    let mut read = FilterLine::new(number.to_string(), String::new(), number);
    let object = serde_json::from_str::<Map<String, Value>>(line);
    let object = object.map_err(|e| format!("not a JSON object like those before it: {e}"));
    let filled = object.and_then(|object| fill(&mut read, &object));
    read.fault = filled.err();
    read
}

/// Fills in what an object says, up to what is wrong in it.
fn fill(read: &mut FilterLine, object: &Map<String, Value>) -> Result<(), String> {
    let Some(Value::String(text)) = object.get("filter") else {
        return Err("`filter` must be a string: the expression".to_owned());
    };
    read.text.clone_from(text);
    read.owner = identifier(object.get("owner"), "owner")?;
    read.id =
        identifier(object.get("id"), "id")?.ok_or("`id` is missing: each filter needs one of its own")?;
    read.name = match object.get("name") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => return Err("`name` must be a string".to_owned()),
    };
    read.dialect = match object.get("dialect") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) if name == "native" => Some(Dialect::Native),
        Some(Value::String(name)) if name == "x" => Some(Dialect::X),
        Some(_) => return Err("`dialect` must be `native` or `x`".to_owned()),
    };
    read.action = match object.get("action") {
        None | Some(Value::Null) => None,
        Some(Value::String(word)) if ["show", "hide", "highlight", "notify"].contains(&word.as_str()) => {
            Some(word.clone())
        }
        Some(_) => return Err("`action` must be `show`, `hide`, `highlight` or `notify`".to_owned()),
    };
    read.enabled = match object.get("enabled") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(enabled)) => Some(*enabled),
        Some(_) => return Err("`enabled` must be true or false".to_owned()),
    };
    read.expires_at = match object.get("expires_at") {
        None | Some(Value::Null) => None,
        Some(at) => Some(
            at.as_str()
                .and_then(crate::time::parse)
                .ok_or_else(|| "`expires_at` must be a time such as 2026-12-31T23:59:59Z".to_owned())?,
        ),
    };
    Ok(())
}

/// Ids are strings; whole numbers are taken by their digits.
pub(super) fn identifier(value: Option<&Value>, field: &str) -> Result<Option<String>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) if !id.is_empty() => Ok(Some(id.clone())),
        Some(Value::Number(id)) if id.is_u64() => Ok(Some(id.to_string())),
        Some(_) => Err(format!("`{field}` must be a string that is not empty")),
    }
}
