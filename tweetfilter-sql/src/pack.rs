//! Deliveries of an account, packed: `[[post,verdict,[filter,…]],…]`.

use std::fmt::Write as _;

use tweetfilter_stream::store::Verdict;

/// Commits of which one row of `delivery_span` tells.
pub(crate) const SPAN: i64 = 256;

/// A delivery: post, verdict, and the filters that matched.
pub(crate) type Item = (i64, u8, Vec<i64>);

/// Writes a pack.
#[derive(Debug, Default)]
pub(crate) struct Writer(String);

impl Writer {
    pub(crate) fn add(&mut self, post: i64, verdict: Verdict, filters: &[i64]) {
        let sign = if self.0.is_empty() { '[' } else { ',' };
        // Writing to a string can't fail.
        let _ = write!(self.0, "{sign}[{post},{},{}]", bits(verdict), accounts(filters));
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push(']');
        self.0
    }
}

/// Numbers as a JSON array.
pub(crate) fn accounts(numbers: &[i64]) -> String {
    let mut text = String::from("[");
    for (index, number) in numbers.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{number}");
    }
    text.push(']');
    text
}

pub(crate) fn bits(verdict: Verdict) -> u8 {
    u8::from(verdict.hidden) | u8::from(verdict.highlighted) << 1 | u8::from(verdict.notify) << 2
}

pub(crate) fn verdict(bits: u8) -> Verdict {
    Verdict { hidden: bits & 1 != 0, highlighted: bits & 2 != 0, notify: bits & 4 != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read() {
        let mut writer = Writer::default();
        let shown = Verdict { highlighted: true, notify: true, hidden: false };
        writer.add(7, Verdict::default(), &[]);
        writer.add(9, shown, &[3, 4]);
        let items: Vec<Item> = serde_json::from_str(&writer.finish()).unwrap();
        assert_eq!(items, [(7, 0, vec![]), (9, 6, vec![3, 4])]);
        assert_eq!(verdict(items[1].1), shown);
    }
}
