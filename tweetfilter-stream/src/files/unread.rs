//! What is not read, by its first bytes, and the way out.

use std::io;

use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;

/// First bytes, what a file is that has them, and what gives its content as lines.
const KINDS: [(&[u8], &str, &str); 9] = [
    (b"\xfd7zXZ\0", "is packed by xz", "xz -dc FILE"),
    (b"PK\x03\x04", "is a zip file", "unzip -p FILE"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z file", "7z x -so FILE"),
    (b"Rar!\x1a\x07", "is a rar file", "unrar p -inul FILE"),
    (b"\x04\x22\x4d\x18", "is packed by lz4", "lz4 -dc FILE"),
    // It begins as UTF-16 does.
    (b"\xff\xfe\0\0", "is text in UTF-32", "iconv -f UTF-32 -t UTF-8 FILE"),
    (b"\0\0\xfe\xff", "is text in UTF-32", "iconv -f UTF-32 -t UTF-8 FILE"),
    (b"\xff\xfe", "is text in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE"),
    (b"\xfe\xff", "is text in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE"),
];

/// Why a file that begins so is not read, if it is of a known kind. No line of JSON begins so.
pub(super) fn kind(start: &[u8]) -> Option<io::Error> {
    let (_, what, way) = KINDS.into_iter().find(|(first, ..)| start.starts_with(first))?;
    Some(unsupported(&format!("it {what}, which is not read"), way))
}

/// An error of zstd, with the way out where a window is larger than is read: whoever wrote a file says how much memory
/// it takes.
pub(super) fn of_zstd(error: io::Error) -> io::Error {
    let told = error.get_ref().and_then(|error| error.downcast_ref::<zstd::Error>());
    match told {
        Some(told) if told.is(ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge) => {
            let what = "it was packed with a window of more than 128 MiB (zstd --long), which is not read";
            unsupported(what, "zstd -dc --long=31 FILE")
        }
        _ => error,
    }
}

/// Why a packed file in a tar is not read that stands there without its holes: its bytes must be whole.
pub(super) fn sparse() -> io::Error {
    unsupported("it is packed and sparse in the tar (tar -S), which is not read", "tar -xOf TAR FILE")
}

/// Why what a tar of several volumes has of a file that began in another is not read.
pub(super) fn rest_of_a_file() -> io::Error {
    let what =
        "it is the rest of a file that begins in another volume of the tar (tar -M), which is not read";
    unsupported(what, "tar -xOM -f TAR1 -f TAR2")
}

fn unsupported(what: &str, way: &str) -> io::Error {
    let said = format!("{what}; pipe it in by `{way} | tweetfilter … -`");
    io::Error::new(io::ErrorKind::Unsupported, said)
}
