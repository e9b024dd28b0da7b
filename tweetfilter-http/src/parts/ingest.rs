//! `ingest`: a source into the buffer.

use std::time::Duration;

use tweetfilter_stream::Event;
use tweetfilter_stream::buffer::{Buffer, BufferError, Counts};
use tweetfilter_stream::entry::Audience;
use tweetfilter_stream::ingest::Ingest;
use tweetfilter_stream::source::{Chunk, Notice, Source};

use super::{PartError, SourceSettings, Stop};

/// How long a source belongs to an instance that is silent.
const LEASE: Duration = Duration::from_secs(9);
/// How often the claim is prolonged.
const RENEW: Duration = Duration::from_secs(3);
/// How long to wait for a source that another instance has.
const AGAIN: Duration = Duration::from_millis(500);
/// How long to wait for a buffer that is away or full: at first, and at most.
const WAIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// What was ingested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// What was counted.
    pub counts: Counts,
    /// Whether the source has come to its end.
    pub ended: bool,
}

/// Reads a source into a buffer until it ends or is told to stop. `each` hears of what was appended so far, and of
/// how far files were read.
///
/// While the buffer is away or full, nothing more is read: a file or a stream with a cursor waits, and one without
/// leaves a gap that is recorded when it goes on.
///
/// # Errors
/// See [`PartError`].
pub async fn ingest<B: Buffer + Clone>(
    buffer: B,
    name: &str,
    settings: &SourceSettings,
    instance: &str,
    mut stop: Stop,
    mut each: impl FnMut(&Counts, Option<(u64, Option<u64>)>),
) -> Result<Ingested, PartError> {
    let audience = settings.audience()?;
    let claimed = claim(&buffer, name, audience, instance, &mut stop).await?;
    let Some((mut ingest, cursor)) = claimed else { return Ok(Ingested::default()) };
    let mut source = settings.open(cursor.as_deref())?;
    tracing::info!(source = name, resumed = cursor.is_some(), "source is read");
    let mut ingested = Ingested::default();
    let mut renew = tokio::time::interval(RENEW);
    renew.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let chunk = tokio::select! {
            () = stop.told() => break,
            _ = renew.tick() => {
                match ingest.renew().await {
                    Err(BufferError::Away(reason)) => tracing::warn!(source = name, %reason, "claim not renewed"),
                    renewed => renewed?,
                }
                continue;
            }
            chunk = source.next() => chunk?,
        };
        let Some(chunk) = chunk else {
            ingested.ended = true;
            break;
        };
        tell(name, &chunk);
        match append(&mut ingest, name, &chunk, &mut stop).await? {
            Some(counts) => ingested.counts.add(&counts),
            None => break,
        }
        for notice in ingest.notices() {
            tell_message(name, &notice);
        }
        each(&ingested.counts, source.progress());
    }
    Ok(ingested)
}

/// Claims the source, and waits while another instance has it; `None` if it is told to stop before that.
async fn claim<B: Buffer + Clone>(
    buffer: &B,
    name: &str,
    audience: Audience,
    instance: &str,
    stop: &mut Stop,
) -> Result<Option<(Ingest<B>, Option<String>)>, PartError> {
    let mut told = false;
    while !stop.is_told() {
        match Ingest::claim(buffer.clone(), name, audience.clone(), instance, LEASE).await {
            Ok(claimed) => return Ok(Some(claimed)),
            Err(reason @ (BufferError::Taken { .. } | BufferError::Away(_))) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(source = name, %reason, "waits for the source");
                }
                stop.sleep(AGAIN).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// Appends a chunk, however long it takes; `None` if it is told to stop before that.
async fn append<B: Buffer>(
    ingest: &mut Ingest<B>,
    name: &str,
    chunk: &Chunk,
    stop: &mut Stop,
) -> Result<Option<Counts>, PartError> {
    let mut appended = ingest.offer(chunk).await;
    let mut wait = WAIT.0;
    let mut since = None;
    loop {
        let reason = match appended {
            Ok(counts) => {
                if since.is_some() {
                    tracing::info!(source = name, "buffer takes entries again");
                }
                return Ok(Some(counts));
            }
            Err(error @ (BufferError::Away(_) | BufferError::Full(_))) => error,
            Err(error) => return Err(error.into()),
        };
        if since.is_none() {
            tracing::warn!(source = name, %reason, "nothing is read until the buffer takes entries again");
            since = Some(std::time::Instant::now());
        }
        if stop.is_told() {
            return Ok(None);
        }
        stop.sleep(wait).await;
        wait = (wait * 2).min(WAIT.1);
        appended = ingest.flush().await;
    }
}

fn tell(name: &str, chunk: &Chunk) {
    for notice in &chunk.notices {
        match notice {
            Notice::Connected { address } => tracing::info!(source = name, address, "connected"),
            Notice::Disconnected { reason } => tracing::warn!(source = name, reason, "disconnected"),
            Notice::BackingOff { wait } => {
                tracing::info!(source = name, seconds = wait.as_secs_f64(), "waits")
            }
            other => tracing::warn!(source = name, "{other:?}"),
        }
    }
    for gap in &chunk.gaps {
        tracing::warn!(source = name, from = gap.from, to = gap.to, reason = gap.reason, "gap");
    }
}

/// What the source itself says; never the text of a post.
fn tell_message(name: &str, event: &Event) {
    match event {
        Event::Warning { code, message, .. } => {
            tracing::warn!(source = name, code, message, "the source warns")
        }
        Event::Disconnect { code, reason, .. } => {
            tracing::warn!(source = name, code, reason, "the source disconnects");
        }
        Event::Limit { undelivered } => {
            tracing::warn!(source = name, undelivered, "the source held posts back")
        }
        Event::Failure { message } => tracing::warn!(source = name, message, "the source reports an error"),
        _ => {}
    }
}
