//! Reading the state that one commit left.

use core::{fmt, ops::Bound};

use bytes::Bytes;
use redb::{Database, ReadOnlyTable, ReadableDatabase};

use super::{
    error::{self, guarded},
    layout::{ENTRIES, EXPIRIES},
    record::{Header, Record},
};
use crate::{
    backend::{Result, Timestamp},
    key::Key,
};

/// The state after one commit.
///
/// redb cannot reuse the pages of a state that somebody holds: hold one for the length of a call,
/// never across an await.
pub(super) struct Snapshot {
    entries: ReadOnlyTable<&'static [u8], &'static [u8]>,
    expiries: ReadOnlyTable<&'static [u8], ()>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl Snapshot {
    /// The state after the last commit of `database`.
    pub(super) fn take(database: &Database) -> Result<Self> {
        let transaction = database.begin_read().map_err(error::transaction)?;
        Ok(Self {
            entries: transaction.open_table(ENTRIES).map_err(error::table)?,
            expiries: transaction.open_table(EXPIRIES).map_err(error::table)?,
        })
    }

    /// The entry that is stored under `key`, expired or not.
    pub(super) fn get(&self, key: &str) -> Result<Option<Record>> {
        self.read(key, |header, value| Record { header, value: Bytes::copy_from_slice(value) })
    }

    /// What is known of the entry that is stored under `key`, without copying its value.
    pub(super) fn header(&self, key: &str) -> Result<Option<Header>> {
        self.read(key, |header, _| header)
    }

    fn read<T>(&self, key: &str, make: impl FnOnce(Header, &[u8]) -> T) -> Result<Option<T>> {
        guarded(|| {
            let Some(stored) = self.entries.get(key.as_bytes()).map_err(error::storage)? else {
                return Ok(None);
            };
            let (header, value) = Header::read(stored.value()).ok_or_else(error::damaged)?;
            Ok(Some(make(header, value)))
        })
    }

    /// The first entries whose keys start with `prefix` and come after `after`, expired or not.
    /// Ends after `limit` of them, or once their values have `bytes` bytes.
    ///
    /// The `bool` tells whether there may be more.
    pub(super) fn page(
        &self,
        prefix: &str,
        after: Option<&[u8]>,
        limit: usize,
        bytes: usize,
    ) -> Result<(Vec<(Key, Record)>, bool)> {
        guarded(|| {
            let start = match after {
                Some(after) if after >= prefix.as_bytes() => Bound::Excluded(after),
                _ => Bound::Included(prefix.as_bytes()),
            };
            let range = (start, Bound::Unbounded);
            let mut room = bytes;
            let mut page = Vec::new();
            for row in self.entries.range::<&[u8]>(range).map_err(error::storage)? {
                let (key, stored) = row.map_err(error::storage)?;
                if !key.value().starts_with(prefix.as_bytes()) {
                    return Ok((page, false));
                }
                if page.len() >= limit || room == 0 {
                    return Ok((page, true));
                }
                let key = core::str::from_utf8(key.value()).map_err(|_| error::damaged())?;
                let (header, value) = Header::read(stored.value()).ok_or_else(error::damaged)?;
                room = room.saturating_sub(value.len());
                let value = Bytes::copy_from_slice(value);
                page.push((Key::from_stored(key), Record { header, value }));
            }
            Ok((page, false))
        })
    }

    /// The first entries that have expired by `now`, at most `limit`.
    pub(super) fn expired(&self, now: Timestamp, limit: usize) -> Result<Vec<Key>> {
        guarded(|| {
            let end = now.as_millis().saturating_add(1).to_be_bytes();
            let rows = self.expiries.range::<&[u8]>(..end.as_slice()).map_err(error::storage)?;
            rows.take(limit)
                .map(|row| {
                    let (row, ()) = row.map(|(row, _)| (row, ())).map_err(error::storage)?;
                    let key = row.value().get(8..).and_then(|key| core::str::from_utf8(key).ok());
                    key.map(Key::from_stored).ok_or_else(error::damaged)
                })
                .collect()
        })
    }

    /// When the next entry expires, or has expired.
    pub(super) fn next_expiry(&self) -> Result<Option<Timestamp>> {
        guarded(|| {
            use redb::ReadableTable as _;
            let Some((row, _)) = self.expiries.first().map_err(error::storage)? else {
                return Ok(None);
            };
            let millis = row.value().first_chunk().ok_or_else(error::damaged)?;
            Ok(Some(Timestamp::from_millis(u64::from_be_bytes(*millis))))
        })
    }
}
