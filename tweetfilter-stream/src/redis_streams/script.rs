//! The scripts that run inside Redis, each of them atomic.

use std::sync::LazyLock;

use redis::Script;

use crate::buffer::MOST_GAPS;

/// What the scripts are told that this library knows, with the kinds of the keys before the streams and counts, and what all
/// of them need.
fn whole(kinds: &[&str], parts: &[&str]) -> Script {
    let (kinds, parts) = (kinds.join("', '"), parts.concat());
    let common = concat!(include_str!("lua/strangers.lua"), include_str!("lua/gaps.lua"));
    Script::new(&format!("local KINDS, MOST_GAPS = {{ '{kinds}' }}, {MOST_GAPS}\n{common}{parts}"))
}

/// A script whose streams and counts come behind other keys, of these kinds.
macro_rules! script {
    ($name:ident, $kinds:expr, $($file:literal),+) => {
        pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| whole(&$kinds, &[include_str!("lua/common.lua"), $(include_str!($file)),+]));
    };
}

pub(super) static SETUP: LazyLock<Script> =
    LazyLock::new(|| whole(&["hash", "list"], &[include_str!("lua/setup.lua")]));
script!(CLAIM, ["hash", "hash", "set"], "lua/claim.lua");
script!(RENEW, ["hash", "hash"], "lua/renew.lua");
script!(APPEND, ["hash", "hash", "list"], "lua/append.lua");
script!(LEASE, ["hash", "list", "string"], "lua/nobodys.lua", "lua/lease.lua");
script!(HOLD, ["hash", "string"], "lua/hold.lua");
script!(ACK, ["hash"], "lua/ack.lua");
script!(HOLDS, ["hash"], "lua/holds.lua");
script!(OWN, ["hash"], "lua/own.lua");
script!(STATS, ["hash"], "lua/stats.lua");
