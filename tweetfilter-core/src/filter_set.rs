//! What users hold: filters go into a builder, the builder gives a set, the set evaluates posts.

mod prices;

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::{Index, build};
use crate::eval::run::Tried;
use crate::explain::{Cost, CostClass, Explanation, Plan};
use crate::plan::TermStatistics;
use crate::plan::atoms::Atoms;
use crate::plan::formula::Formula;
use crate::plan::lower::Lowering;
use crate::plan::sets::SetPlans;
use crate::post::{Account, Post};
use crate::stated::{Known, Stated};
use crate::syntax::{Diagnostic, sets};
use crate::{Dialect, Expression, Limits, ParseError, Parts, Scratch};

/// A filter's id, chosen by the caller, unique among the filters of one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FilterId(pub u64);

/// Whose filter it is, chosen by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OwnerId(pub u64);

/// An account of an owner on one network: what `me` stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// As [`Post::network`](crate::Post::network).
    pub network: String,
    /// Id, handle, or both.
    pub account: Account,
}

/// A filter that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Match {
    /// Place in the order in which the filters were added.
    pub index: u32,
    /// The filter's id.
    pub id: FilterId,
    /// Its owner.
    pub owner: Option<OwnerId>,
}

/// Why a filter can't be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// The text is not an expression.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The expression is one, but not in this set: `me` without owner, an unknown named set, a limit.
    #[error("{}", .0.message)]
    Refused(Box<Diagnostic>),
    /// The owner has a filter of this id already.
    #[error("filter id {} is taken", (.0).0)]
    DuplicateId(FilterId),
}

/// Collects filters and what they refer to, and compiles them.
///
/// Owners and named sets must be there before the filters that use them.
///
/// ```
/// use tweetfilter_core::{FilterId, FilterSetBuilder, OwnerId, Expression, Post};
/// let mut builder = FilterSetBuilder::new();
/// builder.named_set("cities", "oslo\nnew york")?;
/// builder.owner(OwnerId(7), Vec::new());
/// builder.add_expression(FilterId(1), Some(OwnerId(7)), Expression::parse("{cities} snow")?)?;
/// let set = builder.build();
/// assert_eq!(set.matches(&Post::from_text("Snow in New York")).len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FilterSetBuilder {
    limits: Limits,
    statistics: TermStatistics,
    stated: Stated,
    atoms: Atoms,
    set_plans: SetPlans,
    formulas: Vec<Formula>,
    ids: HashSet<(Option<OwnerId>, FilterId)>,
    /// Bytes of regexes by owner.
    regex_sizes: HashMap<OwnerId, usize>,
    entries: Entries,
}

/// What is kept of each filter beside its compiled form.
#[derive(Debug, Default)]
struct Entries {
    /// Id, and number of the owner plus one; 0: none. Side by side, since a match asks for both.
    filters: Vec<(FilterId, u32)>,
    owner_ids: Vec<OwnerId>,
    owner_numbers: HashMap<OwnerId, u32>,
    texts: String,
    ends: Vec<u32>,
    x: Vec<bool>,
    /// By their form alone.
    classes: Vec<CostClass>,
}

/// Filters, compiled: immutable, `Send + Sync`, made to be shared between threads that have a [`Scratch`] each.
#[derive(Debug)]
pub struct FilterSet {
    pub(crate) index: Index,
    pub(crate) limits: Limits,
    /// Tells sets apart for what a scratch keeps of them.
    pub(crate) number: u64,
    entries: Entries,
    stated: Stated,
}

impl Default for FilterSetBuilder {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            statistics: TermStatistics::default(),
            stated: Stated::default(),
            atoms: Atoms::new(),
            set_plans: SetPlans::default(),
            formulas: Vec::new(),
            ids: HashSet::new(),
            regex_sizes: HashMap::new(),
            entries: Entries::default(),
        }
    }
}

impl FilterSetBuilder {
    /// An empty builder with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty builder to which all that filters refer to was stated.
    pub(crate) fn knowing(stated: Stated) -> Self {
        Self { stated, ..Self::default() }
    }

