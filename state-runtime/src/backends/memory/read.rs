//! Reading: single entries, several at one moment, and pages of them.

use core::{cell::LazyCell, time::Duration};
use std::sync::RwLockReadGuard;

use super::{
    bounds::Size,
    engine::{Engine, deadline, expiry},
    shard::Shard,
};
use crate::{
    backend::{
        BackendError, Cursor, Entry, ErrorKind, Expiry, GetOptions, Page, Result, ScanRequest,
        Timestamp, rules::renewal_is_due,
    },
    key::Key,
};

/// The most keys that one page looks at, however many were asked for, so that writers never wait
/// long for a scan.
const MAX_PAGE: usize = 1024;

impl Engine {
    pub(super) fn get(&self, key: &str, options: GetOptions) -> Result<Option<Entry>> {
        let shard = self.cell(key).read();
        self.check_open()?;
        let Some(slot) = shard.live(key, || self.clock.now()) else { return Ok(None) };
        let mut entry = self.entry(slot, options.want);
        if let (Some(ttl), Some(expires)) = (options.renew, slot.expires) {
            drop(shard);
            self.renew(key, ttl, expires, &mut entry)?;
        }
        Ok(Some(entry))
    }

    pub(super) fn get_many(&self, requests: &[(Key, GetOptions)]) -> Result<Vec<Option<Entry>>> {
        let places: Vec<_> = requests.iter().map(|(key, _)| self.place(key.as_str())).collect();
        let now = LazyCell::new(|| self.clock.now());
        let mut renewals = Vec::new();
        let mut entries = Vec::with_capacity(requests.len());
        let shards = self.read_all(&places);
        self.check_open()?;
        for (i, ((key, options), place)) in requests.iter().zip(places).enumerate() {
            let shard = shards.binary_search_by_key(&place, |(place, _)| *place).ok();
            let shard = shard.and_then(|found| shards.get(found));
            let slot = shard.and_then(|(_, shard)| shard.live(key.as_str(), || *now));
            entries.push(slot.map(|slot| self.entry(slot, options.want)));
            if let (Some(ttl), Some(at)) = (options.renew, slot.and_then(|slot| slot.expires)) {
                renewals.push((i, ttl, at));
            }
        }
        drop(shards);
        for (i, ttl, expires) in renewals {
            if let (Some((key, _)), Some(Some(entry))) = (requests.get(i), entries.get_mut(i)) {
                self.renew(key.as_str(), ttl, expires, entry)?;
            }
        }
        Ok(entries)
    }

    pub(super) fn expiry(&self, key: &str) -> Result<Option<Expiry>> {
        let shard = self.cell(key).read();
        self.check_open()?;
        Ok(shard.live(key, || self.clock.now()).map(expiry))
    }

    pub(super) fn scan(&self, request: &ScanRequest) -> Result<Page> {
        let (first, after) = request.cursor.as_ref().map_or(Ok((0, None)), position)?;
        let now = self.clock.now();
        let mut room = request.limit.clamp(1, MAX_PAGE);
        let mut page = Page::default();
        for (place, cell) in self.cells().iter().enumerate().skip(first) {
            let shard = cell.read();
            self.check_open()?;
            let after = after.filter(|_| place == first);
            for (key, slot) in shard.keys(&request.prefix, after) {
                if slot.is_live(|| now) {
                    let entry = self.entry(slot, request.want);
                    page.entries.push((Key::from_stored(&**key), entry));
                }
                // Expired ones count too: a page does a bounded amount of work.
                room -= 1;
                if room == 0 {
                    page.next = Some(cursor(place, key));
                    return Ok(page);
                }
            }
        }
        Ok(page)
    }

    pub(super) fn health(&self) -> Result<()> {
        self.check_open()?;
        let entry = Size { entries: 1, bytes: 1 };
        self.make_room(entry);
        match &self.bounds {
            Some(bounds) if !bounds.has_room(entry) => Err(bounds.full()),
            _ => Ok(()),
        }
    }

    /// Gives an entry that was just read another `ttl`, if it is time to.
    ///
    /// It may be another entry by now, or none: then there is nothing to renew.
    fn renew(&self, key: &str, ttl: Duration, expires: Timestamp, entry: &mut Entry) -> Result<()> {
        let now = self.clock.now();
        let renewed = deadline(now, ttl)?;
        if !renewal_is_due(expires, now, ttl) {
            return Ok(());
        }
        let mut shard = self.cell(key).write();
        self.check_open()?;
        let unchanged = shard.live(key, || now).is_some_and(|slot| slot.expires == Some(expires));
        if unchanged {
            shard.expire_at(key, Some(renewed));
            if entry.expiry != Expiry::Unknown {
                entry.expiry = Expiry::At(renewed);
            }
        }
        Ok(())
    }

    /// Locks all `places` for reading, in the order in which writers lock several.
    fn read_all(&self, places: &[usize]) -> Vec<(usize, RwLockReadGuard<'_, Shard>)> {
        let mut places = places.to_vec();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| (place, self.cells()[place].read())).collect()
    }
}

/// Behind this key of this shard. A key never moves to another shard, so what exists throughout a
/// scan is found once.
fn cursor(place: usize, key: &str) -> Cursor {
    let place = u32::try_from(place).unwrap_or(u32::MAX).to_be_bytes();
    Cursor::from_bytes([place.as_slice(), key.as_bytes()].concat())
}

fn position(cursor: &Cursor) -> Result<(usize, Option<&str>)> {
    let (place, key) = cursor.as_bytes().split_first_chunk().ok_or_else(foreign)?;
    let place = usize::try_from(u32::from_be_bytes(*place)).map_err(|_| foreign())?;
    let key = core::str::from_utf8(key).map_err(|_| foreign())?;
    Ok((place, Some(key)))
}

fn foreign() -> BackendError {
    BackendError::new(ErrorKind::Other, "the cursor is not one of a memory backend")
}
