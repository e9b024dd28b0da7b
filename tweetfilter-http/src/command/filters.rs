//! The filters that the command line names: read, parsed, their ids checked, compiled.

mod ids;
mod refused;
mod sets;

use std::collections::HashMap;
use std::io::Read;

use clap::ArgMatches;
use tweetfilter_core::explain::CostClass;
use tweetfilter_core::post::Account;
use tweetfilter_core::syntax::Diagnostic;
use tweetfilter_core::{
    Dialect, Expression, FilterId, FilterSet, FilterSetBuilder, Identity, Limits, OwnerId, Span,
};
use tweetfilter_http::import::{FilterLine, Format, UNREADABLE, read_filters};

use super::Failure;
use super::render::Origin;
use super::terminal::{fit, one_line};

pub(crate) use refused::{Refused, report, report_warnings};

/// Where filters are written.
#[derive(clap::Args)]
pub(crate) struct Sources {
    /// A file of filters; may be given again
    ///
    /// NDJSON with {"id","filter","owner"?,"name"?,"dialect"?} on each line, X's /rules JSON, or plain text
    /// with one expression a line (its id is the line's number; there are no comments, since #word is a
    /// filter). `-` reads standard input. A file may have 256 MiB.
    #[arg(long, value_name = "FILE")]
    pub(crate) filters: Vec<String>,

    /// An expression; may be given again. Their ids are e1, e2 …
    #[arg(long = "expr", value_name = "E", allow_hyphen_values = true)]
    pub(crate) expressions: Vec<String>,

    /// A named set of terms, one a line, for {NAME} in filters; may be given again
    #[arg(long = "set", value_name = "NAME=FILE", value_parser = named_file, allow_hyphen_values = true)]
    pub(crate) sets: Vec<(String, String)>,

    /// The dialect of filters that name none; X's /rules JSON is of dialect x unless this says otherwise
    #[arg(long, value_name = "native|x", value_parser = dialect)]
    pub(crate) dialect: Option<Dialect>,
}

/// Reads `NAME=FILE`.
pub(crate) fn named_file(text: &str) -> Result<(String, String), String> {
    let Some((name, file)) = text.split_once('=') else {
        return Err("write NAME=FILE".to_owned());
    };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
        return Err("a set's name is 1 to 64 of a-z 0-9 _ -".to_owned());
    }
    Ok((name.to_owned(), file.to_owned()))
}

/// Reads the name of a dialect.
pub(crate) fn dialect(text: &str) -> Result<Dialect, String> {
    match text {
        "native" => Ok(Dialect::Native),
        "x" => Ok(Dialect::X),
        _ => Err("must be `native` or `x`".to_owned()),
    }
}

/// Whether each of the sources is a file, in the order of the command line.
pub(crate) fn order(matches: &ArgMatches) -> Vec<bool> {
    let places = |name: &str| matches.indices_of(name).into_iter().flatten().collect::<Vec<_>>();
    let mut sources: Vec<(usize, bool)> = places("filters").into_iter().map(|at| (at, true)).collect();
    sources.extend(places("expressions").into_iter().map(|at| (at, false)));
    sources.sort_unstable();
    sources.into_iter().map(|(_, is_file)| is_file).collect()
}

/// A filter that was parsed.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its place among all filters.
    pub(crate) position: usize,
    pub(crate) id: String,
    pub(crate) owner: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) origin: Origin,
    pub(crate) expression: Expression,
    /// It was written for X, which is what the format of its file says.
    pub(crate) from_x: bool,
}

/// All filters of the command line, in its order.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) entries: Vec<Entry>,
    pub(crate) refused: Vec<Refused>,
    sets: Vec<sets::NamedSet>,
}

/// MiB that are read of one file of filters, or of terms: a million filters have a quarter of that. A device or a pipe
/// without end must not fill the memory.
const MOST: u64 = 256;

/// Reads a whole text file, or standard input for `-`.
pub(crate) fn read_text(name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let most = MOST << 20;
    let (read, name) = match name {
        "-" => (std::io::stdin().lock().take(most + 1).read_to_end(&mut bytes), "standard input"),
        _ => (std::fs::File::open(name).and_then(|file| read_file_to_end(file, most, &mut bytes)), name),
    };
    let read = read.map_err(|error| Failure::reading(name, &error))?;
    if read as u64 > most {
        let message =
            format!("{name}: holds more than {MOST} MiB, which is the most for one such file; split it");
        return Err(Failure::Input(message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count();
        Failure::Input(format!("{name}:{}: not UTF-8; save it as UTF-8 text", line + 1))
    })
}

/// Reads a file to its end, or to one byte behind `most`.
fn read_file_to_end(file: std::fs::File, most: u64, bytes: &mut Vec<u8>) -> std::io::Result<usize> {
    // What has no size, as a pipe, is read bit by bit.
    let size = file.metadata().map_or(0, |facts| facts.len());
    bytes.reserve_exact(size.min(most) as usize);
    file.take(most + 1).read_to_end(bytes)
}

/// Filters that stand in one place.
struct Source {
    file: String,
    format: Format,
    lines: Vec<FilterLine>,
    /// How many stand before them there.
    before: usize,
    /// What leads to them where the file doesn't, and their lines do not say.
    within: Option<String>,
}

/// A filter with the place it stands at.
#[derive(Clone, Copy)]
struct Named<'s> {
    line: &'s FilterLine,
    file: &'s str,
    /// Its place among the filters of its file, from 1.
    nth: usize,
    format: Format,
}

