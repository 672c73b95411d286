//! `Lease`: what is stored under the key of a lock.

use core::time::Duration;
use std::hash::{BuildHasher as _, RandomState};

use serde::{Deserialize, Serialize};

/// What is stored under the key of a lock: the token of its last holder and, while it is held, who
/// holds it.
///
/// It is readable JSON: `{"token":1790000000000000}` where the lock is free, and
/// `{"token":1790000000000001,"holder":{"nonce":"…","renewal":3,"leaseMillis":10000}}` where it is held.
/// Every renewal counts, so that those who wait see whether the holder is alive without comparing clocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    token: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<Holder>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    nonce: String,
    renewal: u64,
    lease_millis: u64,
}

/// What tells one attempt to acquire a lock from all others, wherever they are made.
#[derive(Debug, Clone)]
pub(super) struct Nonce(String);

impl Nonce {
    pub(super) fn new() -> Self {
        // Each `RandomState` has keys of its own.
        let half = |n: u8| RandomState::new().hash_one(n);
        Self(format!("{:016x}{:016x}", half(0), half(1)))
    }
}

impl Lease {
    /// The token of the holder, or of the last one.
    #[must_use]
    pub const fn token(&self) -> u64 {
        self.token
    }

    /// Whether somebody holds the lock, or did until it stopped to renew its lease.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.holder.is_some()
    }

    /// How long the lease lasts after each renewal; `None` where the lock is free.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        self.holder.as_ref().map(|holder| Duration::from_millis(holder.lease_millis))
    }

    /// The first lease of a holder.
    pub(super) fn taken(token: u64, nonce: &Nonce, length: Duration) -> Self {
        let nonce = nonce.0.clone();
        Self { token, holder: Some(Holder { nonce, renewal: 0, lease_millis: millis(length) }) }
    }

    /// The next lease of the same holder.
    pub(super) fn renewed(&self) -> Self {
        let mut renewed = self.clone();
        if let Some(holder) = &mut renewed.holder {
            holder.renewal = holder.renewal.wrapping_add(1);
        }
        renewed
    }

    /// The lock that nobody holds any more. The token stays, so that the next one is greater.
    pub(super) const fn freed(&self) -> Self {
        Self { token: self.token, holder: None }
    }

    pub(super) fn is_of(&self, nonce: &Nonce) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.nonce == nonce.0)
    }
}

/// Rounded up: those who wait never wait for less than the holder counts on.
fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_readable_json() {
        let lease = Lease::taken(7, &Nonce("ab".to_owned()), Duration::from_secs(1)).renewed();
        let json = r#"{"token":7,"holder":{"nonce":"ab","renewal":1,"leaseMillis":1000}}"#;
        assert_eq!(serde_json::to_string(&lease).unwrap(), json);
        assert_eq!(serde_json::from_str::<Lease>(json).unwrap(), lease);
        assert_eq!(serde_json::to_string(&lease.freed()).unwrap(), r#"{"token":7}"#);
    }

    #[test]
    fn nonces_differ() {
        assert_ne!(Nonce::new().0, Nonce::new().0);
    }
}
