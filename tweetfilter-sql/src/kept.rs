//! Stored posts, many at once.
//!
//! SQLite hands each row over to another thread, which costs more than to find it: so it gives all of them as one row,
//! what stands beside the bodies as a JSON array, and the bodies side by side.

use std::ops::Range;

use serde::Deserialize;
use tweetfilter_core::Post;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::shrunk;
use tweetfilter_stream::store::{StoreError, Verdict};

use crate::database::{Database, Engine};
use crate::sql::{Arg, Sql};
use crate::timeline::{Cursor, TimelinePost};

/// What SQLite gives of posts `p`.
macro_rules! packed {
    () => {
        "SELECT json_group_array(json_array(p.num, p.since, p.network, p.native_id, p.version, p.received_at, p.source,
             p.is_public, octet_length(p.body))), group_concat(p.body, '') "
    };
}
/// The columns of the same in rows.
macro_rules! columns {
    () => {
        "SELECT p.num, p.since, p.network, p.native_id, p.version, p.received_at, p.source, p.is_public, p.body "
    };
}
pub(crate) use {columns, packed};

/// Posts that are not decoded yet.
#[derive(Debug)]
pub(crate) struct Kept {
    heads: Vec<Head>,
    bodies: String,
}

/// What stands beside the body of a post.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) num: i64,
    /// The commit that stored this version.
    pub(crate) since: i64,
    network: String,
    native_id: String,
    version: Millis,
    pub(crate) received_at: Millis,
    source: String,
    public: bool,
    body: Range<usize>,
}

/// A head as SQLite writes it, with the bytes of the body.
#[derive(Deserialize)]
struct Written(i64, i64, String, String, i64, i64, String, i64, usize);

impl Database {
    /// The posts that a statement of [`packed`] and [`columns`] finds, in any order.
    pub(crate) async fn kept(&self, sql: Sql, args: Vec<Arg>) -> Result<Kept, StoreError> {
        let rows = self.rows(sql, args).await?;
        let (mut heads, mut bodies) = (Vec::new(), String::new());
        if let Engine::Sqlite(_) = self.engine {
            let Some(row) = rows.first() else { return Ok(Kept { heads, bodies }) };
            bodies = row.text(1)?;
            let mut end = 0;
            for Written(num, since, network, native_id, version, received_at, source, public, bytes) in
                row.json::<Vec<Written>>(0)?
            {
                let (body, public) = (end..end + bytes, public != 0);
                end = body.end;
                heads.push(Head {
                    num,
                    since,
                    network,
                    native_id,
                    version,
                    received_at,
                    source,
                    public,
                    body,
                });
            }
        } else {
            for row in &rows {
                let start = bodies.len();
                bodies.push_str(&row.text(8)?);
                heads.push(Head {
                    num: row.int(0)?,
                    since: row.int(1)?,
                    network: row.text(2)?,
                    native_id: row.text(3)?,
                    version: row.int(4)?,
                    received_at: row.int(5)?,
                    source: row.text(6)?,
                    public: row.int(7)? != 0,
                    body: start..bodies.len(),
                });
            }
        }
        Ok(Kept { heads, bodies })
    }
}

impl Kept {
    pub(crate) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The newest first.
    pub(crate) fn newest_first(mut self) -> Self {
        self.heads.sort_unstable_by_key(|head| std::cmp::Reverse(head.num));
        self
    }

    /// Decodes a post.
    pub(crate) fn post(&self, head: &Head) -> Result<Post, StoreError> {
        let body = self.bodies.get(head.body.clone()).unwrap_or_default();
        shrunk::from_text(body).map_err(|error| StoreError::Unfit(format!("a stored post: {error}")))
    }
}

impl Head {
    /// The post as an account sees it whose filters were not asked.
    pub(crate) fn seen(&self, account: i64, post: Post) -> TimelinePost {
        TimelinePost {
            cursor: Cursor { commit: self.since, post: self.num },
            account,
            network: self.network.clone(),
            native_id: self.native_id.clone(),
            version: self.version,
            received_at: self.received_at,
            source: self.source.clone(),
            public: self.public,
            verdict: Verdict::default(),
            filters: Vec::new(),
            revision: 0,
            post,
        }
    }
}
