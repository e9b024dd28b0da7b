//! What filters in a builder cost.

use super::{FilterSetBuilder, OwnerId};
use crate::budget::{Dear, OverBudget, Price};
use crate::plan::TermStatistics;
use crate::plan::access::Chooser;
use crate::plan::price::Pricing;

impl FilterSetBuilder {
    /// What each filter is expected to cost a post, in the order in which they were added.
    ///
    /// It does not depend on [`FilterSetBuilder::statistics`]: a price is the same in every set.
    #[must_use]
    pub fn prices(&self) -> Vec<Price> {
        self.priced(0..self.len()).into_iter().map(|(_, price)| price).collect()
    }

    /// The price of each of some filters.
    fn priced(&self, filters: impl Iterator<Item = usize>) -> Vec<(usize, Price)> {
        let statistics = TermStatistics::default();
        let mut pricing = self.pricing(&statistics);
        filters.map(|index| (index, Price::from_nanoseconds(pricing.of(&self.formulas[index])))).collect()
    }

    fn pricing<'b>(&'b self, statistics: &'b TermStatistics) -> Pricing<'b> {
        let (atoms, sets) = (&self.atoms, &self.set_plans.list[..]);
        Pricing::new(Chooser { atoms, sets, statistics, known: Vec::new() })
    }

    /// What a refusal says of a filter that has a price, by its place in the order of adding; `None` if there is no such
    /// filter.
    #[must_use]
    pub fn dear(&self, index: usize, price: Price) -> Option<Dear> {
        let expression = self.entries.expression(index)?;
        let statistics = TermStatistics::default();
        let advice = match self.pricing(&statistics).dearest_list(&self.formulas[index]) {
            Some((number, list)) if list > price.nanoseconds() / 2.0 => {
                let set = &self.set_plans.list[number as usize];
                crate::budget::advice_on_set(&set.atom, set.is_long())
            }
            _ => crate::budget::advice(&expression),
        };
        let (id, _) = *self.entries.filters.get(index)?;
        Some(Dear { id, text: expression.text().to_owned(), price, advice })
    }

    /// Holds the filters of an owner to what they may cost together; returns what they cost.
    ///
    /// # Errors
    /// The three dearest, and what would make each cheaper.
    pub fn within(&self, owner: OwnerId, budget: Price) -> Result<Price, Box<OverBudget>> {
        let number = self.entries.owner_numbers.get(&owner).map(|number| number + 1);
        let filters = &self.entries.filters;
        let own = (0..filters.len()).filter(|&index| Some(filters[index].1) == number);
        let held = crate::budget::hold(budget, self.priced(own));
        held.map_err(|excess| Box::new(excess.described(|index, price| self.dear(index, price))))
    }
}
