//! Phrases and proximities over token positions.

use std::ops::Range;

use super::near::{self, Item, Nearness, Occurrence};
use super::view::{Run, View};
use crate::engine::dictionary::TermId;
use crate::plan::atoms::{Element, NearItem};
use crate::plan::channel::Channel;

/// Terms that stand in a text as often as this are equally good to begin with.
const FEW: usize = 8;

/// Whether the elements stand in a row in one stretch that feeds the channel.
pub(super) fn phrase(view: &View, channel: Channel, elements: &[Element]) -> bool {
    rows(view, channel, elements).next().is_some()
}

/// Where the elements stand in a row in one stretch that feeds the channel, last first.
fn rows<'v>(view: &'v View, channel: Channel, elements: &'v [Element]) -> impl Iterator<Item = u32> + 'v {
    // The rarest term: a phrase of one word over and over costs no more than its text.
    let terms = elements.iter().zip(0..).filter_map(|(element, n)| Some((n, element.term()?)));
    let rarest = terms.min_by_key(|(_, term)| view.positions(*term).take(FEW).count());
    let positions = rarest.map(|(offset, term)| view.positions(term).map(move |p| (p, offset)));
    positions.into_iter().flatten().filter_map(move |(position, offset): (u32, u32)| {
        let run = view.run_of(position)?;
        let first = position.checked_sub(offset)?;
        let room = run.channels.has(channel)
            && first >= run.start
            && elements.len() <= run.end.saturating_sub(first) as usize;
        (room && stands(view, run, first, elements)).then_some(first)
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

/// Whether all items stand in one stretch, without overlap, in any order, with at most `distance` foreign tokens
/// between them in total.
///
/// Many proximities may have an item that stands everywhere: where another one is rare, only what stands around that is
/// looked at.
pub(super) fn near(view: &View, channel: Channel, items: &[NearItem], distance: u32) -> bool {
    let sizes = items.iter().map(|i| Item { len: i.elements.len() as u32, times: i.times });
    let nearness = Nearness { items: sizes.collect(), distance };
    let counts: Vec<usize> = items.iter().map(|item| most(view, &item.elements)).collect();
    if items.iter().zip(&counts).any(|(item, count)| *count < item.times as usize) {
        return false;
    }
    let Some((rarest, fewest)) = counts.iter().enumerate().min_by_key(|(_, count)| **count) else {
        return false;
    };
    let width = nearness.width();
    let around = fewest.saturating_mul(2 * items.len()).saturating_mul(width as usize);
    if around < counts.iter().sum::<usize>() {
        let regions = regions(view, channel, &items[rarest].elements, width);
        return regions.into_iter().any(|(run, region)| nearness.holds(&inside(view, run, region, items)));
    }
    everywhere(view, channel, items, &nearness)
}

/// How often elements may stand in a row at most: as often as the rarest of them does.
fn most(view: &View, elements: &[Element]) -> usize {
    elements.iter().filter_map(Element::term).map(|term| view.count_of(term)).min().unwrap_or(0)
}

/// What lies around the places of a row, as far as it reaches: apart from each other, each in one stretch.
fn regions(view: &View, channel: Channel, elements: &[Element], reach: u32) -> Vec<(Run, Range<u32>)> {
    let mut regions: Vec<(Run, Range<u32>)> = Vec::new();
    for first in rows(view, channel, elements) {
        let Some(run) = view.run_of(first) else { continue };
        let end = first.saturating_add(elements.len() as u32);
        let from = end.saturating_sub(reach).max(run.start);
        let to = first.saturating_add(reach).min(run.end);
        match regions.last_mut() {
            // The last ones come first, so that none ends behind the one before it.
            Some((of, known)) if of.start == run.start && known.start <= to => {
                known.start = known.start.min(from);
            }
            _ => regions.push((run, from..to)),
        }
    }
    regions
}

/// Where the items stand in a part of a stretch.
fn inside(view: &View, run: Run, part: Range<u32>, items: &[NearItem]) -> Vec<Occurrence> {
    let mut occurrences = Vec::new();
    for start in part.clone() {
        for (item, NearItem { elements, .. }) in items.iter().enumerate() {
            let end = start.saturating_add(elements.len() as u32);
            if end <= part.end && stands(view, run, start, elements) {
                occurrences.push(Occurrence { item, start, end });
            }
        }
    }
    near::sort(&mut occurrences);
    occurrences
}

/// The same for items that all stand often: all places of all of them.
fn everywhere(view: &View, channel: Channel, items: &[NearItem], nearness: &Nearness) -> bool {
    let mut occurrences = Vec::new();
    for (item, NearItem { elements, times }) in items.iter().enumerate() {
        let before = occurrences.len();
        let len = elements.len() as u32;
        let places = rows(view, channel, elements);
        occurrences.extend(places.map(|start| Occurrence { item, start, end: start + len }));
        if occurrences.len() - before < *times as usize {
            return false;
        }
    }
    near::sort(&mut occurrences);
    let mut left = occurrences.as_slice();
    while let Some(run) = left.first().and_then(|first| view.run_of(first.start)) {
        let (inside, after) = left.split_at(left.partition_point(|o| o.end <= run.end));
        if nearness.holds(inside) {
            return true;
        }
        left = after;
    }
    false
}
