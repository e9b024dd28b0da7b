//! What a reader of files gives.

use std::io::Read;

use tweetfilter_stream::files::{Block, Options, Reader};

/// All blocks of a file, each looked at; then how it ends.
pub fn each_block(
    input: impl Read + Send + 'static,
    options: Options,
    mut look: impl FnMut(&Block),
) -> Option<String> {
    let mut reader = Reader::with_options(input, options).expect("opens");
    let mut block = Block::default();
    loop {
        match reader.read(&mut block) {
            Ok(true) => look(&block),
            Ok(false) => return None,
            Err(error) => return Some(error.to_string()),
        }
    }
}
