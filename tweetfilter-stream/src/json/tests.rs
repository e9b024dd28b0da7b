//! The reader held against serde_json.

use serde::Deserialize;
use serde_json::Value;

use super::{Reader, decode};

/// A text as this reader sees it; `None` if it is no JSON.
fn read(text: &str) -> Option<Value> {
    let mut reader = Reader::new(text);
    let value = Value::deserialize(&mut reader).ok()?;
    reader.end().ok().map(|()| value)
}

#[test]
fn escapes_are_what_they_stand_for() {
    for raw in [
        "",
        "plain",
        r"a\n\t\r\b\f\/\\\u0022z",
        r#"\"quoted\""#,
        r"\u0e44\u0e17\u0e22",
        r"é\u00e9\u4e00 \ud83d\ude00\ud83d\ude01\u0041",
        r"\\u0041 \\\u0041\\",
        r"\uAbCd\uaBcD",
    ] {
        let expected: String = serde_json::from_str(&format!("\"{raw}\"")).expect("JSON");
        assert_eq!(decode(raw).ok(), Some(expected), "{raw}");
    }
    for (raw, expected) in
        [(r"\ud83d", "\u{fffd}"), (r"\ud83dx\ude00", "\u{fffd}x\u{fffd}"), (r"\ud83d\u0041", "\u{fffd}A")]
    {
        assert_eq!(decode(raw).as_deref(), Ok(expected), "{raw}");
    }
    for raw in ["\\", r"a\", r"\x", r"\é", r"\u", r"\u12", r"\u12g4", r"\u00e9\u1", r"\u00é9"] {
        assert!(decode(raw).is_err(), "{raw}");
    }
}

#[test]
fn keys_are_read_however_they_are_written() {
    for text in [
        r#"{"id":1,"text":"a","in_reply_to_status_id_str":null,"possibly_sensitive":false}"#,
        "{ \"id\" : 1 ,\n\t\"text\":\"a\" , \"x\" :[ {\"y\":2} ] }",
        r#"{"a\u0062":1,"\"":2,"c\\":{"d\n":3},"e":4}"#,
        r#"{"":1,"é":{"":{}},"歌":[],"0123456789abcdef":1,"0123456789abcde":2,"0123456789abcdef0":3}"#,
        r#"{"a":1 ,"b":2,"c" :3}"#,
    ] {
        assert_eq!(read(text), serde_json::from_str(text).ok(), "{text}");
        assert!(read(text).is_some(), "{text}");
    }
    for text in [
        r#"{"a" 1}"#,
        r#"{"a"1}"#,
        r#"{"a":1"b":2}"#,
        r#"{"a":1 "b":2}"#,
        r#"{,"a":1}"#,
        r#"{"a":1,}"#,
        r#"{"a":1,,"b":2}"#,
        r#"{a:1}"#,
        r#"{1:1}"#,
        r#"{"a"#,
        r#"{"a""#,
        r#"{"a":"#,
        r#"{"a\":1}"#,
        r#"{"a\x":1}"#,
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn values_that_are_skipped_end_where_they_do() {
    let values =
        ["null", "true", "false", "0", "-1.5e3", "12345", "nul", "nullify", "n", "t", "fals", "truer"];
    let whole = ["\"a\\\"b\"", "[null,[true]]", "{\"a\":{\"b\":\"}\"}}"];
    for value in values.iter().chain(&whole) {
        for behind in ["", ",null", "}", "]", " ,", "\n"] {
            let text = format!("{value}{behind}");
            let mut reader = Reader::new(&text);
            assert!(reader.skip().is_ok(), "{text}");
            assert_eq!(reader.place(), value.len(), "{text}");
        }
    }
    for broken in ["", " ", "x", "\"a", "[1", "{\"a\":1]"] {
        assert!(Reader::new(broken).skip().is_err(), "{broken}");
    }
}
