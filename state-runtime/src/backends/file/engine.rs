//! The seam to redb: everything that is stored goes through here.
//!
//! A writer hands over groups of resolved changes, each applied whole or not at all, and readers
//! hold a [`Snapshot`]. Nothing above knows tables or transactions, so that a log can be put in
//! front without touching it.

use core::fmt;
use std::{path::PathBuf, sync::Arc};

use redb::{Database, ReadableTable, Table, WriteTransaction};

use super::{
    error::{self, guarded},
    layout::{CLOCK, ENTRIES, EXPIRIES, MARKS, REVISION},
    record::{Header, Record},
    snapshot::Snapshot,
    storage::{Direct, Overlay, Storage},
};
use crate::backend::{Result, Timestamp};

/// Where the database is.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A file. One that has to be there is not taken for a new one if it is empty.
    File {
        path: PathBuf,
        create: bool,
    },
    Storage(Arc<dyn Storage>),
}

/// What becomes of one entry.
#[derive(Clone)]
pub(super) enum Change {
    Put(Record),
    Remove,
}

/// Numbers that only grow, kept across restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    /// No revision from here on was ever handed out.
    pub(super) revision: u64,
    /// The latest time that was ever acted upon.
    pub(super) clock: Timestamp,
}

/// An open database.
pub(super) struct Engine {
    source: Source,
    cache_size: usize,
    database: Option<Database>,
    snapshot: Arc<Snapshot>,
    marks: Marks,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the database, and creates it where there is none.
    pub(super) fn open(source: Source, cache_size: usize, verify: bool) -> Result<Self> {
        guarded(|| {
            let mut builder = Database::builder();
            builder.set_cache_size(cache_size).set_check_integrity_on_open(verify);
            let database = match &source {
                Source::File { path, create: true } => builder.create(path),
                Source::File { path, create: false } => builder.open(path),
                Source::Storage(storage) => {
                    builder.create_with_backend(Direct(Arc::clone(storage)))
                }
            };
            let database = database.map_err(error::database)?;
            let marks = create_tables(&database)?;
            let snapshot = Arc::new(Snapshot::take(&database)?);
            Ok(Self { source, cache_size, database: Some(database), snapshot, marks })
        })
    }

    /// Opens the database after a disk error for reading alone, without writing to the disk.
    pub(super) fn salvage(&mut self) -> Result<()> {
        // Frees the file's lock; the snapshot answers nothing any more.
        self.database = None;
        let mut builder = Database::builder();
        builder.set_cache_size(self.cache_size);
        let database = guarded(|| match &self.source {
            Source::File { path, .. } => {
                let file = std::fs::File::open(path).map_err(redb::StorageError::Io);
                let file = file.map_err(error::storage)?;
                let file = redb::backends::FileBackend::new(file).map_err(error::database)?;
                create_over(&builder, file)
            }
            Source::Storage(storage) => create_over(&builder, Direct(Arc::clone(storage))),
        })?;
        self.snapshot = Arc::new(guarded(|| Snapshot::take(&database))?);
        self.database = Some(database);
        Ok(())
    }

    /// The state after the last commit.
    pub(super) const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The marks as they are stored.
    pub(super) const fn marks(&self) -> Marks {
        self.marks
    }

    /// Makes `changes` durable, all or none; `snapshot` shows them afterwards. They are faster in
    /// the order of their keys.
    ///
    /// After an error nothing is known of what was stored, and nothing more can be.
    pub(super) fn commit<'c>(
        &mut self,
        changes: impl Iterator<Item = (&'c str, &'c Change)>,
        marks: Marks,
    ) -> Result<()> {
        let database =
            self.database.as_ref().ok_or_else(|| error::read_only("it cannot be read"))?;
        let snapshot = guarded(|| {
            let transaction = database.begin_write().map_err(error::transaction)?;
            {
                let mut tables = Tables {
                    transaction: &transaction,
                    entries: transaction.open_table(ENTRIES).map_err(error::table)?,
                    expiries: None,
                    scratch: Vec::new(),
                };
                for (key, change) in changes {
                    tables.apply(key, change)?;
                }
            }
            if marks != self.marks {
                let mut table = transaction.open_table(MARKS).map_err(error::table)?;
                write_marks(&mut table, self.marks, marks).map_err(error::storage)?;
            }
            transaction.commit().map_err(error::commit)?;
            Snapshot::take(database)
        })?;
        self.snapshot = Arc::new(snapshot);
        self.marks = marks;
        Ok(())
    }
}

fn create_over(builder: &redb::Builder, below: impl redb::StorageBackend) -> Result<Database> {
    let overlay = Overlay::new(below).map_err(|error| error::storage(error.into()))?;
    builder.create_with_backend(overlay).map_err(error::database)
}

