//! Redis and MariaDB of the machine, started in folders of their own as the tests do.

#[path = "../../../tweetfilter-sql/tests/common/mod.rs"]
pub(super) mod maria;
#[path = "../../../tweetfilter-stream/tests/support/servers.rs"]
pub(super) mod redis;
