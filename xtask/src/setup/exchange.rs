//! Putting a folder in the place of another in one step, by one task at a time.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

use crate::{failure::Failure, terminal::Progress};

/// How often a lock that somebody else has is asked for.
const STEP: Duration = Duration::from_millis(200);

/// Waits until nobody else installs servers into a folder. The end of the task, however it comes,
/// frees the lock.
pub(super) fn lock(root: &Path, progress: &mut Progress) -> Result<File, Failure> {
    let name = root.join(".lock");
    let failed = || Failure::while_doing(format!("cannot lock {}", name.display()));
    fs::create_dir_all(root).map_err(failed())?;
    let file = File::options().create(true).append(true).open(&name).map_err(failed())?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                if !told {
                    progress.line("  another task installs servers: waiting for it");
                    told = true;
                }
                progress.tick();
                thread::sleep(STEP);
            }
            // There are file systems without locks; then nobody else is kept out.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(file);
            }
            Err(TryLockError::Error(error)) => return Err(failed()(error)),
        }
    }
}

/// Where a folder is prepared that is to be called `name`.
pub(super) fn beside(root: &Path, name: &str) -> PathBuf {
    root.join(format!(".{name}.new"))
}

/// Where a folder goes that is replaced on a file system that cannot exchange two.
fn aside(new: &Path) -> PathBuf {
    new.with_extension("old")
}

/// Removes what tasks that were interrupted have left of a folder. Needs the lock.
pub(super) fn clear(root: &Path, name: &str) -> Result<(), Failure> {
    let failed = || Failure::while_doing(format!("cannot clear {}", root.display()));
    let (new, old) = (format!(".{name}.new"), format!(".{name}.old"));
    for entry in fs::read_dir(root).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let left = entry.file_name().into_string().unwrap_or_default();
        // Earlier versions of this task put the number of their process behind it.
        let stem = left.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        if stem == new || stem == old {
            fs::remove_dir_all(entry.path()).map_err(failed())?;
        }
    }
    Ok(())
}

/// Puts `new` in the place of `folder`, and removes what was there. Needs the lock.
pub(super) fn put(new: &Path, folder: &Path) -> io::Result<()> {
    let old = match renameat_with(CWD, new, CWD, folder, RenameFlags::EXCHANGE) {
        Ok(()) => new.to_owned(),
        Err(Errno::NOENT) => return fs::rename(new, folder),
        // Not every file system can: there, nothing is in the place for a moment.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => in_two_steps(new, folder)?,
        Err(error) => return Err(error.into()),
    };
    // What is new is in place. What is left of the old is removed by the next task at the latest.
    let _ = fs::remove_dir_all(old);
    Ok(())
}

/// Says where the replaced folder is.
fn in_two_steps(new: &Path, folder: &Path) -> io::Result<PathBuf> {
    let old = aside(new);
    fs::rename(folder, &old)?;
    fs::rename(new, folder).or_else(|error| fs::rename(&old, folder).and(Err(error)))?;
    Ok(old)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{steps::tests::emptied, terminal::Terminal};

    /// An empty folder of this test alone.
    fn root(name: &str) -> PathBuf {
        let folder = format!("state-xtask-{}-{name}", std::process::id());
        emptied(std::env::temp_dir().join(folder)).unwrap()
    }

    fn folder(root: &Path, name: &str, file: &str) -> PathBuf {
        let folder = root.join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(file), "").unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_is_replaced_whole() {
        let ways: [fn(&Path, &Path) -> io::Result<()>; 2] =
            [put, |new, folder| fs::remove_dir_all(in_two_steps(new, folder)?)];
        for way in ways {
            let root = root("replace");
            let place = folder(&root, "server", "old");
            way(&folder(&root, ".server.new", "new"), &place).unwrap();
            assert_eq!(names(&root), ["server"]);
            assert_eq!(names(&place), ["new"]);
            fs::remove_dir_all(root).unwrap();
        }
    }

    #[test]
    fn the_first_time_there_is_nothing_to_replace() {
        let root = root("first");
        put(&folder(&root, ".server.new", "new"), &root.join("server")).unwrap();
        assert_eq!(names(&root), ["server"]);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_replaced_stays() {
        let root = root("stays");
        let place = folder(&root, "server", "old");
        assert!(put(&root.join(".server.new"), &place).is_err());
        assert!(in_two_steps(&root.join(".server.new"), &place).is_err());
        assert_eq!(names(&place), ["old"]);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn what_interrupted_tasks_have_left_is_removed_and_nothing_else() {
        let root = root("clear");
        for name in ["server", "server-2", ".server-2.new", ".server.new", ".server.old.4711"] {
            folder(&root, name, "file");
        }
        clear(&root, "server").unwrap();
        assert_eq!(names(&root), [".server-2.new", "server", "server-2"]);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn two_tasks_do_not_install_at_once() {
        let root = root("lock");
        let held = lock(&root, &mut Progress::start(Terminal::detect(), "test")).unwrap();
        let other = File::open(root.join(".lock")).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(held);
        other.try_lock().unwrap();
        fs::remove_dir_all(root).unwrap();
    }
}
