//! Posts in files: plain, compressed, and tars of those; NDJSON or JSON documents.
//!
//! What a file is shows in its first bytes, never in its name. A [`Reader`] gives blocks of lines with their
//! numbers and their own bytes, so that they can be decoded in parallel and printed unchanged.
//!
//! A document may begin at each line, or behind another one in the same line. A line that opens a value and does not close
//! it is held until it shows what it is: a document once that closes, or is an array that goes over several lines; a broken
//! line as soon as a line follows that can't be inside the value. Each byte is looked at a bounded number of times.
//!
//! Of documents that follow each other in one line each is given once the next one begins. What the end of a file leaves
//! unsure comes in a block of its own that [says so](Block::is_open).
//!
//! ```
//! use tweetfilter_stream::files::{Block, Reader};
//! let mut reader = Reader::new("{\"text\":\"a\"}\r\n\r\n{\"text\":\"b\"}\n".as_bytes())?;
//! let mut block = Block::default();
//! let mut texts = Vec::new();
//! while reader.read(&mut block)? {
//!     for line in block.lines() {
//!         let posts = line.decode().map(|event| event.into_posts());
//!         texts.extend(posts.into_iter().flatten().map(|(_, post)| (line.number, post.text)));
//!     }
//! }
//! assert_eq!(texts, [(1, "a".to_owned()), (3, "b".to_owned())]);
//! # Ok::<(), std::io::Error>(())
//! ```

mod block;
mod document;
mod elements;
mod glue;
mod member;
mod open;
mod opening;
mod reader;
mod split;
mod tar;
mod unread;
mod value;
mod work;

pub use block::{Block, Line};
pub use reader::{Options, Reader};