/// The filters of all sources, in order.
fn named(sources: &[Source]) -> Vec<Named<'_>> {
    let mut named = Vec::with_capacity(sources.iter().map(|source| source.lines.len()).sum());
    for Source { file, format, lines, before, .. } in sources {
        let lines = (before + 1..).zip(lines);
        named.extend(lines.map(|(nth, line)| Named { line, file, nth, format: *format }));
    }
    named
}

/// Reads and parses all that the arguments name, in the order of the command line.
pub(crate) fn load(arguments: &Sources, order: &[bool], ignore_owners: bool) -> Result<Loaded, Failure> {
    let mut sources = Vec::new();
    let (mut files, mut expressions) = (arguments.filters.iter(), arguments.expressions.iter().enumerate());
    for &is_file in order {
        if is_file {
            sources.extend(files.next().map(|file| read_file(file)).transpose()?);
        } else if let Some((n, text)) = expressions.next() {
            sources.push(expression(n, text, arguments.expressions.len()));
        }
    }
    if sources.is_empty() {
        return Err(Failure::Input("no filters: give --filters FILE or --expr EXPRESSION".to_owned()));
    }
    ids::check(&named(&sources), ignore_owners)?;
    parse_all(sources, arguments.dialect, &arguments.sets)
}

/// Reads and parses files, then expressions. Each file stands for itself: ids need differ only within one.
pub(crate) fn load_files(
    files: &[String],
    expressions: &[String],
    dialect: Option<Dialect>,
    sets: &[(String, String)],
) -> Result<Loaded, Failure> {
    let mut sources = Vec::new();
    for file in files {
        let source = read_file(file)?;
        ids::check(&named(std::slice::from_ref(&source)), false)?;
        sources.push(source);
    }
    let all = expressions.len();
    sources.extend(expressions.iter().enumerate().map(|(n, text)| expression(n, text, all)));
    parse_all(sources, dialect, sets)
}

fn expression(n: usize, text: &str, all: usize) -> Source {
    let id = format!("e{}", n + 1);
    let within = (all > 1).then(|| format!(" {id}"));
    let lines = vec![FilterLine::new(id, text.to_owned(), 1)];
    Source { file: "--expr".to_owned(), format: Format::Plain, lines, before: n, within }
}

/// What leads to a filter of a file in which a column of the expression is none of the line.
pub(super) fn within(line: &FilterLine) -> String {
    let name = line.name.as_deref().map(|name| format!(" ({})", fit(&one_line(name), 40)));
    format!(":{}, filter {}{}", line.line, fit(&one_line(&line.id), 40), name.unwrap_or_default())
}

fn parse_all(
    sources: Vec<Source>,
    dialect: Option<Dialect>,
    sets: &[(String, String)],
) -> Result<Loaded, Failure> {
    let mut loaded = Loaded { sets: sets::read(sets)?, ..Loaded::default() };
    let parsed = {
        let named = named(&sources);
        loaded.entries.reserve_exact(named.len());
        parse_each(&named, dialect)
    };
    let mut parsed = parsed.into_iter().flatten().flatten();
    for Source { file, format, lines, within: led, .. } in sources {
        for (line, parsed) in lines.into_iter().zip(&mut parsed) {
            let within = led.clone().or_else(|| (format != Format::Plain).then(|| within(&line)));
            let origin = Origin { name: file.clone(), line: line.line, within };
            loaded.add(line, origin, format, dialect, parsed);
        }
    }
    Ok(loaded)
}

