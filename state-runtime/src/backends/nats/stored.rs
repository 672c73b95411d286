//! The last message of a subject, as an entry or the absence of one.

use async_nats::{HeaderMap, HeaderValue};
use bytes::Bytes;

use super::{
    api::{EXPIRES, MARKER, OPERATION},
    error,
};
use crate::backend::{Entry, Expiry, Result, Revision, Timestamp, Want};

/// What a message says of its entry.
#[derive(Debug)]
pub(super) struct Stored {
    /// The position in the stream.
    pub(super) sequence: u64,
    pub(super) value: Bytes,
    pub(super) expiry: Option<Timestamp>,
    /// Whether it only says that the entry was removed.
    pub(super) is_marker: bool,
}

impl Stored {
    pub(super) fn new(sequence: u64, headers: &HeaderMap, value: Bytes) -> Result<Self> {
        let expiry = match text(headers, EXPIRES) {
            None => None,
            Some(millis) => {
                let millis = millis.parse().map_err(|_| error::damaged())?;
                Some(Timestamp::from_millis(millis))
            }
        };
        let removed = matches!(text(headers, OPERATION), Some("DEL" | "PURGE"));
        let is_marker = removed || headers.get(MARKER).is_some();
        Ok(Self { sequence, value, expiry, is_marker })
    }

    /// Whether there is an entry at `now`.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        !self.is_marker && self.expiry.is_none_or(|expiry| now < expiry)
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { sequence: self.sequence, expiry: self.expiry }
    }

    pub(super) fn into_entry(self, want: Want) -> Entry {
        let revision = want.revision.then(|| self.mark().into());
        let expiry = match self.expiry {
            _ if !want.expiry => Expiry::Unknown,
            Some(at) => Expiry::At(at),
            None => Expiry::Never,
        };
        Entry { value: self.value, revision, expiry }
    }
}

/// What a revision is made of. A message never changes, so the sequence alone would do; with the
/// expiry in it, a conditional write need not read first whether its entry has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) sequence: u64,
    pub(super) expiry: Option<Timestamp>,
}

impl Mark {
    /// Reads a revision; `None` where it is of another backend.
    pub(super) fn read(revision: &Revision) -> Option<Self> {
        let (sequence, rest) = revision.as_bytes().split_first_chunk()?;
        let sequence = u64::from_be_bytes(*sequence);
        let expiry = match rest {
            [] => None,
            rest => Some(Timestamp::from_millis(u64::from_be_bytes(rest.try_into().ok()?))),
        };
        // No message has this sequence: to the server it means that there is none.
        (sequence != 0).then_some(Self { sequence, expiry })
    }
}

impl From<Mark> for Revision {
    fn from(mark: Mark) -> Self {
        match mark.expiry {
            None => Self::from(mark.sequence),
            Some(at) => Self::from(u128::from(mark.sequence) << 64 | u128::from(at.as_millis())),
        }
    }
}

/// The value of a header.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(HeaderValue::as_str)
}

/// The number in a header.
pub(super) fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_back() {
        for expiry in [None, Some(Timestamp::from_millis(7))] {
            let mark = Mark { sequence: 3, expiry };
            assert_eq!(Mark::read(&mark.into()), Some(mark));
        }
    }

    #[test]
    fn foreign_revisions_are_told_apart() {
        for foreign in [b"".as_slice(), b"0", &[0; 8], &[0; 16], &[1; 9], &[7; 40]] {
            assert_eq!(Mark::read(&Revision::from_bytes(foreign)), None, "{foreign:?}");
        }
    }

    #[test]
    fn an_entry_is_absent_from_the_millisecond_of_its_expiry_on() -> Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert(EXPIRES, "5");
        let stored = Stored::new(1, &headers, Bytes::new())?;
        assert!(stored.is_live(Timestamp::from_millis(4)));
        assert!(!stored.is_live(Timestamp::from_millis(5)));
        headers.insert(EXPIRES, "soon");
        assert!(Stored::new(1, &headers, Bytes::new()).is_err());
        Ok(())
    }

    #[test]
    fn a_marker_is_no_entry() -> Result<()> {
        for (name, value) in [(OPERATION, "DEL"), (OPERATION, "PURGE"), (MARKER, "MaxAge")] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value);
            assert!(!Stored::new(1, &headers, Bytes::new())?.is_live(Timestamp::default()));
        }
        Ok(())
    }
}
