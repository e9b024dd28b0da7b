//! `explain`: which parts of an expression matched where, or what a post lacks.

use std::fs::File;
use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};
use tweetfilter_core::explain::{Explanation, Field, Part};
use tweetfilter_core::{Dialect, Post};
use tweetfilter_http::names::PARTS;
use tweetfilter_stream::Event;
use tweetfilter_stream::files::{Block, Line, Options, Reader};

use super::filters::{self, Compiled};
use super::terminal::{Color, Style, fit, grouped, input_comes, one_line};
use super::{Failure, highlight, tree, why_not};

/// Says of each post which parts of an expression matched where, or what the post lacks.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The expression
    #[arg(long = "expr", value_name = "E", allow_hyphen_values = true)]
    expression: String,

    /// A named set of terms, one a line, for {NAME} in the expression; may be given again
    #[arg(long = "set", value_name = "NAME=FILE", value_parser = filters::named_file)]
    sets: Vec<(String, String)>,

    /// The dialect of the expression
    #[arg(long, value_name = "native|x", value_parser = filters::dialect)]
    dialect: Option<Dialect>,

    /// One JSON object for each post
    #[arg(long)]
    json: bool,

    /// Show the expression as it was understood
    #[arg(long)]
    ast: bool,

    /// Show how the expression is run
    #[arg(long)]
    plan: bool,

    /// Every line of the input is the text of a post
    #[arg(long)]
    text: bool,

    /// A file of posts; `-` is standard input, which is also read when none is named and posts come on it
    #[arg(value_name = "FILE")]
    input: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  tweetfilter explain --expr 'snow -rain' posts.ndjson
  echo 'Snow in Oslo' | tweetfilter explain --text --expr 'snow oslo -rain'
  tweetfilter explain --expr 'a b OR c' --ast --plan

Exit: 0 done; 1 the expression is invalid; 2 wrong usage or unreadable input.";

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let expressions = std::slice::from_ref(&arguments.expression);
    let loaded = filters::load_files(&[], expressions, arguments.dialect, &arguments.sets)?;
    let compiled = loaded.compile()?;
    filters::report(&compiled.refused);
    if !compiled.refused.is_empty() {
        return Err(Failure::Filters);
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let stages = stages(arguments, &compiled);
    out.write_all(stages.as_bytes()).map_err(|e| Failure::writing(&e))?;
    // Before anything is waited for.
    out.flush().map_err(|e| Failure::writing(&e))?;
    if let Some(input) = input(arguments, !stages.is_empty())? {
        posts(arguments, &compiled, input, &mut out)?;
    }
    out.flush().map_err(|e| Failure::writing(&e))
}

/// Where posts are read from, if they are: to show the expression takes none.
fn input(arguments: &Arguments, has_stages: bool) -> Result<Option<&str>, Failure> {
    match arguments.input.as_deref() {
        Some(input) => Ok(Some(input)),
        None if !std::io::stdin().is_terminal() => {
            if !has_stages || input_comes() {
                return Ok(Some("-"));
            }
            told!(
                "tweetfilter: no posts came on standard input so far, and none are read; `-` waits for them"
            );
            Ok(None)
        }
        None if has_stages => Ok(None),
        None => Err(Failure::Input(
            "no input: name a file of posts, pipe posts into the command, or ask for --ast or --plan"
                .to_owned(),
        )),
    }
}

fn stages(arguments: &Arguments, compiled: &Compiled) -> String {
    let mut shown = String::new();
    let expression = &compiled.entries[0].expression;
    if arguments.ast && arguments.json {
        shown.push_str(&format!("{}\n", json!({"ast": tree::json(expression)})));
    } else if arguments.ast {
        shown.push_str(&tree::text(expression));
    }
    if arguments.plan && arguments.json {
        shown.push_str(&format!("{}\n", json!({"plan": compiled.set.plan(0)})));
    } else if arguments.plan {
        shown.push_str(&tree::plan(&compiled.set, expression));
    }
    shown
}

fn posts(
    arguments: &Arguments,
    compiled: &Compiled,
    name: &str,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut reader = reader(name, arguments.text).map_err(|error| Failure::reading(name, &error))?;
    let name = if name == "-" { "standard input" } else { name };
    let mut block = Block::default();
    let mut damaged = Vec::new();
    loop {
        match reader.read(&mut block) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                damaged.push(format!("{name}: {}", why_not(&error)));
                break;
            }
        }
        if let (Some(member), Some((error, line))) = (block.member(), block.damage()) {
            damaged.push(format!("{name}:{member}:{line}: {}", why_not(error)));
        }
        for line in block.lines() {
            for post in read(&line, arguments.text) {
                let shown = explained(arguments, compiled, &post, line.number);
                out.write_all(shown.as_bytes()).map_err(|e| Failure::writing(&e))?;
            }
        }
        // Whoever watches a pipe sees each post as it comes.
        out.flush().map_err(|e| Failure::writing(&e))?;
    }
    if damaged.is_empty() { Ok(()) } else { Err(Failure::Input(damaged.join("\ntweetfilter: "))) }
}

