//! How much room the disk of a SQLite file has left, and what is to happen before it has none.
//!
//! Below the reserve the oldest posts are forgotten, below half of it the [buffer](crate::Embedded) takes nothing more.
//! Pages that are free in the file count as room. They are kept there as long as the disk is short, so that posts are
//! forgotten for what is stored here, up to the reserve, and not for whatever else fills the disk.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tweetfilter_stream::store::StoreError;

use crate::database::{Database, Engine};
use crate::sql::{Sql, Tx, args, statements};

statements! {
    REUSABLE = Sql::each("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size", "");
}

/// What of a disk is to stay free. In settings it is a text that [`FromStr`] reads, or bytes as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "Written", into = "String")]
pub enum DiskReserve {
    /// A twentieth of the disk, but no more than 1 GiB.
    #[default]
    Auto,
    /// Bytes; 0: nothing.
    Bytes(u64),
    /// Percent of the disk.
    Percent(f64),
}

/// The room on the disk of a SQLite file, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Free on the disk, for whoever runs this.
    pub free: u64,
    /// Free within the file.
    pub reusable: u64,
    /// What is to stay free.
    pub reserve: u64,
}

impl Room {
    /// Whether the oldest posts are to be forgotten.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.free.saturating_add(self.reusable) < self.reserve
    }

    /// What may still be received, until nothing more is.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.free.saturating_add(self.reusable).saturating_sub(self.reserve / 2)
    }

    /// Whether nothing more is to be received.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.free.saturating_add(self.reusable) < self.reserve / 2
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let Self { free, reusable, reserve } = *self;
        let (free, reusable, reserve) = (mib(free), mib(reusable), mib(reserve));
        write!(
            f,
            "{free:.1} MiB are free on the disk and {reusable:.1} in the file, the reserve is {reserve:.1}"
        )
    }
}

impl Database {
    /// Sets how much of the disk is to stay free; nothing if nobody does.
    #[must_use]
    pub fn with_disk_reserve(mut self, reserve: DiskReserve) -> Self {
        self.reserve = reserve;
        self
    }

    /// Looks whether what is to stay free leaves the other half of the disk for what is stored. Of a size nobody knows that
    /// before the disk is known.
    ///
    /// # Errors
    /// [`StoreError::Unfit`], with the ways out.
    pub fn check_disk_reserve(&self) -> Result<(), StoreError> {
        let Engine::Sqlite(files) = &self.engine else { return Ok(()) };
        let Some((_, total)) = space(&files.path) else { return Ok(()) };
        self.reserve.check(total).map_err(StoreError::Unfit)
    }

    /// The room that SQLite's file has; none of MariaDB, whose disk is elsewhere.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn room(&self) -> Result<Option<Room>, StoreError> {
        if !matches!(self.engine, Engine::Sqlite(_)) {
            return Ok(None);
        }
        let mut tx = self.read().await?;
        let room = self.room_in(&mut tx).await?;
        tx.commit().await?;
        Ok(room)
    }

    /// The same, as a transaction sees it.
    pub(crate) async fn room_in(&self, tx: &mut Tx) -> Result<Option<Room>, StoreError> {
        let Engine::Sqlite(files) = &self.engine else { return Ok(None) };
        let Some((free, total)) = space(&files.path) else { return Ok(None) };
        let reserve = self.reserve.of(total);
        let reusable = tx.row(REUSABLE, args![]).await?.map_or(Ok(0), |row| row.int(0))?;
        Ok(Some(Room { free, reusable: reusable.cast_unsigned(), reserve }))
    }
}

/// Bytes that are free where a file is, and that there are.
#[cfg(unix)]
fn space(path: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some((disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize)))
}

#[cfg(not(unix))]
fn space(_: &Path) -> Option<(u64, u64)> {
    None
}

/// Units of bytes, those of a power of 2 first.
const UNITS: &[(&str, u64)] = &[
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

impl DiskReserve {
    /// Refuses more than half of a disk that has so many bytes; one that does not say has none.
    fn check(self, total: u64) -> Result<(), String> {
        match self {
            Self::Bytes(bytes) if total > 0 && bytes > total / 2 => Err(format!(
                "disk-reserve {TOO_MUCH}. It is {self}, and the store's disk has {:.1} GiB: give a smaller size, a share \
                 such as 5%, or 0 for none",
                total as f64 / f64::from(1 << 30)
            )),
            _ => Ok(()),
        }
    }

    /// Bytes, of a disk that has so many.
    fn of(self, total: u64) -> u64 {
        match self {
            Self::Auto => (total / 20).min(1 << 30),
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => (total as f64 * percent / 100.0) as u64,
        }
    }
}

/// The largest share that may be kept free.
const MOST_PERCENT: f64 = 50.0;
const TOO_MUCH: &str =
    "must be at most half of the disk (50%): below it posts are forgotten, and none would be left";

/// As settings say it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Bytes(u64),
    Text(String),
}

