//! What a run waited for, in a sentence.

use super::run::Ran;
use super::store::Used;

/// Shares of one core by who used it, the most first.
pub(super) fn shares(ran: &Ran, used: &[Used]) -> Vec<(String, f64)> {
    let mut shares: Vec<(String, f64)> = ran
        .processor
        .iter()
        .filter(|(name, _)| *name != "runtime")
        .map(|(name, seconds)| (name.clone(), seconds / ran.seconds))
        .chain(used.iter().map(|used| (used.name.clone(), used.seconds / ran.seconds)))
        .filter(|(_, share)| *share >= 0.005)
        .collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

/// What holds it back: the processor, the one that stores, or the one that reads.
pub(super) fn bound(ran: &Ran, used: &[Used], paced: bool) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let shares = shares(ran, used);
    let all: f64 = shares.iter().map(|(_, share)| share).sum();
    let busiest = shares.first().map_or("nobody", |(name, _)| name);
    let share = |name: &str| ran.calls.get(name).map_or(0.0, |calls| calls.seconds / ran.seconds);
    let (append, commit) = (share("append"), share("commit") + share("ack") + share("lease"));
    if paced {
        return format!("its pace; {:.0} % of {cores:.0} cores are used", all / cores * 100.0);
    }
    let full = all / cores;
    if full > 0.9 {
        return format!("the processor: {:.0} % of {cores:.0} cores, most by {busiest}", full * 100.0);
    }
    let (who, time) = if commit >= append { ("the store", commit) } else { ("the buffer", append) };
    format!(
        "waiting for {who}, {:.0} % of the time ({:.0} % of {cores:.0} cores are used, most by {busiest})",
        time * 100.0,
        full * 100.0
    )
}
