//! How processes, parts and hosts are, as lines for people.

use tweetfilter_http::ops::{HostNow, Outlook, Overview, PartNow, ProcessNow, State, Usage};

use super::terminal::one_line;
use super::time::{lasts, rfc3339};

/// A line for each process, part, host and watched process.
pub(super) fn lines(overview: &Overview, now: i64) -> String {
    let mut out = String::new();
    for process in &overview.processes {
        out += &self::process(process, now);
        if process.state.ended {
            continue;
        }
        for part in &process.parts {
            out += &self::part(process, part, now);
        }
    }
    for host in &overview.hosts {
        out += &self::host(host);
    }
    out
}

fn process(process: &ProcessNow, now: i64) -> String {
    let state = &process.state;
    let is = match (state.ended, process.silent) {
        (true, _) => format!("ended {} ago", lasts(now - process.seen)),
        (false, true) => format!("silent for {}, since {}", lasts(now - process.seen), rfc3339(process.seen)),
        (false, false) => format!("for {}", lasts(now - state.started_at)),
    };
    let usage = process.usage.map(|usage| format!("; {}", self::usage(&usage))).unwrap_or_default();
    format!(
        "process   {} on {}: process {}, version {}, {is}{usage}\n",
        one_line(&process.name),
        one_line(&process.host),
        state.pid,
        one_line(&state.version),
    )
}

fn part(process: &ProcessNow, part: &PartNow, now: i64) -> String {
    let told = &part.told;
    let state = process.state_of(part);
    let mut line = format!("  {:<20} ", one_line(&told.name));
    match state {
        None if part.replaced => line += "silent, another process does this now",
        None => line += "silent",
        Some(State::Running) => line += "running",
        Some(state) => line += &format!("{} for {}", state.as_str(), lasts(now - told.since)),
    }
    if told.restarts > 0 {
        let times = if told.restarts == 1 { "once".to_owned() } else { format!("{} times", told.restarts) };
        line += &format!(", started again {times}");
    }
    for (what, rate) in part.rates.map(|rates| rates.named()).unwrap_or_default() {
        line += &format!(", {} {what}/s", short(rate));
    }
    if part.streams > 0 {
        line += &format!(", {} live streams", part.streams);
    }
    if let Some(lag) = part.lag {
        line += &format!(", stored after {:.2} s", lag as f64 / 1_000.0);
    }
    if let Some(again_at) = told.again_at.filter(|_| state == Some(State::SourceAway)) {
        line += &format!(", tried again at {}", rfc3339(again_at));
    }
    if let Some(reason) = told.waits.as_ref().filter(|_| state == Some(told.state)) {
        line += &format!(": {}", one_line(reason));
    }
    if let Some(refusal) = told.refusal.as_ref().filter(|_| state == Some(State::Refused)) {
        line += &format!(", tried again at {}: {}", rfc3339(refusal.again_at), one_line(&refusal.reason));
    }
    if let Some(account) = told.nobody.as_ref().filter(|_| state == Some(State::Running)) {
        line += &format!(", for the account {}, which is not there", one_line(account));
    }
    line + "\n"
}

fn host(host: &HostNow) -> String {
    let figures = &host.figures;
    let mut lines = format!(
        "host      {}: CPU {:.0} % of {}, load {:.2}, memory {} of {}, disk {} of {}, network {}/s in, {}/s out\n",
        one_line(&host.name),
        figures.cpu,
        figures.cpus,
        figures.load,
        bytes(figures.memory),
        bytes(figures.memory_total),
        bytes(figures.disk),
        bytes(figures.disk_total),
        bytes(figures.received),
        bytes(figures.sent),
    );
    for (name, usage) in &figures.watched {
        let count = if usage.count > 1 { format!(" ({} of them)", usage.count) } else { String::new() };
        lines += &format!("  {:<20} {}{count}\n", one_line(name), self::usage(usage));
    }
    for name in &figures.missing {
        lines += &format!("  {:<20} does not run\n", one_line(name));
    }
    lines
}

/// How long the buffer lasts, as the end of a sentence.
pub(super) fn outlook(outlook: Option<Outlook>) -> String {
    let millis = |seconds: f64| (seconds * 1_000.0) as i64;
    match outlook {
        None | Some(Outlook::Steady) => String::new(),
        Some(Outlook::Drains(seconds)) => format!("; drains, empty in {}", lasts(millis(seconds))),
        Some(Outlook::Grows) => "; grows".to_owned(),
        Some(Outlook::Full(seconds)) if seconds < 0.5 => "; full".to_owned(),
        Some(Outlook::Full(seconds)) => {
            format!("; grows, full in {} at the present rate", lasts(millis(seconds)))
        }
    }
}

fn usage(usage: &Usage) -> String {
    format!("CPU {:.1} % of one, memory {}", usage.cpu, bytes(usage.memory))
}

/// A rate with as many digits as people read.
fn short(rate: f64) -> String {
    if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

fn bytes(count: u64) -> String {
    let mut count = count as f64;
    for unit in ["B", "KB", "MB", "GB"] {
        if count < 999.5 {
            return if count < 9.95 && unit != "B" {
                format!("{count:.1} {unit}")
            } else {
                format!("{count:.0} {unit}")
            };
        }
        count /= 1_000.0;
    }
    format!("{count:.1} TB")
}

#[cfg(test)]
mod tests {
    use tweetfilter_http::ops::{PartState, ProcessState};

    use super::*;

    #[test]
    fn what_a_clock_that_was_set_back_has_ahead_lasts_for_no_time() {
        let (now, later) = (1_000_000, 5_000_000);
        let told = PartState {
            name: "ingest a".into(),
            state: State::WaitingForStore,
            since: later,
            ..PartState::default()
        };
        let part = PartNow { told, rates: None, streams: 0, lag: None, replaced: false };
        let state = ProcessState { started_at: later, ..ProcessState::default() };
        let one = |seen, ended, silent| {
            let state = ProcessState { ended, ..state.clone() };
            let (host, name, parts) = ("box".into(), "serve".into(), vec![part.clone()]);
            ProcessNow { host, name, state, seen, silent, usage: None, parts }
        };
        let processes = vec![one(now, false, false), one(later, true, false), one(later, false, true)];
        let shown = lines(&Overview { processes, ..Overview::default() }, now);
        for part in [
            ", for 0 s\n",
            "waiting for the store for 0 s\n",
            ", ended 0 s ago\n",
            ", silent for 0 s, since 1970",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains(" -"), "{shown}");
    }

    #[test]
    fn figures_have_the_unit_that_fits() {
        let all = [0, 999, 1_000, 1_500_000, 23_400_000_000, 5_000_000_000_000].map(bytes);
        assert_eq!(all, ["0 B", "999 B", "1.0 KB", "1.5 MB", "23 GB", "5.0 TB"]);
        assert_eq!(outlook(Some(Outlook::Full(7_200.0))), "; grows, full in 2 h at the present rate");
        assert_eq!(outlook(Some(Outlook::Full(0.0))), "; full");
    }
}