impl TryFrom<Written> for DiskReserve {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::Bytes(bytes) => Ok(Self::Bytes(bytes)),
            Written::Text(text) => text.parse(),
        }
    }
}

impl From<DiskReserve> for String {
    fn from(reserve: DiskReserve) -> Self {
        reserve.to_string()
    }
}

impl FromStr for DiskReserve {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "must be a size such as 1GiB or 500MB, a share of the disk such as 5%, auto, or 0 for none";
        let text = text.trim();
        let number = |text: &str| {
            text.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0).ok_or(WRONG)
        };
        if text == "auto" {
            return Ok(Self::Auto);
        }
        if let Some(percent) = text.strip_suffix('%') {
            let fits =
                |percent| if percent <= MOST_PERCENT { Ok(Self::Percent(percent)) } else { Err(TOO_MUCH) };
            return number(percent).and_then(fits);
        }
        let of = |&(unit, bytes): &(&str, u64)| Some((text.strip_suffix(unit)?, bytes));
        let (digits, unit) = UNITS.iter().find_map(of).unwrap_or((text, 1));
        Ok(Self::Bytes((number(digits)? * unit as f64) as u64))
    }
}

/// As it can be read again.
impl fmt::Display for DiskReserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => write!(f, "auto"),
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Bytes(0) => write!(f, "0"),
            Self::Bytes(bytes) => {
                let whole = |(_, unit): &&(&str, u64)| bytes % unit == 0;
                let (unit, of) = UNITS.iter().filter(whole).max_by_key(|(_, of)| of).unwrap_or(&("B", 1));
                write!(f, "{}{unit}", bytes / of)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_read_and_written() {
        for (text, reserve, of_ten_gib, written) in [
            ("auto", DiskReserve::Auto, 536_870_912, "auto"),
            ("1GiB", DiskReserve::Bytes(1 << 30), 1 << 30, "1GiB"),
            ("0.5 GiB", DiskReserve::Bytes(1 << 29), 1 << 29, "512MiB"),
            ("500MB", DiskReserve::Bytes(500_000_000), 500_000_000, "500MB"),
            ("77", DiskReserve::Bytes(77), 77, "77B"),
            ("0", DiskReserve::Bytes(0), 0, "0"),
            ("10%", DiskReserve::Percent(10.0), 1 << 30, "10%"),
            ("50%", DiskReserve::Percent(50.0), 5 << 30, "50%"),
        ] {
            assert_eq!(text.parse(), Ok(reserve), "{text}");
            assert_eq!((reserve.of(10 << 30), &*reserve.to_string()), (of_ten_gib, written));
            assert_eq!(written.parse(), Ok(reserve));
        }
        assert_eq!(DiskReserve::Auto.of(1 << 50), 1 << 30);
        for wrong in ["", "much", "-1", "5 parsecs", "50.1%", "99%", "100%", "NaN", "1e999"] {
            assert!(wrong.parse::<DiskReserve>().is_err(), "{wrong}");
        }
        assert_eq!("99%".parse::<DiskReserve>(), Err(TOO_MUCH));
    }

    #[test]
    fn a_size_is_at_most_half_of_a_disk() {
        let disk: u64 = 10 << 30;
        for fits in [DiskReserve::Auto, DiskReserve::Bytes(0), DiskReserve::Bytes(5 << 30)] {
            assert_eq!(fits.check(disk), Ok(()), "{fits}");
        }
        let said = DiskReserve::Bytes((5 << 30) + 1).check(disk).unwrap_err();
        assert!(
            said.contains("must be at most half of the disk") && said.contains("has 10.0 GiB: give"),
            "{said}"
        );
        // Some disks do not say how large they are.
        assert_eq!(DiskReserve::Bytes(1).check(0), Ok(()));
    }

    #[test]
    fn what_is_free_in_the_file_is_room() {
        let room = Room { free: 40, reusable: 60, reserve: 100 };
        assert!(!room.is_short() && !room.is_full());
        let room = Room { free: 40, reusable: 10, ..room };
        assert!(room.is_short() && !room.is_full());
        assert!(Room { free: 39, ..room }.is_full());
    }
}
