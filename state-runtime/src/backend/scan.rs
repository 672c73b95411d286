//! Listing entries, page by page.

use core::fmt;

use super::{Entry, Want};
use crate::key::Key;

/// A request for one page of the entries under a prefix.
#[derive(Debug, Clone)]
pub struct ScanRequest {
    /// What the keys start with, byte for byte; empty for all.
    pub prefix: String,
    /// Where the page before ended; `None` for the first.
    pub cursor: Option<Cursor>,
    /// About how many entries the page should have. A backend may return fewer, or a few more.
    pub limit: usize,
    /// What to fill in beside the value.
    pub want: Want,
}

/// One page of a scan.
///
/// All pages together hold every entry that existed throughout the scan, and none twice at the
/// same revision. An entry that was written or removed meanwhile may be there or not.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The entries. There may be none although more pages follow.
    pub entries: Vec<(Key, Entry)>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<Cursor>,
}

/// A backend's own mark of where a scan stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Cursor(Box<[u8]>);

impl Cursor {
    /// A cursor of arbitrary bytes.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes it was made of.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Hides the bytes: they usually hold a key.
impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor(…)")
    }
}
