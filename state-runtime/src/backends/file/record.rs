//! One stored entry as bytes: a header of fixed length, then the value.

use bytes::Bytes;

use crate::backend::{Entry, Expiry, Revision, Timestamp, Want};

/// Bytes before the value: the revision and the expiry, both big-endian.
pub(super) const HEADER_LEN: usize = 16;

/// The expiry of an entry that has none. No clock shows the very first millisecond of 1970.
const NEVER: u64 = 0;

/// What is known of an entry beside its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) revision: u64,
    pub(super) expiry: Option<Timestamp>,
}

impl Header {
    /// Reads the header of a stored record; `None` where it is too short to be one.
    pub(super) fn read(record: &[u8]) -> Option<(Self, &[u8])> {
        let (revision, rest) = record.split_first_chunk()?;
        let (expiry, value) = rest.split_first_chunk()?;
        let expiry = match u64::from_be_bytes(*expiry) {
            NEVER => None,
            millis => Some(Timestamp::from_millis(millis)),
        };
        Some((Self { revision: u64::from_be_bytes(*revision), expiry }, value))
    }

    /// Writes the record of `value` into `buffer`, in place of what it held.
    pub(super) fn write(self, value: &[u8], buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.reserve(HEADER_LEN + value.len());
        buffer.extend_from_slice(&self.revision.to_be_bytes());
        let expiry = self.expiry.map_or(NEVER, |at| at.as_millis().max(1));
        buffer.extend_from_slice(&expiry.to_be_bytes());
        buffer.extend_from_slice(value);
    }

    /// Whether the entry is there at `now`: it is absent from its expiry on.
    pub(super) fn is_live(self, now: Timestamp) -> bool {
        self.expiry.is_none_or(|at| now < at)
    }
}

/// An entry in memory.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) header: Header,
    pub(super) value: Bytes,
}

impl Record {
    /// The entry as a caller asked for it.
    pub(super) fn into_entry(self, want: Want) -> Entry {
        let expiry = if want.expiry {
            self.header.expiry.map_or(Expiry::Never, Expiry::At)
        } else {
            Expiry::Unknown
        };
        let revision = want.revision.then(|| Revision::from(self.header.revision));
        Entry { value: self.value, revision, expiry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_written() {
        let mut buffer = vec![9; 3];
        for expiry in
            [None, Some(Timestamp::from_millis(1)), Some(Timestamp::from_millis(u64::MAX))]
        {
            let header = Header { revision: u64::MAX - 1, expiry };
            header.write(b"value", &mut buffer);
            assert_eq!(Header::read(&buffer), Some((header, b"value".as_slice())));
        }
    }

    #[test]
    fn a_record_shorter_than_its_header_is_none() {
        assert_eq!(Header::read(&[0; HEADER_LEN - 1]), None);
        assert!(Header::read(&[0; HEADER_LEN]).is_some());
    }

    #[test]
    fn an_entry_is_absent_from_its_expiry_on() {
        let at = Timestamp::from_millis(100);
        let header = Header { revision: 1, expiry: Some(at) };
        assert!(header.is_live(Timestamp::from_millis(99)));
        assert!(!header.is_live(at));
        assert!(Header { revision: 1, expiry: None }.is_live(Timestamp::from_millis(u64::MAX)));
    }
}
