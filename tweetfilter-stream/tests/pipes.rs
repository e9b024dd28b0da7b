//! Lines of a pipe: given as soon as they are there.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tweetfilter_stream::files::{Block, Options, Reader};

/// Gives one piece for each read, as a pipe does.
struct Pieces(VecDeque<&'static [u8]>);

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.0.pop_front() else { return Ok(0) };
        buffer[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

#[test]
fn a_live_line_is_given_before_the_next_one_is_there() {
    let pieces: [&[u8]; 4] = [b"{\"text\":\"a\"}\r\n", b"{\"text\":", b"\"b\"}\n{\"te", b"xt\":\"c\"}"];
    let options = Options { live: true, ..Options::default() };
    let mut reader = Reader::with_options(Pieces(pieces.into()), options).unwrap();
    let mut block = Block::default();
    let mut blocks = Vec::new();
    while reader.read(&mut block).unwrap() {
        blocks.push(block.lines().map(|l| [l.bytes, l.ending].concat()).collect::<Vec<_>>().concat());
    }
    assert_eq!(blocks, [&b"{\"text\":\"a\"}\r\n"[..], b"{\"text\":\"b\"}\n", b"{\"text\":\"c\"}"]);
}

#[test]
fn a_short_first_line_does_not_wait_for_the_second() {
    let options = Options { live: true, text: true, ..Options::default() };
    let mut reader = Reader::with_options(Pieces([&b"ok\n"[..], b"longer\n"].into()), options).unwrap();
    let mut block = Block::default();
    assert!(reader.read(&mut block).unwrap());
    assert_eq!(block.lines().map(|l| l.bytes).collect::<Vec<_>>(), [b"ok"]);
}

/// Gives one piece for each read, and counts the reads.
struct Counted(Pieces, Arc<AtomicUsize>);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.read(buffer)
    }
}

