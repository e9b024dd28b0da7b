//! Phrases and proximities over token positions.

use super::view::{Run, View};
use crate::engine::dictionary::TermId;
use crate::plan::atoms::Element;
use crate::plan::channel::Channel;

/// Terms that stand in a text as often as this are equally good to begin with.
const FEW: usize = 8;

/// Whether the elements stand in a row in one stretch that feeds the channel.
pub(super) fn phrase(view: &View, channel: Channel, elements: &[Element]) -> bool {
    // The rarest term: a phrase of one word over and over costs no more than its text.
    let terms = elements.iter().zip(0..).filter_map(|(e, n)| match e {
        Element::Term(term) => Some((n, *term)),
        Element::Wild(_) => None,
    });
    let Some((offset, term)) = terms.min_by_key(|(_, term)| view.positions(*term).take(FEW).count()) else {
        return false;
    };
    view.positions(term).any(|position| {
        let Some(run) = view.run_of(position) else { return false };
        let Some(first) = position.checked_sub(offset) else { return false };
        run.channels.has(channel) && first >= run.start && stands(view, run, first, elements)
    })
}

fn stands(view: &View, run: Run, first: u32, elements: &[Element]) -> bool {
    elements.iter().zip(first..).all(|(element, position)| {
        position < run.end
            && match element {
                Element::Term(term) => is_at(view, position, *term),
                Element::Wild(wild) => view.is_wild(position, wild),
            }
    })
}

fn is_at(view: &View, position: u32, term: TermId) -> bool {
    #[cfg(test)]
    super::growth::count();
    view.ids.get(position as usize).is_some_and(|ids| ids.contains(&term))
}

/// An occurrence of an item: which, and its first token.
#[derive(Clone, Copy, Debug)]
struct Occurrence {
    item: usize,
    start: u32,
}

/// Whether all items stand in one stretch, without overlap, in any order, with at most `distance` foreign tokens
/// between them in total.
///
/// One window slides over the occurrences in order of their ends: it holds as many tokens as the items have plus
/// `distance`. Items that overlap in every choice are rare; within a window they are told apart by assigning
/// each item its occurrence, shortest room first.
pub(super) fn near(view: &View, channel: Channel, items: &[Box<[TermId]>], distance: u32) -> bool {
    let length: u32 = items.iter().map(|i| i.len() as u32).sum();
    view.runs.iter().filter(|r| r.channels.has(channel)).any(|run| {
        let mut occurrences = Vec::new();
        for (item, terms) in items.iter().enumerate() {
            let before = occurrences.len();
            let found = view.positions(terms[0]).filter(|p| (run.start..run.end).contains(p));
            occurrences.extend(
                found
                    .filter(|p| {
                        terms.iter().zip(*p..run.end).filter(|(t, q)| is_at(view, *q, **t)).count()
                            == terms.len()
                    })
                    .map(|start| Occurrence { item, start }),
            );
            if occurrences.len() == before {
                return false;
            }
        }
        occurrences.sort_by_key(|o| (o.start, o.item));
        occurrences.dedup_by_key(|o| (o.start, o.item));
        windows(&occurrences, items, length + distance)
    })
}

fn windows(occurrences: &[Occurrence], items: &[Box<[TermId]>], width: u32) -> bool {
    let end_of = |o: &Occurrence| o.start + items[o.item].len() as u32;
    occurrences.iter().enumerate().any(|(first, start)| {
        let limit = start.start + width;
        let inside: Vec<Occurrence> = occurrences[first..]
            .iter()
            .take_while(|o| o.start < limit)
            .filter(|o| end_of(o) <= limit)
            .copied()
            .collect();
        fits(&inside, items)
    })
}

/// Whether the occurrences hold one of each item without overlap. The reachable sets of items by end position:
/// at most 2^8 sets, each position visited once.
fn fits(inside: &[Occurrence], items: &[Box<[TermId]>]) -> bool {
    let all = (1u32 << items.len().min(16)) - 1;
    if inside.iter().fold(0, |set, o| set | 1u32 << o.item) != all {
        return false;
    }
    // For every set of items taken, the smallest end at which it can be done.
    let mut ends = vec![u32::MAX; all as usize + 1];
    ends[0] = 0;
    for occurrence in inside {
        let bit = 1u32 << occurrence.item;
        let end = occurrence.start + items[occurrence.item].len() as u32;
        for set in (0..=all).rev() {
            if set & bit == 0 && ends[set as usize] <= occurrence.start {
                let with = (set | bit) as usize;
                ends[with] = ends[with].min(end);
            }
        }
    }
    ends[all as usize] != u32::MAX
}
