//! Listing entries, page by page.

use core::{any::Any, fmt};
use std::sync::Arc;

use super::{Entry, Want};
use crate::key::Key;

/// A request for one page of the entries under a prefix.
#[derive(Clone)]
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

/// Hides the prefix: fields of a key that are secret may stand in it.
impl fmt::Debug for ScanRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix: _, cursor, limit, want } = self;
        f.debug_struct("ScanRequest")
            .field("cursor", cursor)
            .field("limit", limit)
            .field("want", want)
            .finish_non_exhaustive()
    }
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
///
/// It can be used again: whoever asks for a page twice gets the entries of that page twice.
#[derive(Clone)]
pub struct Cursor(Mark);

#[derive(Clone)]
enum Mark {
    Bytes(Box<[u8]>),
    Memory(Arc<dyn Any + Send + Sync>),
}

impl Cursor {
    /// A cursor of arbitrary bytes.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(Mark::Bytes(bytes.into()))
    }

    /// The bytes it was made of; none if it was made of something else.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Mark::Bytes(bytes) => bytes,
            Mark::Memory(_) => &[],
        }
    }

    /// A cursor that holds all that its scan has to remember, for an engine that may list a key
    /// twice. So a backend keeps nothing of a scan that nobody goes on with.
    #[must_use]
    pub fn from_memory<M: Any + Send + Sync>(memory: M) -> Self {
        Self(Mark::Memory(Arc::new(memory)))
    }

    /// What it was made of; `None` if that was something else. It is copied only if the cursor was.
    #[must_use]
    pub fn into_memory<M: Any + Clone + Send + Sync>(self) -> Option<M> {
        match self.0 {
            Mark::Bytes(_) => None,
            Mark::Memory(memory) => memory.downcast().ok().map(Arc::unwrap_or_clone),
        }
    }
}

/// Hides what is inside: usually a key.
impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_back_what_it_was_made_of_and_nothing_else() {
        let bytes = Cursor::from_bytes(*b"user:1");
        assert_eq!(bytes.as_bytes(), b"user:1");
        assert_eq!(bytes.into_memory::<Vec<u8>>(), None);

        let memory = Cursor::from_memory(vec![1, 2]);
        assert_eq!(memory.as_bytes(), b"");
        assert_eq!(memory.clone().into_memory::<String>(), None);
        assert_eq!(memory.into_memory::<Vec<i32>>(), Some(vec![1, 2]));
    }

    #[test]
    fn a_request_hides_its_prefix() {
        let prefix = "reset:hunter2:".to_owned();
        let request = ScanRequest { prefix, cursor: None, limit: 7, want: Want::KEY };
        let shown = format!("{request:?}");
        assert!(shown.contains("limit: 7") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn memory_that_goes_on_leaves_a_copied_cursor_as_it_was() {
        let start = Cursor::from_memory(vec![1]);
        let mut memory = start.clone().into_memory::<Vec<i32>>().unwrap_or_default();
        memory.push(2);
        assert_eq!(start.into_memory::<Vec<i32>>(), Some(vec![1]));
    }
}
