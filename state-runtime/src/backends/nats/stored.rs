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
    /// The bucket that it was read from.
    pub(super) epoch: Epoch,
    /// The position in the stream.
    pub(super) sequence: u64,
    pub(super) value: Bytes,
    pub(super) expiry: Option<Timestamp>,
    /// Whether it only says that the entry was removed.
    pub(super) is_marker: bool,
}

impl Stored {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Foreign`](crate::backend::ErrorKind::Foreign) where nobody can tell when the
    /// entry expires, so neither whether it is there.
    pub(super) fn new(
        epoch: Epoch,
        sequence: u64,
        headers: &HeaderMap,
        value: Bytes,
    ) -> Result<Self> {
        let expiry = match text(headers, EXPIRES) {
            None => None,
            Some(millis) => {
                let millis = millis.parse().map_err(|_| error::foreign())?;
                Some(Timestamp::from_millis(millis))
            }
        };
        let removed = matches!(text(headers, OPERATION), Some("DEL" | "PURGE"));
        let is_marker = removed || headers.get(MARKER).is_some();
        Ok(Self { epoch, sequence, value, expiry, is_marker })
    }

    /// Whether there is an entry at `now`.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        !self.is_marker && self.expiry.is_none_or(|expiry| now < expiry)
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { epoch: self.epoch, sequence: self.sequence, expiry: self.expiry }
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

/// Tells a bucket from those of the same name that were there before, whose sequences it repeats: a
/// digest of the time at which it was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Epoch([u8; 6]);

impl Epoch {
    /// Of the time as the server writes it. FNV-1a: the same in every program and on every machine.
    pub(super) fn of(created: &str) -> Self {
        let digest = created.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let [_, _, bytes @ ..] = digest.to_be_bytes();
        Self(bytes)
    }
}

/// What a revision is made of. In one bucket a message never changes, so the sequence would do there;
/// with the expiry in it, a conditional write need not read first whether its entry has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) epoch: Epoch,
    pub(super) sequence: u64,
    pub(super) expiry: Option<Timestamp>,
}

impl Mark {
    /// Reads a revision; `None` where it is of another backend.
    pub(super) fn read(revision: &Revision) -> Option<Self> {
        let (epoch, rest) = revision.as_bytes().split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let sequence = u64::from_be_bytes(*sequence);
        let expiry = match rest {
            [] => None,
            rest => Some(Timestamp::from_millis(u64::from_be_bytes(rest.try_into().ok()?))),
        };
        // No message has this sequence: to the server it means that there is none.
        (sequence != 0).then_some(Self { epoch: Epoch(*epoch), sequence, expiry })
    }
}

impl From<Mark> for Revision {
    fn from(mark: Mark) -> Self {
        let expiry = mark.expiry.map(|at| at.as_millis().to_be_bytes());
        let sequence = mark.sequence.to_be_bytes();
        let rest = expiry.as_ref().map_or(&[] as &[u8], |millis| millis);
        Self::from_bytes(&[&mark.epoch.0, sequence.as_slice(), rest].concat())
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
            let mark = Mark { epoch: Epoch::of("2026"), sequence: 3, expiry };
            assert_eq!(Mark::read(&mark.into()), Some(mark));
        }
    }

    /// The published vectors of the digest: a revision may come from a program built long ago.
    #[test]
    fn an_epoch_is_the_same_for_ever() {
        assert_eq!(Epoch::of("").0, [0x9c, 0xe4, 0x84, 0x22, 0x23, 0x25]);
        assert_eq!(Epoch::of("foobar").0, [0x41, 0x71, 0xf7, 0x39, 0x67, 0xe8]);
    }

    #[test]
    fn foreign_revisions_are_told_apart() {
        for foreign in [b"".as_slice(), b"0", &[1; 8], &[0; 14], &[1; 16], &[0; 22], &[7; 40]] {
            assert_eq!(Mark::read(&Revision::from_bytes(foreign)), None, "{foreign:?}");
        }
    }

    #[test]
    fn an_entry_is_absent_from_the_millisecond_of_its_expiry_on() -> Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert(EXPIRES, "5");
        let read = |headers: &HeaderMap| Stored::new(Epoch::of(""), 1, headers, Bytes::new());
        let stored = read(&headers)?;
        assert!(stored.is_live(Timestamp::from_millis(4)));
        assert!(!stored.is_live(Timestamp::from_millis(5)));
        headers.insert(EXPIRES, "soon");
        assert!(read(&headers).is_err());
        Ok(())
    }

    #[test]
    fn a_marker_is_no_entry() -> Result<()> {
        for (name, value) in [(OPERATION, "DEL"), (OPERATION, "PURGE"), (MARKER, "MaxAge")] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value);
            let stored = Stored::new(Epoch::of(""), 1, &headers, Bytes::new())?;
            assert!(!stored.is_live(Timestamp::default()));
        }
        Ok(())
    }
}
