//! What was probably meant.

use super::chars::{is_quote, syntax};

/// The candidate nearest to what was typed: distance at most 2 and at most half of what was typed, of which
/// there must be at least four letters. A swap of neighbors is one step.
pub(super) fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = typed.to_lowercase().chars().collect();
    if typed.len() < 4 || typed.len() > 40 {
        return None;
    }
    let most = 2.min(typed.len() / 2);
    let near = candidates.map(|c| (distance(&typed, c), c)).filter(|(d, _)| *d <= most);
    near.min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// Insertions, deletions, replacements and swaps of neighbors that lead from one word to the other.
fn distance(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut d = (last[j - 1] + same).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                d = d.min(before[j - 2] + 1);
            }
            row.push(d);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// `name:` before every value of a simple group `(a OR "b c")` or `(a b)`.
pub(super) fn distribute(name: &str, group: &str) -> Option<String> {
    let inner = group.strip_suffix(|c| syntax(c) == ')')?;
    let mut rest = inner.strip_prefix(|c| syntax(c) == '(')?.trim_start();
    let (mut values, mut ors) = (Vec::new(), 0);
    while !rest.is_empty() {
        let end = if rest.starts_with(is_quote) {
            let quote = rest.chars().next().map_or(1, char::len_utf8);
            let close = rest[quote..].find(is_quote)? + quote;
            close + rest[close..].chars().next().map_or(1, char::len_utf8)
        } else {
            rest.find(char::is_whitespace).unwrap_or(rest.len())
        };
        let (value, after) = rest.split_at(end);
        match value {
            "OR" => ors += 1,
            "AND" | "NOT" => return None,
            _ if value.starts_with('-')
                || (!value.starts_with(is_quote) && value.contains([':', '(', ')', ','])) =>
            {
                return None;
            }
            _ => values.push(value),
        }
        rest = after.trim_start();
    }
    if values.is_empty() {
        return None;
    }
    if ors + 1 == values.len() {
        return Some(format!("{name}:{}", values.join(",")));
    }
    let each: Vec<String> = values.iter().map(|v| format!("{name}:{v}")).collect();
    (ors == 0).then(|| format!("({})", each.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_wants_four_letters_and_two_steps() {
        let names = || ["from", "followers", "lang", "is"].into_iter();
        assert_eq!(nearest("form", names()), Some("from"));
        assert_eq!(nearest("folowers", names()), Some("followers"));
        assert_eq!(nearest("re", names()), None);
        assert_eq!(nearest("zzzz", names()), None);
        assert_eq!(nearest("LNAG", names()), Some("lang"));
    }

    #[test]
    fn groups_are_distributed_when_they_are_simple() {
        assert_eq!(distribute("from", "(a OR b)").as_deref(), Some("from:a,b"));
        assert_eq!(distribute("bio", "(\"a b\" c)").as_deref(), Some("(bio:\"a b\" bio:c)"));
        assert_eq!(distribute("bio", "(a OR b c)"), None);
        assert_eq!(distribute("bio", "()"), None);
    }
}
