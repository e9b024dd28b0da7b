//! `ingest`: a source into the buffer.

use std::time::Duration;

use tweetfilter_stream::Event;
use tweetfilter_stream::buffer::{Batch, Buffer, BufferError, Claim, Counts, Gap};
use tweetfilter_stream::entry::Audience;
use tweetfilter_stream::ingest::Ingest;
use tweetfilter_stream::source::{Chunk, Notice, Source};

use super::forgotten::{self, Anew};
use super::source::check_name;
use super::supervise::own;
use super::{HeldUp, Instance, Kind, PartError, SourceSettings, Stop, now};
use crate::time::rfc3339;

/// How long a source belongs to an instance that is silent.
pub(super) const LEASE: Duration = Duration::from_secs(9);
/// How often the claim is prolonged.
const RENEW: Duration = Duration::from_secs(3);
/// How long to wait for a source that another instance has.
const AGAIN: Duration = Duration::from_millis(500);
/// How long a little is collected for, before it is appended.
const COLLECT: Duration = Duration::from_millis(10);
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
/// leaves a gap that is recorded when it goes on. A buffer that has forgotten the source is told of it again, with a gap,
/// also by who takes the source over or begins again; files are read anew then.
///
/// # Errors
/// See [`PartError`].
pub async fn ingest<B: Buffer + Clone + 'static>(
    buffer: B,
    name: &str,
    settings: &SourceSettings,
    instance: &Instance,
    mut stop: Stop,
    mut each: impl FnMut(&Counts, Option<(u64, Option<u64>)>),
) -> Result<Ingested, PartError> {
    check_name(name)?;
    let audience = settings.audience()?;
    let claimed = claim(&buffer, name, audience, instance, &mut stop).await?;
    let Some((mut ingest, claim)) = claimed else { return Ok(Ingested::default()) };
    let robbed = |error: PartError| {
        if matches!(error, PartError::Buffer(BufferError::Fenced { .. })) {
            instance.was_robbed();
        }
        error
    };
    let cursor = match settings.kind {
        // What waited in a buffer that has forgotten it is gone too, and is read once more.
        Kind::File => claim.cursor,
        _ => go_on(&buffer, name, &mut ingest, claim, instance, &stop).await.map_err(robbed)?,
    };
    let mut source = settings.open(cursor.as_deref())?;
    tracing::info!(source = name, resumed = cursor.is_some(), "source is read");
    let (mut ingested, mut read_all, mut failed) = (Ingested::default(), false, None);
    // Of the last two batches it is unknown whether they are stored, if the buffer loses them.
    let (mut before, mut taken) = (now(), now());
    let rereads = settings.kind == Kind::File;
    let anew =
        |since| Anew { instance: instance.claims_as(), since, memory: instance.memory().clone(), rereads };
    let (mut renew, mut not_renewed) = (tokio::time::interval(RENEW), HeldUp::default());
    renew.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // While a batch is appended the source is read on, so that a slow disk makes larger batches and not fewer. It is a
    // task of its own, since whoever waits for something else here must not hold up a transaction of it.
    let mut appending = None;
    let mut collect = Box::pin(tokio::time::sleep(Duration::ZERO));
    loop {
        if appending.is_none() && (ingest.has_many() || collect.is_elapsed() || read_all) {
            let start = |batch| {
                tokio::spawn(append(buffer.clone(), name.to_owned(), batch, anew(before), stop.clone()))
            };
            appending = ingest.batch().map(start);
            if appending.is_some() {
                (before, taken) = (taken, now());
                collect.as_mut().reset(tokio::time::Instant::now() + COLLECT);
            }
        }
        if appending.is_none() && read_all {
            ingested.ended = failed.is_none();
            break;
        }
        tokio::select! {
            () = stop.told() => break,
            _ = renew.tick() => match renewal(&buffer, name, &ingest, instance, rereads).await {
                Err(BufferError::Away(reason) | BufferError::Full(reason)) => {
                    if let Some(lasted) = not_renewed.holds() {
                        let for_seconds = lasted.as_secs();
                        tracing::warn!(source = name, for_seconds, %reason, "claim not renewed");
                    }
                }
                // The batch that is on its way finds out by itself.
                Err(BufferError::Fenced { .. } | BufferError::Forgotten { .. }) if appending.is_some() => {}
                Err(error @ BufferError::Forgotten { .. }) => {
                    if let Some((fence, gap)) = anew(before).claim(&buffer, name, error).await? {
                        ingest.claimed_again(fence);
                        ingest.gap(gap);
                    }
                }
                renewed => {
                    renewed.map_err(PartError::from).map_err(robbed)?;
                    if let Some(lasted) = not_renewed.goes_on() {
                        tracing::info!(source = name, after_seconds = lasted.as_secs(), "claim is renewed again");
                    }
                }
            },
            appended = pending(&mut appending) => {
                appending = None;
                // Nothing that was read later may be appended without it.
                let Some(batch) = own(appended).map_err(robbed)? else { return Ok(ingested) };
                ingested.counts.add(&batch.counts);
                ingest.claimed_again(batch.fence);
                instance.memory().note(batch.cursor.as_deref(), taken);
                each(&ingested.counts, source.progress());
            }
            () = &mut collect, if appending.is_none() && !collect.is_elapsed() => {}
            chunk = source.next(), if !read_all && ingest.has_room() => match chunk {
                Ok(Some(chunk)) => {
                    tell(name, &chunk);
                    instance.gave(&chunk);
                    ingest.collect(&chunk);
                    for notice in ingest.notices() {
                        tell_message(name, &notice);
                    }
                }
                Ok(None) => read_all = true,
                // What was read before it is appended first.
                Err(error) => (read_all, failed) = (true, Some(error)),
            },
        }
    }
    // Told to stop: what was read by now is not read again by a source without a cursor.
    if let Some(appending) = appending {
        match own(appending.await).map_err(robbed)? {
            Some(batch) => {
                ingested.counts.add(&batch.counts);
                ingest.claimed_again(batch.fence);
            }
            None => return Ok(ingested),
        }
    }
    let rest = Chunk { gaps: source.rest(), ..Chunk::default() };
    tell(name, &rest);
    ingest.collect(&rest);
    if let Some(batch) = ingest.batch()
        && let Some(batch) =
            append(buffer, name.to_owned(), batch, anew(before), stop).await.map_err(robbed)?
    {
        ingested.counts.add(&batch.counts);
    }
    failed.map_or(Ok(ingested), |error| Err(error.into()))
}