    /// Sets the limits under which further filters are parsed and added; filters added before stay as they are.
    ///
    /// Of what evaluation costs (`post_text_bytes`, `regex_cache`) the last value holds for the whole set.
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.limits = limits;
        self
    }

    /// Sets the term statistics by which the index is laid out; results do not depend on them.
    pub fn statistics(&mut self, statistics: TermStatistics) -> &mut Self {
        self.statistics = statistics;
        self
    }

    /// States an owner and the accounts that `me` stands for in their filters. Stated again, it holds for filters
    /// that are added later.
    pub fn owner(&mut self, id: OwnerId, identities: Vec<Identity>) -> &mut Self {
        self.entries.owner(id);
        self.stated.owner(id, identities, self.entries.moment());
        self
    }

    /// States whose id a handle is on a network: filters that name the handle then also mean posts of that network
    /// that give the id alone. Texts of filters stay as they are, and an id means that account on that network only.
    ///
    /// Bluesky's stream, for one, names authors by ids alone. Like owners, handles must be there before the filters
    /// that name them.
    ///
    /// ```
    /// use tweetfilter_core::{FilterId, FilterSetBuilder, Post, post::Account};
    /// let mut builder = FilterSetBuilder::new();
    /// builder.handle("bluesky", &Account { id: "did:plc:abc".into(), handle: "ann.example".into() });
    /// builder.add(FilterId(1), "from:ann.example")?;
    /// let mut post = Post { network: "bluesky".into(), ..Post::from_text("Snow") };
    /// post.author.account.id = "did:plc:abc".into();
    /// assert_eq!(builder.build().matches(&post).len(), 1);
    /// # Ok::<(), tweetfilter_core::AddError>(())
    /// ```
    pub fn handle(&mut self, network: &str, account: &Account) -> &mut Self {
        self.stated.handle(network, account, self.entries.moment());
        self
    }

    /// Adds a named set, one term a line, that the filters of all owners name as `{name}`, but for an owner who
    /// has one of this name.
    ///
    /// Each filter means the list that stood when it was added: a list that is stated again, by this or by
    /// [`FilterSetBuilder::owner_set`], holds for filters that are added later.
    ///
    /// ```
    /// use tweetfilter_core::{FilterId, FilterSetBuilder, Post};
    /// let mut builder = FilterSetBuilder::new();
    /// builder.named_set("towns", "oslo")?.add(FilterId(1), "{towns}")?;
    /// builder.named_set("towns", "rome")?.add(FilterId(2), "{towns}")?;
    /// let set = builder.build();
    /// assert_eq!(set.matches(&Post::from_text("Oslo"))[0].id, FilterId(1));
    /// assert_eq!(set.matches(&Post::from_text("Rome"))[0].id, FilterId(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Every line that is no term, and a set that is over a limit.
    pub fn named_set(&mut self, name: &str, terms: &str) -> Result<&mut Self, ParseError> {
        self.list(None, name, terms)
    }

    /// Adds a named set that only the filters of one owner know.
    ///
    /// # Errors
    /// As [`FilterSetBuilder::named_set`].
    pub fn owner_set(&mut self, owner: OwnerId, name: &str, terms: &str) -> Result<&mut Self, ParseError> {
        self.list(Some(owner), name, terms)
    }

    fn list(&mut self, owner: Option<OwnerId>, name: &str, terms: &str) -> Result<&mut Self, ParseError> {
        let lines = sets::read(name, terms, &self.limits)
            .map_err(|found| ParseError::new(terms.to_owned(), found))?;
        self.stated.list(owner, name, lines, self.entries.moment());
        Ok(self)
    }

    /// Parses a filter of no owner and adds it.
    ///
    /// # Errors
    /// See [`AddError`]; the builder is unchanged then.
    pub fn add(&mut self, id: FilterId, text: &str) -> Result<&mut Self, AddError> {
        let expression = Expression::parse_with(text, Dialect::Native, &self.limits)?;
        self.add_expression(id, None, expression)
    }

    /// Adds a parsed filter, of an owner or of none; what was parsed is looked at and may be kept.
    ///
    /// It is held to the limits of this builder, whatever limits it was parsed under.
    ///
    /// # Errors
    /// See [`AddError`]; the builder is unchanged then.
    pub fn add_expression(
        &mut self,
        id: FilterId,
        owner: Option<OwnerId>,
        expression: impl Borrow<Expression>,
    ) -> Result<&mut Self, AddError> {
        self.insert(id, owner, expression.borrow())
    }

    fn insert(
        &mut self,
        id: FilterId,
        owner: Option<OwnerId>,
        expression: &Expression,
    ) -> Result<&mut Self, AddError> {
        if self.ids.contains(&(owner, id)) {
            return Err(AddError::DuplicateId(id));
        }
        crate::plan::within::check(expression, &self.limits).map_err(|d| AddError::Refused(Box::new(d)))?;
        let used = owner.and_then(|o| self.regex_sizes.get(&o)).copied().unwrap_or_default();
        let regex_size = crate::plan::regex_size::check(expression, &self.limits, owner.is_some(), used)
            .map_err(|d| AddError::Refused(Box::new(d)))?;
        let mut lowering = Lowering {
            atoms: &mut self.atoms,
            known: self.stated.to(owner, self.entries.moment()),
            set_plans: &mut self.set_plans,
            x: expression.dialect() == Dialect::X,
        };
        let formula = lowering.formula(expression.root()).map_err(|d| AddError::Refused(Box::new(d)))?;
        if let Some(owner) = owner.filter(|_| regex_size > 0) {
            self.regex_sizes.insert(owner, used + regex_size);
        }
        self.ids.insert((owner, id));
        self.formulas.push(formula);
        self.entries.push(id, owner, expression);
        Ok(self)
    }

    /// Number of filters so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.formulas.len()
    }

    /// Whether no filter was added yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.formulas.is_empty()
    }

    /// Compiles the set.
    #[must_use]
    pub fn build(self) -> FilterSet {
        static SETS: AtomicU64 = AtomicU64::new(1);
        let index = build::build(&self.formulas, self.atoms, &self.set_plans.list, &self.statistics);
        FilterSet {
            index,
            limits: self.limits,
            number: SETS.fetch_add(1, Ordering::Relaxed),
            entries: self.entries,
            stated: self.stated,
        }
    }
}

