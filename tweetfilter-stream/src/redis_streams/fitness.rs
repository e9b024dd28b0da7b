//! Whether a Redis server can be trusted with entries.

/// What was found at a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fitness {
    /// Why it may lose what it acknowledged, and how to mend it.
    pub(super) refusals: Vec<String>,
    /// What whoever runs it should know.
    pub(super) warnings: Vec<String>,
}

/// Whether a server still reads what it left on the disk, so that nothing it says of itself holds.
pub(super) fn is_loading(info: &str) -> bool {
    info.lines().any(|line| line.trim_end() == "loading:1")
}

/// Judges a server by its `INFO` and its `appendfsync`, if that may be read.
pub(super) fn judge(info: &str, appendfsync: Option<&str>) -> Fitness {
    let field = |name: &str| {
        info.lines()
            .find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
            .unwrap_or_default()
    };
    let mut found = Fitness::default();
    let version = field("redis_version");
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    if (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < (6, 2) {
        found.refusals.push(format!(
            "Redis {version} is too old: leases need XPENDING with IDLE, which 6.2 brought. Upgrade it to 6.2 or later"
        ));
    }
    if field("redis_mode") == "cluster" {
        found.refusals.push(
            "this server is part of a Redis Cluster, and a batch is appended to all partitions at once. \
             Use a server with `cluster-enabled no`"
                .to_owned(),
        );
    }
    if field("aof_enabled") != "1" {
        found.refusals.push(
            "this Redis keeps no append-only file: when it is killed, every entry that it acknowledged is lost. \
             Mend it with: redis-cli CONFIG SET appendonly yes; redis-cli CONFIG SET appendfsync always; \
             redis-cli CONFIG REWRITE"
                .to_owned(),
        );
    } else {
        match appendfsync {
            Some("always") => {}
            Some("no") => found.warnings.push(fsync("no", "half a minute")),
            Some(other) => found.warnings.push(fsync(other, "a second")),
            None => found.warnings.push(
                "CONFIG GET appendfsync is not allowed: see to it that it says `always`, or acknowledged entries \
                 can be lost"
                    .to_owned(),
            ),
        }
    }
    let policy = field("maxmemory_policy");
    if policy != "noeviction" {
        found.refusals.push(format!(
            "maxmemory-policy is {policy}: Redis throws entries away when memory is short. Mend it with: \
             redis-cli CONFIG SET maxmemory-policy noeviction; redis-cli CONFIG REWRITE"
        ));
    }
    if field("maxmemory") == "0" {
        found.warnings.push(
            "maxmemory is not set: a buffer that grows gets Redis killed instead of refused. Set it to what the \
             machine can spare, for instance: redis-cli CONFIG SET maxmemory 2gb; redis-cli CONFIG REWRITE"
                .to_owned(),
        );
    }
    found
}

fn fsync(value: &str, time: &str) -> String {
    format!(
        "appendfsync is {value}: up to {time} of acknowledged entries is lost when the machine stops or its disk is \
         full. Mend it with: redis-cli CONFIG SET appendfsync always; redis-cli CONFIG REWRITE"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\naof_enabled:1\r\n\
                        maxmemory:1000\r\nmaxmemory_policy:noeviction\r\n";

    #[test]
    fn a_server_that_still_reads_its_files_is_not_judged_yet() {
        assert!(is_loading("# Persistence\r\nloading:1\r\nasync_loading:0\r\naof_enabled:0\r\n"));
        assert!(!is_loading("loading:0\r\nasync_loading:1\r\naof_enabled:1\r\n"));
    }

    #[test]
    fn each_danger_is_named_with_what_mends_it() {
        assert_eq!(judge(GOOD, Some("always")), Fitness::default());
        for (from, to, expected) in [
            ("7.0.15", "6.0.16", "Redis 6.0.16 is too old"),
            ("7.0.15", "", "is too old"),
            ("standalone", "cluster", "cluster-enabled no"),
            ("aof_enabled:1", "aof_enabled:0", "CONFIG SET appendonly yes"),
            ("noeviction", "allkeys-lru", "CONFIG SET maxmemory-policy noeviction"),
        ] {
            let found = judge(&GOOD.replace(from, to), Some("always"));
            assert!(found.refusals.len() == 1 && found.refusals[0].contains(expected), "{found:?}");
        }
        for (info, appendfsync, expected) in [
            (GOOD.to_owned(), Some("everysec"), "up to a second"),
            (GOOD.to_owned(), Some("no"), "half a minute"),
            (GOOD.to_owned(), None, "not allowed"),
            (GOOD.replace("maxmemory:1000", "maxmemory:0"), Some("always"), "maxmemory is not set"),
        ] {
            let found = judge(&info, appendfsync);
            assert!(found.refusals.is_empty() && found.warnings.len() == 1, "{found:?}");
            assert!(found.warnings[0].contains(expected), "{found:?}");
        }
        for version in ["6.2.0", "7.2.4", "10.0.0"] {
            assert!(judge(&GOOD.replace("7.0.15", version), Some("always")).refusals.is_empty(), "{version}");
        }
    }
}
