//! Pages of the entries of a type, through moments in which the backend cannot be reached.

use core::marker::PhantomData;

use bytes::Bytes;

use crate::{
    backend::{self, Cursor, ErrorKind, GetOptions, Page, ScanRequest, Want, seen::Seen},
    error::{Operation, Result, StateError},
    key::Key,
    schema::{Prefix, StateKey},
    store::{StateStore, backoff::Patience, path::is_mark},
};

/// About how many entries are read at once.
const PAGE: usize = 256;

/// The entries of `T`, page by page: under the keys that the type had formerly, then under the
/// present ones. What is moved meanwhile goes in that direction, so nothing slips through.
pub(in super::super) struct Pages<T, B> {
    store: StateStore<B>,
    wanted: Wanted,
    /// What the present keys start with.
    present: String,
    /// What the former keys start with, if there are any.
    former: Option<String>,
    /// Where the next page starts; `None` after the last.
    at: Option<Position>,
    /// The present forms of the keys that were found under their former one.
    moved: Seen,
    entries_of: PhantomData<fn() -> T>,
}

/// What is read of each entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Wanted {
    Keys,
    Values,
}

struct Position {
    part: Part,
    cursor: Option<Cursor>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Former,
    Present,
}

/// An entry.
pub(in super::super) struct Found<K> {
    pub(in super::super) key: K,
    /// The present form of its key.
    pub(in super::super) encoded: Key,
    /// The former one, where it lies under that.
    pub(in super::super) former: Option<Key>,
    /// Empty where it was not asked for.
    pub(in super::super) value: Bytes,
}

impl<T: StateKey, B: backend::Scan> Pages<T, B> {
    /// Before the first page of the entries under `prefix`, or of all.
    pub(in super::super) fn new(
        store: StateStore<B>,
        wanted: Wanted,
        prefix: Option<&Prefix<T>>,
    ) -> Result<Self> {
        let present = store.prefix(T::NAMESPACE.format, prefix)?;
        let former = T::NAMESPACE.former.map(|format| store.prefix(format, prefix)).transpose()?;
        let part = if former.is_some() { Part::Former } else { Part::Present };
        let at = Some(Position { part, cursor: None });
        let moved = Seen::with_room(usize::MAX);
        Ok(Self { store, wanted, present, former, at, moved, entries_of: PhantomData })
    }

    /// The next page, tried for as long as the store's deadline allows; `None` after the last.
    pub(in super::super) async fn next(&mut self) -> Result<Option<Vec<Found<T::Key>>>> {
        let mut patience = Patience::new(self.store.guard.deadline());
        loop {
            match self.try_next().await {
                Err(error) if error.is_retryable() && patience.pause().await => {}
                page => return page,
            }
        }
    }

    /// The next page, tried once. After an error, the same page is the next.
    pub(in super::super) async fn try_next(&mut self) -> Result<Option<Vec<Found<T::Key>>>> {
        let Some(Position { part, cursor }) = &self.at else { return Ok(None) };
        let part = *part;
        let page = self.page(part, cursor.clone()).await?;
        let mut found: Vec<_> = page
            .entries
            .into_iter()
            .filter_map(|(key, entry)| self.found(part, key, entry.value))
            .collect();
        if part == Part::Former {
            if self.wanted == Wanted::Values {
                self.prefer_present(&mut found).await?;
            }
            for found in &found {
                self.moved.insert(found.encoded.as_str());
            }
        }
        self.at = match (page.next, part) {
            (None, Part::Former) => Some(Position { part: Part::Present, cursor: None }),
            (None, Part::Present) => None,
            (cursor, part) => Some(Position { part, cursor }),
        };
        Ok(Some(found))
    }

    async fn page(&self, part: Part, cursor: Option<Cursor>) -> Result<Page> {
        let prefix = match (part, &self.former) {
            (Part::Former, Some(former)) => former,
            _ => &self.present,
        };
        let want = match self.wanted {
            // What is left of a removed value has a key, too.
            Wanted::Keys if !T::NAMESPACE.fenced => Want::KEY,
            Wanted::Keys | Wanted::Values => Want::VALUE,
        };
        self.store
            .guard
            .scan(ScanRequest { prefix: prefix.clone(), cursor, limit: PAGE, want })
            .await
    }

    /// `None` for a key of another type that starts the same, and for what was found before.
    fn found(&self, part: Part, stored: Key, value: Bytes) -> Option<Found<T::Key>> {
        if is_mark::<T>(&value) {
            return None;
        }
        if part == Part::Present {
            let key = self.store.typed_key::<T>(&stored)?;
            let encoded = if T::NAMESPACE.format.has_secrets() {
                self.store.encoded_of(&key, &stored)
            } else {
                stored.without_secrets()
            };
            let is_new = !self.moved.contains(encoded.as_str());
            return is_new.then_some(Found { key, encoded, former: None, value });
        }
        let key = self.store.typed_former_key::<T>(&stored)?;
        let encoded = self.store.encoded_of(&key, &stored);
        // The former format may have the fields in another order, and then its prefix says less.
        if !encoded.as_str().starts_with(&self.present) {
            return None;
        }
        let former = Some(self.store.former_key(&key).unwrap_or(stored));
        Some(Found { key, encoded, former, value })
    }

    /// A present value hides a former one.
    async fn prefer_present(&self, found: &mut [Found<T::Key>]) -> Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let request = |found: &Found<T::Key>| (found.encoded.clone(), GetOptions::default());
        let requests: Vec<_> = found.iter().map(request).collect();
        let present = match self.store.guard.get_many(Operation::Scan, &requests).await {
            // One entry that is not ours fails all of them, so each is asked for by itself.
            Err(error) if is_foreign(&error) => {
                let mut present = Vec::with_capacity(requests.len());
                for (key, options) in &requests {
                    let read = self.store.guard.get(Operation::Scan, key, *options).await;
                    present.push(unless_foreign(read)?);
                }
                present
            }
            present => present?,
        };
        for (found, present) in found.iter_mut().zip(present) {
            if let Some(entry) = present {
                found.former = None;
                found.value = entry.value;
            }
        }
        Ok(())
    }
}

/// What is no value of ours, though under a key that could be, is passed over.
pub(in super::super) fn unless_foreign<T>(read: Result<Option<T>>) -> Result<Option<T>> {
    match read {
        Err(error) if is_foreign(&error) => Ok(None),
        read => read,
    }
}

fn is_foreign(error: &StateError) -> bool {
    matches!(error, StateError::Backend { source, .. } if source.kind() == ErrorKind::Foreign)
}

impl<K> Found<K> {
    /// The key that it lies under.
    pub(in super::super) fn place(&self) -> &Key {
        self.former.as_ref().unwrap_or(&self.encoded)
    }
}
