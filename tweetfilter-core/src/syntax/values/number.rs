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
}

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
pub(super) fn compare(text: &str, mut read: impl FnMut(&str) -> Option<f64>) -> Result<Comparison, Wrong> {
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
            return read(rest).map(make).ok_or(Wrong::Number);
        }
    }
    match text.split_once("..") {
        None => read(text).map(Comparison::Eq).ok_or(Wrong::Number),
        Some(("", "")) => Err(Wrong::Number),
        Some((low, "")) => read(low).map(Comparison::Ge).ok_or(Wrong::Number),
        Some(("", high)) => read(high).map(Comparison::Le).ok_or(Wrong::Number),
        Some((low, high)) => match (read(low), read(high)) {
            (Some(low), Some(high)) if low <= high => Ok(Comparison::Between(low, high)),
            (Some(_), Some(_)) => Err(Wrong::Reversed),
            _ => Err(Wrong::Number),
        },
    }
}

/// A number alone, as `min_faves:` takes it.
pub(in crate::syntax) fn bare(text: &str) -> Option<f64> {
    number(text, Amount::Count)
}

fn number(text: &str, domain: Amount) -> Option<f64> {
    let (text, factor) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1_000.0),
        b'm' | b'M' => (&text[..text.len() - 1], 1_000_000.0),
        _ => (text, 1.0),
    };
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) if domain == Amount::Any => (-1.0, rest),
        _ => (1.0, text),
    };
    let value = decimal(digits)?;
    let decimals = digits.contains('.');
    if domain == Amount::Count && decimals && (factor == 1.0 || (value * factor).fract() != 0.0) {
        return None;
    }
    // A product such as 1.1 × 1000 is not exact in binary; counts are.
    let value = value * factor;
    Some(sign * if domain == Amount::Count { value.round() } else { value })
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

/// Per cent in hundredths: 1 to 10,000.
pub(in crate::syntax) fn sample(text: &str) -> Option<u16> {
    let hundredths = decimal(text)? * 100.0;
    let rounded = hundredths.round();
    let exact = (hundredths - rounded).abs() < 1e-6;
    // In range, so the cast keeps the value.
    (exact && (1.0..=10_000.0).contains(&rounded)).then_some(rounded as u16)
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
