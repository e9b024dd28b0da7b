//! Files of kinds that are not read, and the way out.

use std::io::{Cursor, ErrorKind, Write};

use tweetfilter_stream::files::{Block, Reader};

#[path = "support/tar.rs"]
mod packed;

use packed::tar;

fn reader(bytes: Vec<u8>) -> Reader {
    Reader::new(Cursor::new(bytes)).expect("opens")
}

fn lines(block: &Block) -> Vec<String> {
    block.lines().map(|line| String::from_utf8_lossy(line.bytes).into_owned()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("packs");
    packer.finish().expect("packs")
}

#[test]
fn what_is_of_a_kind_that_is_not_read_says_so_and_the_way_out() {
    for (bytes, what, way) in [
        (&b"\xfd7zXZ\0\0\x04"[..], "xz", "xz -dc FILE |"),
        (b"PK\x03\x04\n", "zip", "unzip -p FILE |"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "7z", "7z x -so FILE |"),
        (b"Rar!\x1a\x07\x01\0", "rar", "unrar p -inul FILE |"),
        (b"\x04\x22\x4d\x18\x64", "lz4", "lz4 -dc FILE |"),
        (b"\xff\xfe{\0\n\0", "UTF-16", "iconv -f UTF-16 -t UTF-8 FILE |"),
        (b"\xfe\xff\0{\0\n", "UTF-16", "iconv -f UTF-16 -t UTF-8 FILE |"),
        (b"\xff\xfe\0\0{\0\0\0", "UTF-32", "iconv -f UTF-32 -t UTF-8 FILE |"),
    ] {
        for packed in [bytes.to_vec(), gzip(bytes)] {
            let error = reader(packed).read(&mut Block::default()).expect_err(what);
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let said = error.to_string();
            assert!(said.contains(what) && said.contains(way), "{what}: {said}");
        }
        // In a tar it ends nothing but itself.
        let mut reader = reader(tar(&[("m1", bytes.to_vec()), ("m2", b"2\n".to_vec())]));
        let mut block = Block::default();
        assert!(reader.read(&mut block).expect("the next file can be read"));
        let damage = block.damage().map(|(error, line)| (error.kind(), line));
        assert_eq!((block.member(), damage), (Some("m1"), Some((ErrorKind::Unsupported, 1))));
        assert!(reader.read(&mut block).expect("reads"));
        assert_eq!((block.member(), lines(&block)), (Some("m2"), vec!["2".to_owned()]));
    }
    // A byte order mark of UTF-8 and a lone byte are nothing of the kind.
    for (bytes, line) in [(&b"\xef\xbb\xbf{}"[..], "{}"), (b"\xff", "\u{fffd}")] {
        let mut block = Block::default();
        assert!(reader(bytes.to_vec()).read(&mut block).expect("reads"));
        assert_eq!(lines(&block), [line]);
    }
}

/// A zstd frame of one byte with a window of two to this power.
fn zstd_window(log: u8) -> Vec<u8> {
    // Magic, no flags, the window; then the last block, raw, of one byte.
    [&[0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3][..], &[0b1001, 0, 0, b'7']].concat()
}

#[test]
fn a_window_that_takes_too_much_memory_is_told_with_the_way_out() {
    let mut block = Block::default();
    assert!(reader(zstd_window(27)).read(&mut block).expect("reads"));
    assert_eq!(lines(&block), ["7"]);
    for log in [28, 31] {
        let error = reader(zstd_window(log)).read(&mut block).expect_err("too large");
        let said = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{said}");
        assert!(said.contains("128 MiB") && said.contains("zstd -dc --long=31 FILE |"), "{said}");
    }
}

#[test]
fn a_packed_file_that_a_tar_has_without_its_holes_is_told_with_the_way_out() {
    let mut packed = tar(&[("m1", gzip(b"1\n")), ("m2", b"2\n".to_vec())]);
    packed[156] = b'S';
    let (mut reader, mut block) = (reader(packed), Block::default());
    assert!(reader.read(&mut block).expect("the next file can be read"));
    let (error, _) = block.damage().expect("it is told");
    assert_eq!((block.member(), error.kind()), (Some("m1"), ErrorKind::Unsupported));
    let said = error.to_string();
    assert!(said.contains("sparse") && said.contains("tar -xOf TAR FILE |"), "{said}");
    assert!(reader.read(&mut block).expect("reads"));
    assert_eq!((block.member(), lines(&block)), (Some("m2"), vec!["2".to_owned()]));
}

#[test]
fn the_rest_of_a_file_that_begins_in_another_volume_is_told_with_the_way_out() {
    let mut packed = tar(&[("m1", b"w\"}\n{\"n\":2}\n".to_vec()), ("m2", b"2\n".to_vec())]);
    packed[156] = b'M';
    let (mut reader, mut block) = (reader(packed), Block::default());
    assert!(reader.read(&mut block).expect("the next file can be read"));
    let (error, _) = block.damage().expect("it is told");
    assert_eq!((block.member(), error.kind()), (Some("m1"), ErrorKind::Unsupported));
    let said = error.to_string();
    assert!(said.contains("volume") && said.contains("tar -xOM -f TAR1 -f TAR2 |"), "{said}");
    assert!(reader.read(&mut block).expect("reads"));
    assert_eq!((block.member(), lines(&block)), (Some("m2"), vec!["2".to_owned()]));
}