/// Each line, with how many pieces had come when it was given.
fn given(pieces: &[&'static [u8]]) -> Vec<(usize, String)> {
    let options = Options { live: true, ..Options::default() };
    let reads = Arc::new(AtomicUsize::new(0));
    let input = Counted(Pieces(pieces.to_vec().into()), Arc::clone(&reads));
    let mut reader = Reader::with_options(input, options).unwrap();
    let (mut block, mut lines) = (Block::default(), Vec::new());
    while reader.read(&mut block).unwrap() {
        let come = reads.load(Ordering::Relaxed);
        lines.extend(block.lines().map(|line| (come, String::from_utf8_lossy(line.bytes).into_owned())));
    }
    lines
}

fn expect(pieces: &[&'static [u8]], expected: &[(usize, &str)]) {
    let expected: Vec<_> = expected.iter().map(|&(come, line)| (come, line.to_owned())).collect();
    assert_eq!(given(pieces), expected);
}

#[test]
fn behind_a_broken_first_line_each_line_is_given_as_it_comes() {
    expect(
        &[b"{\"a\":\"sno\n", b"{\"b\":1}\n", b"{\"c\":1}\n"],
        &[(2, "{\"a\":\"sno"), (2, "{\"b\":1}"), (3, "{\"c\":1}")],
    );
    expect(
        &[b"[{\"a\":1},{\"te\n", b"[{\"b\":1}]\n", b"[{\"c\":1}]\n"],
        &[(2, "[{\"a\":1},{\"te"), (2, "{\"b\":1}"), (3, "{\"c\":1}")],
    );
    // The second line might stand in a document; the third shows that it does not.
    expect(
        &[b"{\"a\":[\n", b"{\"b\":1}\n", b"{\"c\":1}\n", b"7\n"],
        &[(3, "{\"a\":["), (3, "{\"b\":1}"), (3, "{\"c\":1}"), (4, "7")],
    );
}

#[test]
fn documents_over_several_lines_are_given_as_they_are_closed() {
    let (one, two): (&[u8], &[u8]) = (b"{\n\"a\":1\n}\n", b"{\n\"b\":[\n{}\n]\n}\n");
    expect(
        &[one, two, b"{\n\"c\":", b"1\n}"],
        &[(1, "{\n\"a\":1\n}"), (2, "{\n\"b\":[\n{}\n]\n}"), (4, "{\n\"c\":1\n}")],
    );
    expect(
        &[b"[\n{\"a\":1},\n", b"{\"b\":1}\n]\n", b"{}\n"],
        &[(1, "{\"a\":1}"), (2, "{\"b\":1}"), (3, "{}")],
    );
    expect(
        &[b"[\n{\"a\":1}\n]\n", b"\n", b"\n", b"[\n{\n\"b\":1\n}\n", b"]\n", b"{}\n"],
        &[(1, "{\"a\":1}"), (5, "{\n\"b\":1\n}"), (6, "{}")],
    );
    // What is whole does not wait for more.
    expect(
        &[b"[]\n[\n{\"a\":1}\n]\n[]\n[\n{\"b\":1}\n]\n", b"{}\n"],
        &[(1, "{\"a\":1}"), (1, "{\"b\":1}"), (2, "{}")],
    );
}

#[test]
fn documents_that_are_glued_are_given_as_soon_as_another_one_follows() {
    expect(
        &[b"{\"a\":1}{\"b\"", b":2}", b" ", b"[{\"c\":3},{}]", b"\t{", b"}\n", b"{}"],
        &[(1, "{\"a\":1}"), (4, "{\"b\":2}"), (5, "{\"c\":3}"), (5, "{}"), (6, "{}"), (8, "{}")],
    );
    // Behind a line, which is not looked at closely, and with what looks like an end in a string.
    expect(
        &[b"{}\n{\"a\":\"} {\"", b"}{", b"}", b"{\"b\":1}\n"],
        &[(1, "{}"), (2, "{\"a\":\"} {\"}"), (4, "{}"), (4, "{\"b\":1}")],
    );
    // The mark at the beginning of each file is none of them, in whatever pieces it comes.
    expect(
        &[b"\xef", b"\xbb", b"\xbf{\"a\":1}", b"\xef\xbb", b"\xbf", b"{\"b\"", b":2} {}", b"\n"],
        &[(6, "{\"a\":1}"), (7, "{\"b\":2}"), (8, "{}")],
    );
    // A line that is none waits for its end, whatever follows.
    expect(
        &[b"{a}{\"b\":1}", b"{\"c\":2}\n", b"{\"d\":3}x{", b"}\n"],
        &[(2, "{a}{\"b\":1}{\"c\":2}"), (4, "{\"d\":3}x{}")],
    );
}

#[test]
fn a_long_document_is_looked_at_once_however_small_its_pieces_are() {
    let options = Options { live: true, block: 64, document: 32 << 20, ..Options::default() };
    for text in [
        format!("{{\n\"a\":\"{}\"\n}}\n", "x".repeat(8 << 20)),
        format!("{{\"a\":[\n{}{{}}\n]}}\n", "{\"a\":1},\n".repeat(400_000)),
    ] {
        let takes = || {
            let begun = Instant::now();
            let mut reader = Reader::with_options(io::Cursor::new(text.clone()), options).unwrap();
            let (mut block, mut lines) = (Block::default(), 0);
            while reader.read(&mut block).unwrap() {
                lines += block.lines().count();
            }
            assert_eq!(lines, 1);
            begun.elapsed()
        };
        // By the square of its length it would be minutes. A busy machine may hold up any of them.
        assert!((0..3).any(|_| takes() < Duration::from_secs(10)));
    }
}

/// Gives a text, and counts its bytes.
struct Weighed(io::Cursor<Vec<u8>>, Arc<AtomicUsize>);

impl Read for Weighed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.fetch_add(read, Ordering::Relaxed);
        Ok(read)
    }
}

#[test]
fn of_many_documents_the_later_ones_are_read_in_their_turn() {
    let options = Options { block: 4 << 10, ..Options::default() };
    for text in ["[\n{}\n]\n", "[]\n[]\n[\n{}\n]\n", "{\"a\":1}", "[{}]\t"] {
        let (text, taken) = (text.repeat(500_000).into_bytes(), Arc::new(AtomicUsize::new(0)));
        let length = text.len();
        let input = Weighed(io::Cursor::new(text), Arc::clone(&taken));
        let (mut reader, mut block) = (Reader::with_options(input, options).unwrap(), Block::default());
        for _ in 0..100 {
            assert!(reader.read(&mut block).unwrap());
        }
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken < length / 3, "{taken} of {length}");
    }
}
