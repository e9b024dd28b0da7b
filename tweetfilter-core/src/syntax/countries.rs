//! Codes of countries.

/// ISO 3166-1 alpha-2, and Kosovo's `xk`. Sorted.
#[rustfmt::skip]
static COUNTRIES: &[&str] = &[
    "ad", "ae", "af", "ag", "ai", "al", "am", "ao", "aq", "ar", "as", "at", "au", "aw", "ax", "az",
    "ba", "bb", "bd", "be", "bf", "bg", "bh", "bi", "bj", "bl", "bm", "bn", "bo", "bq", "br", "bs",
    "bt", "bv", "bw", "by", "bz", "ca", "cc", "cd", "cf", "cg", "ch", "ci", "ck", "cl", "cm", "cn",
    "co", "cr", "cu", "cv", "cw", "cx", "cy", "cz", "de", "dj", "dk", "dm", "do", "dz", "ec", "ee",
    "eg", "eh", "er", "es", "et", "fi", "fj", "fk", "fm", "fo", "fr", "ga", "gb", "gd", "ge", "gf",
    "gg", "gh", "gi", "gl", "gm", "gn", "gp", "gq", "gr", "gs", "gt", "gu", "gw", "gy", "hk", "hm",
    "hn", "hr", "ht", "hu", "id", "ie", "il", "im", "in", "io", "iq", "ir", "is", "it", "je", "jm",
    "jo", "jp", "ke", "kg", "kh", "ki", "km", "kn", "kp", "kr", "kw", "ky", "kz", "la", "lb", "lc",
    "li", "lk", "lr", "ls", "lt", "lu", "lv", "ly", "ma", "mc", "md", "me", "mf", "mg", "mh", "mk",
    "ml", "mm", "mn", "mo", "mp", "mq", "mr", "ms", "mt", "mu", "mv", "mw", "mx", "my", "mz", "na",
    "nc", "ne", "nf", "ng", "ni", "nl", "no", "np", "nr", "nu", "nz", "om", "pa", "pe", "pf", "pg",
    "ph", "pk", "pl", "pm", "pn", "pr", "ps", "pt", "pw", "py", "qa", "re", "ro", "rs", "ru", "rw",
    "sa", "sb", "sc", "sd", "se", "sg", "sh", "si", "sj", "sk", "sl", "sm", "sn", "so", "sr", "ss",
    "st", "sv", "sx", "sy", "sz", "tc", "td", "tf", "tg", "th", "tj", "tk", "tl", "tm", "tn", "to",
    "tr", "tt", "tv", "tw", "tz", "ua", "ug", "um", "us", "uy", "uz", "va", "vc", "ve", "vg", "vi",
    "vn", "vu", "wf", "ws", "xk", "ye", "yt", "za", "zm", "zw",
];

/// What people type instead of a code.
#[rustfmt::skip]
static REPLACEMENTS: &[(&str, &str)] = &[
    ("america", "us"), ("aus", "au"), ("aut", "at"), ("bel", "be"), ("bra", "br"), ("can", "ca"),
    ("che", "ch"), ("chn", "cn"), ("deu", "de"), ("esp", "es"), ("fra", "fr"), ("gbr", "gb"),
    ("idn", "id"), ("ind", "in"), ("irl", "ie"), ("ita", "it"), ("jpn", "jp"), ("kor", "kr"),
    ("mex", "mx"), ("nga", "ng"), ("nld", "nl"), ("phl", "ph"), ("pol", "pl"), ("prt", "pt"),
    ("rus", "ru"), ("sau", "sa"), ("swe", "se"), ("tur", "tr"), ("uk", "gb"), ("ukr", "ua"),
    ("usa", "us"), ("zaf", "za"),
];

/// Whether a text is a country's code, in any case.
pub(super) fn is_country(code: &str) -> bool {
    COUNTRIES.binary_search(&code.to_ascii_lowercase().as_str()).is_ok()
}

/// The code that was probably meant.
pub(super) fn replacement(code: &str) -> Option<&'static str> {
    let code = code.to_ascii_lowercase();
    REPLACEMENTS.iter().find(|entry| entry.0 == code).map(|entry| entry.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_replacements_are_codes() {
        assert!(COUNTRIES.is_sorted());
        assert!(REPLACEMENTS.iter().all(|r| is_country(r.1) && !is_country(r.0)));
    }
}
