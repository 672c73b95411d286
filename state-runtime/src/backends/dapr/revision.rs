//! The revision of an entry: of which key it is, when the entry expires, the etag of the component.
//!
//! The key belongs to it because a component may accept any etag for a key that it does not know. The
//! expiry does because a component keeps an entry for a while after it has expired, and would still
//! accept its etag. A change of the expiry changes the etag too, so the two fit.

use core::sync::atomic::{AtomicU64, Ordering};
use std::hash::BuildHasher;

use crate::backend::{Revision, Timestamp};

/// In place of an expiry: the entry lives for ever.
const NEVER: u64 = u64::MAX;

/// The revision of the entry under `key` that has this etag and this expiry.
pub(super) fn of(key: &str, etag: &str, expires: Option<Timestamp>) -> Revision {
    let expires = expires.map_or(NEVER, Timestamp::as_millis);
    let mut bytes = expires.to_be_bytes().to_vec();
    bytes.extend(fingerprint(key).to_be_bytes());
    bytes.extend(etag.as_bytes());
    Revision::from_bytes(&bytes)
}

/// The etag and the expiry in a revision of an entry under `key`; `None` if it is not one that
/// [`of`] makes.
pub(super) fn parts<'a>(key: &str, revision: &'a Revision) -> Option<(&'a str, Option<Timestamp>)> {
    let (expires, rest) = revision.as_bytes().split_first_chunk::<8>()?;
    let (of_key, etag) = rest.split_first_chunk::<8>()?;
    let etag = core::str::from_utf8(etag).ok()?;
    let plain = !etag.is_empty() && etag.bytes().all(|byte| byte.is_ascii_graphic());
    let expires = u64::from_be_bytes(*expires);
    (plain && u64::from_be_bytes(*of_key) == fingerprint(key))
        .then_some((etag, (expires != NEVER).then(|| Timestamp::from_millis(expires))))
}

/// FNV-1a of 64 bits: the same in every process.
fn fingerprint(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
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
        // The zero in the place of the etag keeps it apart from every entry's.
        let mut bytes = made.to_be_bytes().to_vec();
        bytes.extend(self.origin.to_be_bytes());
        bytes.push(0);
        Revision::from_bytes(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etag_and_expiry_come_back_for_the_key_alone() {
        for expires in [None, Some(Timestamp::from_millis(7))] {
            let revision = of("a:1", "6959da8b", expires);
            assert_eq!(parts("a:1", &revision), Some(("6959da8b", expires)));
            assert_eq!(parts("a:2", &revision), None);
        }
    }

    #[test]
    fn a_foreign_revision_has_no_parts() {
        for foreign in [b"".as_slice(), b"0", &[0; 8], &[255; 16], &[7; 40]] {
            assert_eq!(parts("a:1", &Revision::from_bytes(foreign)), None);
        }
        assert_eq!(parts("a:1", &of("a:1", "an etag\r\n", None)), None);
    }

    #[test]
    fn an_outdated_revision_holds_of_nothing_and_is_made_once() {
        let outdated = Outdated::new();
        let one = outdated.make();
        assert_eq!(parts("a:1", &one), None);
        assert_ne!(one, outdated.make());
        assert_ne!(one, Outdated::new().make());
    }
}
