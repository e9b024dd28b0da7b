//! Forgets what is old, and more than that where the disk of the store is short of room.

use std::time::{Duration, Instant};

use tweetfilter_core::post::Millis;
use tweetfilter_sql::{Database, Removed, Room};
use tweetfilter_stream::store::StoreError;

use super::Stop;
use crate::time::rfc3339;

/// How often what is old is looked for.
const OLD: Duration = Duration::from_secs(3600);
/// How often the disk is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long others may work between two steps, and where there is no room.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(5));
/// How often it is said how much was forgotten for want of room.
const TELL: Duration = Duration::from_secs(10);
/// How long to wait after an error.
const AGAIN: Duration = Duration::from_secs(10);

/// Forgets what accounts saw that were removed, and posts that are older than `keep`, if anything, once at the start and
/// then every hour, in small steps. Where
/// the disk of a SQLite file has less room than is to be kept free, the oldest posts are forgotten until it has; `forgotten`
/// is told of how many.
pub async fn retention(
    database: Database,
    keep: Option<Duration>,
    mut stop: Stop,
    forgotten: impl Fn(u64) + Send + Sync,
) {
    let (mut looked, mut short) = (None::<Instant>, Short::default());
    while !stop.is_told() {
        let old = keep.filter(|_| looked.is_none_or(|looked| looked.elapsed() > OLD));
        match step(&database, old, &mut short, &forgotten).await {
            Ok(Some(wait)) => stop.sleep(wait).await,
            Ok(None) => {
                looked = old.map_or(looked, |_| Some(Instant::now()));
                stop.sleep(LOOK).await;
            }
            Err(error) => {
                tracing::warn!(%error, "old posts could not be forgotten");
                stop.sleep(AGAIN).await;
            }
        }
    }
    short.tell();
}

/// One step; how long to wait for the next, if there is more to do.
async fn step(
    database: &Database,
    old: Option<Duration>,
    short: &mut Short,
    forgotten: &(impl Fn(u64) + Send + Sync),
) -> Result<Option<Duration>, StoreError> {
    if database.forget_removed().await? {
        return Ok(Some(PAUSE.0));
    }
    if let Some(keep) = old
        && !database.forget_older(keep).await?.is_empty()
    {
        return Ok(Some(PAUSE.0));
    }
    match database.room().await? {
        Some(room) if room.is_short() => {
            short.begin(room);
            let removed = database.forget_oldest().await?;
            forgotten(removed.posts);
            short.add(&removed, room);
            Ok((!removed.is_empty()).then_some(PAUSE.1))
        }
        _ => {
            short.end();
            Ok(None)
        }
    }
}

/// What was done about a disk that is short of room.
#[derive(Default)]
struct Short {
    since: Option<Instant>,
    told: Option<Instant>,
    posts: u64,
    /// When those posts were received.
    received: Option<(Millis, Millis)>,
    /// Whether it was said that nothing is left to forget.
    exhausted: bool,
}

impl Short {
    fn begin(&mut self, room: Room) {
        if self.since.is_none() {
            tracing::warn!("{room}: the oldest posts are forgotten");
            *self = Self { since: Some(Instant::now()), told: Some(Instant::now()), ..Self::default() };
        }
    }

    fn add(&mut self, removed: &Removed, room: Room) {
        if removed.is_empty() && !std::mem::replace(&mut self.exhausted, true) {
            tracing::error!("{room}, and no post is left to be forgotten: make room");
        }
        self.posts += removed.posts;
        if let Some((first, last)) = removed.received {
            let (from, to) = self.received.unwrap_or((first, last));
            self.received = Some((from.min(first), to.max(last)));
        }
        if self.told.is_some_and(|told| told.elapsed() > TELL) {
            self.tell();
        }
    }

    fn tell(&mut self) {
        if let Some((from, to)) = self.received.take() {
            let (posts, from, to) = (std::mem::take(&mut self.posts), rfc3339(from), rfc3339(to));
            tracing::warn!(
                posts,
                from,
                to,
                "posts received then were forgotten, since the disk is short of room"
            );
        }
        self.told = Some(Instant::now());
    }

    fn end(&mut self) {
        if self.since.is_some() {
            self.tell();
            tracing::info!("the disk has room again");
            *self = Self::default();
        }
    }
}
