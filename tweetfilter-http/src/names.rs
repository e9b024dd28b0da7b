//! The words by which people and programs name what is said of a filter.

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
