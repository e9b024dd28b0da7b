//! The words by which people and programs name what is said of a filter, how long the names may be that people give, and how
//! many parts of a filter are named where it has thousands.

use tweetfilter_core::Dialect;
use tweetfilter_stream::store::Action;

/// `native` or `x`.
#[must_use]
pub fn dialect_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Native => "native",
        Dialect::X => "x",
    }
}

/// `show`, `hide`, `highlight` or `notify`.
#[must_use]
pub fn action_name(action: Action) -> &'static str {
    match action {
        Action::Show => "show",
        Action::Hide => "hide",
        Action::Highlight => "highlight",
        Action::Notify => "notify",
    }
}

/// Characters of a filter's name.
pub const FILTER_NAME: usize = 500;
/// Characters of a token's name.
pub const TOKEN_NAME: usize = 100;
/// Parts of a filter that are named to a program, of those that explain a post; it is told how many more there are.
pub const PARTS: usize = 100;

/// Refuses a name that has more characters than it may; `what` it names: `a filter` or `a token`.
///
/// # Errors
/// What is to be told, as the rest of a sentence.
pub fn fits(name: &str, what: &str, most: usize) -> Result<(), String> {
    let length = name.chars().count();
    if length <= most {
        return Ok(());
    }
    Err(format!("the name of {what} has at most {most} characters, and this one {length}"))
}

/// What a filter is called that has no name, where each must have one: its text, or as much of it as a name may have.
#[must_use]
pub fn title(text: &str) -> String {
    match text.char_indices().nth(FILTER_NAME) {
        None => text.to_owned(),
        Some(_) => text.chars().take(FILTER_NAME - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_has_at_most_what_a_name_may_have() {
        let text = "\u{e9}".repeat(FILTER_NAME);
        assert_eq!(title(&text), text);
        let cut = title(&(text + "x"));
        assert!(cut.ends_with("\u{e9}…") && fits(&cut, "a filter", FILTER_NAME).is_ok(), "{cut}");
    }

    #[test]
    fn characters_of_a_name_are_counted() {
        assert_eq!(fits(&"\u{e9}".repeat(FILTER_NAME), "a filter", FILTER_NAME), Ok(()));
        let said = fits(&"n".repeat(501), "a filter", FILTER_NAME).unwrap_err();
        assert_eq!(said, "the name of a filter has at most 500 characters, and this one 501");
    }
}