impl Entries {
    fn owner(&mut self, id: OwnerId) -> u32 {
        let next = self.owner_ids.len() as u32;
        let number = *self.owner_numbers.entry(id).or_insert(next);
        if number == next {
            self.owner_ids.push(id);
        }
        number
    }

    /// The moment at which the next filter comes.
    fn moment(&self) -> u32 {
        self.filters.len() as u32
    }

    /// The text of a filter.
    fn text(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        Some(&self.texts[start..end])
    }

    /// Its tree, parsed again.
    fn expression(&self, index: usize) -> Option<Expression> {
        let dialect = if *self.x.get(index)? { Dialect::X } else { Dialect::Native };
        Expression::parse_with(self.text(index)?, dialect, &Limits::NONE).ok()
    }

    fn push(&mut self, id: FilterId, owner: Option<OwnerId>, expression: &Expression) {
        let owner = owner.map_or(0, |o| self.owner(o) + 1);
        self.filters.push((id, owner));
        self.texts.push_str(expression.text());
        self.ends.push(self.texts.len() as u32);
        self.x.push(expression.dialect() == Dialect::X);
        self.classes.push(expression.class());
    }
}

impl FilterSet {
    /// Number of filters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.filters.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All filters that a post satisfies, in the order in which they were added.
    ///
    /// Makes a scratch for this one call; in a loop use [`FilterSet::matches_with`].
    #[must_use]
    pub fn matches(&self, post: &Post) -> Vec<Match> {
        self.matches_with(&mut Scratch::default(), post).to_vec()
    }

