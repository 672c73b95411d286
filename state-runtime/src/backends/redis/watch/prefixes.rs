//! The prefixes that one connection tracks.
//!
//! A server refuses a prefix that overlaps with another of the same connection, so what is watched
//! is merged here: of several that overlap, the shortest is tracked.

use core::ops::Bound::{Included, Unbounded};
use std::collections::BTreeSet;

/// Prefixes of which none starts with another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prefixes(BTreeSet<String>);

/// What has to be done so that a prefix is tracked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing: a shorter one is.
    Covered,
    /// It can be added.
    Add,
    /// It covers some that are tracked: they have to go first.
    Replace,
}

impl Prefixes {
    /// What tracking `prefix` takes.
    pub(super) fn step(&self, prefix: &str) -> Step {
        // Whatever covers it, or else the next in order, is the only one that can stand in the way.
        let below = self.0.range::<str, _>((Unbounded, Included(prefix))).next_back();
        if below.is_some_and(|found| prefix.starts_with(found.as_str())) {
            return Step::Covered;
        }
        match self.0.range::<str, _>((Included(prefix), Unbounded)).next() {
            Some(found) if found.starts_with(prefix) => Step::Replace,
            _ => Step::Add,
        }
    }

    /// Adds a prefix in place of those that it covers.
    pub(super) fn insert(&mut self, prefix: &str) {
        match self.step(prefix) {
            Step::Covered => return,
            Step::Add => {}
            Step::Replace => self.0.retain(|found| !found.starts_with(prefix)),
        }
        self.0.insert(prefix.to_owned());
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'p> FromIterator<&'p str> for Prefixes {
    fn from_iter<I: IntoIterator<Item = &'p str>>(prefixes: I) -> Self {
        let mut all = Self::default();
        prefixes.into_iter().for_each(|prefix| all.insert(prefix));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(prefixes: &[&str]) -> Vec<String> {
        let merged: Prefixes = prefixes.iter().copied().collect();
        merged.iter().map(str::to_owned).collect()
    }

    #[test]
    fn the_shortest_of_overlapping_prefixes_is_tracked() {
        assert_eq!(merged(&["a:b", "a:", "a:c", "b"]), ["a:", "b"]);
        assert_eq!(merged(&["a:", "a:b", "a:"]), ["a:"]);
        assert_eq!(merged(&["user:1", "user:10", "user:2"]), ["user:1", "user:2"]);
        assert_eq!(merged(&["b", "", "a"]), [""]);
    }

    #[test]
    fn no_two_overlap_whatever_the_order() {
        let texts = ["a", "a-", "a-b", "a:", "a:b", "a:b:c", "ab", "b", "a.b"];
        for first in texts {
            for second in texts {
                for third in texts {
                    let kept = merged(&[first, second, third]);
                    let overlap = kept.iter().any(|one| {
                        kept.iter().any(|two| one != two && one.starts_with(two.as_str()))
                    });
                    assert!(!overlap, "{kept:?}");
                    for text in [first, second, third] {
                        assert!(kept.iter().any(|k| text.starts_with(k.as_str())), "{kept:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_step_says_what_a_prefix_takes() {
        let tracked: Prefixes = ["a:b", "c"].into_iter().collect();
        assert_eq!(tracked.step("a:b"), Step::Covered);
        assert_eq!(tracked.step("a:b:c"), Step::Covered);
        assert_eq!(tracked.step("a:c"), Step::Add);
        assert_eq!(tracked.step("a:"), Step::Replace);
        assert_eq!(tracked.step(""), Step::Replace);
        assert_eq!(Prefixes::default().step(""), Step::Add);
    }
}
