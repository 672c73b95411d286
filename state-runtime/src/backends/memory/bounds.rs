//! How much may be stored, and how much is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::backend::{BackendError, ErrorKind, Result};

/// What something takes up: entries, and bytes of keys and values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

impl Size {
    /// One entry.
    pub(super) fn of(key: &str, value: &[u8]) -> Self {
        Self { entries: 1, bytes: key.len().saturating_add(value.len()) }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_sub(other.entries),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// The limits of a backend and what is used of them. Its lock is taken last, and never held while
/// another is waited for.
#[derive(Debug)]
pub(super) struct Bounds {
    limit: Size,
    used: Mutex<Size>,
}

impl Bounds {
    /// `None` where nothing is limited, so that writers then share nothing.
    pub(super) fn new(max_entries: Option<usize>, max_bytes: Option<usize>) -> Option<Self> {
        (max_entries.is_some() || max_bytes.is_some()).then(|| Self {
            limit: Size {
                entries: max_entries.unwrap_or(usize::MAX),
                bytes: max_bytes.unwrap_or(usize::MAX),
            },
            used: Mutex::default(),
        })
    }

    /// Whether `more` fits beside all that is stored.
    pub(super) fn has_room(&self, more: Size) -> bool {
        self.fits(self.used().plus(more))
    }

    /// Accounts for replacing what took `old` by what takes `new`, or refuses it.
    pub(super) fn replace(&self, old: Size, new: Size) -> Result<()> {
        if new.bytes > self.limit.bytes {
            let (size, limit) = (new.bytes, self.limit.bytes);
            return Err(BackendError::new(
                ErrorKind::TooLarge { size, limit },
                format!("{size} bytes do not even fit into an empty memory backend of {limit}"),
            ));
        }
        let mut used = self.used();
        let then = used.minus(old).plus(new);
        // What makes nothing larger is let through, so that a full backend can be made smaller.
        let grows = new.entries > old.entries || new.bytes > old.bytes;
        if grows && !self.fits(then) {
            return Err(self.full());
        }
        *used = then;
        Ok(())
    }

    /// Accounts for what was removed.
    pub(super) fn release(&self, old: Size) {
        let mut used = self.used();
        *used = used.minus(old);
    }

    pub(super) fn full(&self) -> BackendError {
        BackendError::new(
            ErrorKind::ReadOnly,
            format!(
                "the memory backend is full ({self}); raise its bounds, remove entries or let them expire"
            ),
        )
    }

    fn fits(&self, size: Size) -> bool {
        size.entries <= self.limit.entries && size.bytes <= self.limit.bytes
    }

    fn used(&self) -> MutexGuard<'_, Size> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl core::fmt::Display for Bounds {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match (self.limit.entries, self.limit.bytes) {
            (entries, usize::MAX) => write!(f, "{entries} entries"),
            (usize::MAX, bytes) => write!(f, "{bytes} bytes"),
            (entries, bytes) => write!(f, "{entries} entries and {bytes} bytes"),
        }
    }
}
