//! Texts of no network, with what little may stand beside them.

use tweetfilter_core::Post;
use tweetfilter_core::post::{Attribute, AttributeValue};

use super::fields::Scalar;
use super::room::Room;
use super::view::{View, scalar};
use crate::Event;
use crate::json::elements;

/// A post of its text; its id and language are in `id` and `lang`.
pub(super) fn post(message: &View<'_>, text: String) -> Post {
    Post { id: message.id("id"), lang: message.string("lang"), ..Post::from_text(text) }
}

/// Adds the fields of one's own that stand in `attr` beside a post of whatever network. Filters read them of what is said,
/// so those beside a retweet are given to the post that it carries.
pub(super) fn with_fields(mut event: Event, message: &View<'_>) -> Event {
    if message.has("attr")
        && let Event::Post(post) | Event::Edit(post) | Event::PostAnd { post, .. } = &mut event
    {
        match post.retweet_of.as_mut().and_then(|original| original.post.as_mut()) {
            Some(original) => original.attributes = attributes(message),
            None => post.attributes = attributes(message),
        }
    }
    event
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
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// What is read of a value: a number, in quotes too, is compared, and found as it is written.
fn values_of(value: &str) -> impl Iterator<Item = AttributeValue> {
    let scalar = scalar(value);
    let number = match &scalar {
        Scalar::None | Scalar::Flag(_) => None,
        Scalar::Text(text) => number(text.trim()),
        _ => number(value),
    };
    let text = match scalar {
        Scalar::None => None,
        Scalar::Text(text) => Some(text.into_owned()),
        Scalar::Flag(flag) => Some(flag.to_string()),
        _ => Some(value.to_owned()),
    };
    number.map(AttributeValue::Number).into_iter().chain(text.map(AttributeValue::Text))
}

/// A decimal number; one that is larger than all that can be compared is the largest of those.
fn number(text: &str) -> Option<f64> {
    let is_decimal = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
    text.parse().ok().filter(|_| is_decimal).map(|number: f64| number.clamp(f64::MIN, f64::MAX))
}

#[cfg(test)]
mod tests {
    use tweetfilter_core::post::AttributeValue;

    use super::attributes;
    use crate::wire::view::View;

    #[test]
    fn fields_of_ones_own_are_read() {
        let line = r#"{"text":"a","attr":{"host":"db-1","load":3.50,"up":true,"to":["x",{"y":1},null,-7],"no":null,
            "a b":"x","":"x","of":{"x":1},"in":[["x"]],"\u0061":"\u0062","http.status":"500","zip":"01e2x","far":-1e400,
            "most":["inf","NaN"]}}"#;
        let found = attributes(&View::of(line));
        let found: Vec<_> = found
            .iter()
            .map(|field| match &field.value {
                AttributeValue::Number(number) => format!("{} {number:?}", field.name),
                AttributeValue::Text(text) => format!("{} {text}", field.name),
            })
            .collect();
        let expected = [
            "host db-1",
            "load 3.5",
            "load 3.50",
            "up true",
            "to x",
            "to -7.0",
            "to -7",
            "a b",
            "http.status 500.0",
            "http.status 500",
            "zip 01e2x",
            "far -1.7976931348623157e308",
            "far -1e400",
            "most inf",
            "most NaN",
        ];
        assert_eq!(found, expected);
        assert!(attributes(&View::of(r#"{"text":"a","attr":7}"#)).is_empty());
    }

    #[test]
    fn they_take_memory_by_the_length_of_their_line() {
        let line = format!(r#"{{"text":"a","attr":{{"n":[{}1]}}}}"#, "1,".repeat(100_000));
        let found = attributes(&View::of(&line));
        assert!(
            found.len() > 1_000 && found.len() * size_of::<super::Attribute>() <= 5 * line.len() + 1024,
            "{}",
            found.len()
        );
        let name = "n".repeat(1_000);
        let line = format!(r#"{{"text":"a","attr":{{"{name}":[{}1]}}}}"#, "1,".repeat(10_000));
        let found = attributes(&View::of(&line));
        assert!(found.len() > 10 && found.len() * name.len() <= 5 * line.len() + 1024, "{}", found.len());
    }
}
