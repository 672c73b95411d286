//! Which keys a scan has listed.

use core::hash::{BuildHasher, Hasher};
use std::{collections::HashSet, hash::RandomState, mem, sync::Arc};

/// How many digests the newest part may hold before it is closed.
const OPEN: usize = 1024;

/// A set of keys that holds 16 bytes of each, and no more than so many: those that come when it is
/// full are not remembered. A clone shares all but the newest part of it, so that the state of a scan
/// before a page can be kept until that page has come.
///
/// Parts are merged with their like as they fill up, so there are few of them.
///
/// The digests are keyed with random numbers of this scan. Nobody can choose two keys that have the
/// same one, and by accident that happens once in 2⁸⁰ scans of many millions.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    open: HashSet<u128>,
    /// Each is smaller than the one before it.
    closed: Vec<Arc<HashSet<u128>>>,
    halves: [RandomState; 2],
    /// How many more fit in.
    room: usize,
}

impl Seen {
    /// An empty set that holds up to `room` keys.
    pub(crate) fn with_room(room: usize) -> Self {
        let (open, closed, halves) = Default::default();
        Self { open, closed, halves, room }
    }

    /// Adds a key, if there is room; `false` if it was there.
    pub(crate) fn insert(&mut self, key: &str) -> bool {
        let digest = self.digest(key);
        if self.holds(digest) {
            return false;
        }
        if let Some(room) = self.room.checked_sub(1) {
            self.room = room;
            self.open.insert(digest);
            if self.open.len() == OPEN {
                self.close();
            }
        }
        true
    }

    /// Whether a key was added.
    pub(crate) fn contains(&self, key: &str) -> bool {
        self.holds(self.digest(key))
    }

    fn holds(&self, digest: u128) -> bool {
        self.open.contains(&digest) || self.closed.iter().any(|part| part.contains(&digest))
    }

    fn digest(&self, key: &str) -> u128 {
        let [high, low] = self.halves.each_ref().map(|half| {
            let mut hasher = half.build_hasher();
            hasher.write(key.as_bytes());
            u128::from(hasher.finish())
        });
        high << 64 | low
    }

    fn close(&mut self) {
        let mut part = mem::take(&mut self.open);
        while let Some(last) = self.closed.pop_if(|last| last.len() <= part.len()) {
            let smaller = mem::replace(&mut part, Arc::unwrap_or_clone(last));
            part.extend(smaller);
        }
        self.closed.push(Arc::new(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_once() {
        let mut seen = Seen::with_room(9);
        assert!(seen.insert("user:1") && seen.insert("user:2"));
        assert!(!seen.insert("user:1"));
        assert!(seen.contains("user:2") && !seen.contains("user:3"));
    }

    #[test]
    fn what_does_not_fit_is_new_each_time() {
        let mut seen = Seen::with_room(2);
        assert!(["a", "b", "c", "c"].iter().all(|key| seen.insert(key)));
        assert!(!seen.insert("a") && !seen.insert("b") && !seen.contains("c"));
    }

    #[test]
    fn a_clone_knows_what_was_known_then_and_copies_little() {
        let mut seen = Seen::with_room(usize::MAX);
        let key = |number: usize| number.to_string();
        let mut clones = Vec::new();
        for number in 0..30 * OPEN {
            assert!(seen.insert(&key(number)));
            if number % OPEN == OPEN / 2 {
                clones.push((number, seen.clone()));
            }
        }
        assert!((0..30 * OPEN).all(|number| seen.contains(&key(number))));
        assert!(seen.closed.len() <= 5, "{} parts", seen.closed.len());
        for (number, clone) in clones {
            assert!(clone.open.len() < OPEN);
            assert!(clone.contains(&key(number)), "a clone has lost a key");
            assert!(!clone.contains(&key(number + 1)), "a clone has a key that came later");
        }
    }
}
