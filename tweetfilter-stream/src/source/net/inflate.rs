//! Taking gzip off a stream, with a cap on how much may come of it.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use futures_util::{StreamExt, stream};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::backoff::Trouble;
use super::wire::{Connection, Fault, Received};

/// Bytes that are unpacked at once. No more than some thousand times as many come of them: 64 KiB and a little.
const STEP: usize = 64;

/// What may come of a stream beyond all proportion, before it is looked at.
const FREE: u64 = 1 << 20;

/// Bytes that may come of each.
const RATIO: u64 = 200;

/// Whether the body behind these headers is packed by gzip; as what it is packed where that can't be taken off. More than
/// once is too often: what may come of each byte would be multiplied.
pub(super) fn is_packed(headers: &HeaderMap) -> Result<bool, String> {
    let all =
        headers.get_all(CONTENT_ENCODING).iter().map(|value| value.as_bytes().escape_ascii().to_string());
    let all = all.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let codings = all.split(',').map(str::trim).filter(|coding| !matches!(*coding, "" | "identity"));
    match codings.collect::<Vec<_>>()[..] {
        [] => Ok(false),
        ["gzip" | "x-gzip"] => Ok(true),
        ref others => Err(others.join(", ")),
    }
}

/// What comes of the first bytes of something packed, as far as it is good.
pub(super) fn beginning(packed: &[u8]) -> Vec<u8> {
    let (mut inflate, mut unpacked) = (Inflate::new(), Vec::new());
    for step in packed.chunks(STEP) {
        let (mut bytes, done) = inflate.take(step);
        unpacked.append(&mut bytes);
        if done.is_err() || unpacked.len() >= ENOUGH {
            break;
        }
    }
    unpacked
}

/// A connection without the gzip that it comes in. It gives a little at a time, and reads on when all is given: of what is
/// received at once, 64 MB could come.
pub(super) fn unpacked(connection: Connection) -> Connection {
    let begun = Unpacking { connection, inflate: Inflate::new(), packed: Vec::new(), at: 0, failed: None };
    Box::pin(stream::unfold(begun, |mut unpacking| async move {
        let piece = unpacking.next().await?;
        Some((piece, unpacking))
    }))
}

/// Bytes that are a beginning.
const ENOUGH: usize = 4096;

struct Unpacking {
    connection: Connection,
    inflate: Inflate,
    /// What was received, of which so many bytes are unpacked.
    packed: Vec<u8>,
    at: usize,
    /// To be said once what came before it is given.
    failed: Option<io::Error>,
}

impl Unpacking {
    async fn next(&mut self) -> Option<Result<Received, Fault>> {
        loop {
            if let Some(error) = self.failed.take() {
                return Some(Err(Fault::network(error.to_string()).of(Trouble::Server)));
            }
            let rest = &self.packed[self.at..];
            if rest.is_empty() {
                match self.connection.next().await? {
                    Ok(Received::Bytes(bytes)) => (self.packed, self.at) = (bytes, 0),
                    other => return Some(other),
                }
                continue;
            }
            let step = &rest[..rest.len().min(STEP)];
            let (bytes, done) = self.inflate.take(step);
            self.at += step.len();
            self.failed = done.err();
            if !bytes.is_empty() {
                return Some(Ok(Received::Bytes(bytes)));
            }
        }
    }
}

/// Unpacks what arrives.
#[derive(Debug)]
struct Inflate {
    decoder: MultiGzDecoder<Vec<u8>>,
    read: u64,
    written: u64,
}

impl Inflate {
    fn new() -> Self {
        Self { decoder: MultiGzDecoder::new(Vec::new()), read: 0, written: 0 }
    }

    /// Unpacks one step. What comes of it before an error is good.
    ///
    /// Fails when it is no gzip, or when so much came of all steps that no text does it.
    fn take(&mut self, step: &[u8]) -> (Vec<u8>, io::Result<()>) {
        // What is unpacked must not wait for more to come.
        let mut done = self.decoder.write_all(step).and_then(|()| self.decoder.flush());
        if done.is_err() {
            let _ = self.decoder.flush();
        }
        let bytes = std::mem::take(self.decoder.get_mut());
        self.read += step.len() as u64;
        self.written += bytes.len() as u64;
        if done.is_ok() && self.written > FREE + RATIO * self.read {
            done = Err(io::Error::other("the response unpacks to more than any text would"));
        }
        (bytes, done)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};

