//! What redb and the file system say, in the vocabulary of outcomes.

use core::fmt::Display;
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use crate::backend::{BackendError, ErrorKind, Result};

/// Runs redb, which panics on some damaged files.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(damaged()))
}

/// Turns an error of reading into an outcome. Only this function looks into redb's errors.
pub(super) fn storage(error: redb::StorageError) -> BackendError {
    use redb::StorageError as E;
    match error {
        E::Corrupted(message) => damaged().with_source(message),
        E::ValueTooLarge(size) => too_large(size),
        // The file ends before what it refers to.
        E::Io(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            damaged().with_source(error)
        }
        E::Io(error) => match refusal(error.kind()) {
            Some((kind, what)) => BackendError::new(kind, what),
            None => failed(),
        }
        .with_source(error),
        // Closed: the writer is just opening the file again after a disk error.
        E::PreviousIo | E::DatabaseClosed => failed(),
        other => failed().with_source(other.to_string()),
    }
}

/// Turns an error of opening a table into an outcome.
pub(super) fn table(error: redb::TableError) -> BackendError {
    match error {
        redb::TableError::Storage(error) => storage(error),
        other => damaged().with_source(other),
    }
}

/// Turns an error of beginning a transaction into an outcome.
pub(super) fn transaction(error: redb::TransactionError) -> BackendError {
    match error {
        redb::TransactionError::Storage(error) => storage(error),
        other => failed().with_source(other.to_string()),
    }
}

/// Turns an error of opening a database into an outcome.
pub(super) fn database(error: redb::DatabaseError) -> BackendError {
    match error {
        redb::DatabaseError::Storage(error) => storage(error),
        redb::DatabaseError::DatabaseAlreadyOpen | redb::DatabaseError::LockProtocolMismatch => {
            BackendError::new(ErrorKind::Locked, "another process has the data file open")
        }
        redb::DatabaseError::UpgradeRequired(_) => damaged().with_source(error),
        other => failed().with_source(other),
    }
}

/// Turns an error of committing into an outcome.
pub(super) fn commit(error: redb::CommitError) -> BackendError {
    match error {
        redb::CommitError::Storage(error) => storage(error),
        other => failed().with_source(other),
    }
}

/// The disk failed earlier, because of `cause`. Nothing was written, and nothing more can be.
pub(super) fn read_only(cause: &str) -> BackendError {
    BackendError::new(
        ErrorKind::ReadOnly,
        format!("the disk failed before ({cause}); mend it and open the folder again"),
    )
}

/// A group was handed to the disk, which failed.
pub(super) fn indeterminate(cause: &BackendError) -> BackendError {
    BackendError::new(
        ErrorKind::Indeterminate,
        format!(
            "the disk failed during the commit ({}); open the folder again and read what it holds",
            cause.message()
        ),
    )
    .with_source(cause.to_string())
}

/// The queue of writes is full.
pub(super) fn overloaded() -> BackendError {
    BackendError::new(
        ErrorKind::Overloaded,
        "more writes are waiting than the queue holds; send fewer at once or raise its bound",
    )
}

/// What is stored cannot be understood.
pub(super) fn damaged() -> BackendError {
    BackendError::new(
        ErrorKind::Corrupted,
        "the data file is damaged; restore the folder from a backup",
    )
}

/// A value is larger than a record can be.
pub(super) fn too_large(size: usize) -> BackendError {
    BackendError::new(
        ErrorKind::TooLarge { size, limit: super::MAX_VALUE_LEN },
        "the value is larger than the file backend stores",
    )
}

fn failed() -> BackendError {
    BackendError::new(ErrorKind::Unavailable, "the file system failed on the data file; try again")
}

/// What the file system refuses until somebody mends it, and how.
fn refusal(error: io::ErrorKind) -> Option<(ErrorKind, &'static str)> {
    match error {
        io::ErrorKind::PermissionDenied => {
            Some((ErrorKind::Other, "permission denied; give this user read and write access"))
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some((
            ErrorKind::ReadOnly,
            "the disk is full; free some space and open the store again",
        )),
        io::ErrorKind::ReadOnlyFilesystem => {
            Some((ErrorKind::ReadOnly, "the file system is read-only; name a folder on another"))
        }
        _ => None,
    }
}

/// What the file system said of `path`, outside of redb.
pub(super) fn file_system(path: &Path, error: &io::Error) -> BackendError {
    let (kind, what) =
        refusal(error.kind()).unwrap_or((ErrorKind::Other, "the file system refused"));
    at(path, kind, what).with_source(error.to_string())
}

/// The same outcome, naming the folder it is about.
pub(super) fn in_folder(path: &Path, error: BackendError) -> BackendError {
    error.about(format_args!("`{}`", path.display()))
}

/// An outcome of opening `path`.
pub(super) fn at(path: &Path, kind: ErrorKind, what: impl Display) -> BackendError {
    BackendError::new(kind, format!("`{}`: {what}", path.display()))
}
