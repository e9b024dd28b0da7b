//! Prints the lines of standard input that any filter of a file finds, with the numbers of those filters.
//!
//! ```sh
//! printf 'snow -rain\n#oslo\n' > filters.txt
//! printf 'Snow at last\nrain\nSnow in #Oslo\n' | cargo run -p tweetfilter-core --example filter_lines filters.txt
//! ```

use std::io::{BufRead, Write};
use std::process::ExitCode;

use tweetfilter_core::{AddError, FilterId, FilterSet, FilterSetBuilder, Post, Scratch};

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: filter_lines FILTERS < LINES   (FILTERS: a file with one expression a line)");
        return ExitCode::from(2);
    };
    let result = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}")).and_then(|text| {
        let filters = compile(&path, &text)?;
        print_matches(&filters).map_err(|e| format!("reading or writing lines: {e}"))
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// One filter a line; its id is the number of its line. All errors of all lines are told at once.
fn compile(path: &str, text: &str) -> Result<FilterSet, String> {
    let mut builder = FilterSetBuilder::new();
    let mut errors = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let Err(error) = builder.add(FilterId(number), line) else { continue };
        match error {
            AddError::Parse(refused) => {
                let found = refused.diagnostics().iter().map(|d| {
                    let help: String = d.fixes.iter().map(|fix| format!("; {}", fix.label)).collect();
                    format!("{path}:{number}:{}: {} [{}]{help}", d.span.start + 1, d.message, d.code)
                });
                errors.extend(found);
            }
            other => errors.push(format!("{path}:{number}: {other}")),
        }
    }
    if errors.is_empty() { Ok(builder.build()) } else { Err(errors.join("\n")) }
}

fn print_matches(filters: &FilterSet) -> std::io::Result<()> {
    let mut scratch = Scratch::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let post = Post::from_text(line?);
        let found = filters.matches_with(&mut scratch, &post);
        if !found.is_empty() {
            let ids: Vec<String> = found.iter().map(|m| m.id.0.to_string()).collect();
            writeln!(out, "{}\t{}", ids.join(","), post.text)?;
        }
    }
    Ok(())
}