    use super::{Inflate, STEP, beginning, is_packed};

    #[test]
    fn codings_are_known_in_any_case_and_beside_none() {
        let packed = |values: &[&str]| {
            let value = |text: &&str| HeaderValue::from_bytes(text.as_bytes()).expect("a value");
            let mut headers = HeaderMap::new();
            for text in values {
                headers.append(CONTENT_ENCODING, value(text));
            }
            is_packed(&headers)
        };
        for none in [&[][..], &[""], &["Identity"], &["identity, ", " "]] {
            assert_eq!(packed(none), Ok(false), "{none:?}");
        }
        for gzip in [&["gzip"][..], &["GZIP"], &["X-gzip"], &["gzip, identity"], &["identity", "gzip"]] {
            assert_eq!(packed(gzip), Ok(true), "{gzip:?}");
        }
        for (other, named) in [
            (&["BR"][..], "br"),
            (&["gzip", "gzip"], "gzip, gzip"),
            (&["deflate, gzip"], "deflate, gzip"),
            (&["ü"], "\\xc3\\xbc"),
        ] {
            assert_eq!(packed(other), Err(named.to_owned()), "{other:?}");
        }
    }

    #[test]
    fn a_beginning_is_short_whatever_it_is_of() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&[b' '; 1 << 20]).expect("packed");
        let packed = packer.finish().expect("packed");
        assert!((1..=100 << 10).contains(&beginning(&packed).len()));
        assert!(!beginning(&packed[..30]).is_empty() || packed.len() < 30);
        assert_eq!((beginning(b""), beginning(b"{\"errors\":[]}")), (vec![], vec![]));
    }

    /// Unpacks all of some bytes, step by step.
    fn take(inflate: &mut Inflate, packed: &[u8], mut give: impl FnMut(&[u8])) -> io::Result<()> {
        packed.chunks(STEP).try_for_each(|step| {
            let (bytes, done) = inflate.take(step);
            give(&bytes);
            done
        })
    }

    #[test]
    fn every_flushed_line_comes_out_at_once_wherever_the_bytes_are_parted() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        let mut lines = Vec::new();
        let mut ends = Vec::new();
        for n in 0..20 {
            let line = format!("{{\"text\":\"post {n} {}\"}}\r\n", "snow ".repeat(n));
            lines.extend_from_slice(line.as_bytes());
            packer.write_all(line.as_bytes()).expect("packed");
            packer.flush().expect("packed");
            ends.push((packer.get_ref().len(), lines.len()));
        }
        let packed = packer.get_ref().clone();
        for piece in [1, 2, 3, 7, 100, packed.len()] {
            let (mut inflate, mut out, mut read) = (Inflate::new(), Vec::new(), 0);
            for bytes in packed.chunks(piece) {
                take(&mut inflate, bytes, |unpacked| out.extend_from_slice(unpacked)).expect("unpacks");
                read += bytes.len();
                let due = ends.iter().filter(|(at, _)| *at <= read).map(|(_, size)| *size).max().unwrap_or(0);
                assert!(out.len() >= due, "{} of {due} after {read} bytes in pieces of {piece}", out.len());
            }
            assert_eq!(out, lines);
        }
    }

    #[test]
    fn a_bomb_is_left_before_it_fills_the_memory() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        (0..64).for_each(|_| packer.write_all(&[b' '; 1 << 20]).expect("packed"));
        let packed = packer.finish().expect("packed");
        let (mut inflate, mut most, mut all) = (Inflate::new(), 0, 0);
        let error = take(&mut inflate, &packed, |unpacked| {
            most = most.max(unpacked.len());
            all += unpacked.len();
        });
        assert!(error.expect_err("a bomb").to_string().contains("unpacks to more"));
        assert!(most <= 80 << 10 && all <= 2 << 20, "{most} at once, {all} in all");
    }

    #[test]
    fn garbage_fails() {
        assert!(take(&mut Inflate::new(), b"{\"text\":\"plain\"}\r\n", |_| {}).is_err());
    }
}
