//! Codes of languages.

/// Primary language codes of BCP 47 that posts are tagged with: all of ISO 639-1, old codes, and those
/// of three letters that are in use for text, the larger members of macrolanguages included. Sorted.
#[rustfmt::skip]
pub(super) static LANGUAGES: &[&str] = &[
    "aa", "ab", "ace", "ach", "acm", "acq", "ada", "ady", "ae", "aeb", "af", "afb", "afh", "agq",
    "ain", "ak", "akk", "ale", "alt", "am", "an", "ang", "anp", "apc", "apd", "ar", "arb", "arc",
    "arn", "arp", "ars", "arw", "ary", "arz", "as", "asa", "ast", "av", "awa", "ay", "ayl", "ayn",
    "az", "azb", "azj", "ba", "bal", "ban", "bar", "bas", "bbj", "be", "bej", "bem", "bew", "bez",
    "bfd", "bg", "bgn", "bh", "bho", "bi", "bik", "bin", "bjn", "bkm", "bla", "bm", "bn", "bo", "bpy",
    "bqi", "br", "bra", "brh", "brx", "bs", "bss", "bua", "bug", "bum", "byn", "byv", "ca", "cad",
    "car", "cay", "cch", "ccp", "ce", "ceb", "cgg", "ch", "chb", "chg", "chk", "chm", "chn", "cho",
    "chp", "chr", "chy", "cjy", "ckb", "cmn", "cnr", "co", "cop", "cps", "cpx", "cr", "crh", "crs",
    "cs", "csb", "cu", "cv", "cy", "czh", "czo", "da", "dak", "dar", "dav", "de", "del", "den", "dgr",
    "din", "diq", "dje", "doi", "dsb", "dtp", "dua", "dum", "dv", "dyo", "dyu", "dz", "dzg", "ebu",
    "ee", "efi", "egl", "egy", "eka", "ekk", "el", "elx", "en", "enm", "eo", "es", "esu", "et", "eu",
    "ewo", "ext", "fa", "fan", "fat", "ff", "fi", "fil", "fit", "fj", "fo", "fon", "fr", "frc", "frm",
    "fro", "frp", "frr", "frs", "fur", "fuv", "fy", "ga", "gaa", "gag", "gan", "gax", "gay", "gba",
    "gbz", "gd", "gez", "gil", "gl", "glk", "gmh", "gn", "goh", "gom", "gon", "gor", "got", "grb",
    "grc", "gsw", "gu", "guc", "gur", "guz", "gv", "gwi", "ha", "hai", "hak", "haw", "hbo", "he", "hi",
    "hif", "hil", "hit", "hji", "hmn", "hne", "hno", "ho", "hr", "hsb", "hsn", "ht", "hu", "hup", "hy",
    "hz", "ia", "iba", "ibb", "id", "ie", "ig", "ii", "ik", "ilo", "in", "inh", "io", "is", "it", "iu",
    "iw", "izh", "ja", "jam", "jax", "jbo", "jgo", "ji", "jmc", "jpr", "jrb", "jut", "jv", "jw", "ka",
    "kaa", "kab", "kac", "kaj", "kam", "kaw", "kbd", "kbl", "kcg", "kde", "kea", "ken", "kfo", "kg",
    "kgp", "kha", "khk", "kho", "khq", "khw", "ki", "kiu", "kj", "kk", "kkj", "kl", "kln", "km", "kmb",
    "kmr", "kn", "ko", "koi", "kok", "kos", "kpe", "kr", "krc", "kri", "krj", "krl", "kru", "ks",
    "ksb", "ksf", "ksh", "ku", "kum", "kut", "kv", "kw", "ky", "la", "lad", "lag", "lah", "lam", "lb",
    "ldn", "lez", "lfn", "lg", "li", "lij", "liv", "lkt", "lld", "lmo", "ln", "lo", "lol", "lou",
    "loz", "lrc", "lt", "ltg", "lu", "lua", "lui", "lun", "luo", "lus", "luy", "lv", "lvs", "lzh",
    "lzz", "mad", "maf", "mag", "mai", "mak", "man", "mas", "mde", "mdf", "mdr", "men", "mer", "mfe",
    "mg", "mga", "mgh", "mgo", "mh", "mi", "mic", "min", "mk", "ml", "mn", "mnc", "mni", "mnp", "mo",
    "moh", "mos", "mr", "mrj", "ms", "mt", "mua", "mui", "mul", "mus", "mwl", "mwr", "mwv", "mww",
    "my", "mye", "myv", "mzn", "na", "nan", "nap", "naq", "nb", "nd", "nds", "ne", "new", "ng", "nhn",
    "nia", "niu", "njo", "nl", "nmg", "nn", "nnh", "no", "nog", "non", "nov", "npi", "nqo", "nr",
    "nso", "nus", "nv", "nwc", "ny", "nym", "nyn", "nyo", "nzi", "oc", "oj", "om", "or", "ory", "os",
    "osa", "ota", "pa", "pag", "pal", "pam", "pap", "pau", "pcd", "pcm", "pdc", "pdt", "peo", "pes",
    "pfl", "phn", "pi", "pl", "plt", "pms", "pnb", "pnt", "pon", "prg", "pro", "prs", "ps", "pst",
    "pt", "qu", "quc", "qug", "quz", "qxq", "raj", "rap", "rar", "rgn", "rif", "rm", "rmy", "rn", "ro",
    "rof", "rom", "rtm", "ru", "rue", "rug", "rup", "rw", "rwk", "sa", "sad", "sah", "sam", "saq",
    "sas", "sat", "saz", "sba", "sbp", "sc", "scn", "sco", "sd", "sdc", "sdh", "se", "see", "seh",
    "sei", "sel", "ses", "sg", "sga", "sgs", "sh", "shi", "shn", "shu", "si", "sid", "sk", "skr", "sl",
    "sli", "sly", "sm", "sma", "smj", "smn", "sms", "sn", "snk", "so", "sog", "sq", "sr", "srn", "srr",
    "ss", "ssy", "st", "stq", "su", "suk", "sus", "sux", "sv", "sw", "swb", "swc", "swh", "syc", "syr",
    "szl", "ta", "tcy", "te", "tem", "teo", "ter", "tet", "tg", "th", "ti", "tig", "tiv", "tk", "tkl",
    "tkr", "tl", "tlh", "tli", "tly", "tmh", "tn", "to", "tog", "tok", "tpi", "tr", "tru", "trv", "ts",
    "tsd", "tsi", "tt", "tts", "ttt", "tum", "tvl", "tw", "twq", "ty", "tyv", "tzm", "udm", "ug",
    "uga", "uk", "umb", "und", "ur", "uz", "uzn", "uzs", "vai", "ve", "vec", "vep", "vi", "vkk", "vls",
    "vmf", "vo", "vot", "vro", "vun", "wa", "wae", "wal", "war", "was", "wbp", "wo", "wuu", "xal",
    "xh", "xmf", "xog", "yao", "yap", "yav", "ybb", "ydd", "yi", "yo", "yrl", "yue", "za", "zap",
    "zba", "zbl", "zea", "zen", "zgh", "zh", "zlm", "zsm", "zu", "zun", "zza",
];

