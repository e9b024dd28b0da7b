//! What an expression, a set of filters and a post may cost.

/// Bounds on expressions, sets of filters and posts; what is over one is refused by name.
///
/// `Limits::default()` holds the values that the documentation states.
///
/// ```
/// use tweetfilter_core::Limits;
/// let limits = Limits { nesting: 8, ..Limits::default() };
/// assert_eq!(limits.expression_bytes, 64 * 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one expression.
    pub expression_bytes: usize,
    /// Atoms of one expression, as written.
    pub atoms: usize,
    /// Parentheses, quotas and scopes inside each other; NOT does not count.
    pub nesting: usize,
    /// Regexes in one filter.
    pub regexes: usize,
    /// Bytes of one regex as written.
    pub regex_bytes: usize,
    /// Compiled size of one regex in bytes, as `regex::RegexBuilder::size_limit` counts it.
    pub regex_size: usize,
    /// Compiled size of all regexes of one owner, by the same measure. Filters without an owner have none.
    pub regex_size_per_owner: usize,
    /// Bytes of compiled regexes that one scratch keeps between posts.
    pub regex_cache: usize,
    /// Bytes of text that are read of a post; the rest is ignored.
    pub post_text_bytes: usize,
    /// Terms of one named set.
    pub set_terms: usize,
    /// Items of a proximity phrase; more than 16 are refused whatever it says.
    pub proximity_items: usize,
    /// Foreign tokens that a proximity phrase may allow.
    pub proximity_distance: u32,
    /// Diagnostics that one expression reports.
    pub diagnostics: usize,
}

impl Limits {
    /// Every choice of the items of a proximity may be tried, and their number doubles with each.
    pub(crate) const MOST_ITEMS: usize = 16;

    /// Items that a proximity phrase may have.
    pub(crate) fn items_of_proximity(&self) -> usize {
        self.proximity_items.min(Self::MOST_ITEMS)
    }

    /// What reads again what was accepted already.
    pub(crate) const NONE: Self = Self {
        expression_bytes: usize::MAX,
        atoms: usize::MAX,
        nesting: usize::MAX,
        regexes: usize::MAX,
        regex_bytes: usize::MAX,
        regex_size: usize::MAX,
        regex_size_per_owner: usize::MAX,
        regex_cache: usize::MAX,
        post_text_bytes: usize::MAX,
        set_terms: usize::MAX,
        proximity_items: usize::MAX,
        proximity_distance: u32::MAX,
        diagnostics: usize::MAX,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            expression_bytes: 64 << 10,
            atoms: 8192,
            nesting: 64,
            regexes: 32,
            regex_bytes: 512,
            regex_size: 256 << 10,
            regex_size_per_owner: 8 << 20,
            regex_cache: 64 << 20,
            post_text_bytes: 32 << 10,
            set_terms: 100_000,
            proximity_items: 8,
            proximity_distance: 32,
            diagnostics: 32,
        }
    }
}
