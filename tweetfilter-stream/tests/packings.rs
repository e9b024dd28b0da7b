//! Lines out of every kind of file, packed here and unpacked by the reader.

use std::io::Cursor;

use tweetfilter_stream::files::{Block, Options, Reader};

#[path = "support/given.rs"]
mod given_by;
#[path = "support/tar.rs"]
mod packed;
#[path = "support/packers.rs"]
mod packers;

use given_by::each_block;
use packed::tar;
use packers::{bzip2, gzip, zstd};

const OPTIONS: Options = Options { line: 100, document: 4096, block: 7, live: false, text: false };

/// The lines of a file in no tar, with their numbers.
fn expect(bytes: &[u8], expected: &[(u64, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(number, line)| format!(":{number} {line}")).collect();
    assert_eq!(given(bytes.to_vec()), (expected, None));
}

#[test]
fn every_packing_is_found_by_its_first_bytes() {
    let text = b"{\"a\":1}\n\n{\"b\":2}\n";
    let expected = [(1, "{\"a\":1}"), (3, "{\"b\":2}")];
    for pack in [gzip, bzip2, zstd] {
        expect(&pack(text), &expected);
        let two = [pack(text), pack(b"{}")].concat();
        expect(&two, &[(1, "{\"a\":1}"), (3, "{\"b\":2}"), (4, "{}")]);
    }
    expect(&gzip(&bzip2(text)), &expected);
}

#[test]
fn tars_give_their_files_one_by_one() {
    let long = format!("2021/{}.json", "x".repeat(120));
    let packed = tar(&[
        ("2021/", vec![]),
        ("2021/a.json", b"{\"a\":1}\n{\"a\":2}".to_vec()),
        ("2021/empty", vec![]),
        (&long, bzip2(b"\n{\"b\":1}\n")),
        ("inner.tar", tar(&[("c.json.gz", gzip(b"[\n{}\n]"))])),
    ]);
    for packed in [packed.clone(), gzip(&packed), zstd(&packed)] {
        let mut reader = Reader::with_options(Cursor::new(packed), OPTIONS).expect("opens");
        let (mut block, mut found) = (Block::default(), Vec::new());
        while reader.read(&mut block).expect("reads") {
            let name = block.member().expect("a name").to_owned();
            found.extend(
                block.lines().map(|line| {
                    (name.clone(), line.number, String::from_utf8_lossy(line.bytes).into_owned())
                }),
            );
        }
        let found: Vec<_> = found.iter().map(|(f, n, l)| (f.as_str(), *n, l.as_str())).collect();
        let expected = [
            ("2021/a.json", 1, "{\"a\":1}"),
            ("2021/a.json", 2, "{\"a\":2}"),
            (long.as_str(), 2, "{\"b\":1}"),
            ("inner.tar:c.json.gz", 2, "{}"),
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn broken_packings_fail_after_the_lines_before() {
    let numbers: String =
        (0..100_000_u64).map(|n| format!("{}\n", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    for packed in [gzip(numbers.as_bytes()), zstd(numbers.as_bytes())] {
        let cut = packed[..packed.len() - 9].to_vec();
        let mut reader = Reader::new(Cursor::new(cut)).expect("opens");
        let (mut block, mut lines) = (Block::default(), 0);
        let failure = loop {
            match reader.read(&mut block) {
                Ok(true) => lines += block.lines().len(),
                Ok(false) => panic!("no failure"),
                Err(error) => break error,
            }
        };
        assert!(lines > 0, "{failure}");
    }
    let cut = tar(&[("a", b"{}\n{}".to_vec())])[..515].to_vec();
    let mut reader = Reader::new(Cursor::new(cut)).expect("opens");
    let mut block = Block::default();
    assert!(reader.read(&mut block).expect("a line"));
    assert!(reader.read(&mut block).is_err());
    assert!(Reader::open("/").is_err());
}

#[test]
fn zeros_behind_a_gzip_file_are_padding_and_anything_else_is_told() {
    let two = [gzip(b"{}\n"), gzip(b"7\n")].concat();
    for zeros in [0, 1, 512, 300_000] {
        expect(&[two.clone(), vec![0; zeros]].concat(), &[(1, "{}"), (2, "7")]);
    }
    for behind in [b"PK".to_vec(), [vec![0; 300_000], b"x".to_vec()].concat()] {
        let bytes = [two.clone(), behind].concat();
        let mut reader = Reader::with_options(Cursor::new(bytes), OPTIONS).expect("opens");
        let (mut block, mut lines) = (Block::default(), 0);
        let failure = loop {
            match reader.read(&mut block) {
                Ok(true) => lines += block.lines().count(),
                Ok(false) => panic!("what stands behind is not told"),
                Err(failure) => break failure.to_string(),
            }
        };
        assert_eq!(lines, 2);
        assert!(failure.contains("behind the end of the gzip file"), "{failure}");
    }
}

/// What a reader gives: lines with their file, and damage with its place; then how it ends.
fn given(bytes: Vec<u8>) -> (Vec<String>, Option<String>) {
    let mut given = Vec::new();
    let end = each_block(Cursor::new(bytes), OPTIONS, |block| {
        let name = block.member().unwrap_or_default();
        for line in block.lines() {
            given.push(format!("{name}:{} {}", line.number, String::from_utf8_lossy(line.bytes)));
        }
        if let Some((_, line)) = block.damage() {
            assert_eq!(block.lines().count(), 0);
            given.push(format!("{name}:{line} !"));
        }
    });
    (given, end)
}

#[test]
fn a_damaged_file_in_a_tar_ends_only_itself() {
    let cut = |packed: Vec<u8>| packed[..packed.len() / 2].to_vec();
    let spoilt = |mut packed: Vec<u8>| {
        packed[6..].fill(0xff);
        packed
    };
    let plain = |text: &str| text.as_bytes().to_vec();
    for bad in [cut(gzip(b"2\n")), cut(bzip2(b"2\n")), cut(zstd(b"2\n")), spoilt(zstd(b"2\n"))] {
        let packed = tar(&[("m1", plain("1\n")), ("m2.gz", bad.clone()), ("m3", plain("3\n"))]);
        for packed in [packed.clone(), gzip(&packed)] {
            let (given, end) = given(packed);
            assert_eq!(given, ["m1:1 1", "m2.gz:1 !", "m3:1 3"]);
            assert_eq!(end, None);
        }
    }
    // Lines before the damage are given, with the place at which it is.
    let numbers: String =
        (0..20_000_u64).map(|n| format!("{}\n", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    let packed = tar(&[("n.gz", cut(gzip(numbers.as_bytes()))), ("m3", plain("3\n"))]);
    let (found, end) = given(packed.clone());
    assert!(found.len() > 100 && end.is_none(), "{end:?}");
    assert_eq!(found[found.len() - 2], format!("n.gz:{} !", found.len() - 2));
    assert_eq!(found[found.len() - 1], "m3:1 3");
    // Of an array it is that on which it breaks off.
    for (array, last) in [("7\n[{\"a\":1},{\"b", 2), ("[\n{\"a\":1},\n{\"b\":\n", 3), ("[\n{\"a\":1},\n", 2)]
    {
        let (found, end) = given(tar(&[("n", plain(array)), ("m3", plain("3\n"))]));
        assert_eq!((found[found.len() - 2].clone(), end), (format!("n:{last} !"), None));
    }
    // A tar in a tar is damaged as any file is; the outer one that is cut off can't be read on.
    let inner = gzip(&tar(&[("a", plain("1\n")), ("b", numbers.clone().into_bytes())]));
    let outer = tar(&[("in.tar.gz", cut(inner)), ("m3", plain("3\n"))]);
    let (found, end) = given(outer.clone());
    assert_eq!((found[0].as_str(), end), ("in.tar.gz:a:1 1", None));
    assert!(found[found.len() - 2].starts_with("in.tar.gz:") && found[found.len() - 2].ends_with(" !"));
    assert_eq!(found[found.len() - 1], "m3:1 3");
    for packed in [packed[..2000].to_vec(), cut(gzip(&packed)), outer[..2000].to_vec()] {
        let (found, end) = given(packed);
        assert!(end.is_some() && !found.iter().any(|line| line.ends_with('!')), "{found:?}");
    }
}

/// A tar as it was before POSIX: only the sum of its bytes tells that a header is one.
fn old_tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in files {
        let mut packed = tar(&[(*name, content.as_bytes().to_vec())]);
        packed.truncate(packed.len() - 1024);
        packed[257..263].fill(0);
        packed[148..156].fill(b' ');
        let sum: u32 = packed[..512].iter().map(|&byte| u32::from(byte)).sum();
        packed[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.extend(packed);
    }
    out.resize(out.len() + 1024, 0);
    out
}

#[test]
fn tars_from_before_posix_are_found_by_the_sums_of_their_headers() {
    let packed = old_tar(&[("m1", "1\n"), ("schön", "2\n3\n"), ("empty", "")]);
    let expected = ["m1:1 1", "schön:1 2", "schön:2 3"];
    for packed in [packed.clone(), gzip(&packed)] {
        let (found, end) = given(packed);
        assert_eq!((found.as_slice(), end), (expected.map(String::from).as_slice(), None));
    }
    // Bytes that were taken for signed numbers make another sum.
    let mut signed = packed.clone();
    let sum = u32::from_str_radix(str::from_utf8(&signed[1024 + 148..1024 + 154]).unwrap(), 8).unwrap();
    signed[1024 + 148..1024 + 154].copy_from_slice(format!("{:06o}", sum - 2 * 256).as_bytes());
    assert_eq!(given(signed.clone()), (expected.map(String::from).to_vec(), None));
    // A sum that is neither is that of no header.
    signed[1024 + 153] ^= 1;
    let (found, end) = given(signed);
    assert_eq!(found, ["m1:1 1"]);
    assert!(end.is_some_and(|end| end.contains("not the header of a file in a tar")));
    for at in [0, 153, 300] {
        let mut other = packed.clone();
        other[at] ^= 1;
        let (found, end) = given(other);
        assert!(!found.is_empty() && found.iter().all(|line| line.starts_with(':')) && end.is_none(), "{at}");
    }
    // Lines are no headers, whatever stands where the name of the format or the sum would.
    let x = |count: usize| "x".repeat(count);
    for line in
        [format!("{}ustar{}\n", x(257), x(300)), format!("{}{:08o}{}\n", x(148), 504 * 120 + 256, x(356))]
    {
        let (found, end) = given(line.into_bytes());
        assert!(found.len() == 1 && found[0].starts_with(":1 x") && end.is_none(), "{end:?}");
    }
}

#[test]
fn an_empty_tar_holds_nothing_and_zeros_before_lines_are_a_line() {
    for zeros in [1024, 10_240, 128 << 10, 3 << 20] {
        let empty = vec![0; zeros];
        assert_eq!(given(empty.clone()), (vec![], None));
        assert_eq!(given(gzip(&empty)), (vec![], None));
        let packed = tar(&[("in.tar", empty.clone()), ("m", b"1\n".to_vec())]);
        assert_eq!(given(packed), (vec!["m:1 1".to_owned()], None));
        let another = tar(&[("m", b"1\n".to_vec())]);
        assert_eq!(given([empty.clone(), another].concat()), (vec!["m:1 1".to_owned()], None));
        let (found, end) = given([empty, b"x\n7\n".to_vec()].concat());
        assert_eq!((found.len(), found[1].as_str(), end), (2, ":2 7", None));
    }
    assert_eq!(given(vec![0; 9 << 20]).0.len(), 1);
}

/// Lines of which some are in no block of a few bytes, and what of them is given of their beginning: the last one cut.
fn beginning_of(lines: &[String], found: &[String]) -> bool {
    let whole = found.iter().zip(lines).take_while(|(found, line)| found == line).count();
    whole == found.len() || (whole + 1 == found.len() && lines[whole].starts_with(&found[whole]))
}

#[test]
fn whatever_a_packed_file_is_cut_to_what_is_whole_is_read_and_the_cut_is_told() {
    let text: String = (0..60_u32).map(|n| format!("{{\"n\":{}}}\n", n.wrapping_mul(0x9E37_79B9))).collect();
    let (all, _) = given(text.clone().into_bytes());
    // A line goes on in the second one.
    let (first, second) = text.as_bytes().split_at(text.len() / 2 + 3);
    for pack in [gzip, bzip2, zstd] {
        let packed = [pack(first), pack(second)].concat();
        assert_eq!(given(packed.clone()), (all.clone(), None));
        // The first bytes tell what it is.
        for end in 9..packed.len() {
            let (found, failure) = given(packed[..end].to_vec());
            assert!(beginning_of(&all, &found), "{end} of {}: {found:?}", packed.len());
            assert_eq!(failure.is_none(), end == pack(first).len(), "{end} of {}: {failure:?}", packed.len());
        }
    }
}

#[test]
fn whatever_a_tar_is_cut_to_what_is_whole_is_read_and_the_cut_is_told() {
    let files =
        [("a", b"1\n2\n".to_vec()), ("b", vec![]), ("c", [b"3\n".repeat(300), b"4".to_vec()].concat())];
    let packed = tar(&files);
    let (all, _) = given(packed.clone());
    let mut ends = vec![0];
    for count in 1..=files.len() {
        ends.push(tar(&files[..count]).len() - 1024);
    }
    for end in 513..packed.len() {
        let (found, failure) = given(packed[..end].to_vec());
        assert!(beginning_of(&all, &found), "{end}: {found:?}");
        // Where a file ends nothing is cut, and zeros behind the last one are none of it.
        let is_whole = ends.contains(&end) || end > ends[files.len()];
        assert_eq!(failure.is_none(), is_whole, "{end} of {ends:?}: {failure:?}");
    }
}

#[test]
fn tars_one_behind_the_other_are_read() {
    let one = |name: &str, text: &str| tar(&[(name, text.as_bytes().to_vec())]);
    let (first, second) = (one("a", "1\n"), one("b", "2\n"));
    let expected: Vec<_> = ["a:1 1", "b:1 2"].map(str::to_owned).into();
    for zeros in [0, 512, 10_240] {
        let both = [first.clone(), vec![0; zeros], second.clone(), vec![0; zeros]].concat();
        assert_eq!(given(both.clone()), (expected.clone(), None));
        assert_eq!(given(gzip(&both)), (expected.clone(), None));
        let packed = [gzip(&first), gzip(&vec![0; zeros]), gzip(&second)].concat();
        assert_eq!(given(packed), (expected.clone(), None));
        let outer = tar(&[("x.tar", both), ("m", b"3\n".to_vec())]);
        let found = ["x.tar:a:1 1", "x.tar:b:1 2", "m:1 3"].map(str::to_owned).into();
        assert_eq!(given(outer), (found, None));
    }
    // Anything else is told.
    let (found, failure) = given([first.clone(), b"snow".repeat(200)].concat());
    assert_eq!(found, expected[..1]);
    assert!(failure.is_some_and(|failure| failure.contains("behind the end of the tar")));
}

#[test]
fn the_long_name_of_a_folder_is_none_of_the_file_behind_it() {
    let folder = format!("{}/", "x".repeat(120));
    let packed = tar(&[(&folder, vec![]), ("m", b"1\n".to_vec())]);
    assert_eq!(given(packed), (vec!["m:1 1".to_owned()], None));
}

/// A header has no room for a size of 8 GiB.
#[test]
fn an_extended_header_tells_a_size_that_a_header_has_no_room_for() {
    let record = b"14 path=a/b/c\n9 size=6\n".to_vec();
    let mut packed = tar(&[("x", record), ("short", b"1\n2\n3\n".to_vec()), ("m", b"4\n".to_vec())]);
    packed[156] = b'x';
    packed[1024 + 124..1024 + 135].fill(b'0');
    let expected = ["a/b/c:1 1", "a/b/c:2 2", "a/b/c:3 3", "m:1 4"].map(str::to_owned).into();
    assert_eq!(given(packed), (expected, None));
}

#[test]
fn files_that_a_tar_has_without_their_holes_are_read() {
    // Beside a hole there are zeros, since disks have blocks.
    let content = || [vec![0; 700], b"1\n".to_vec(), vec![0; 310], b"2\n".to_vec(), vec![0; 9]].concat();
    let then = || ("m2", b"3\n".to_vec());
    let mut short = tar(&[("m1", content()), then()]);
    short[156] = b'S';
    short[257..265].copy_from_slice(b"ustar  \0");
    // Where there are many holes, records that tell them stand between the header and the content.
    let mut long = short.clone();
    long[482] = 1;
    let mut records = [b'7'; 1024];
    (records[504], records[512 + 504]) = (1, 0);
    long.splice(512..512, records);
    let pax = |told: &str, content: Vec<u8>| {
        let mut packed = tar(&[("x", told.as_bytes().to_vec()), ("GNUSparseFile.0/m1", content), then()]);
        packed[156] = b'x';
        packed
    };
    let older = "11 path=m1\n24 GNU.sparse.size=9216\n27 GNU.sparse.numblocks=1\n";
    let newest = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n22 GNU.sparse.name=m1\n";
    let with_map = |pieces: usize| {
        let mut map = format!("{pieces}\n{}", "1048576\n512\n".repeat(pieces)).into_bytes();
        map.resize(map.len().next_multiple_of(512), 0);
        [map, content()].concat()
    };
    let expected: Vec<_> = ["m1:1 1", "m1:2 2", "m2:1 3"].map(str::to_owned).into();
    let all = [short, long, pax(older, content()), pax(newest, with_map(1)), pax(newest, with_map(100))];
    for packed in all {
        assert_eq!(given(packed), (expected.clone(), None));
    }
    // A map that goes on behind the file is damage to it alone.
    let (found, end) = given(pax(newest, b"9\n".to_vec()));
    assert_eq!((found, end), (["m1:1 !", "m2:1 3"].map(str::to_owned).into(), None));
}
