//! Texts of no network, with what little may stand beside them.

use tweetfilter_core::Post;
use tweetfilter_core::post::{Attribute, AttributeValue};

use super::fields::Scalar;
use super::room::Room;
use super::view::{View, scalar};
use crate::json::elements;

/// A post of its text; its id, language and fields of one's own are in `id`, `lang` and `attr`.
pub(super) fn post(message: &View<'_>, text: String) -> Post {
    Post {
        id: message.id("id"),
        lang: message.string("lang"),
        attributes: attributes(message),
        ..Post::from_text(text)
    }
}

/// Fields of one's own: of an array each of its values is one, and what is neither a text, a number nor a truth is none.
fn attributes(message: &View<'_>) -> Vec<Attribute> {
    let (fields, room) = (message.object("attr"), Room::of(message.length()));
    let mut found = Vec::new();
    for (name, value) in fields.each().filter(|(name, _)| is_name(name)) {
        let values = elements(value).map_while(Result::ok).chain((!value.starts_with('[')).then_some(value));
        for value in values.flat_map(values_of) {
            // Each value has its name with it, however long that is.
            if !room.takes(size_of::<Attribute>() + name.len()) {
                return found;
            }
            found.push(Attribute { name: name.to_owned(), value });
        }
    }
    found
}

/// Whether `attr.NAME:` can ask for it.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// What is read of a value: a number is compared, and found as it is written, too.
fn values_of(value: &str) -> impl Iterator<Item = AttributeValue> {
    let scalar = scalar(value);
    let number = match scalar {
        Scalar::Text(_) => None,
        _ => scalar.real().map(AttributeValue::Number),
    };
    let text = match scalar {
        Scalar::Text(text) => Some(text.into_owned()),
        Scalar::Flag(flag) => Some(flag.to_string()),
        _ => number.as_ref().map(|_| value.to_owned()),
    };
    number.into_iter().chain(text.map(AttributeValue::Text))
}

#[cfg(test)]
mod tests {
    use tweetfilter_core::post::AttributeValue;

    use super::post;
    use crate::wire::view::View;

    #[test]
    fn fields_of_ones_own_are_read() {
        let line = r#"{"text":"a","attr":{"host":"db-1","load":3.50,"up":true,"to":["x",{"y":1},null,-7],"no":null,
            "a b":"x","":"x","of":{"x":1},"in":[["x"]],"\u0061":"\u0062"}}"#;
        let found = post(&View::of(line), "a".to_owned()).attributes;
        let found: Vec<_> = found
            .iter()
            .map(|field| match &field.value {
                AttributeValue::Number(number) => format!("{} {number:?}", field.name),
                AttributeValue::Text(text) => format!("{} {text}", field.name),
            })
            .collect();
        let expected = ["host db-1", "load 3.5", "load 3.50", "up true", "to x", "to -7.0", "to -7", "a b"];
        assert_eq!(found, expected);
        assert!(post(&View::of(r#"{"text":"a","attr":7}"#), "a".to_owned()).attributes.is_empty());
    }

    #[test]
    fn they_take_memory_by_the_length_of_their_line() {
        let line = format!(r#"{{"text":"a","attr":{{"n":[{}1]}}}}"#, "1,".repeat(100_000));
        let found = post(&View::of(&line), "a".to_owned()).attributes;
        assert!(
            found.len() > 1_000 && found.len() * size_of::<super::Attribute>() <= 5 * line.len() + 1024,
            "{}",
            found.len()
        );
        let name = "n".repeat(1_000);
        let line = format!(r#"{{"text":"a","attr":{{"{name}":[{}1]}}}}"#, "1,".repeat(10_000));
        let found = post(&View::of(&line), "a".to_owned()).attributes;
        assert!(found.len() > 10 && found.len() * name.len() <= 5 * line.len() + 1024, "{}", found.len());
    }
}
