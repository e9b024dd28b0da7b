//! Whether an answer is what the OpenAPI document says: as much of JSON Schema as that document uses.

use serde_json::Value;

/// What of a value is not as a schema of the document says, if anything.
pub fn wrong(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let list = |name: &str| schema[name].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(path) = schema["$ref"].as_str() {
        let Some(meant) = document.pointer(path.trim_start_matches('#')) else {
            return Some(format!("{path} is nowhere"));
        };
        return wrong(document, meant, value, at);
    }
    for name in ["oneOf", "anyOf"] {
        let ways = list(name);
        let why: Vec<_> = ways.iter().map(|way| wrong(document, way, value, at)).collect();
        if !ways.is_empty() && why.iter().all(Option::is_some) {
            return Some(format!("{at} is none of {name}: {why:?}"));
        }
    }
    if let Some(why) = list("allOf").iter().find_map(|part| wrong(document, part, value, at)) {
        return Some(why);
    }
    let is_type = |name: &str| match name {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("say here what {other} is"),
    };
    let fits = match &schema["type"] {
        Value::String(name) => is_type(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is_type),
        _ => true,
    };
    if !fits {
        return Some(format!("{at} is not {}: {value}", schema["type"]));
    }
    if let Some(object) = value.as_object() {
        if let Some(name) =
            list("required").iter().filter_map(Value::as_str).find(|name| !object.contains_key(*name))
        {
            return Some(format!("{at} has no {name}: {value}"));
        }
        let fields =
            object.iter().filter_map(|(name, field)| Some((name, field, schema["properties"].get(name)?)));
        for (name, field, schema) in fields {
            if let Some(why) = wrong(document, schema, field, &format!("{at}.{name}")) {
                return Some(why);
            }
        }
    }
    if let Some(values) = value.as_array() {
        let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
        if bound("minItems").is_some_and(|least| values.len() < least)
            || bound("maxItems").is_some_and(|most| values.len() > most)
        {
            return Some(format!("{at} has {} items: {value}", values.len()));
        }
    }
    let items = value.as_array().zip(schema.get("items").filter(|items| items.is_object()));
    let (values, schema) = items?;
    values.iter().find_map(|value| wrong(document, schema, value, &format!("{at}[]")))
}

#[test]
fn what_is_not_as_it_is_described_is_found() {
    let document = serde_json::json!({"a": {"type": "object", "required": ["b"], "properties": {
        "b": {"oneOf": [{"type": "null"}, {"type": "array", "items": {"type": ["integer", "null"]}, "maxItems": 2}]},
    }}});
    let is_wrong = |value: Value| wrong(&document, &serde_json::json!({"$ref": "#/a"}), &value, "").is_some();
    assert!(
        !is_wrong(serde_json::json!({"b": null})) && !is_wrong(serde_json::json!({"b": [1, null], "c": 1}))
    );
    for value in [
        serde_json::json!({}),
        serde_json::json!(null),
        serde_json::json!({"b": ["1"]}),
        serde_json::json!({"b": [1, 2, 3]}),
    ] {
        assert!(is_wrong(value));
    }
}