fn create_tables(database: &Database) -> Result<Marks> {
    let transaction = database.begin_write().map_err(error::transaction)?;
    transaction.open_table(ENTRIES).map_err(error::table)?;
    transaction.open_table(EXPIRIES).map_err(error::table)?;
    let marks = {
        let table = transaction.open_table(MARKS).map_err(error::table)?;
        read_marks(&table).map_err(error::storage)?
    };
    transaction.commit().map_err(error::commit)?;
    Ok(marks)
}

fn read_marks(table: &impl ReadableTable<&'static str, u64>) -> Result<Marks, redb::StorageError> {
    let revision = table.get(REVISION)?.map_or(0, |mark| mark.value());
    let clock = table.get(CLOCK)?.map_or(0, |mark| mark.value());
    Ok(Marks { revision, clock: Timestamp::from_millis(clock) })
}

fn write_marks(
    table: &mut Table<'_, &'static str, u64>,
    old: Marks,
    new: Marks,
) -> Result<(), redb::StorageError> {
    if old.revision != new.revision {
        table.insert(REVISION, new.revision)?;
    }
    if old.clock != new.clock {
        table.insert(CLOCK, new.clock.as_millis())?;
    }
    Ok(())
}

/// The tables of one write transaction.
struct Tables<'t> {
    transaction: &'t WriteTransaction,
    entries: Table<'t, &'static [u8], &'static [u8]>,
    /// Opened for the first row: many groups have none.
    expiries: Option<Table<'t, &'static [u8], ()>>,
    scratch: Vec<u8>,
}

impl Tables<'_> {
    /// Changes an entry and keeps its row in the index of expiries.
    fn apply(&mut self, key: &str, change: &Change) -> Result<()> {
        let (before, after) = match change {
            Change::Put(record) => {
                record.header.write(&record.value, &mut self.scratch);
                let before = self.entries.insert(key.as_bytes(), self.scratch.as_slice());
                let before = before.map_err(error::storage)?;
                (before.and_then(|record| expiry(record.value())), record.header.expiry)
            }
            Change::Remove => {
                let before = self.entries.remove(key.as_bytes()).map_err(error::storage)?;
                (before.and_then(|record| expiry(record.value())), None)
            }
        };
        if before == after {
            return Ok(());
        }
        let expiries = match &mut self.expiries {
            Some(expiries) => expiries,
            closed => closed.insert(self.transaction.open_table(EXPIRIES).map_err(error::table)?),
        };
        if let Some(before) = before {
            expiry_row(before, key, &mut self.scratch);
            expiries.remove(self.scratch.as_slice()).map_err(error::storage)?;
        }
        if let Some(after) = after {
            expiry_row(after, key, &mut self.scratch);
            expiries.insert(self.scratch.as_slice(), ()).map_err(error::storage)?;
        }
        Ok(())
    }
}

fn expiry(record: &[u8]) -> Option<Timestamp> {
    Header::read(record).and_then(|(header, _)| header.expiry)
}

/// The key of a row of the index of expiries.
fn expiry_row(at: Timestamp, key: &str, buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.extend_from_slice(&at.as_millis().to_be_bytes());
    buffer.extend_from_slice(key.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::file::storage::in_memory;

    /// Changes, and the keys that expire after them.
    type Group<'g> = (&'g [(&'g str, Change)], &'g [&'g str]);

    fn put(expiry: Option<u64>) -> Change {
        let header = Header { revision: 1, expiry: expiry.map(Timestamp::from_millis) };
        Change::Put(Record { header, value: "value".into() })
    }

    #[test]
    fn the_index_holds_exactly_the_entries_that_expire() -> Result<()> {
        let mut engine = Engine::open(Source::Storage(in_memory()), 1 << 20, false)?;
        let groups: [Group<'_>; 6] = [
            (&[("a", put(Some(5))), ("b", put(Some(3))), ("c", put(None))], &["b", "a"]),
            (&[("a", put(Some(2)))], &["a", "b"]),
            (&[("a", put(Some(2))), ("c", put(Some(1)))], &["c", "a", "b"]),
            (&[("b", put(None))], &["c", "a"]),
            (&[("a", Change::Remove), ("x", Change::Remove)], &["c"]),
            (&[("c", Change::Remove)], &[]),
        ];
        let end = Timestamp::from_millis(u64::MAX - 1);
        for (number, (group, expiring)) in groups.into_iter().enumerate() {
            engine.commit(group.iter().map(|(key, change)| (*key, change)), Marks::default())?;
            let rows = engine.snapshot().expired(end, 10)?;
            let keys: Vec<_> = rows.iter().map(crate::key::Key::as_str).collect();
            assert_eq!(keys, expiring, "after group {number}");
        }
        Ok(())
    }
}
