//! Values that come from a fixed list, and names of sites and annotations.

use crate::syntax::languages::{self, LANGUAGES};
use crate::syntax::{ContextId, HasFlag, IsFlag};

/// Values of `is:`.
pub(in crate::syntax) const IS_FLAGS: [(&str, IsFlag); 10] = [
    ("retweet", IsFlag::Retweet),
    ("reply", IsFlag::Reply),
    ("quote", IsFlag::Quote),
    ("verified", IsFlag::Verified),
    ("sensitive", IsFlag::Sensitive),
    ("edited", IsFlag::Edited),
    ("self_thread", IsFlag::SelfThread),
    ("bot", IsFlag::Bot),
    ("protected", IsFlag::Protected),
    ("nullcast", IsFlag::Nullcast),
];

/// Values of `has:`, canonical spellings first.
pub(in crate::syntax) const HAS_FLAGS: [(&str, HasFlag); 14] = [
    ("links", HasFlag::Links),
    ("media", HasFlag::Media),
    ("images", HasFlag::Images),
    ("videos", HasFlag::Videos),
    ("gifs", HasFlag::Gifs),
    ("hashtags", HasFlag::Hashtags),
    ("mentions", HasFlag::Mentions),
    ("cashtags", HasFlag::Cashtags),
    ("geo", HasFlag::Geo),
    ("profile_geo", HasFlag::ProfileGeo),
    ("polls", HasFlag::Polls),
    ("alt", HasFlag::Alt),
    ("lang", HasFlag::Lang),
    ("symbols", HasFlag::Cashtags),
];

/// What a word of X's web search stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::syntax) enum FilterWord {
    Has(HasFlag),
    Is(IsFlag),
    IsNot(IsFlag),
}

/// Values of `filter:`.
pub(in crate::syntax) const FILTER_FLAGS: [(&str, FilterWord); 15] = [
    ("links", FilterWord::Has(HasFlag::Links)),
    ("media", FilterWord::Has(HasFlag::Media)),
    ("images", FilterWord::Has(HasFlag::Images)),
    ("videos", FilterWord::Has(HasFlag::Videos)),
    ("hashtags", FilterWord::Has(HasFlag::Hashtags)),
    ("mentions", FilterWord::Has(HasFlag::Mentions)),
    ("twimg", FilterWord::Has(HasFlag::Images)),
    ("native_video", FilterWord::Has(HasFlag::Videos)),
    ("retweets", FilterWord::Is(IsFlag::Retweet)),
    ("nativeretweets", FilterWord::Is(IsFlag::Retweet)),
    ("replies", FilterWord::Is(IsFlag::Reply)),
    ("quote", FilterWord::Is(IsFlag::Quote)),
    ("verified", FilterWord::Is(IsFlag::Verified)),
    ("self_threads", FilterWord::Is(IsFlag::SelfThread)),
    ("safe", FilterWord::IsNot(IsFlag::Sensitive)),
];

fn find<T: Copy>(list: &[(&str, T)], name: &str) -> Option<T> {
    list.iter().find(|entry| entry.0.eq_ignore_ascii_case(name)).map(|entry| entry.1)
}

pub(in crate::syntax) fn filter_word(name: &str) -> Option<FilterWord> {
    find(&FILTER_FLAGS, name)
}

/// The canonical spelling of a flag.
pub(in crate::syntax) fn flag_name<T: PartialEq>(list: &[(&'static str, T)], flag: &T) -> &'static str {
    list.iter().find(|entry| entry.1 == *flag).map_or("", |entry| entry.0)
}

/// A BCP 47 prefix in lower case, if its first part is a known code and the others are well formed.
pub(in crate::syntax) fn language(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let mut parts = lower.split('-');
    let primary = parts.next()?;
    let known = LANGUAGES.binary_search(&primary).is_ok() || languages::is_special(primary);
    let well_formed = |p: &str| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric());
    (known && parts.all(well_formed)).then_some(lower)
}

/// The code that replaces an old or three-letter one.
pub(in crate::syntax) fn old_language(code: &str) -> Option<&'static str> {
    languages::replacement(code)
}

/// A host in lower case without outer dots.
pub(in crate::syntax) fn domain(text: &str) -> Option<String> {
    let host = text.trim_matches('.').to_lowercase();
    let label = |l: &str| {
        !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii())
    };
    (!host.is_empty() && host.split('.').all(label)).then_some(host)
}

/// `D.E`, `D.*`, `*.E`.
pub(in crate::syntax) fn context(text: &str) -> Option<ContextId> {
    let (domain, entity) = text.split_once('.')?;
    let part = |p: &str| -> Option<Option<String>> {
        let id = !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        match p {
            "*" => Some(None),
            _ if id => Some(Some(p.to_owned())),
            _ => None,
        }
    };
    let (domain, entity) = (part(domain)?, part(entity)?);
    (domain.is_some() || entity.is_some()).then_some(ContextId { domain, entity })
}
