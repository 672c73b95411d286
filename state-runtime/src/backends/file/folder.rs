//! The folder of a store: what marks it as one, and who may use it.
//!
//! | file | what it is |
//! |---|---|
//! | `FORMAT` | one line: the name of the format and its version |
//! | `FORMAT.new` | the same while the folder is being created |
//! | `LOCK` | empty; locked by the process that has the folder open |
//! | `data.redb` | the database, see the engine |
//!
//! `FORMAT.new` becomes `FORMAT` once the database is on the disk, so that a crash during the
//! creation is told from a database that somebody deleted.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{
    engine::Source,
    error::{at, file_system},
};
use crate::backend::{ErrorKind, Result};

const NAME: &str = "state-runtime file store";
const VERSION: u32 = 1;
const FORMAT: &str = "FORMAT";
const NEW_FORMAT: &str = "FORMAT.new";
const LOCK: &str = "LOCK";
const DATA: &str = "data.redb";

/// How long a folder that is in use is waited for: its last user may just be closing it.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// A folder that this process has locked.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    created: bool,
    _lock: File,
}

impl Folder {
    /// Locks the store at `path`, or begins to create it where there is nothing.
    pub(super) fn open(path: &Path) -> Result<Self> {
        // Looked at before anything is changed: a foreign folder stays as it is.
        if exists(path)? {
            examine(path)?;
        } else {
            create_folder(path)?;
        }
        let lock = lock(path)?;
        // Looked at again, now that nobody else can change it.
        let created = examine(path)?;
        if created {
            begin(path).map_err(|error| file_system(path, &error))?;
        }
        Ok(Self { path: path.to_owned(), created, _lock: lock })
    }

    /// The database in it.
    pub(super) fn source(&self) -> Source {
        Source::File { path: self.path.join(DATA), create: self.created }
    }

    /// Ends the creation, once the database is on the disk.
    pub(super) fn finish(&self) -> Result<()> {
        if !self.created {
            return Ok(());
        }
        let finish = || {
            sync_folder(&self.path)?;
            fs::rename(self.path.join(NEW_FORMAT), self.path.join(FORMAT))?;
            sync_folder(&self.path)
        };
        finish().map_err(|error| file_system(&self.path, &error))
    }
}

fn exists(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(true),
        Ok(_) => Err(at(path, ErrorKind::Foreign, "this is a file; name a folder for the store")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(file_system(path, &error)),
    }
}

/// Creates the folder, and makes its name durable in every folder above that had to be created.
fn create_folder(path: &Path) -> Result<()> {
    let mut above = Vec::new();
    let mut next = path.parent();
    while let Some(folder) = next {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        above.push(folder);
        if folder.exists() {
            break;
        }
        next = folder.parent();
    }
    let create = || {
        fs::create_dir_all(path)?;
        above.into_iter().try_for_each(sync_folder)
    };
    create().map_err(|error| file_system(path, &error))
}

/// Whether the store at `path` still has to be created. Refuses what is not a store.
fn examine(path: &Path) -> Result<bool> {
    let (mut format, mut new_format, mut data) = (false, false, false);
    let mut foreign = false;
    for entry in fs::read_dir(path).map_err(|error| file_system(path, &error))? {
        let name = entry.map_err(|error| file_system(path, &error))?.file_name();
        match name.to_str() {
            Some(FORMAT) => format = true,
            Some(NEW_FORMAT) => new_format = true,
            Some(DATA) => data = true,
            Some(LOCK) => {}
            _ => foreign = true,
        }
    }
    if format {
        check_format(path)?;
        if !data {
            let what = "`data.redb` is missing; restore the folder from a backup, or delete it to start empty";
            return Err(at(path, ErrorKind::Corrupted, what));
        }
        return Ok(false);
    }
    if data && !new_format {
        let what = "there is a `data.redb` but no `FORMAT`; restore the folder from a backup, or name an empty or a new folder";
        return Err(at(path, ErrorKind::Foreign, what));
    }
    if foreign {
        let what = "the folder holds something else than a store; name an empty or a new folder";
        return Err(at(path, ErrorKind::Foreign, what));
    }
    Ok(true)
}

fn check_format(path: &Path) -> Result<()> {
    let file = path.join(FORMAT);
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => String::new(),
        text => text.map_err(|error| file_system(&file, &error))?,
    };
    let version =
        text.trim_end().strip_prefix(NAME).and_then(|version| version.trim().parse().ok());
    match version {
        Some(VERSION) => Ok(()),
        Some(newer) if newer > VERSION => {
            let what = format!(
                "the store has format {newer}, this program reads up to {VERSION}; update the program"
            );
            Err(at(path, ErrorKind::Foreign, what))
        }
        _ => {
            let what = "`FORMAT` names no format of this backend; restore the folder from a backup, or name another";
            Err(at(path, ErrorKind::Foreign, what))
        }
    }
}

fn lock(path: &Path) -> Result<File> {
    let file = path.join(LOCK);
    let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&file);
    let lock = opened.map_err(|error| file_system(&file, &error))?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => {
                let what = "another process, or another part of this one, has the store open; close it there, or share one backend in an `Arc`";
                return Err(at(path, ErrorKind::Locked, what));
            }
            Err(TryLockError::Error(error)) => return Err(file_system(&file, &error)),
        }
    }
}

/// Marks the folder as a store that is being created, and clears what a crash left of one.
fn begin(path: &Path) -> io::Result<()> {
    let mut file = File::create(path.join(NEW_FORMAT))?;
    writeln!(file, "{NAME} {VERSION}")?;
    file.sync_all()?;
    sync_folder(path)?;
    match fs::remove_file(path.join(DATA)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the names in a folder durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    // Windows keeps the names of files durable by itself and has no handle to sync a folder by.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}
