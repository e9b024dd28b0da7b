//! Makes the Unicode tables of `src/text/tables.rs` from the crates that carry Unicode's data, all of one version.

#[allow(dead_code, reason = "shared with the crate")]
#[path = "src/text/accents.rs"]
mod accents;
#[allow(dead_code, reason = "shared with the crate")]
#[path = "src/text/flags.rs"]
mod flags;

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs, iter};

use caseless::Caseless;
use flags::*;
use regex_syntax::hir::{Class, HirKind};
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

const CODE_POINTS: usize = 0x11_0000;
const BLOCK: usize = 64;

/// Scripts whose marks are accents on a Latin or Greek letter; Indic vowel signs are none.
const ACCENTS: &str =
    r"[[\p{Mn}\p{Me}]&&[\p{sc=Zinh}\p{sc=Zyyy}\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}]--[\u3099\u309A]]";
/// Harakat and other points over and under Arabic letters (not madda and hamza, which make letters), tatweel,
/// Hebrew points and accents.
const POINTS: &str = r"[[\p{Mn}&&[\p{sc=Arabic}\p{sc=Hebrew}\u064B-\u0652\u0670]]\u0640--[\u0653-\u0655]]";

const PROPERTIES: [(u32, &str); 14] = [
    (LETTER, r"\p{L}"),
    (MARK, r"\p{M}"),
    (NUMBER, r"\p{N}"),
    (UPPER, r"[\p{Lu}\p{Lt}]"),
    (LOWER, r"\p{Ll}"),
    (SPACE, r"\p{White_Space}"),
    (IGNORABLE, r"\p{Default_Ignorable_Code_Point}"),
    (EMOJI, r"[\p{Emoji}--[0-9#*]]"),
    (CHARACTER, r"[[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}]&&[\p{L}\p{N}]]"),
    (CLUSTER, r"[[\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]&&[\p{L}\p{M}\p{N}]]"),
    (LATIN, r"[\p{sc=Latin}&&\p{L}]"),
    (GREEK, r"[\p{sc=Greek}&&\p{L}]"),
    (ACCENT, ACCENTS),
    (POINT, POINTS),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/text/accents.rs");
    println!("cargo::rerun-if-changed=src/text/flags.rs");
    let mut data = Data::read();
    data.classify();
    let mut out = String::new();
    let version = ["18.0", "17.0", "16.0", "15.1", "15.0"]
        .into_iter()
        .find(|v| regex_syntax::parse(&format!(r"\p{{age={v}}}")).is_ok())
        .expect("regex-syntax knows an age");
    let (major, minor) = version.split_once('.').expect("two numbers");
    writeln!(out, "const REGEX_VERSION: (u64, u64, u64) = ({major}, {minor}, 0);").unwrap();
    data.write(&mut out);
    write_confusables(&data, &mut out);
    let path = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("tables.rs");
    fs::write(path, out).expect("the output folder is writable");
}

/// The code points of a character class.
fn class(pattern: &str) -> Vec<(u32, u32)> {
    let hir = regex_syntax::parse(pattern).unwrap_or_else(|e| panic!("{e}"));
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|r| (r.start() as u32, r.end() as u32)).collect()
        }
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).expect("one character");
            text.chars().map(|c| (c as u32, c as u32)).collect()
        }
        _ => Vec::new(),
    }
}

struct Data {
    entries: Vec<u32>,
    mappings: Vec<(String, String)>,
}

impl Data {
    fn read() -> Self {
        let mut entries = vec![0; CODE_POINTS];
        for (flag, pattern) in PROPERTIES {
            for (start, end) in class(pattern) {
                entries[start as usize..=end as usize].iter_mut().for_each(|e| *e |= flag);
            }
        }
        let mut data = Self { entries, mappings: vec![(String::new(), String::new())] };
        for c in '\0'..=char::MAX {
            data.set_normalization(c);
        }
        data
    }

    fn flags(&self, c: char) -> u32 {
        self.entries[c as usize]
    }

