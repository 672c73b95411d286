//! `Access`: which operations a store carries out at all.

use crate::error::{Operation, StateError};

/// The rights of a store: reading, writing and removing, each on its own.
///
/// ```
/// use state_runtime::store::Access;
///
/// let reporting = Access::READ;
/// let worker = Access::READ.with(Access::WRITE);
/// assert!(worker.contains(Access::WRITE) && !worker.contains(Access::REMOVE));
/// assert!(!reporting.contains(Access::WRITE));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access(u8);

impl Access {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// `get` and all that reads: `exists`, `ttl`, `scan`, `watch`.
    pub const READ: Self = Self(1);
    /// `set` and all that writes: `create`, `touch`; with `READ` also `update` and `add`.
    pub const WRITE: Self = Self(1 << 1);
    /// `remove`.
    pub const REMOVE: Self = Self(1 << 2);
    /// Everything.
    pub const ALL: Self = Self(0b111);

    /// These rights and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These rights but not `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is among these rights.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The rights that are in both.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn check(self, operation: Operation) -> Result<(), StateError> {
        if self.contains(Self::needed(operation)) {
            Ok(())
        } else {
            Err(StateError::Denied { operation })
        }
    }

    const fn needed(operation: Operation) -> Self {
        match operation {
            Operation::Get
            | Operation::Exists
            | Operation::Ttl
            | Operation::Scan
            | Operation::Watch => Self::READ,
            Operation::Set | Operation::Create | Operation::Replace | Operation::Touch => {
                Self::WRITE
            }
            Operation::Remove => Self::REMOVE,
            Operation::Take => Self::READ.with(Self::REMOVE),
            Operation::Add
            | Operation::Throttle
            | Operation::Update
            | Operation::Acquire
            | Operation::Release => Self::READ.with(Self::WRITE),
            Operation::Commit | Operation::Health | Operation::Close | Operation::Backend => {
                Self::NONE
            }
        }
    }
}

impl Default for Access {
    fn default() -> Self {
        Self::ALL
    }
}
