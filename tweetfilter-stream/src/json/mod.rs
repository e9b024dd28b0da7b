//! A JSON reader for messages of which most is skipped.
//!
//! It stands beneath serde like any other, reads UTF-8 text, and is made for lines that are mostly of no
//! interest: values that nobody asks for are passed 64 bytes at a time, and escapes are decoded only in strings
//! that are kept; where parts of posts are left out, those in their strings are checked. In three points it accepts
//! more than the standard: control characters in strings, half a surrogate pair (read as U+FFFD: the text of cut
//! tweets ends so), and, in skipped values, anything whose strings and brackets are balanced.

mod escapes;
mod reader;
mod scan;
mod split;
#[cfg(test)]
mod tests;

pub(crate) use escapes::decode;
pub(crate) use reader::{CHECKED, Error, RAW, Reader};
pub(crate) use split::{elements, members};
