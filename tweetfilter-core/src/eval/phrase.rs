//! Phrases and proximities over token positions.

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
pub(super) fn near(view: &View, channel: Channel, items: &[NearItem], distance: u32) -> bool {
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
    let sizes = items.iter().map(|i| Item { len: i.elements.len() as u32, times: i.times });
    let nearness = Nearness { items: sizes.collect(), distance };
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
