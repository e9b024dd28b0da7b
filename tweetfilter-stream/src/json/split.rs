//! Cutting a JSON text into the texts of its parts.

use std::borrow::Cow;
use std::iter;

use super::reader::{Error, Reader};

/// The texts of an array's elements, one after the other; nothing for a value that is no array.
pub(crate) fn elements(text: &str) -> impl Iterator<Item = Result<&str, Error>> {
    let mut items = Items::of(text, b'[', b']');
    iter::from_fn(move || items.next(|reader| value(text, reader)))
}

/// The keys of an object and the texts of their values, one after the other; nothing for a value that is no object.
pub(crate) fn members(text: &str) -> impl Iterator<Item = Result<(Cow<'_, str>, &str), Error>> {
    let mut items = Items::of(text, b'{', b'}');
    iter::from_fn(move || items.next(|reader| member(text, reader)))
}

/// What stands between two brackets. The last that it gives is an error where the text has one.
struct Items<'t> {
    /// Until the closing bracket, or an error.
    reader: Option<Reader<'t>>,
    close: u8,
    first: bool,
}

impl<'t> Items<'t> {
    /// Of a text that begins with the opening bracket; of any other, nothing.
    fn of(text: &'t str, open: u8, close: u8) -> Self {
        let mut reader = Reader::new(text);
        let is_open = reader.peek() == Some(open);
        if is_open {
            reader.bump();
        }
        Self { reader: is_open.then_some(reader), close, first: true }
    }

    fn next<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'t>) -> Result<T, Error>,
    ) -> Option<Result<T, Error>> {
        let reader = self.reader.as_mut()?;
        let first = std::mem::replace(&mut self.first, false);
        let item = match next(reader, self.close, first) {
            Ok(true) => read(reader).map(Some),
            Ok(false) => reader.end().map(|()| None),
            Err(error) => Err(error),
        };
        if !matches!(item, Ok(Some(_))) {
            self.reader = None;
        }
        item.transpose()
    }
}

/// A key and the text of its value.
fn member<'t>(text: &'t str, reader: &mut Reader<'t>) -> Result<(Cow<'t, str>, &'t str), Error> {
    if reader.peek() != Some(b'"') {
        return Err(reader.error("a key was expected"));
    }
    let key = reader.string()?;
    if reader.peek() != Some(b':') {
        return Err(reader.error("a colon was expected"));
    }
    reader.bump();
    Ok((key, value(text, reader)?))
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
    use std::borrow::Cow;

    use super::Error;

    fn elements(text: &str) -> Result<Vec<&str>, Error> {
        super::elements(text).collect()
    }

    fn members(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>, Error> {
        super::members(text).collect()
    }

    #[test]
    fn cuts() {
        assert_eq!(elements(r#" [ {"a":[1]} , "x,]" ,3]"#).expect("cut"), [r#"{"a":[1]}"#, r#""x,]""#, "3"]);
        assert_eq!(elements("[]").expect("cut"), [""; 0]);
        assert_eq!(elements(" 7 ").expect("nothing"), [""; 0]);
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
