//! Whether anything could use the addresses of the settings: whoever mistyped one hears of it from every command, and not
//! from the part that needs it, on another day.

use tweetfilter_sql::Database;
use tweetfilter_stream::redis_streams::RedisBuffer;
use tweetfilter_stream::source::net::lookup::{self, Lookup};

use super::{Failure, Settings, shown};

impl Settings {
    /// Looks at all addresses, and at none of what is there.
    pub(super) fn check_addresses(&self) -> Result<(), Failure> {
        let refused = |key: &str, reason: String| self.refused(key, reason);
        Database::check_address(&self.database).map_err(|error| refused("database", error.to_string()))?;
        if let Some(address) = self.buffer_elsewhere() {
            RedisBuffer::check_address(address).map_err(|error| refused("buffer", error.to_string()))?;
        }
        for (key, address) in [("listen", self.listen()), ("metrics", self.metrics())] {
            if let Some(address) = address.filter(|address| !can_listen(address)) {
                return Err(refused(
                    key,
                    format!(
                        "{address:?} is no address to listen at: say HOST:PORT, such as 127.0.0.1:8080, or 0.0.0.0:8080 for all \
                         of this machine's, or `off`"
                    ),
                ));
            }
        }
        if self.lookup && self.lookup_address != lookup::PUBLIC {
            let other = |error| {
                format!(
                    "{error}; say https://HOST, leave it out for Bluesky's own, or look nobody up with --no-lookup"
                )
            };
            Lookup::at(&self.lookup_address).map_err(|error| refused("lookup-address", other(error)))?;
        }
        for (name, source) in &self.sources {
            source.check_address().map_err(|error| {
                let (name, file) = (shown::quoted(name), self.path.display());
                Failure::Input(format!("`source.{name}.address`, which is from {file}: {error}"))
            })?;
        }
        Ok(())
    }

    /// What is wrong with a setting, and where it is from.
    pub(super) fn refused(&self, key: &str, reason: String) -> Failure {
        Failure::Input(format!("`{key}`, which is from {}: {reason}", self.origin(key)))
    }
}

/// Whether it is a host and a port; whether that host is there is found out by who listens.
fn can_listen(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let is_host = match host.strip_prefix('[') {
        Some(_) => address.parse::<std::net::SocketAddr>().is_ok(),
        None => !host.is_empty() && !host.contains([':', '/', '@', ' ']),
    };
    is_host && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::can_listen;

    #[test]
    fn a_host_and_a_port_can_be_listened_at() {
        for address in ["127.0.0.1:0", "[::1]:8080", "localhost:80", "box-1.example:65535"] {
            assert!(can_listen(address), "{address}");
        }
        for address in
            ["", "foo", "8080", ":8080", "::1:8080", "[::1]", "[x]:1", "a:65536", "http://a:80", "a:"]
        {
            assert!(!can_listen(address), "{address}");
        }
    }
}
