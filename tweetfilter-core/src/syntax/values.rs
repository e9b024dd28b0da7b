//! What operators' values say.

mod geo;
mod names;
mod number;
mod time;

pub(super) use geo::{bounding_box, point_radius};
pub(super) use names::{
    FILTER_FLAGS, FilterWord, HAS_FLAGS, IS_FLAGS, context, domain, filter_word, flag_name, language,
    old_language,
};
pub(super) use number::{Amount, MOST, Wrong, bare, comparison, print_comparison, sample};
pub(super) use time::{age, moment};
