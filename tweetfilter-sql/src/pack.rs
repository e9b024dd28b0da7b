//! Deliveries of an account, packed: `[[post,verdict,[filter,…]],…]`.

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
        if self.0.is_empty() {
            self.0.reserve(128);
        }
        self.0.push_str(if self.0.is_empty() { "[[" } else { ",[" });
        number(&mut self.0, post);
        self.0.push(',');
        number(&mut self.0, i64::from(bits(verdict)));
        self.0.push(',');
        numbers(&mut self.0, filters);
        self.0.push(']');
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push(']');
        self.0
    }
}

/// Numbers as a JSON array.
pub(crate) fn accounts(accounts: &[i64]) -> String {
    let mut text = String::with_capacity(2 + accounts.len() * 5);
    numbers(&mut text, accounts);
    text
}

fn numbers(text: &mut String, numbers: &[i64]) {
    text.push('[');
    for (index, &one) in numbers.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        number(text, one);
    }
    text.push(']');
}

fn number(text: &mut String, number: i64) {
    text.push_str(itoa::Buffer::new().format(number));
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
