//! The server: connections with time-outs and caps, until it is told to stop.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use super::answer::ApiError;
use super::socket::{self, Timed};
use super::{Api, Options};
use crate::parts::{PartError, Stop};

/// Bytes of a request's line and headers, and how many headers.
const HEADER_BYTES: usize = 32 << 10;
const HEADERS: usize = 64;
/// How long whoever is turned away may take to hear it, and how many are told at once.
const TURNED: Duration = Duration::from_secs(1);
const TURNED_AT_ONCE: usize = 64;
/// How long answers may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(5);

/// A server that listens.
#[derive(Debug)]
pub struct Serving {
    listener: TcpListener,
    app: Router,
    options: Options,
}

/// Listens at an address, such as `127.0.0.1:8080`.
///
/// # Errors
/// [`PartError::Settings`] if the address is none, is taken, or may not be used.
pub async fn listen(api: &Api, app: Router, address: &str) -> Result<Serving, PartError> {
    listen_as("listen", api.options().clone(), app, address).await
}

/// The same for any routes; `option` is the one by which the address was said.
///
/// # Errors
/// As [`listen`].
pub async fn listen_as(
    option: &str,
    options: Options,
    app: Router,
    address: &str,
) -> Result<Serving, PartError> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        PartError::Settings(format!(
            "can't listen at {address}: {error}; name another by --{option}, or `off` for none"
        ))
    })?;
    Ok(Serving { listener, app, options })
}

impl Serving {
    /// Where it listens.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is told to stop; then lets requests end that are under way.
    pub async fn run(&self, mut stop: Stop) {
        let connections = Arc::new(Connections::default());
        let turned = Arc::new(Semaphore::new(TURNED_AT_ONCE));
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                Some(_) = tasks.join_next() => continue,
                () = stop.told() => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    if connections.count() >= self.options.connections && !connections.close_one() {
                        turn_away(stream, &turned);
                        continue;
                    }
                    let connection = connections.open();
                    tasks.spawn(serve(
                        stream,
                        self.app.clone(),
                        self.options.clone(),
                        connection,
                        stop.clone(),
                    ));
                }
                Err(error) => {
                    // Out of descriptors, most likely: one that rests makes room.
                    tracing::warn!(%error, "a connection could not be accepted");
                    connections.close_one();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, ended).await.is_err() {
            tracing::warn!("some answers did not end in time and were cut off");
        }
    }
}

/// All connections are busy: whoever comes now is told so, as long as there are not too many of them.
fn turn_away(mut stream: TcpStream, turned: &Arc<Semaphore>) {
    let Ok(right) = turned.clone().try_acquire_owned() else { return };
    let message = "All connections of this server are busy; try again in a moment";
    let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_connections", message);
    let body = serde_json::to_string(&error.into_answer()).unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\
         Retry-After: 1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    tokio::spawn(async move {
        let told = async {
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await?;
            // What they sent and nobody reads would have the system take the answer back.
            while stream.read(&mut [0; 4096]).await? > 0 {}
            io::Result::Ok(())
        };
        // What clients do wrong is theirs.
        let _ = tokio::time::timeout(TURNED, told).await;
        drop(right);
    });
}

async fn serve(stream: TcpStream, app: Router, options: Options, connection: Open, mut stop: Stop) {
    let _ = stream.set_nodelay(true);
    let state = connection.state.clone();
    let unread = Arc::new(AtomicBool::new(false));
    let io = TokioIo::new(Timed::new(stream, options.body_time, unread.clone()));
    let service = tower::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (app, state, unread) = (app.clone(), state.clone(), unread.clone());
        async move {
            let busy = state.begin();
            let may_wait = !request.headers().contains_key(header::EXPECT);
            let (head, body) = request.into_parts();
            let (body, left) = socket::watched(body);
            let request = hyper::Request::from_parts(head, body);
            let mut response = tower::ServiceExt::oneshot(app, request).await?;
            if !left.is_taken(may_wait).await {
                unread.store(true, Ordering::SeqCst);
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            // A stream is busy until its last event.
            Ok::<_, std::convert::Infallible>(response.map(|body| Watched { body, _busy: busy }))
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_time)
        .max_headers(HEADERS)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(io, TowerToHyperService::new(service));
    let mut served = std::pin::pin!(served);
    tokio::select! {
        // What clients do wrong is theirs.
        _ = served.as_mut() => {}
        () = connection.state.closed.notified() => {}
        () = stop.told() => {
            served.as_mut().graceful_shutdown();
            let _ = served.await;
        }
    }
}

/// All connections; those that rest, longest first, make room for new ones.
#[derive(Debug, Default)]
struct Connections {
    open: AtomicUsize,
    resting: Arc<Mutex<Resting>>,
}

#[derive(Debug, Default)]
struct Resting {
    next: u64,
    by_rest: BTreeMap<u64, Arc<Notify>>,
    of: HashMap<u64, u64>,
}

/// A connection, counted until it is dropped.
struct Open {
    connections: Arc<Connections>,
    state: Arc<State>,
}

/// Whether a connection is busy.
struct State {
    number: u64,
    busy: AtomicUsize,
    closed: Arc<Notify>,
    resting: Arc<Mutex<Resting>>,
}

impl Connections {
    fn count(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    fn open(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::SeqCst);
        let (closed, resting) = (Arc::new(Notify::new()), self.resting.clone());
        let number = lock(&resting).number();
        let state = State { number, busy: AtomicUsize::new(0), closed, resting };
        state.rest();
        Open { connections: self.clone(), state: Arc::new(state) }
    }

    /// Closes the one that rests longest. False if all are busy.
    fn close_one(&self) -> bool {
        let mut resting = lock(&self.resting);
        let Some((_, closed)) = resting.by_rest.pop_first() else { return false };
        closed.notify_one();
        true
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.state.wake();
        self.connections.open.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock(resting: &Mutex<Resting>) -> std::sync::MutexGuard<'_, Resting> {
    resting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Resting {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl State {
    fn rest(&self) {
        let mut resting = lock(&self.resting);
        let since = resting.number();
        resting.by_rest.insert(since, self.closed.clone());
        resting.of.insert(self.number, since);
    }

    fn wake(&self) {
        let mut resting = lock(&self.resting);
        if let Some(since) = resting.of.remove(&self.number) {
            resting.by_rest.remove(&since);
        }
    }

    /// Busy until what it returns is dropped.
    fn begin(self: &Arc<Self>) -> Busy {
        if self.busy.fetch_add(1, Ordering::SeqCst) == 0 {
            self.wake();
        }
        Busy(self.clone())
    }
}

struct Busy(Arc<State>);

impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.busy.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.rest();
        }
    }
}

/// A body that keeps its connection busy.
struct Watched {
    body: axum::body::Body,
    _busy: Busy,
}

impl http_body::Body for Watched {
    type Data = <axum::body::Body as http_body::Body>::Data;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
