//! Prints the table of figures: `cargo run --release -p tweetfilter-bench -- --help`.

use std::process::ExitCode;

use tweetfilter_bench::counting::Counting;
use tweetfilter_bench::measure::seconds;
use tweetfilter_bench::record::Report;
use tweetfilter_bench::table::Plan;
use tweetfilter_bench::tf1::Tf1;
use tweetfilter_bench::workload::{Workload, post_of};
use tweetfilter_core::Scratch;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HELP: &str = "\
Measures tweetfilter and prints a table.

  --workload NAME  tf1, gen or v1 (needs TWEETFILTER_DATA); may come several times; default: all there are
  --sizes A,B,C    numbers of filters; default 1000,10000,100000
  --rounds N       interleaved rounds, of which the median counts; default 7
  --posts N        posts of TF-1 and gen; default 20000
  --no-rivals      without mokaccino and the plain loop
  --record         also write benches/record/DATE-COMMIT.md and .csv
  --checksum       only print the checksum of TF-1
  --print-filters  only print the filters of the first workload at the first size, one a line: for
                   measuring the command itself
  --spin SECONDS   only match the first workload at the first size over and over, for a profiler;
                   from raw lines with --raw
";

struct Arguments {
    plan: Plan,
    workloads: Vec<String>,
    posts: usize,
    record: bool,
    spin: Option<u64>,
    raw: bool,
    print_filters: bool,
}

fn main() -> ExitCode {
    let arguments = match read(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("tweetfilter-bench: {message}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let largest = arguments.plan.sizes.iter().copied().max().unwrap_or(0);
    let mut report = Report::default();
    for name in &arguments.workloads {
        let Some(workload) = workload(name, arguments.posts, largest) else {
            println!("{name}: skipped: no data");
            continue;
        };
        if arguments.print_filters {
            for filter in workload.filters.iter().take(arguments.plan.sizes[0]) {
                println!("{filter}");
            }
            return ExitCode::SUCCESS;
        }
        if let Some(length) = arguments.spin {
            spin(&workload, arguments.plan.sizes[0], length as f64, arguments.raw);
            return ExitCode::SUCCESS;
        }
        report.measure(&workload, &arguments.plan);
    }
    if arguments.record
        && let Err(error) = report.write("", "cargo run --release -p tweetfilter-bench", "workload,filters")
    {
        eprintln!("tweetfilter-bench: {error}");
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}

fn read(mut given: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let plan = Plan { rounds: 7, sizes: vec![1000, 10_000, 100_000], rivals: true };
    let mut arguments = Arguments {
        plan,
        workloads: Vec::new(),
        posts: 20_000,
        record: false,
        spin: None,
        raw: false,
        print_filters: false,
    };
    while let Some(option) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{option} needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("{text} is not a number"));
        match option.as_str() {
            "--workload" => arguments.workloads.push(value()?),
            "--sizes" => {
                let sizes = value()?;
                arguments.plan.sizes =
                    sizes.split(',').map(|s| number(s.to_owned())).collect::<Result<_, _>>()?;
            }
            "--rounds" => arguments.plan.rounds = number(value()?)?.max(1),
            "--posts" => arguments.posts = number(value()?)?.max(1),
            "--no-rivals" => arguments.plan.rivals = false,
            "--record" => arguments.record = true,
            "--raw" => arguments.raw = true,
            "--print-filters" => arguments.print_filters = true,
            "--spin" => arguments.spin = Some(number(value()?)? as u64),
            "--checksum" => {
                println!("{:016x}", Tf1::new().checksum());
                return Ok(None);
            }
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(None);
            }
            _ => return Err(format!("unknown option {option}")),
        }
    }
    if arguments.workloads.is_empty() {
        arguments.workloads = ["tf1", "gen", "v1"].map(str::to_owned).to_vec();
    }
    match arguments.workloads.iter().find(|w| !matches!(w.as_str(), "tf1" | "gen" | "v1")) {
        Some(unknown) => Err(format!("unknown workload {unknown}")),
        None => Ok(Some(arguments)),
    }
}

fn workload(name: &str, posts: usize, filters: usize) -> Option<Workload> {
    match name {
        "tf1" => Some(Workload::tf1(posts, filters)),
        "gen" => Some(Workload::generated(posts, filters)),
        _ => Workload::real(filters),
    }
}

fn spin(workload: &Workload, size: usize, length: f64, raw: bool) {
    let set = workload.set(size);
    let mut scratch = Scratch::default();
    let (start, mut posts, mut matches) = (seconds(), 0, 0);
    while seconds() - start < length {
        if raw {
            for post in workload.lines.iter().filter_map(|line| post_of(line)) {
                matches += set.matches_with(&mut scratch, &post).len();
            }
        } else {
            for post in &workload.posts {
                matches += set.matches_with(&mut scratch, post).len();
            }
        }
        posts += workload.posts.len();
    }
    let rate = posts as f64 / (seconds() - start);
    println!(
        "{rate:.0} posts per second of processor time, {:.2} matches a post",
        matches as f64 / posts as f64
    );
}
