//! Numbers that a request names, held against those that there are.

use std::collections::HashSet;
use std::hash::Hash;

/// What is wrong with a number that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misnamed<T> {
    /// There is no such one.
    Unknown(T),
    /// It was named before.
    Twice(T),
}

/// The first of the named that is not among the known, or stands there twice. There may be thousands of both.
pub(super) fn misnamed<T: Copy + Eq + Hash>(
    known: impl Iterator<Item = T>,
    named: &[T],
) -> Option<Misnamed<T>> {
    let known: HashSet<T> = known.collect();
    let mut before = HashSet::with_capacity(named.len());
    named.iter().find_map(|&one| match (known.contains(&one), before.insert(one)) {
        (false, _) => Some(Misnamed::Unknown(one)),
        (true, false) => Some(Misnamed::Twice(one)),
        (true, true) => None,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::Hasher;

    use super::*;

    thread_local! {
        static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    /// A number that counts how often it is compared.
    #[derive(Clone, Copy, Debug)]
    struct Counted(usize);

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            COMPARED.set(COMPARED.get() + 1);
            self.0 == other.0
        }
    }

    impl Eq for Counted {}

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    #[test]
    fn the_first_that_is_unknown_or_named_twice_is_told() {
        let of = |named: &[i64]| misnamed([1, 2, 3].into_iter(), named);
        assert_eq!([of(&[]), of(&[3, 1]), of(&[3, 1, 2])], [None; 3]);
        assert_eq!(of(&[3, 9, 3]), Some(Misnamed::Unknown(9)));
        assert_eq!(of(&[3, 1, 3, 9]), Some(Misnamed::Twice(3)));
    }

    #[test]
    fn each_of_thousands_is_held_against_few() {
        let all: Vec<_> = (0..10_000).map(Counted).collect();
        assert_eq!(misnamed(all.iter().rev().copied(), &all), None);
        assert!(COMPARED.get() < 5 * all.len(), "{}", COMPARED.get());
    }
}
