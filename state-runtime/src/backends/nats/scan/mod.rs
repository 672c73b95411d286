//! Scans: the messages under a prefix in the order of their sequences, and in the end by name.
//!
//! Each entry is the last message of its subject, and a write gives it a higher sequence. So whoever
//! [walks](walk) through the sequences to the end meets every entry that is there throughout, one
//! that is rewritten in front of the walk too. What is rewritten behind it is met again; the cursor
//! knows that it was listed.
//!
//! Writers may be faster than the walk. So it goes in rounds, each up to where the bucket was when
//! the one before was over, and each of them is at most half as long as that one. When that does not
//! hold, the server is asked for the [names](names) of all entries, which it tells as they are at one
//! moment, and those that are not listed yet are read by their names.
//!
//! An entry of which nobody can tell when it expires is left out, for nobody can tell either whether
//! it is there. It ends no scan: the others are sound. A line of the log says where it is.

mod names;
mod walk;

use self::{names::Names, walk::Walk};
use super::{Engine, read::Named, session::Session, stored::Stored};
use crate::{
    backend::{BackendError, Cursor, ErrorKind, Page, Result, ScanRequest, seen::Seen},
    key::Key,
};

/// The most entries that one page looks at, however many were asked for.
const MOST: usize = 1000;
/// About how many bytes of values a page may hold.
const PAGE_BYTES: usize = 4 << 20;
/// How many entries are asked for at the same time.
const AT_ONCE: usize = 64;
/// How many of the entries that it lists a scan remembers, at 16 bytes each. Beyond that, one that is
/// rewritten meanwhile may be listed again.
const REMEMBERED: usize = 1 << 20;

/// What a cursor remembers.
#[derive(Clone)]
struct Progress {
    seen: Seen,
    place: Place,
}

/// Where a scan stands.
#[derive(Clone)]
enum Place {
    Walk(Walk),
    Names(Names),
}

/// Messages, with their subjects.
#[derive(Default)]
struct Found {
    messages: Vec<(String, Stored)>,
    /// The sequence of the last one that was looked at.
    last: Option<u64>,
    /// Whether there are no more behind them.
    complete: bool,
}

impl Found {
    fn take(&mut self, named: Named, stream: &str) -> Result<()> {
        let Named { subject, sequence, stored } = named;
        self.last = Some(sequence);
        match stored {
            Ok(stored) => self.messages.push((subject, stored)),
            Err(error) if error.kind() == ErrorKind::Foreign => {
                tracing::warn!(stream, sequence, %error, "a scan leaves an entry out");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Engine {
    pub(super) async fn scan(&self, request: ScanRequest) -> Result<Page> {
        let ScanRequest { prefix, cursor, limit, want } = request;
        let session = self.link.session()?;
        let Some(pattern) = self.mapping.pattern(&prefix) else {
            return Ok(Page::default());
        };
        let filter = format!("{}{pattern}", session.bucket.prefix);
        let limit = limit.clamp(1, MOST);
        let Progress { mut seen, place } = match cursor {
            Some(cursor) => cursor.into_memory().ok_or_else(|| {
                BackendError::new(ErrorKind::Other, "the cursor is of a scan of another backend")
            })?,
            None => {
                Progress { seen: Seen::with_room(REMEMBERED), place: Place::Walk(Walk::default()) }
            }
        };
        let key = |subject: &str| {
            let key = self.mapping.key(subject.strip_prefix(&session.bucket.prefix)?)?;
            key.starts_with(&prefix).then_some(key)
        };
        let (found, next) = match place {
            Place::Walk(walk) => walk.page(&session, &filter, limit).await?,
            Place::Names(names) => {
                let is_new = |subject: &str| key(subject).is_some_and(|key| !seen.contains(&key));
                names.page(&session, &filter, limit, is_new).await?
            }
        };
        let now = self.now();
        let mut entries = Vec::with_capacity(found.len());
        for (subject, stored) in found {
            if let Some(key) = key(&subject)
                && stored.is_live(now)
                && seen.insert(&key)
            {
                entries.push((Key::from_stored(key), stored.into_entry(want)));
            }
        }
        let next = next.map(|place| Cursor::from_memory(Progress { seen, place }));
        Ok(Page { entries, next })
    }
}

/// What a page looked at, and where the next one starts.
type Looked = (Vec<(String, Stored)>, Option<Place>);
