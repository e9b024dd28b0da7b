//! What an error of a database means to those who wait for it.

use sqlx::mysql::MySqlDatabaseError;
use tweetfilter_stream::buffer::BufferError;
use tweetfilter_stream::store::StoreError;

/// By what can be done about it: the numbers are those of MariaDB, or SQLite's primary codes.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    let text = error.to_string();
    match &error {
        sqlx::Error::Database(database) => match database.try_downcast_ref::<MySqlDatabaseError>() {
            Some(maria) => {
                let number = maria.number();
                of_maria(number, text + advice_of_maria(number))
            }
            None => {
                let code = database.code().and_then(|code| code.parse().ok()).unwrap_or(0);
                of_sqlite(code, text + advice(code))
            }
        },
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => StoreError::Refused(text),
        sqlx::Error::Configuration(_)
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_) => StoreError::Unfit(text),
        sqlx::Error::PoolTimedOut => StoreError::Away("no connection could be made in time".to_owned()),
        _ => StoreError::Away(text),
    }
}

/// Numbers below 2000 and above 3000 come from the server, those between from the client.
fn of_maria(number: u16, text: String) -> StoreError {
    match number {
        // A deadlock, a lock that took too long, a record that changed meanwhile.
        1213 | 1205 | 1020 => StoreError::Retry(text),
        // No database, no access, no table, no column: nobody can mend that but its owner.
        1044 | 1045 | 1049 | 1146 | 1054 => StoreError::Unfit(text),
        // Too long, no such value, out of range, packet too large, there already.
        1406 | 1366 | 1264 | 1153 | 1062 => StoreError::Refused(text),
        // Gone: 2002 2003 2006 2013 1053 1927; busy: 1040 1203 1226; full, read-only, timed out: 1290 1836 1021
        // 1114 28 1969 3024. What is not known is held as well: nothing is lost by it.
        _ => StoreError::Away(text),
    }
}

/// The lower byte is the kind of error.
fn of_sqlite(code: i32, text: String) -> StoreError {
    match code & 0xff {
        // BUSY, LOCKED, INTERRUPT, SCHEMA.
        5 | 6 | 9 | 17 => StoreError::Retry(text),
        // TOOBIG, CONSTRAINT, MISMATCH, RANGE.
        18 | 19 | 20 | 25 => StoreError::Refused(text),
        // FULL, READONLY, IOERR, CANTOPEN, NOMEM, PERM, AUTH.
        13 | 8 | 10 | 14 | 7 | 3 | 23 => StoreError::Away(text),
        // CORRUPT and NOTADB among them.
        _ => StoreError::Unfit(text),
    }
}

/// What is to be done about an error of SQLite, as the end of its message. Even who only reads writes beside the file.
fn advice(code: i32) -> &'static str {
    match (code, code & 0xff) {
        // FULL, and IOERR_SHMSIZE of who opens the file meanwhile.
        (13 | 4874, _) => ". The disk is full: make room, SQLite needs some even to read",
        (_, 8) => {
            ". SQLite has to write to the file and its folder even to read: use the account that the server runs under"
        }
        (_, 14) => {
            ". The file, or what stands beside it, may belong to another account of the system: use the one that the server runs \
             under, or give it the files (`chown`)"
        }
        _ => "",
    }
}

/// The same of MariaDB.
fn advice_of_maria(number: u16) -> &'static str {
    match number {
        1049 => {
            ". Nobody has made it, or the address names another: CREATE DATABASE with that name, said to the server by who may, \
             makes it, empty; the tables are made by whoever opens it first"
        }
        _ => "",
    }
}

/// What it means to those who use the buffer in the same file.
pub(crate) fn buffer_error(error: StoreError) -> BufferError {
    match error {
        StoreError::Away(text) if text.contains("(code: 13)") => BufferError::Full(text),
        StoreError::Retry(text) | StoreError::Away(text) | StoreError::Refused(text) => {
            BufferError::Away(text)
        }
        error => BufferError::Unfit(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_the_disk_full_or_closed_is_told_what_to_do() {
        // 4874 is IOERR_SHMSIZE, 1544 READONLY_DIRECTORY, 778 IOERR_WRITE.
        assert!([13, 4874].iter().all(|code| advice(*code).contains("make room")));
        assert!([8, 1544].iter().all(|code| advice(*code).contains("use the account")));
        assert!([5, 10, 778].iter().all(|code| advice(*code).is_empty()));
    }

    #[test]
    fn every_number_means_what_can_be_done_about_it() {
        for (numbers, expected) in [
            (&[1213, 1205, 1020][..], StoreError::Retry(String::new())),
            (
                &[
                    2002, 2003, 2006, 2013, 1053, 1927, 1040, 1203, 1226, 1290, 1836, 1021, 1114, 28, 1969,
                    3024,
                ],
                StoreError::Away(String::new()),
            ),
            (&[1044, 1045, 1049, 1146, 1054], StoreError::Unfit(String::new())),
            (&[1406, 1366, 1264, 1153, 1062], StoreError::Refused(String::new())),
        ] {
            for &number in numbers {
                assert_eq!(of_maria(number, String::new()), expected, "{number}");
            }
        }
        for (codes, expected) in [
            // 517 is BUSY_SNAPSHOT.
            (&[5, 6, 517][..], StoreError::Retry(String::new())),
            // 778 is IOERR_WRITE.
            (&[13, 8, 10, 778], StoreError::Away(String::new())),
            (&[11, 26], StoreError::Unfit(String::new())),
            (&[18, 19, 2067], StoreError::Refused(String::new())),
        ] {
            for &code in codes {
                assert_eq!(of_sqlite(code, String::new()), expected, "{code}");
            }
        }
    }
}
