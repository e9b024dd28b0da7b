//! The connection to Redis: made when needed, judged each time, given up when it does not answer.

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, ErrorKind, IntoConnectionInfo, RedisError, ServerErrorKind};

use super::fitness;
use crate::buffer::BufferError;

/// A connection that whoever needs it makes anew, after a pause that grows.
pub(super) struct Link {
    client: Client,
    timeout: Duration,
    allow_unsafe: bool,
    /// Taken while a connection is made.
    state: tokio::sync::Mutex<State>,
    warnings: Mutex<Vec<String>>,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that only the one that failed is given up.
    number: u64,
    failures: u32,
    not_before: Option<Instant>,
    last: Option<BufferError>,
}

impl fmt::Debug for Link {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.address()).finish_non_exhaustive()
    }
}

/// The pause after so many failures: 50 ms, doubling, at most a second.
///
/// A server that answers again is found within a second.
pub(super) fn pause(failures: u32) -> Duration {
    Duration::from_millis(50 << failures.saturating_sub(1).min(5)).min(Duration::from_secs(1))
}

impl Link {
    pub(super) fn new(url: &str, timeout: Duration, allow_unsafe: bool) -> Result<Self, BufferError> {
        // The address may hold a password: it is not repeated.
        let unfit = |error: RedisError| {
            BufferError::Unfit(format!(
                "the address of the buffer can't be read: {error}. It is redis://USER:PASSWORD@HOST:PORT/NUMBER, where \
                 special characters of user and password are percent-encoded: %40 for @, %2F for /, %3A for :, %23 for \
                 #, %25 for %"
            ))
        };
        let info = url.into_connection_info().map_err(unfit)?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = Client::open(info).map_err(unfit)?;
        Ok(Self {
            client,
            timeout,
            allow_unsafe,
            state: tokio::sync::Mutex::default(),
            warnings: Mutex::default(),
        })
    }

    /// What was found at the server when it was last connected to.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.warnings.lock().map(|warnings| warnings.clone()).unwrap_or_default()
    }

    /// A connection and its number. New ones are judged first.
    pub(super) async fn connection(&self) -> Result<(MultiplexedConnection, u64), BufferError> {
        let mut state = self.state.lock().await;
        if let Some(connection) = &state.connection {
            return Ok((connection.clone(), state.number));
        }
        if let (Some(not_before), Some(last)) = (state.not_before, &state.last)
            && Instant::now() < not_before
        {
            return Err(last.clone());
        }
        let made = match tokio::time::timeout(self.timeout, self.connect()).await {
            Ok(made) => made,
            Err(_) => Err(BufferError::Away(format!("{} does not answer", self.address()))),
        };
        match made {
            Ok(connection) => {
                let number = state.number + 1;
                *state = State { connection: Some(connection.clone()), number, ..State::default() };
                Ok((connection, number))
            }
            Err(error) => {
                state.failures += 1;
                state.not_before = Some(Instant::now() + pause(state.failures));
                state.last = Some(error.clone());
                Err(error)
            }
        }
    }

    /// What an error of a connection means. A broken connection is given up.
    pub(super) async fn failed(&self, number: u64, error: &RedisError) -> BufferError {
        // A server that is silent for so long may do later what it was asked for; a new connection knows.
        if error.is_io_error() || error.is_unrecoverable_error() {
            let mut state = self.state.lock().await;
            if state.number == number {
                state.connection = None;
            }
        }
        self.meaning(error)
    }

    async fn connect(&self) -> Result<MultiplexedConnection, BufferError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout));
        let made = self.client.get_multiplexed_async_connection_with_config(&config).await;
        let mut connection = made.map_err(|error| self.meaning(&error))?;
        let info: String = redis::cmd("INFO")
            .query_async(&mut connection)
            .await
            .map_err(|error: RedisError| self.meaning(&error))?;
        // Until it has read its append-only file it says that it has none.
        if fitness::is_loading(&info) {
            return Err(BufferError::Away(format!("Redis at {} still reads its files", self.address())));
        }
        let asked = redis::cmd("CONFIG").arg("GET").arg("appendfsync").query_async(&mut connection).await;
        let appendfsync = asked.ok().map(|(_, value): (String, String)| value);
        let mut found = fitness::judge(&info, appendfsync.as_deref());
        if !self.allow_unsafe && !found.refusals.is_empty() {
            return Err(BufferError::Unfit(format!(
                "the Redis at {} is not fit to be a buffer: {}",
                self.address(),
                found.refusals.join(". And ")
            )));
        }
        found.refusals.append(&mut found.warnings);
        if let Ok(mut warnings) = self.warnings.lock() {
            *warnings = found.refusals;
        }
        Ok(connection)
    }

    fn address(&self) -> String {
        self.client.get_connection_info().addr().to_string()
    }

    fn meaning(&self, error: &RedisError) -> BufferError {
        let text = format!("Redis at {}: {error}", self.address());
        match (error.kind(), error.code()) {
            (_, Some("OOM")) => BufferError::Full(text),
            // Redis 6.2 wraps what a script's command was refused for.
            _ if text.contains("OOM command not allowed") => BufferError::Full(text),
            (_, Some("TFKIND")) => not_ours(error.detail().unwrap_or_default()),
            (_, Some("TFSPENT")) => spent(error.detail().unwrap_or_default()),
            (_, Some("NOAUTH" | "WRONGPASS" | "WRONGTYPE"))
            | (ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm), _) => {
                BufferError::Unfit(text)
            }
            _ => BufferError::Away(text),
        }
    }
}

/// Of a key that is of another kind than the one that this library makes, how to get rid of it.
pub(super) fn not_ours(key: &str) -> BufferError {
    BufferError::Unfit(format!(
        "the key {key} in Redis is of another kind than it must be: somebody else made it. What it is says: redis-cli TYPE \
         {key}. Once nobody needs it, remove it: redis-cli DEL {key}"
    ))
}

/// The same of a stream that takes no more.
fn spent(key: &str) -> BufferError {
    BufferError::Unfit(format!(
        "the stream {key} in Redis takes no more entries: somebody else added one near the last id that there can be. Once \
         workers have emptied it, which redis-cli XLEN {key} says, remove it: redis-cli DEL {key}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_answers_again_is_found_within_a_second() {
        let pauses: Vec<_> = (0..8).map(|failures| pause(failures).as_millis()).collect();
        assert_eq!(pauses, [50, 50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(pause(u32::MAX), Duration::from_secs(1));
    }

    #[test]
    fn a_password_is_never_repeated() {
        let link = Link::new("redis://:sesame@127.0.0.1:1", Duration::from_secs(1), false).unwrap();
        assert!(!format!("{link:?}").contains("sesame"));
        let error = Link::new("redis://:sesame@127.0.0.1:port", Duration::from_secs(1), false).unwrap_err();
        assert!(!error.to_string().contains("sesame"), "{error}");
    }
}
