//! redb used directly: one durable transaction a set, one read transaction a get.

use std::path::Path;

use redb::{Database, ReadableDatabase as _, TableDefinition};

use crate::{
    Failure,
    by_hand::{self, Session},
    disk::CountingFile,
};

const TABLE: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("sessions");

/// A database of sessions.
#[derive(Debug)]
pub struct Redb {
    database: Database,
    file: CountingFile,
}

impl Redb {
    /// Creates a database in `folder` with as large a cache as the file backend has.
    ///
    /// # Errors
    ///
    /// Those of redb and of the file system.
    pub fn create(folder: &Path, cache_size: usize) -> Result<Self, Failure> {
        let file = CountingFile::create(&folder.join("by-hand.redb"))?;
        let mut builder = Database::builder();
        let database = builder.set_cache_size(cache_size).create_with_backend(file.clone())?;
        let transaction = database.begin_write()?;
        transaction.open_table(TABLE)?;
        transaction.commit()?;
        Ok(Self { database, file })
    }

    /// The file it is in.
    #[must_use]
    pub const fn file(&self) -> &CountingFile {
        &self.file
    }

    /// Checks a session and makes it durable.
    ///
    /// # Errors
    ///
    /// Those of redb, and if it is not valid.
    pub fn set(&self, session: &Session) -> Result<(), Failure> {
        self.set_all(std::slice::from_ref(session))
    }

    /// Checks sessions and makes them durable in one transaction.
    ///
    /// # Errors
    ///
    /// Those of redb, and if one is not valid.
    pub fn set_all(&self, sessions: &[Session]) -> Result<(), Failure> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for session in sessions {
                let key = by_hand::encode_key(&session.session_id);
                table.insert(key.as_str(), &*by_hand::encode(session)?)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Reads and checks a session.
    ///
    /// # Errors
    ///
    /// Those of redb, and if what is stored is not valid.
    pub fn get(&self, session_id: String) -> Result<Option<Session>, Failure> {
        let table = self.database.begin_read()?.open_table(TABLE)?;
        let stored = table.get(by_hand::encode_key(&session_id).as_str())?;
        let session = stored.map(|stored| by_hand::decode(session_id, stored.value()));
        Ok(session.transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session;

    #[test]
    fn every_set_by_hand_is_made_durable_once() {
        let folder = tempfile::tempdir().unwrap();
        let redb = Redb::create(folder.path(), 1 << 20).unwrap();
        let before = redb.file().syncs();
        for number in 0..3 {
            redb.set(&Session::from(&session::sample(number))).unwrap();
        }
        assert_eq!(redb.file().syncs() - before, 3);
        let session = redb.get(session::id(2)).unwrap();
        assert_eq!(session, Some(Session::from(&session::sample(2))));
        assert_eq!(redb.get(session::id(3)).unwrap(), None);
    }
}
