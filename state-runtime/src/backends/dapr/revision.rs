//! The revision of an entry: the etag of the component, and when the entry expires.
//!
//! The expiry belongs to it because a component keeps an entry for a while after it has expired, and
//! would still accept its etag. A change of the expiry changes the etag too, so the two fit.

use core::sync::atomic::{AtomicU64, Ordering};
use std::hash::BuildHasher;

use crate::backend::{Revision, Timestamp};

/// In place of an expiry: the entry lives for ever.
const NEVER: u64 = u64::MAX;

/// The revision of an entry with this etag and this expiry.
pub(super) fn of(etag: &str, expires: Option<Timestamp>) -> Revision {
    let expires = expires.map_or(NEVER, Timestamp::as_millis);
    let mut bytes = expires.to_be_bytes().to_vec();
    bytes.extend(etag.as_bytes());
    Revision::from_bytes(&bytes)
}

/// What a revision was made of; `None` if it is not one that [`of`] makes.
pub(super) fn parts(revision: &Revision) -> Option<(&str, Option<Timestamp>)> {
    let (expires, etag) = revision.as_bytes().split_first_chunk::<8>()?;
    let etag = core::str::from_utf8(etag).ok()?;
    let plain = !etag.is_empty() && etag.bytes().all(|byte| byte.is_ascii_graphic());
    let expires = u64::from_be_bytes(*expires);
    plain.then_some((etag, (expires != NEVER).then(|| Timestamp::from_millis(expires))))
}

/// Makes revisions that hold of no entry, each another one.
///
/// The answer to a write holds no etag, so the revision is read afterwards. If the entry is another
/// one by then, what was written has been replaced, and its revision is one that will never hold.
#[derive(Debug)]
pub(super) struct Outdated {
    /// Random, so that those of two backends differ.
    origin: u64,
    made: AtomicU64,
}

impl Outdated {
    pub(super) fn new() -> Self {
        Self { origin: std::hash::RandomState::new().hash_one(()), made: AtomicU64::new(0) }
    }

    /// One that was not made before.
    pub(super) fn make(&self) -> Revision {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        // The zero after the expiry keeps it apart from every etag.
        let mut bytes = NEVER.to_be_bytes().to_vec();
        bytes.push(0);
        bytes.extend(self.origin.to_be_bytes());
        bytes.extend(made.to_be_bytes());
        Revision::from_bytes(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etag_and_expiry_come_back() {
        for expires in [None, Some(Timestamp::from_millis(7))] {
            assert_eq!(parts(&of("6959da8b", expires)), Some(("6959da8b", expires)));
        }
    }

    #[test]
    fn a_foreign_revision_has_no_parts() {
        for foreign in [b"".as_slice(), b"0", &[0; 8], &[255; 16], &[7; 40], b"12345678a b"] {
            assert_eq!(parts(&Revision::from_bytes(foreign)), None);
        }
    }

    #[test]
    fn an_outdated_revision_holds_of_nothing_and_is_made_once() {
        let outdated = Outdated::new();
        let one = outdated.make();
        assert_eq!(parts(&one), None);
        assert_ne!(one, outdated.make());
        assert_ne!(one, Outdated::new().make());
    }
}