fn reader(name: &str, text: bool) -> io::Result<Reader> {
    let options = |live| Options { live, text, ..Options::default() };
    if name == "-" {
        return Reader::with_options(std::io::stdin(), options(true));
    }
    let file = File::open(name)?;
    let facts = file.metadata()?;
    if facts.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Reader::with_options(file, options(!facts.is_file()))
}

/// The posts of a line; what is none is passed over, with a word on stderr where it can't be read.
fn read(line: &Line<'_>, text: bool) -> Vec<Post> {
    let skipped = |reason: &dyn std::fmt::Display| {
        told!("tweetfilter: line {} skipped, {reason}", line.number);
        Vec::new()
    };
    if text {
        return match line.text() {
            _ if line.too_long => skipped(&"too long"),
            Ok(text) => vec![Post::from_text(text)],
            Err(_) => skipped(&"not UTF-8"),
        };
    }
    match line.decode() {
        Ok(Event::Post(post)) => vec![*post],
        Ok(event) => event.into_posts().map(|(_, post)| post).collect(),
        // It is told as what breaks off, once.
        Err(_) if line.cut_off => Vec::new(),
        Err(error) => skipped(&error.reason),
    }
}

fn explained(arguments: &Arguments, compiled: &Compiled, post: &Post, line: u64) -> String {
    let Some(mut found) = compiled.set.explain(0, post) else { return String::new() };
    let id = if post.id.is_empty() { line.to_string() } else { post.id.clone() };
    if arguments.json {
        let more = found.shorten(PARTS);
        let mut object = json!({"post": id, "line": line, "explanation": found});
        object["explanation"]["more_parts"] = more.into();
        object["expression"] = Value::from(arguments.expression.as_str());
        return format!("{object}\n");
    }
    for_people(found, &id, post, &arguments.expression)
}

/// Parts that a person reads of a post.
const READ: usize = 20;
/// Columns of one of them: an operator may have thousands of values.
const WIDTH: usize = 200;

fn for_people(mut found: Explanation, id: &str, post: &Post, expression: &str) -> String {
    let style = Style::stdout();
    let text = &post.content().text;
    let marked = highlight::marked(text, &highlight::spans(&found, text), usize::MAX, style);
    let more = found.shorten(READ);
    let verdict = if found.matched { "match" } else { "no match" };
    let mut shown = format!("{}  {verdict}\n    {marked}\n", style.paint(Color::Name, &one_line(id)));
    if !found.matched {
        let heading = match (found.parts.len(), found.each_suffices) {
            (0, _) => "nothing it could say would make it match",
            (1, true) => "it would match but for",
            (_, true) => "it would match but for any one of",
            (_, false) => "no single part would be enough; it lacks",
        };
        shown.push_str(&format!("    {heading}\n"));
    }
    for part in &found.parts {
        shown.push_str(&part_line(part, found.matched, expression, style));
    }
    if more > 0 {
        shown.push_str(&format!("      and {} more\n", grouped(more as u64)));
    }
    shown.push('\n');
    shown
}

fn part_line(part: &Part, matched: bool, expression: &str, style: Style) -> String {
    let written = expression.get(part.expression.range()).unwrap_or_default();
    let sign = if part.negated { "-" } else { "" };
    let written = style.paint(Color::Strong, &fit(&one_line(&format!("{sign}{written}")), WIDTH));
    if part.places.is_empty() {
        let why = match (matched, part.unknown) {
            (true, _) => "  holds",
            (false, true) => "  unknown: the post does not say",
            (false, false) => "  does not hold",
        };
        return format!("      {written}{}\n", style.paint(Color::Dim, why));
    }
    let mut lines = String::new();
    for place in &part.places {
        let scopes: String = place.scopes.iter().map(|scope| format!("{scope} ")).collect();
        let span = place.span.map(|span| format!(" {}..{}", span.start, span.end)).unwrap_or_default();
        let field = format!("{scopes}{}{span}", field(&place.field));
        let found = style.paint(Color::Hit, &one_line(&place.text));
        lines.push_str(&format!("      {written}  {} {found}\n", style.paint(Color::Dim, &field)));
    }
    lines
}

/// A field in words: `text`, `link 2`.
fn field(field: &Field) -> String {
    match serde_json::to_value(field) {
        Ok(Value::String(name)) => name.replace('_', " "),
        Ok(Value::Object(object)) => object
            .iter()
            .map(|(name, number)| format!("{} {}", name.replace('_', " "), number.as_u64().unwrap_or(0) + 1))
            .collect(),
        _ => String::new(),
    }
}
