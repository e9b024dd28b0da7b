//! Filters for short posts: parse expressions that people write, compile them, and evaluate posts.
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

mod engine;
mod eval;
mod filter_set;
mod limits;
#[cfg(feature = "oracle")]
pub mod oracle;
mod plan;
pub mod post;
mod span;
pub mod syntax;
pub mod text;

pub use eval::{Evidence, Explanation, Field, Part, Scratch};
pub use filter_set::{AddError, FilterId, FilterSet, FilterSetBuilder, Identity, Match, OwnerId};
pub use limits::Limits;
pub use plan::{Cost, CostClass, TermStatistics};
pub use post::{Account, Author, Entities, Point, Post};
pub use span::Span;
pub use syntax::{Dialect, Expression, ParseError};
