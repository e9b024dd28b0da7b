//! Which accounts an expression names.

use std::collections::BTreeSet;

use super::lint::each_atom;
use super::{AccountName, Atom, Expression, NamedSets, Value};

/// The handles and ids that an expression names, in lower case: those of `from:` and the like, of mentions, and of
/// the named lists that it uses. `me` is none of them, and a list that is not there names nobody.
///
/// ```
/// use tweetfilter_core::syntax::{NamedSets, account_names};
/// use tweetfilter_core::Expression;
/// let filter = Expression::parse("from:Ann.example,me -@bob snow")?;
/// let names = account_names(&filter, &NamedSets::default());
/// assert_eq!(names.into_iter().collect::<Vec<_>>(), ["ann.example", "bob"]);
/// # Ok::<(), tweetfilter_core::ParseError>(())
/// ```
#[must_use]
pub fn account_names(expression: &Expression, sets: &NamedSets) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each_account(expression, sets, &mut |name| {
        if let AccountName::Name(name) = name {
            names.insert(name.to_ascii_lowercase());
        }
    });
    names
}

/// Whether an expression means its owner, as `from:me` does.
#[must_use]
pub fn names_me(expression: &Expression) -> bool {
    let mut any = false;
    each_account(expression, &NamedSets::default(), &mut |name| any |= matches!(name, AccountName::Me));
    any
}

fn each_account(expression: &Expression, sets: &NamedSets, name: &mut impl FnMut(&AccountName)) {
    let mut add = |atom: &Atom| match atom {
        Atom::Mention(mentioned) => name(mentioned),
        Atom::Account(_, values) => values.iter().for_each(|value| {
            if let Value::One(one) = value {
                name(one);
            }
        }),
        _ => {}
    };
    each_atom(expression, &mut |atom, _| {
        let lists = match atom {
            Atom::Set(_) => true,
            Atom::Account(_, values) => values.iter().any(|value| matches!(value, Value::Set(_))),
            _ => false,
        };
        add(atom);
        if lists {
            sets.expand(atom).unwrap_or_default().iter().for_each(&mut add);
        }
    });
}
