//! The scripts that run inside Redis, each of them atomic.

use std::sync::LazyLock;

use redis::Script;

use crate::buffer::MOST_GAPS;

/// What the scripts are told that this library knows, and what all of them need.
fn with_gaps(first: u8, parts: &[&str]) -> Script {
    let bound = include_str!("lua/gaps.lua");
    Script::new(&format!("local FIRST, MOST_GAPS = {first}, {MOST_GAPS}\n{bound}{}", parts.concat()))
}

/// A script whose streams and counts come behind so many other keys.
macro_rules! script {
    ($name:ident, $first:literal, $($file:literal),+) => {
        pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| with_gaps($first, &[include_str!("lua/common.lua"), $(include_str!($file)),+]));
    };
}

pub(super) static SETUP: LazyLock<Script> = LazyLock::new(|| with_gaps(2, &[include_str!("lua/setup.lua")]));
script!(CLAIM, 3, "lua/claim.lua");
script!(RENEW, 2, "lua/renew.lua");
script!(APPEND, 3, "lua/append.lua");
script!(LEASE, 3, "lua/nobodys.lua", "lua/lease.lua");
script!(HOLD, 2, "lua/hold.lua");
script!(ACK, 1, "lua/ack.lua");
script!(STATS, 1, "lua/stats.lua");
