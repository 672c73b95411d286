//! Which keys a scan has listed.

use core::hash::{BuildHasher, Hasher};
use std::{collections::HashSet, hash::RandomState, mem, sync::Arc};

/// How many digests the newest part may hold before it is closed.
const OPEN: usize = 1024;

/// A set of keys that holds 16 bytes of each, and that is cheap to clone: whoever scans keeps the
/// state before a page until the page has arrived.
///
/// Only the newest part grows. When it is full it is closed, and merged with the closed parts that
/// are no larger; so there are few of those, and clones share them.
///
/// Two keys are taken for one with a probability of 2⁻¹²⁸, whoever chose them: the digests are
/// keyed with random numbers of this process. A scan of ten million keys leaves one out by mistake
/// less often than once in 10²⁴ times.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    open: HashSet<u128, RandomState>,
    /// Each is smaller than the one before it.
    closed: Vec<Arc<HashSet<u128, RandomState>>>,
    halves: [RandomState; 2],
}

impl Seen {
    /// Adds a key; `false` if it was there.
    pub(super) fn insert(&mut self, key: &[u8]) -> bool {
        let [high, low] = self.halves.each_ref().map(|half| {
            let mut hasher = half.build_hasher();
            hasher.write(key);
            u128::from(hasher.finish())
        });
        let digest = high << 64 | low;
        if self.closed.iter().any(|part| part.contains(&digest)) || !self.open.insert(digest) {
            return false;
        }
        if self.open.len() == OPEN {
            self.close();
        }
        true
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
        let mut seen = Seen::default();
        assert!(seen.insert(b"user:1"));
        assert!(seen.insert(b"user:2"));
        assert!(!seen.insert(b"user:1"));
    }

    #[test]
    fn a_clone_knows_what_the_original_knew() {
        let mut seen = Seen::default();
        seen.insert(b"user:1");
        let mut clone = seen.clone();
        assert!(!clone.insert(b"user:1"));
        assert!(clone.insert(b"user:2"));
        assert!(seen.insert(b"user:2"));
    }

    #[test]
    fn many_keys_are_in_few_parts_and_a_clone_copies_little() {
        let mut seen = Seen::default();
        let before = seen.clone();
        let key = |number: usize| number.to_be_bytes();
        let mut clones = Vec::new();
        for number in 0..50 * OPEN {
            assert!(seen.insert(&key(number)));
            if number % OPEN == OPEN / 2 {
                clones.push((number, seen.clone()));
            }
        }
        assert!((0..50 * OPEN).all(|number| !seen.insert(&key(number))));
        assert!(seen.closed.len() <= 6, "{} parts", seen.closed.len());
        let merged: usize = seen.closed.iter().map(|part| part.len()).sum();
        assert_eq!(merged, 50 * OPEN);
        for (number, mut clone) in clones {
            assert!(clone.open.len() < OPEN);
            assert!(!clone.insert(&key(number)), "a clone has lost a key");
            assert!(clone.insert(&key(number + 1)), "a clone has a key that came later");
        }
        assert!(before.clone().insert(&key(0)));
    }
}
