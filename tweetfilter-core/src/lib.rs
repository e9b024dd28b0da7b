//! Filters for short posts: parse expressions that people write, compile them, and evaluate posts.
//!
//! A filter is one line of text, such as `snow (oslo OR bergen) -rain` or `from:bob followers:>1000`, that is true
//! or false of a post: a tweet of any network, or any text. This crate finds which of up to a million filters
//! a post satisfies, and says why. It does no input or output; the language is described in `SYNTAX.md`.
//!
//! ```
//! use tweetfilter_core::{FilterId, FilterSetBuilder, Post};
//! let mut filters = FilterSetBuilder::new();
//! filters.add(FilterId(1), "snow -rain")?;
//! filters.add(FilterId(2), "from:bob")?;
//! let filters = filters.build();
//! let found = filters.matches(&Post::from_text("Snow at last"));
//! assert_eq!(found[0].id, FilterId(1));
//! # Ok::<(), tweetfilter_core::AddError>(())
//! ```
//!
//! # From filters to matches
//!
//! 1. A [`FilterSetBuilder`] takes filters with ids of your choosing. What is wrong with one comes back as an
//!    [`AddError`], and the others are not harmed: a [`ParseError`] lists every error with a stable code, its place
//!    and fixes.
//! 2. [`FilterSetBuilder::build`] makes a [`FilterSet`]: immutable, `Send + Sync`, to be shared in an `Arc`. A
//!    changed set is built anew and swapped; a scratch can go from one to the other.
//! 3. A [`Scratch`] is the memory of evaluation: one for each thread, used again for each post, so that
//!    little is allocated anew.
//! 4. [`FilterSet::matches_with`] gives the [`Match`]es of a post in the order in which the filters were added.
//!
//! ```
//! use tweetfilter_core::{AddError, FilterId, FilterSetBuilder, Post, Scratch};
//!
//! let mut builder = FilterSetBuilder::new();
//! builder.add(FilterId(10), "\"new york\" OR #nyc")?;
//! let Err(AddError::Parse(refused)) = builder.add(FilterId(11), "from:bob (rain OR snow") else {
//!     panic!("a parenthesis is missing")
//! };
//! let found = &refused.diagnostics()[0];
//! assert_eq!((found.code, found.span.start), ("missing_parenthesis", 9));
//! assert_eq!(found.fixes[0].replacement, ")");
//!
//! let filters = builder.build();
//! let mut scratch = Scratch::default();
//! let texts = ["New York!", "york", "#NYC"];
//! let found = texts.map(|text| filters.matches_with(&mut scratch, &Post::from_text(text)).len());
//! assert_eq!(found, [1, 0, 1]);
//! # Ok::<(), AddError>(())
//! ```
//!
//! # Owners and audience
//!
//! A filter can belong to an [`OwnerId`]. Ids are unique for each owner, `me` in a filter stands for the owner's
//! accounts (an [`Identity`] each), and [`FilterSet::matches_for`] gives only the filters of those who saw the post,
//! beside those that have no owner; nobody else's are confirmed.
//!
//! ```
//! use tweetfilter_core::post::Account;
//! use tweetfilter_core::{Expression, FilterId, FilterSetBuilder, Identity, OwnerId, Post, Scratch};
//!
//! let (ann, ben) = (OwnerId(1), OwnerId(2));
//! let account = Account { handle: "ann".into(), ..Account::default() };
//! let mut builder = FilterSetBuilder::new();
//! builder.owner(ann, vec![Identity { account, ..Identity::default() }]);
//! builder.add_expression(FilterId(1), Some(ann), Expression::parse("@me")?)?;
//! builder.add_expression(FilterId(1), Some(ben), Expression::parse("thanks")?)?;
//! let filters = builder.build();
//!
//! let post = Post::from_text("Thanks, @Ann!");
//! let mut scratch = Scratch::default();
//! assert_eq!(filters.matches_for(&mut scratch, &post, &[ann])[0].owner, Some(ann));
//! assert_eq!(filters.matches_for(&mut scratch, &post, &[ann, ben]).len(), 2);
//! assert!(filters.matches_for(&mut scratch, &post, &[]).is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Batches
//!
//! [`FilterSet::matches_batch`] evaluates posts in order and hands over the matches of each. It gives what single
//! calls give.
//!
//! # Explaining
//!
//! [`FilterSet::explain`] tells of one filter and one post which parts matched, where in the post's own bytes, or
//! what was lacking. It is made on request and takes no part in matching; see [`explain`].
//!
//! ```
//! use tweetfilter_core::{FilterId, FilterSetBuilder, Post};
//! let mut builder = FilterSetBuilder::new();
//! builder.add(FilterId(1), "cafe (oslo OR bergen)")?;
//! let filters = builder.build();
//!
//! let hit = filters.explain(0, &Post::from_text("A CAFÉ in Oslo")).expect("there is a filter 0");
//! assert_eq!(hit.parts[0].places[0].text, "CAFÉ");
//!
//! let miss = filters.explain(0, &Post::from_text("A café in Rome")).expect("there is a filter 0");
//! assert!(!miss.matched && miss.each_suffices);
//! assert_eq!(miss.parts.len(), 2, "oslo or bergen would each have been enough");
//! # Ok::<(), tweetfilter_core::AddError>(())
//! ```
//!
//! # Posts, and documents that are none
//!
//! [`Post::from_text`] is enough for text; its tags, mentions and links are found by twitter-text's rules. A
//! [`Post`] is plain data with public fields, so whatever a source knows beside the text can be filled in, and
//! what it does not know stays empty. Fields of your own are read by `attr.NAME:value`:
//!
//! ```
//! use tweetfilter_core::{FilterId, FilterSetBuilder, Post};
//! let mut builder = FilterSetBuilder::new();
//! builder.add(FilterId(1), "timeout attr.host:db attr.load:>3")?;
//! let line = Post::from_text("Timeout, block 7").with_text("host", "db-1").with_number("load", 3.5);
//! assert_eq!(builder.build().matches(&line).len(), 1);
//! # Ok::<(), tweetfilter_core::AddError>(())
//! ```
//!
//! A number or time that a post lacks is unknown: neither `attr.load:>3` nor `-attr.load:>3` holds without a load.
//! Other things that are missing are empty: `-is:sensitive` holds of a post that says nothing about it.
//!
//! # Statistics and cost
//!
//! Each filter waits for its rarest word to occur. What is rare is guessed, or known better from
//! [`TermStatistics`] that have seen a sample of your stream; results never depend on it. [`FilterSet::cost`] tells
//! whether a filter is found by the index, guarded by a literal, or tried on every post, and which parts decided it.
//!
//! # Limits
//!
//! [`Limits`] bounds what filters and posts may cost: bytes and atoms of an expression, nesting, regexes and their
//! compiled size, text read of a post. A filter over a limit is refused with the limit's name and value. Set them by
//! [`FilterSetBuilder::limits`] before filters are added.
//!
//! What the filters of one owner may cost a post together is a [`budget`], which adapters hold them to.
//!
//! # What can fail
//!
//! Parsing and adding filters, and nothing else. Matching and explaining return no `Result`, do not panic, and take
//! time linear in the text (for a regex, pattern times text), whatever filters and posts hold. There is no `unsafe`
//! code, no clock and no thread: time operators compare the post's own timestamps.
//!
//! # Examples
//!
//! In `examples/`: `filter_lines` (filters from a file, lines from standard input), `custom_fields` (documents that
//! are no tweets) and `audience` (filters of several people, and why they match). Run one by
//! `cargo run -p tweetfilter-core --example NAME`.
//!
//! # Features
//!
//! * `serde`: posts, diagnostics and explanations can be serialized.
//! * `oracle`: the slow evaluator that the engine is tested with.

pub mod budget;
mod engine;
mod eval;
pub mod explain;
mod filter_set;
mod limits;
#[cfg(feature = "oracle")]
pub mod oracle;
mod parts;
mod plan;
pub mod post;
mod span;
mod stated;
pub mod syntax;
pub mod text;

pub use eval::Scratch;
pub use filter_set::{AddError, FilterId, FilterSet, FilterSetBuilder, Identity, Match, OwnerId};
pub use limits::Limits;
pub use parts::{Part, Parts};
pub use plan::TermStatistics;
pub use post::Post;
pub use span::Span;
pub use syntax::{Dialect, Expression, ParseError};
