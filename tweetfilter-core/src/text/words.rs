//! Steps f and g: words of a run of folded characters, and the tokens of a word.

use unicode_segmentation::UnicodeSegmentation;

use super::TokenKind;
use super::flags::{CHARACTER, CLUSTER, MARK, WORD};
use super::fold::Unit;
use super::tables::entry;

/// Gives each token of the run to `token`, in order. `inside` says that a word goes on where the run starts, so
/// that marks there have a base.
pub(super) fn split(run: &[Unit], mut inside: bool, mut token: impl FnMut(TokenKind, &[Unit])) {
    for word in run.split(|unit| entry(unit.c) & WORD == 0) {
        if std::mem::take(&mut inside) {
            split_word(word, &mut token);
            continue;
        }
        let bare = word.iter().take_while(|unit| entry(unit.c) & MARK != 0).count();
        split_word(&word[bare..], &mut token);
    }
}

fn split_word(word: &[Unit], token: &mut impl FnMut(TokenKind, &[Unit])) {
    let clusters = cluster_starts(word);
    let starts_cluster = |i: usize| clusters.get(i).copied().unwrap_or(false);
    let flags = |i: usize| word.get(i).map_or(0, |unit| entry(unit.c));
    let mut i = 0;
    while i < word.len() {
        let start = i;
        i += 1;
        let kind = if flags(start) & CHARACTER != 0 {
            while flags(i) & MARK != 0 {
                i += 1;
            }
            TokenKind::Character
        } else if starts_cluster(start) {
            while i < word.len() && !starts_cluster(i) && flags(i) & MARK != 0 {
                i += 1;
            }
            TokenKind::Character
        } else {
            while i < word.len() && flags(i) & CHARACTER == 0 && !starts_cluster(i) {
                i += 1;
            }
            TokenKind::Word
        };
        token(kind, &word[start..i]);
    }
}

/// Which characters start a grapheme cluster of Thai, Lao, Khmer or Myanmar; empty when none does.
fn cluster_starts(word: &[Unit]) -> Vec<bool> {
    if !word.iter().any(|unit| entry(unit.c) & CLUSTER != 0) {
        return Vec::new();
    }
    let text: String = word.iter().map(|unit| unit.c).collect();
    let mut starts = Vec::with_capacity(word.len());
    for cluster in text.graphemes(true) {
        for (i, c) in cluster.chars().enumerate() {
            starts.push(i == 0 && entry(c) & CLUSTER != 0);
        }
    }
    starts
}
