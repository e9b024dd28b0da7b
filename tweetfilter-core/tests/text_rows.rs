//! Rows of text, written by hand from the contract: `testdata/text/*.tsv`, each with its own legend.

use tweetfilter_core::text::{
    Needle, Origin, Searchable, TokenKind, Tokens, exact, fold_for_search, obfuscated, pattern,
    stretched_equal, tokenize,
};

/// The rows of a file, with their line numbers.
fn rows(file: &str) -> impl Iterator<Item = (usize, Vec<String>)> {
    let lines = file.lines().enumerate().filter(|(_, line)| !line.starts_with("# ") && !line.is_empty());
    lines.map(|(i, line)| (i + 1, line.split('\t').map(unescape).collect()))
}

/// `\n`, `\r`, `\t` and `\u{…}`.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (c, rest) = match part.strip_prefix("u{").and_then(|p| p.split_once('}')) {
            Some((hex, rest)) => (u32::from_str_radix(hex, 16).ok().and_then(char::from_u32), rest),
            None => (Some(part).and_then(|p| p.chars().next()), &part[1..]),
        };
        out.push(match c.expect("an escape") {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            c => c,
        });
        out.push_str(rest);
    }
    out
}

#[derive(Debug, Default, PartialEq)]
struct Marked {
    text: String,
    /// Start, end, opening mark; by their starts.
    spans: Vec<(usize, usize, char)>,
}

fn marked(text: &str) -> Marked {
    let mut out = Marked::default();
    let mut open = Vec::new();
    for c in text.chars() {
        match c {
            '⟦' | '⟪' | '⦃' => {
                open.push(out.spans.len());
                out.spans.push((out.text.len(), 0, c));
            }
            '⟧' | '⟫' | '⦄' => {
                let i = open.pop().expect("an open mark");
                out.spans[i].1 = out.text.len();
            }
            c => out.text.push(c),
        }
    }
    assert!(open.is_empty(), "{text}: a mark is not closed");
    out
}

fn tokens(text: &str) -> Tokens {
    let mut tokens = Tokens::default();
    tokenize(text, Origin::Post(&[]), &mut tokens);
    tokens
}

fn mark_of(kind: TokenKind) -> char {
    match kind {
        TokenKind::Word => '⟦',
        TokenKind::Character => '⟪',
        TokenKind::Emoji => '⦃',
    }
}

#[test]
fn tokens_are_as_written() {
    let mut failures = Vec::new();
    let mut count = 0;
    for (line, row) in rows(include_str!("../testdata/text/tokens.tsv")) {
        count += 1;
        let Marked { text, spans } = marked(&row[0]);
        let column = |i: usize| row.get(i).map_or("", String::as_str);
        // One list for each token's span, in which a span may stand for several.
        let asked: Vec<(usize, usize, char, &str)> = column(1)
            .split(' ')
            .filter(|t| !t.is_empty())
            .zip(&spans)
            .flat_map(|(texts, &(start, end, mark))| texts.split('+').map(move |t| (start, end, mark, t)))
            .collect();
        assert_eq!(
            column(1).split(' ').filter(|t| !t.is_empty()).count(),
            spans.len(),
            "line {line}: columns"
        );
        let found = tokens(&text);
        let shown: Vec<(usize, usize, char, &str)> = found
            .iter()
            .map(|t| (t.span.range().start, t.span.range().end, mark_of(t.kind), t.folded))
            .collect();
        if shown != asked {
            failures.push(format!("line {line}: {shown:?}, not {asked:?}"));
            continue;
        }
        let folded: Vec<String> = found.iter().map(|t| t.folded.to_owned()).collect();
        let plain: Vec<String> = found.iter().map(|t| t.plain.to_owned()).collect();
        let typed: Vec<String> = found.iter().map(|t| text[t.span.range()].to_owned()).collect();
        let exact: Vec<String> = found.iter().map(|t| exact(&text[t.span.range()], t)).collect();
        let obfuscated: Vec<String> = found.iter().map(obfuscated).collect();
        let lookalike: Vec<String> = plain.iter().map(|t| t.replace('l', "i")).collect();
        for (i, name, found, default) in [
            (2, "plain", &plain, &folded),
            (3, "exact", &exact, &typed),
            (4, "obfuscated", &obfuscated, &lookalike),
        ] {
            let asked: Vec<String> = match column(i) {
                "" => default.clone(),
                "!" => continue,
                texts => texts.split([' ', '+']).map(str::to_owned).collect(),
            };
            if *found != asked {
                failures.push(format!("line {line}: {name} {found:?}, not {asked:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count >= 200, "only {count} rows");
}

#[test]
fn substrings_are_found_as_written() {
    let mut failures = Vec::new();
    for (line, row) in rows(include_str!("../testdata/text/substrings.tsv")) {
        let Marked { text, spans } = marked(&row[0]);
        let mut folded = Searchable::default();
        fold_for_search(&text, Origin::Post(&[]), &mut folded);
        let hit = folded.find(&Needle::new(&row[1])).map(|s| (s.range().start, s.range().end));
        let asked = spans.first().map(|&(start, end, _)| (start, end));
        if hit != asked {
            failures.push(format!("line {line}: {hit:?}, not {asked:?} in {text:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Where `filter` first matches, `Err` if its wildcards can't.
fn first_match(filter: &str, text: &str) -> Result<Option<(usize, usize)>, String> {
    let (form, word) = match filter.as_bytes()[0] {
        b'=' | b'~' => filter.split_at(1),
        _ => ("", filter),
    };
    let pattern = pattern(word, form != "~").map_err(|e| format!("{e:?}"))?;
    let (asked, found) = (tokens(word), tokens(text));
    let holds = |i: usize, at: usize| {
        let Some(token) = found.get(at) else { return false };
        match form {
            "=" => pattern.terms[i].matches_exact(token.kind, &exact(&text[token.span.range()], token)),
            "~" => asked.get(i).is_some_and(|t| stretched_equal(&obfuscated(t), &obfuscated(token))),
            _ => pattern.terms[i].matches(token),
        }
    };
    let len = pattern.terms.len();
    let start = (0..found.len()).find(|&start| (0..len).all(|i| holds(i, start + i)));
    Ok(start.and_then(|start| {
        let span = found.get(start)?.span.to(found.get(start + len - 1)?.span);
        Some((span.range().start, span.range().end))
    }))
}

#[test]
fn words_and_phrases_match_as_written() {
    let mut failures = Vec::new();
    for (line, row) in rows(include_str!("../testdata/text/matches.tsv")) {
        let Marked { text, spans } = marked(&row[1]);
        let asked = spans.first().map(|&(start, end, _)| (start, end));
        match (first_match(&row[0], &text), text.strip_prefix('!')) {
            (Err(error), Some(code)) if error.starts_with(code) => {}
            (Ok(found), None) if found == asked => {}
            (found, _) => failures.push(format!("line {line}: {found:?}, not {asked:?} in {text:?}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