    fn set_normalization(&mut self, c: char) {
        if inert(c) || is_compatibility_jamo(c) {
            self.entries[c as usize] |= BOUNDARY;
            return;
        }
        let composed: Vec<char> = iter::once(c).nfkc().take(2).collect();
        if composed.len() > 1 && is_symbol(c) {
            self.entries[c as usize] |= APART;
        }
        let starts = |c: Option<char>| {
            c.is_none_or(|c| {
                canonical_combining_class(c) == 0 && is_nfc_quick(iter::once(c)) != IsNormalized::Maybe
            })
        };
        if starts(Some(c)) && starts(iter::once(c).nfkd().next()) && starts(fold(c).chars().next()) {
            self.entries[c as usize] |= BOUNDARY;
        }
    }

    /// Gives each code point the class by which the scanner treats it; where its neighbors may matter, that is
    /// [`CLASS_GENERAL`].
    fn classify(&mut self) {
        let mut breaks = vec![false; CODE_POINTS];
        // The scanner knows nothing of these: they join what stands around them.
        for pattern in [
            r"[\p{gcb=Prepend}\p{gcb=L}\p{gcb=V}\p{gcb=T}\p{gcb=ZWJ}]",
            r"[\p{Extended_Pictographic}--\p{Emoji}]",
            r"[[\p{gcb=Extend}\p{gcb=SpacingMark}]--\p{M}]",
            r"\p{Default_Ignorable_Code_Point}",
            r"[\p{gcb=Control}--[\x00-\x7f]]",
        ] {
            for (start, end) in class(pattern) {
                breaks[start as usize..=end as usize].fill(true);
            }
        }
        let mut joins = vec![false; CODE_POINTS];
        for (start, end) in class(r"[\p{gcb=Extend}\p{gcb=SpacingMark}]") {
            joins[start as usize..=end as usize].fill(true);
        }
        let mut numbers = HashMap::new();
        for c in '\0'..=char::MAX {
            let index = c as usize;
            let (class, mapping) = if breaks[index] {
                (CLASS_GENERAL, self.mark_and_letter(c))
            } else {
                self.class_of(c, joins[index])
            };
            let order = if class == CLASS_MARK { u32::from(canonical_combining_class(c)) } else { 0 };
            let number = mapping.map_or(order, |mapping| {
                *numbers.entry(mapping).or_insert_with_key(|mapping| {
                    self.mappings.push(mapping.clone());
                    u32::try_from(self.mappings.len() - 1).expect("few")
                })
            });
            assert!(number < 1 << (32 - MAPPING_SHIFT), "too many mappings");
            self.entries[index] |= class << CLASS_SHIFT | number << MAPPING_SHIFT;
        }
    }

    /// Thai and Lao AM: a mark for the cluster before and the letter of the next one.
    fn mark_and_letter(&self, c: char) -> Option<(String, String)> {
        let folded = fold(c);
        let mut chars = folded.chars();
        let (mark, letter) = (chars.next()?, chars.next()?);
        let am = [c, mark, letter].iter().all(|&c| self.flags(c) & CLUSTER != 0)
            && chars.next().is_none()
            && self.flags(c) & self.flags(letter) & LETTER != 0
            && self.flags(mark) & MARK != 0
            && canonical_combining_class(mark) == 0;
        am.then(|| (mark.to_string(), letter.to_string()))
    }

    fn class_of(&self, c: char, joins: bool) -> (u32, Option<(String, String)>) {
        let flags = self.flags(c);
        let itself = |class| (class, None);
        if flags & EMOJI != 0 {
            return itself(CLASS_EMOJI);
        }
        if flags & POINT != 0 {
            return itself(CLASS_POINT);
        }
        let folded = fold(c);
        let same = folded.chars().eq([c]);
        if flags & MARK != 0 {
            let still = same && is_nfc_quick(iter::once(c)) == IsNormalized::Yes && flags & ACCENT == 0;
            return itself(match (still, flags & CLUSTER != 0 && !joins) {
                (true, true) => CLASS_CLUSTER,
                (true, false) => CLASS_MARK,
                _ => CLASS_GENERAL,
            });
        }
        if flags & BOUNDARY == 0 {
            return itself(CLASS_GENERAL);
        }
        if flags & APART != 0 {
            let only_separates = iter::once(c).nfkc().next() == Some(' ');
            return itself(if only_separates { CLASS_SEPARATOR } else { CLASS_GENERAL });
        }
        if folded.chars().all(|c| self.flags(c) & WORD == 0) {
            return itself(CLASS_SEPARATOR);
        }
        let all = |wanted, banned| {
            folded.chars().all(|c| self.flags(c) & wanted != 0 && self.flags(c) & (MARK | banned) == 0)
        };
        let one = folded.chars().count() == 1;
        let class = if one && all(CHARACTER, CLUSTER) {
            CLASS_CHARACTER
        } else if one && all(CLUSTER, CHARACTER) && !joins {
            CLASS_CLUSTER
        } else if all(LETTER | NUMBER, CHARACTER | CLUSTER) {
            CLASS_WORD
        } else {
            return itself(CLASS_GENERAL);
        };
        let (mut level, mut plain) = (String::new(), String::new());
        accents::level(&folded, |c| self.flags(c), &mut level);
        accents::strip(&level, |c| self.flags(c), &mut plain);
        let same = level.chars().eq([c]) && level == plain;
        // What ends in a mark would sort with the marks that follow.
        let last = plain.chars().chain(level.chars()).any(|c| self.flags(c) & MARK != 0);
        if last { itself(CLASS_GENERAL) } else { (class, (!same).then_some((level, plain))) }
    }

