//! Sockets whose other side is slow, or still speaks when it was answered.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::Body as _;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// What is left of a body is read before the answer, if it is so small and there so soon: then the connection stays open.
const SMALL: usize = 64 << 10;
const SOON: Duration = Duration::from_millis(50);
/// For how long what is left of another is thrown away behind the answer.
const LINGER: Duration = Duration::from_secs(3);

/// What nobody read of a body that was dropped.
pub(super) struct Left(Arc<Mutex<Option<Incoming>>>);

/// A body of which it is known what nobody read.
pub(super) fn watched(body: Incoming) -> (Sent, Left) {
    let left = Arc::new(Mutex::new(None));
    (Sent { body: Some(body), left: left.clone() }, Left(left))
}

impl Left {
    /// Whether all of the body was read, at least now. If not, the connection is to be closed.
    pub(super) async fn is_taken(&self, may_wait: bool) -> bool {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(body) = body else { return true };
        // Whoever waits to be asked for the body is not asked only to throw it away.
        may_wait && matches!(tokio::time::timeout(SOON, is_small(body)).await, Ok(true))
    }
}

/// Reads what is left of a body, and says whether that was little.
async fn is_small(mut body: Incoming) -> bool {
    let mut bytes = 0;
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(frame) = frame else { return false };
        bytes += frame.data_ref().map_or(0, |data| data.len());
        if bytes > SMALL {
            return false;
        }
    }
    true
}

/// The body of a request.
pub(super) struct Sent {
    /// Until its end.
    body: Option<Incoming>,
    left: Arc<Mutex<Option<Incoming>>>,
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}

impl http_body::Body for Sent {
    type Data = <Incoming as http_body::Body>::Data;
    type Error = <Incoming as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.as_ref().map_or_else(|| http_body::SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

/// A socket whose other side must take what is written within a time.
pub(super) struct Timed {
    stream: TcpStream,
    time: Duration,
    waits: Option<Pin<Box<Sleep>>>,
    unread: Arc<AtomicBool>,
    lingers: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    /// `unread` says whether some of what was sent stays unread when the socket is shut down.
    pub(super) fn new(stream: TcpStream, time: Duration, unread: Arc<AtomicBool>) -> Self {
        Self { stream, time, waits: None, unread, lingers: None }
    }

    /// Throws away what is still sent, until the other side has closed too or a time is over: what is sent to a socket that
    /// is gone has the system of the other side take the answer back.
    fn linger(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let time = self.time.min(LINGER);
        let lingers = self.lingers.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        if lingers.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut some = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut some);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn watch<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = None;
            return written;
        }
        let time = self.time;
        let waits =
            self.waits.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + time)));
        match waits.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watch(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        if self.unread.load(Ordering::SeqCst) { self.linger(context) } else { Poll::Ready(Ok(())) }
    }
}
