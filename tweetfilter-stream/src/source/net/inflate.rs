//! Taking gzip off a stream, with a cap on how much may come of it.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

/// Bytes that are unpacked at once. No more than a thousand times as many come of them.
const STEP: usize = 512;

/// What may come of a stream beyond all proportion, before it is looked at.
const FREE: u64 = 1 << 20;

/// Bytes that may come of each.
const RATIO: u64 = 200;

/// Unpacks what arrives.
#[derive(Debug)]
pub(super) struct Inflate {
    decoder: MultiGzDecoder<Vec<u8>>,
    read: u64,
    written: u64,
}

impl Inflate {
    pub(super) fn new() -> Self {
        Self { decoder: MultiGzDecoder::new(Vec::new()), read: 0, written: 0 }
    }

    /// Unpacks bytes and passes on what comes of them, a little at a time.
    ///
    /// Fails when they are no gzip, or when so much comes of them that no text does it.
    pub(super) fn take(&mut self, bytes: &[u8], mut give: impl FnMut(&[u8])) -> io::Result<()> {
        for step in bytes.chunks(STEP) {
            // What is unpacked must not wait for more to come.
            let unpacking = self.decoder.write_all(step).and_then(|()| self.decoder.flush());
            if unpacking.is_err() {
                // What came before the error is good.
                let _ = self.decoder.flush();
            }
            let unpacked = self.decoder.get_mut();
            self.read += step.len() as u64;
            self.written += unpacked.len() as u64;
            give(unpacked);
            unpacked.clear();
            unpacking?;
            if self.written > FREE + RATIO * self.read {
                return Err(io::Error::other("the response unpacks to more than any text would"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::Inflate;

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
                inflate.take(bytes, |unpacked| out.extend_from_slice(unpacked)).expect("unpacks");
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
        let error = inflate.take(&packed, |unpacked| {
            most = most.max(unpacked.len());
            all += unpacked.len();
        });
        assert!(error.expect_err("a bomb").to_string().contains("unpacks to more"));
        assert!(most <= 1 << 20 && all <= 2 << 20, "{most} at once, {all} in all");
    }

    #[test]
    fn garbage_fails() {
        assert!(Inflate::new().take(b"{\"text\":\"plain\"}\r\n", |_| {}).is_err());
    }
}