/// Prolongs the claim, and has the store told where the source stands, for who begins again if the buffer forgets it.
async fn renewal<B: Buffer>(
    buffer: &B,
    name: &str,
    ingest: &Ingest<B>,
    instance: &Instance,
    rereads: bool,
) -> Result<(), BufferError> {
    if let Some(oldest) = buffer.oldest_seen().filter(|_| !rereads) {
        // Beside what is read: a store that is away holds nobody up here.
        tokio::spawn(instance.memory().clone().keep(name.to_owned(), oldest));
    }
    ingest.renew().await
}

/// Waits for what may be there.
async fn pending<F: Future + Unpin>(future: &mut Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// Claims the source, and waits while another instance has it; `None` if it is told to stop before that.
async fn claim<B: Buffer + Clone>(
    buffer: &B,
    name: &str,
    audience: Audience,
    instance: &Instance,
    stop: &mut Stop,
) -> Result<Option<(Ingest<B>, Claim)>, PartError> {
    let (mut told, mut held_up) = (false, HeldUp::default());
    while !stop.is_told() {
        let as_whom = instance.claims_as();
        match Ingest::claim(buffer.clone(), name, audience.clone(), &as_whom, LEASE).await {
            Ok(claimed) => return Ok(Some(claimed)),
            Err(reason @ (BufferError::Away(_) | BufferError::Full(_))) => {
                if let Some(lasted) = held_up.holds() {
                    let for_seconds = lasted.as_secs();
                    tracing::warn!(source = name, for_seconds, %reason, "waits for the source");
                }
                stop.sleep(AGAIN).await;
            }
            Err(ref reason @ BufferError::Taken { ref holder, ref cursor, .. }) => {
                held_up.goes_on();
                instance.memory().note(cursor.as_deref(), now());
                let is_shared = instance.is_shared_with(holder);
                // That lasts as long as the other one does, as it should.
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(source = name, %reason, "waits for the source");
                    if is_shared {
                        tracing::warn!(
                            source = name,
                            instance = holder,
                            "another process has taken it over under the same instance name; give each its own, by \
                             --instance NAME or `instance` in the settings"
                        );
                    }
                }
                if !is_shared {
                    instance.goes_by_its_name();
                }
                stop.sleep(AGAIN).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// Where to read on from: where the buffer says, or, if it has forgotten the source, where that is known to have stood. The
/// gap since then is recorded at once, for nobody would know of it any more after the next claim.
async fn go_on<B: Buffer + Clone>(
    buffer: &B,
    name: &str,
    ingest: &mut Ingest<B>,
    claim: Claim,
    instance: &Instance,
    stop: &Stop,
) -> Result<Option<String>, PartError> {
    let Some(place) = forgotten::place(&claim, name, instance.memory()).await else {
        return Ok(claim.cursor);
    };
    ingest.gap(place.lost(name));
    if let Some(batch) = ingest.batch() {
        let batch = Batch { cursor: place.cursor.clone(), ..batch };
        let memory = instance.memory().clone();
        let anew = Anew { instance: instance.claims_as(), since: place.since, memory, rereads: false };
        if let Some(batch) = append(buffer.clone(), name.to_owned(), batch, anew, stop.clone()).await? {
            ingest.claimed_again(batch.fence);
        }
    }
    Ok(place.cursor)
}

/// Appends a batch, however long it takes, and returns it with the claim under which that succeeded; `None` if it is told
/// to stop before that.
async fn append<B: Buffer>(
    buffer: B,
    name: String,
    mut batch: Batch,
    anew: Anew,
    mut stop: Stop,
) -> Result<Option<Batch>, PartError> {
    let (mut wait, mut held_up) = (WAIT.0, HeldUp::default());
    loop {
        let reason = match buffer.append(&batch).await {
            Ok(()) => {
                if let Some(lasted) = held_up.goes_on() {
                    let after_seconds = lasted.as_secs();
                    tracing::info!(source = name, after_seconds, "buffer takes entries again");
                }
                return Ok(Some(batch));
            }
            Err(error @ BufferError::Forgotten { .. }) => {
                match anew.claim(&buffer, &name, error.clone()).await? {
                    Some((fence, gap)) => {
                        batch.fence = fence;
                        batch.gaps.push(gap);
                        continue;
                    }
                    None => error,
                }
            }
            Err(error @ (BufferError::Away(_) | BufferError::Full(_))) => error,
            Err(error) => return Err(error.into()),
        };
        if let Some(lasted) = held_up.holds() {
            tracing::warn!(
                source = name,
                entries = batch.entries.len(),
                for_seconds = lasted.as_secs(),
                %reason,
                "nothing is read until the buffer takes entries again"
            );
        }
        if stop.is_told() {
            return Ok(None);
        }
        stop.sleep(wait).await;
        wait = (wait * 2).min(WAIT.1);
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
            Notice::ReadAgain { reason } => tracing::warn!(source = name, "{reason}"),
            Notice::CursorTooOld { wanted, got } => {
                let (wanted, got) = (rfc3339(*wanted), rfc3339(*got));
                tracing::warn!(source = name, wanted, got, "the server no longer has what was wanted");
            }
            other => tracing::warn!(source = name, "{other:?}"),
        }
    }
    chunk.gaps.iter().for_each(|gap| tell_gap(name, gap));
}

pub(super) fn tell_gap(name: &str, gap: &Gap) {
    let Gap { from, to, missing, reason } = gap;
    tracing::warn!(source = name, from = rfc3339(*from), to = rfc3339(*to), missing, reason, "gap");
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
        // Such messages come each second. What they say is told as gaps are.
        Event::Limit { undelivered } => {
            tracing::debug!(source = name, undelivered, "the source held posts back")
        }
        Event::Failure { message } => tracing::warn!(source = name, message, "the source reports an error"),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
