//! The tables of the database, and what stands in them.
//!
//! `data.redb` is a redb database of three tables. All numbers are big-endian.
//!
//! | table | key | value |
//! |---|---|---|
//! | `entries` | the encoded key | revision (8 bytes), expiry (8 bytes), the value |
//! | `expiries` | expiry (8 bytes), the encoded key | nothing |
//! | `marks` | `revision` or `clock` | a number |
//!
//! An expiry is in milliseconds since the Unix epoch, 0 for never; an entry has a row in `expiries`
//! exactly if it has an expiry. `revision` is above every revision that was ever handed out, `clock`
//! is the latest time that was ever acted upon.

use redb::TableDefinition;

pub(super) const ENTRIES: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("entries");
pub(super) const EXPIRIES: TableDefinition<'static, &[u8], ()> = TableDefinition::new("expiries");
pub(super) const MARKS: TableDefinition<'static, &str, u64> = TableDefinition::new("marks");
/// The rows of `marks`.
pub(super) const REVISION: &str = "revision";
pub(super) const CLOCK: &str = "clock";