/// What comes of each filter, in order.
fn parse_each(named: &[Named<'_>], dialect: Option<Dialect>) -> Vec<Vec<Vec<Parsed>>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let part = named.len().div_ceil(threads).max(PART);
    // In small lists: of large ones, each in a size of its own, the allocator takes megabytes that the system clears.
    let parse = |part: &[Named<'_>]| -> Vec<Vec<Parsed>> {
        part.chunks(PART).map(|few| few.iter().map(|filter| parse(filter, dialect)).collect()).collect()
    };
    std::thread::scope(|scope| {
        // The first part here, the others beside it.
        let mut parts = named.chunks(part);
        let here = parts.next().unwrap_or_default();
        let beside: Vec<_> = parts.map(|part| scope.spawn(move || parse(part))).collect();
        let mut all = vec![parse(here)];
        all.extend(
            beside.into_iter().map(|part| part.join().unwrap_or_else(|p| std::panic::resume_unwind(p))),
        );
        all
    })
}

/// Filters that are not worth a thread.
const PART: usize = 256;

type Parsed = Result<Expression, Vec<Diagnostic>>;

fn parse(filter: &Named<'_>, default: Option<Dialect>) -> Parsed {
    if let Some(fault) = &filter.line.fault {
        return Err(vec![unreadable(fault)]);
    }
    let dialect = dialect_of(filter.line, filter.format, default);
    let parsed = Expression::parse_with(&filter.line.text, dialect, &Limits::default());
    parsed.map_err(|error| error.diagnostics().to_vec())
}

/// What is wrong in a file beside an expression.
pub(super) fn unreadable(fault: &str) -> Diagnostic {
    Diagnostic::error(UNREADABLE, Span::default(), fault)
}

fn dialect_of(line: &FilterLine, format: Format, default: Option<Dialect>) -> Dialect {
    line.dialect.or(default).unwrap_or(format.dialect())
}

fn read_file(file: &str) -> Result<Source, Failure> {
    let text = read_text(file)?;
    let read = read_filters(&text).map_err(|malformed| {
        let faults: Vec<String> =
            malformed.faults.iter().map(|f| format!("{file}:{}: {}", f.line, f.message)).collect();
        Failure::Input(faults.join("\ntweetfilter: "))
    })?;
    if read.filters.is_empty() {
        return Err(Failure::Input(format!("{file}: holds no filters")));
    }
    Ok(Source { file: file.to_owned(), format: read.format, lines: read.filters, before: 0, within: None })
}

impl Loaded {
    fn add(
        &mut self,
        line: FilterLine,
        origin: Origin,
        format: Format,
        default: Option<Dialect>,
        parsed: Parsed,
    ) {
        let dialect = dialect_of(&line, format, default);
        let FilterLine { id, text, owner, name, .. } = line;
        let from_x = format.dialect() == Dialect::X;
        let position = self.entries.len() + self.refused.len();
        match parsed {
            Ok(expression) => {
                self.entries.push(Entry { position, id, owner, name, origin, expression, from_x });
            }
            Err(diagnostics) => {
                self.refused.push(Refused {
                    position,
                    id,
                    owner,
                    name,
                    dialect,
                    from_x,
                    entry: None,
                    text,
                    origin,
                    diagnostics,
                });
            }
        }
    }

    /// Compiles the filters. Those that the set refuses move to the refused ones.
    pub(crate) fn compile(self) -> Result<Compiled, Failure> {
        let mut builder = FilterSetBuilder::new();
        sets::add(&self.sets, &mut builder)?;
        let mut owners: HashMap<String, OwnerId> = HashMap::new();
        let mut next_owner = 0;
        let mut refused = self.refused;
        let mut added = 0;
        // Those that stay, stay where they are.
        let entries = self.entries.into_iter().filter_map(|entry| {
            let owner = entry.owner.as_ref().map(|name| {
                *owners.entry(name.clone()).or_insert_with_key(|name| {
                    let owner = OwnerId(next_owner);
                    next_owner += 1;
                    builder.owner(owner, vec![identity(name)]);
                    owner
                })
            });
            match builder.add_expression(FilterId(added), owner, &entry.expression) {
                Ok(_) => {
                    added += 1;
                    Some(entry)
                }
                Err(error) => {
                    refused.push(Refused::by_set(entry, error, &self.sets));
                    None
                }
            }
        });
        let entries: Vec<Entry> = entries.collect();
        refused.sort_by_key(|filter| filter.position);
        Ok(Compiled { set: builder.build(), entries, refused, owners })
    }
}

/// What `me` stands for in the filters of an owner: the account whose id or handle the owner's name is.
fn identity(owner: &str) -> Identity {
    let (id, handle) = (owner.to_owned(), owner.to_owned());
    let (network, account) = if owner.starts_with("did:") {
        ("bluesky", Account { id, handle: String::new() })
    } else if let Some((_, host)) = owner.trim_start_matches('@').split_once('@') {
        (host, Account { id: String::new(), handle })
    } else if owner.contains('.') {
        ("bluesky", Account { id: String::new(), handle })
    } else if owner.bytes().all(|b| b.is_ascii_digit()) {
        ("x", Account { id, handle: String::new() })
    } else {
        ("x", Account { id: String::new(), handle })
    };
    Identity { network: network.to_owned(), account }
}

/// A cost class in a word.
pub(crate) fn class_name(class: CostClass) -> &'static str {
    match class {
        CostClass::Indexed => "indexed",
        CostClass::Guarded => "guarded",
        CostClass::Scanned => "scanned",
    }
}

/// The compiled set beside what it was made of.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) set: FilterSet,
    /// In the order of the set.
    pub(crate) entries: Vec<Entry>,
    pub(crate) refused: Vec<Refused>,
    pub(crate) owners: HashMap<String, OwnerId>,
}
