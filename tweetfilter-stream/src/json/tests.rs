//! The reader held against serde_json.

use super::decode;

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
