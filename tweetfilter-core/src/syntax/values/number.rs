//! Numbers, comparisons and percentages.

use std::fmt;

use crate::syntax::Comparison;

/// Why a text is not a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::syntax) enum Wrong {
    /// No number where one must stand.
    Number,
    /// `a..b` with a > b.
    Reversed,
    /// A count beyond [`MOST`].
    Large,
}

/// The highest count that can be named: above it not every whole number could be told from its neighbors.
pub(in crate::syntax) const MOST: f64 = 9_007_199_254_740_992.0;

/// Which numbers are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::syntax) enum Amount {
    /// Whole numbers from 0; decimals only before `k` or `m`.
    Count,
    /// Per cent: decimals, from 0.
    Share,
    /// Any, with sign.
    Any,
}

/// `N =N >N >=N <N <=N a..b a.. ..b`; a bare N is equality.
pub(in crate::syntax) fn comparison(text: &str, domain: Amount) -> Result<Comparison, Wrong> {
    compare(text, |part| number(part, domain))
}

/// A comparison of values of any unit.
pub(super) fn compare(
    text: &str,
    mut read: impl FnMut(&str) -> Result<f64, Wrong>,
) -> Result<Comparison, Wrong> {
    type Make = fn(f64) -> Comparison;
    const SIGNS: [(&str, Make); 5] = [
        (">=", Comparison::Ge),
        ("<=", Comparison::Le),
        (">", Comparison::Gt),
        ("<", Comparison::Lt),
        ("=", Comparison::Eq),
    ];
    for (sign, make) in SIGNS {
        if let Some(rest) = text.strip_prefix(sign) {
            return read(rest).map(make);
        }
    }
    match text.split_once("..") {
        None => read(text).map(Comparison::Eq),
        Some(("", "")) => Err(Wrong::Number),
        Some((low, "")) => read(low).map(Comparison::Ge),
        Some(("", high)) => read(high).map(Comparison::Le),
        Some((low, high)) => match (read(low)?, read(high)?) {
            (low, high) if low <= high => Ok(Comparison::Between(low, high)),
            _ => Err(Wrong::Reversed),
        },
    }
}

/// A number alone, as `min_faves:` takes it.
pub(in crate::syntax) fn bare(text: &str) -> Result<f64, Wrong> {
    number(text, Amount::Count)
}

fn number(text: &str, domain: Amount) -> Result<f64, Wrong> {
    let (text, zeros) = match text.as_bytes().last().ok_or(Wrong::Number)? {
        b'k' | b'K' => (&text[..text.len() - 1], 3),
        b'm' | b'M' => (&text[..text.len() - 1], 6),
        _ => (text, 0),
    };
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) if domain == Amount::Any => (-1.0, rest),
        _ => (1.0, text),
    };
    let value = decimal(digits).ok_or(Wrong::Number)?;
    match domain {
        Amount::Count => count(digits, zeros),
        Amount::Share | Amount::Any => Ok(sign * value * 10_f64.powi(zeros)),
    }
}

/// A whole number with so many zeros behind it, of which decimals take the places. It is exact, as counts are: in
/// binary neither 1.005 × 1000 is, nor what lies above [`MOST`].
fn count(digits: &str, zeros: i32) -> Result<f64, Wrong> {
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let (room, part) = (zeros as usize, part.trim_end_matches('0'));
    if part.len() > room || (room == 0 && digits.contains('.')) {
        return Err(Wrong::Number);
    }
    let all: u128 = format!("{whole}{part:0<room$}").parse().map_err(|_| Wrong::Large)?;
    Some(all as f64).filter(|_| all <= MOST as u128).ok_or(Wrong::Large)
}

/// Digits with at most one point inside.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

/// Per cent in hundredths, 1 to 10,000; finer parts round up, since of 10,000 shares as many are below.
pub(in crate::syntax) fn sample(text: &str) -> Option<u16> {
    decimal(text)?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let (two, finer) = part.split_at(part.len().min(2));
    let above = u64::from(finer.bytes().any(|b| b != b'0'));
    let hundredths =
        whole.parse::<u64>().ok()?.checked_mul(100)? + format!("{two:0<2}").parse::<u64>().ok()? + above;
    u16::try_from(hundredths).ok().filter(|share| (1..=10_000).contains(share))
}

/// With an explicit sign.
pub(in crate::syntax) fn print_comparison(f: &mut impl fmt::Write, c: Comparison) -> fmt::Result {
    match c {
        Comparison::Eq(n) => write!(f, "={n}"),
        Comparison::Gt(n) => write!(f, ">{n}"),
        Comparison::Ge(n) => write!(f, ">={n}"),
        Comparison::Lt(n) => write!(f, "<{n}"),
        Comparison::Le(n) => write!(f, "<={n}"),
        Comparison::Between(a, b) => write!(f, "{a}..{b}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_counted_in_hundredths() {
        for (text, share) in [
            ("0.01", Some(1)),
            ("0.001", Some(1)),
            ("12.34", Some(1_234)),
            ("12.345", Some(1_235)),
            ("12.34000", Some(1_234)),
            ("7.1", Some(710)),
            ("100", Some(10_000)),
            ("100.001", None),
            ("0.00", None),
            ("99999999999999999999", None),
            (".5", None),
        ] {
            assert_eq!(sample(text), share, "{text}");
        }
    }

    #[test]
    fn counts_are_exact() {
        assert_eq!(comparison("9007199254740992", Amount::Count), Ok(Comparison::Eq(MOST)));
        assert_eq!(comparison(">9007199254740993", Amount::Count), Err(Wrong::Large));
        assert_eq!(comparison("9007199254740.993k", Amount::Count), Err(Wrong::Large));
        assert_eq!(comparison("9007199254.740992m", Amount::Count), Ok(Comparison::Eq(MOST)));
        assert_eq!(comparison("1.005k", Amount::Count), Ok(Comparison::Eq(1005.0)));
        assert_eq!(comparison("1.5000k..2m", Amount::Count), Ok(Comparison::Between(1500.0, 2_000_000.0)));
        for text in ["1.0005k", "1.5", "1.0", "1.k"] {
            assert_eq!(comparison(text, Amount::Count), Err(Wrong::Number), "{text}");
        }
        assert_eq!(comparison("1..99999999999999999999", Amount::Count), Err(Wrong::Large));
        assert_eq!(comparison("..10000000000m", Amount::Count), Err(Wrong::Large));
    }
}