    /// The same with a scratch of the caller's, one per thread.
    pub fn matches_with<'s>(&self, scratch: &'s mut Scratch, post: &Post) -> &'s [Match] {
        scratch.run(self, post, Tried::All, false)
    }

    /// The filters without owner, and those of the given owners, that a post satisfies.
    ///
    /// Owners that have no filters may stand in the audience; nobody else's filters are tried.
    pub fn matches_for<'s>(
        &self,
        scratch: &'s mut Scratch,
        post: &Post,
        audience: &[OwnerId],
    ) -> &'s [Match] {
        let mut owners = scratch.take_audience();
        owners.extend(audience.iter().filter_map(|o| self.entries.owner_numbers.get(o)));
        owners.sort_unstable();
        scratch.run(self, post, Tried::Owners(&owners), false);
        scratch.put_audience(owners);
        scratch.matches()
    }

    /// Evaluates posts in order and calls `each` with the index and the matches of every one.
    pub fn matches_batch<'p>(
        &self,
        scratch: &mut Scratch,
        posts: impl IntoIterator<Item = &'p Post>,
        mut each: impl FnMut(usize, &[Match]),
    ) {
        for (number, post) in posts.into_iter().enumerate() {
            each(number, self.matches_with(scratch, post));
        }
    }

    /// What [`FilterSet::matches_with`] gives, without the index: every filter is evaluated. For tests and for
    /// measuring what the index is worth.
    pub fn matches_scanned<'s>(&self, scratch: &'s mut Scratch, post: &Post) -> &'s [Match] {
        scratch.run(self, post, Tried::All, true)
    }

    /// The text of a filter, by its place in the order of adding.
    #[must_use]
    pub fn text(&self, index: usize) -> Option<&str> {
        self.entries.text(index)
    }

    /// The filter's tree, parsed again from its text.
    #[must_use]
    pub fn expression(&self, index: usize) -> Option<Expression> {
        self.entries.expression(index)
    }

    /// How dear a filter is and why; `None` if there is no such filter.
    #[must_use]
    pub fn cost(&self, index: usize) -> Option<Cost> {
        let (expression, filter) = (self.expression(index)?, u32::try_from(index).ok()?);
        let is_scanned = self.index.is_scanned(filter);
        let sets: Vec<&str> = self.index.scanned_sets(filter).map(|set| &*set.atom).collect();
        Some(match is_scanned || sets.is_empty() {
            true => crate::syntax::cost::of(&expression, is_scanned),
            false => crate::syntax::cost::by_sets(&expression, &sets),
        })
    }

    /// The class of [`FilterSet::cost`] alone, which is known without parsing.
    #[must_use]
    pub fn cost_class(&self, index: usize) -> Option<CostClass> {
        let class = *self.entries.classes.get(index)?;
        let filter = u32::try_from(index).ok()?;
        let scanned = self.index.is_scanned(filter) || self.index.scanned_sets(filter).next().is_some();
        Some(if scanned { CostClass::Scanned } else { class })
    }

    /// The parts of posts that its filters read: matches are the same whatever stands in the others. Explanations read all.
    #[must_use]
    pub fn parts(&self) -> Parts {
        self.index.parts()
    }

    /// Why a post matches a filter or what it lacks; `None` if there is no such filter.
    #[must_use]
    pub fn explain(&self, index: usize, post: &Post) -> Option<Explanation> {
        let expression = self.expression(index)?;
        let known = self.known(index)?;
        Some(crate::eval::explain::explain(&expression, post, known, self.limits.post_text_bytes))
    }

    /// What a filter refers to.
    fn known(&self, index: usize) -> Option<Known<'_>> {
        let index = u32::try_from(index).ok()?;
        Some(self.stated.to(self.entry(index).owner, index))
    }

    /// How a filter is run, chosen by the default statistics; `None` if there is no such filter.
    #[must_use]
    pub fn plan(&self, index: usize) -> Option<Plan> {
        let expression = self.expression(index)?;
        let (mut atoms, mut set_plans) = (Atoms::new(), SetPlans::default());
        let mut lowering = Lowering {
            atoms: &mut atoms,
            known: self.known(index)?,
            set_plans: &mut set_plans,
            x: expression.dialect() == Dialect::X,
        };
        let formula = lowering.formula(expression.root()).ok()?;
        Some(crate::plan::shown::plan(&formula, &atoms, &set_plans.list, self.cost(index)?))
    }

    /// Bytes of memory of the compiled form, without the filters' own text and without regexes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.index.bytes() + self.len() * 22
    }

    pub(crate) fn entry(&self, filter: u32) -> Match {
        let (id, owner) = self.entries.filters[filter as usize];
        let owner = owner.checked_sub(1).map(|o| self.entries.owner_ids[o as usize]);
        Match { index: filter, id, owner }
    }

    /// The number of a filter's owner.
    #[inline]
    pub(crate) fn owner_number(&self, filter: u32) -> Option<u32> {
        self.entries.filters[filter as usize].1.checked_sub(1)
    }
}
