//! Cutting a JSON text into the texts of its parts.

use std::borrow::Cow;

use super::reader::{Error, Reader};

/// The texts of an array's elements; a value that is no array is its own only element.
pub(crate) fn elements(text: &str) -> Result<Vec<&str>, Error> {
    let mut reader = Reader::new(text);
    let mut found = Vec::new();
    if reader.peek() != Some(b'[') {
        found.push(value(text, &mut reader)?);
        return Ok(found);
    }
    reader.bump();
    while next(&mut reader, b']', found.is_empty())? {
        found.push(value(text, &mut reader)?);
    }
    reader.end()?;
    Ok(found)
}

/// The keys of an object and the texts of their values; nothing for a value that is no object.
pub(crate) fn members(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>, Error> {
    let mut reader = Reader::new(text);
    let mut found = Vec::new();
    if reader.peek() != Some(b'{') {
        return Ok(found);
    }
    reader.bump();
    while next(&mut reader, b'}', found.is_empty())? {
        if reader.peek() != Some(b'"') {
            return Err(reader.error("a key was expected"));
        }
        let key = reader.string()?;
        if reader.peek() != Some(b':') {
            return Err(reader.error("a colon was expected"));
        }
        reader.bump();
        found.push((key, value(text, &mut reader)?));
    }
    reader.end()?;
    Ok(found)
}

#[cfg(feature = "files")]
/// Whether the value that a text begins with also ends in it.
pub(crate) fn closes(text: &str) -> bool {
    Reader::new(text).skip().is_ok()
}

fn value<'t>(text: &'t str, reader: &mut Reader<'t>) -> Result<&'t str, Error> {
    reader.peek();
    let start = reader.place();
    reader.skip()?;
    Ok(&text[start..reader.place()])
}

/// Goes to the next item, or past the closing bracket.
fn next(reader: &mut Reader<'_>, close: u8, first: bool) -> Result<bool, Error> {
    match reader.peek() {
        Some(byte) if byte == close => {
            reader.bump();
            Ok(false)
        }
        Some(_) if first => Ok(true),
        Some(b',') => {
            reader.bump();
            Ok(true)
        }
        _ => Err(reader.error("a comma was expected")),
    }
}

#[cfg(test)]
mod tests {
    use super::{elements, members};

    #[test]
    fn cuts() {
        assert_eq!(elements(r#" [ {"a":[1]} , "x,]" ,3]"#).expect("cut"), [r#"{"a":[1]}"#, r#""x,]""#, "3"]);
        assert_eq!(elements("[]").expect("cut"), [""; 0]);
        assert_eq!(elements(" 7 ").expect("cut"), ["7"]);
        assert!(elements("[1 2]").is_err() && elements("[1").is_err() && elements("[1]]").is_err());
        let found = members(r#"{"a\u0062":{"c":1},"d" : [ ] }"#).expect("cut");
        assert_eq!(
            found.iter().map(|(k, v)| (&**k, *v)).collect::<Vec<_>>(),
            [("ab", r#"{"c":1}"#), ("d", "[ ]")]
        );
        assert!(members("{1:2}").is_err() && members(r#"{"a" 2}"#).is_err());
        assert!(members("[1]").expect("nothing").is_empty());
    }
}