    fn write(&self, out: &mut String) {
        let mut blocks: HashMap<&[u32], usize> = HashMap::new();
        let mut stage2: Vec<u32> = Vec::new();
        let mut stage1 = Vec::new();
        for block in self.entries.chunks(BLOCK) {
            let next = blocks.len();
            stage1.push(*blocks.entry(block).or_insert_with(|| {
                stage2.extend(block);
                next
            }));
        }
        writeln!(out, "static STAGE1: [u16; {}] = {stage1:?};", stage1.len()).unwrap();
        writeln!(out, "static STAGE2: [u32; {}] = {stage2:?};", stage2.len()).unwrap();
        writeln!(out, "static MAPPINGS: [(&str, &str); {}] = {:?};", self.mappings.len(), self.mappings)
            .unwrap();
    }
}

/// Large ranges that fold to themselves, so that the build does not normalize them one by one.
fn inert(c: char) -> bool {
    matches!(c, '\0'..='@' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{e000}'..='\u{f8ff}' | '\u{12000}'..='\u{15fff}' | '\u{17000}'..='\u{1afff}'
        | '\u{20000}'..='\u{2f7ff}' | '\u{2fa20}'..=char::MAX)
}

fn is_compatibility_jamo(c: char) -> bool {
    matches!(c, '\u{3131}'..='\u{318e}')
}

/// Step e for one character; compatibility jamo stay.
fn fold(c: char) -> String {
    if inert(c) || is_compatibility_jamo(c) {
        return c.to_string();
    }
    let dotless = |c| if c == 'İ' { 'i' } else { c };
    iter::once(c).nfkc().map(dotless).default_case_fold().nfkc().collect()
}

fn is_symbol(c: char) -> bool {
    thread_local!(static SET: Vec<(u32, u32)> = class(r"[\p{S}\p{No}]"));
    SET.with(|set| contains(set, c))
}

fn contains(set: &[(u32, u32)], c: char) -> bool {
    let c = c as u32;
    set.binary_search_by(|&(start, end)| {
        if end < c {
            std::cmp::Ordering::Less
        } else if start > c {
            std::cmp::Ordering::Greater
        } else {
            std::cmp::Ordering::Equal
        }
    })
    .is_ok()
}

/// Letters that look like one other letter, folded and without accents on both sides.
fn write_confusables(data: &Data, out: &mut String) {
    let mut pairs = Vec::new();
    for c in ('\0'..=char::MAX).filter(|&c| data.flags(c) & LETTER != 0) {
        let text = c.to_string();
        let mut target = unicode_security::confusable_detection::skeleton(&text).fuse();
        if let (Some(to), None) = (target.next(), target.next())
            && data.flags(to) & LETTER != 0
        {
            let (mut level, mut plain) = (String::new(), String::new());
            accents::level(&fold(to), |c| data.flags(c), &mut level);
            accents::strip(&level, |c| data.flags(c), &mut plain);
            let mut letters = plain.chars();
            if let (Some(to), None) = (letters.next(), letters.next())
                && to != c
                && fold(c).chars().eq([c])
            {
                pairs.push((c, to));
            }
        }
    }
    writeln!(out, "static CONFUSABLES: [(char, char); {}] = {pairs:?};", pairs.len()).unwrap();
}