/// X's own: undetermined kinds of text.
const SPECIAL: [&str; 7] = ["qme", "qst", "qht", "qam", "qct", "zxx", "art"];

/// Whether a code is one of X's for text without language.
pub(super) fn is_special(code: &str) -> bool {
    SPECIAL.contains(&code)
}

/// Codes of three letters, and names, that people type for a language that has a shorter code. Sorted.
#[rustfmt::skip]
static REPLACEMENTS: &[(&str, &str)] = &[
    ("aar", "aa"), ("abk", "ab"), ("afr", "af"), ("aka", "ak"), ("alb", "sq"), ("amh", "am"),
    ("ara", "ar"), ("arabic", "ar"), ("arm", "hy"), ("asm", "as"), ("aze", "az"), ("bak", "ba"),
    ("baq", "eu"), ("bel", "be"), ("ben", "bn"), ("bod", "bo"), ("bos", "bs"), ("bre", "br"),
    ("bul", "bg"), ("bur", "my"), ("cat", "ca"), ("ces", "cs"), ("chi", "zh"), ("chinese", "zh"),
    ("cn", "zh"), ("cym", "cy"), ("cz", "cs"), ("cze", "cs"), ("dan", "da"), ("danish", "da"),
    ("deu", "de"), ("dk", "da"), ("dut", "nl"), ("dutch", "nl"), ("ell", "el"), ("eng", "en"),
    ("english", "en"), ("epo", "eo"), ("est", "et"), ("eus", "eu"), ("fao", "fo"), ("fas", "fa"),
    ("fin", "fi"), ("finnish", "fi"), ("fra", "fr"), ("fre", "fr"), ("french", "fr"), ("fry", "fy"),
    ("geo", "ka"), ("ger", "de"), ("german", "de"), ("gla", "gd"), ("gle", "ga"), ("glg", "gl"),
    ("gr", "el"), ("gre", "el"), ("greek", "el"), ("guj", "gu"), ("hat", "ht"), ("hau", "ha"),
    ("heb", "he"), ("hebrew", "he"), ("hin", "hi"), ("hindi", "hi"), ("hrv", "hr"), ("hun", "hu"),
    ("hye", "hy"), ("ibo", "ig"), ("ice", "is"), ("ind", "id"), ("indonesian", "id"), ("isl", "is"),
    ("ita", "it"), ("italian", "it"), ("japanese", "ja"), ("jav", "jv"), ("jp", "ja"), ("jpn", "ja"),
    ("kan", "kn"), ("kat", "ka"), ("kaz", "kk"), ("khm", "km"), ("kin", "rw"), ("kir", "ky"),
    ("kor", "ko"), ("korean", "ko"), ("kur", "ku"), ("lao", "lo"), ("lat", "la"), ("lav", "lv"),
    ("lit", "lt"), ("ltz", "lb"), ("mac", "mk"), ("mal", "ml"), ("mao", "mi"), ("mar", "mr"),
    ("may", "ms"), ("mkd", "mk"), ("mlt", "mt"), ("mon", "mn"), ("mri", "mi"), ("msa", "ms"),
    ("mya", "my"), ("nep", "ne"), ("nld", "nl"), ("nno", "nn"), ("nob", "nb"), ("nor", "no"),
    ("norwegian", "no"), ("oci", "oc"), ("ori", "or"), ("pan", "pa"), ("per", "fa"), ("persian", "fa"),
    ("pol", "pl"), ("polish", "pl"), ("por", "pt"), ("portuguese", "pt"), ("pus", "ps"), ("ron", "ro"),
    ("rum", "ro"), ("rus", "ru"), ("russian", "ru"), ("san", "sa"), ("sin", "si"), ("slk", "sk"),
    ("slo", "sk"), ("slv", "sl"), ("som", "so"), ("spa", "es"), ("spanish", "es"), ("sqi", "sq"),
    ("srp", "sr"), ("sun", "su"), ("swa", "sw"), ("swe", "sv"), ("swedish", "sv"), ("tam", "ta"),
    ("tat", "tt"), ("tel", "te"), ("tgk", "tg"), ("tgl", "tl"), ("tha", "th"), ("thai", "th"),
    ("tib", "bo"), ("tuk", "tk"), ("tur", "tr"), ("turkish", "tr"), ("uig", "ug"), ("ukr", "uk"),
    ("ukrainian", "uk"), ("urd", "ur"), ("uzb", "uz"), ("vie", "vi"), ("vietnamese", "vi"),
    ("wel", "cy"), ("xho", "xh"), ("yid", "yi"), ("yor", "yo"), ("zho", "zh"), ("zul", "zu"),
];

/// The code to use instead of an unknown one.
pub(super) fn replacement(code: &str) -> Option<&'static str> {
    let index = REPLACEMENTS.binary_search_by_key(&code, |entry| entry.0).ok()?;
    Some(REPLACEMENTS[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_replacements_are_known() {
        assert!(LANGUAGES.is_sorted() && REPLACEMENTS.is_sorted());
        for (old, new) in REPLACEMENTS {
            assert!(
                LANGUAGES.binary_search(new).is_ok() && LANGUAGES.binary_search(old).is_err(),
                "{old} {new}"
            );
        }
        assert_eq!(replacement("eng"), Some("en"));
    }
}
