//! Listing entries, page by page.

mod pattern;
mod progress;
mod seen;

use bytes::Bytes;
use redis::Value;

use self::progress::Progress;
use super::{node::Lane, read, router::Router};
use crate::{
    backend::{
        BackendError, Cursor, Entry, ErrorKind, GetOptions, Page, Result, ScanRequest, Want,
    },
    key::Key,
};

/// The most entries of a page: their values have to be in memory at the same time.
const MOST_ENTRIES: usize = 256;
/// How often the server is asked for keys before a page is returned, however few were found: each
/// page is done long before any deadline.
const MOST_LOOKS: usize = 64;

/// One page.
pub(super) async fn page(router: &Router, request: ScanRequest) -> Result<Page> {
    let mut progress = match request.cursor {
        None => Progress::start(router, request.prefix).await?,
        Some(cursor) => cursor
            .into_memory::<Progress>()
            .filter(|progress| progress.prefix() == request.prefix)
            .ok_or_else(foreign)?,
    };
    let limit = request.limit.clamp(1, MOST_ENTRIES);
    let mut more = true;
    for _ in 0..MOST_LOOKS {
        if progress.found() >= limit || !more {
            break;
        }
        more = progress.advance(router).await?;
    }
    let entries = entries(router, progress.take(limit), request.want).await?;
    more |= progress.found() > 0;
    Ok(Page { entries, next: more.then(|| Cursor::from_memory(progress)) })
}

/// Reads what is under the keys, unless nobody wants it. What expired or was removed meanwhile is left out, and so is what
/// has become something else than a string.
async fn entries(router: &Router, keys: Vec<String>, want: Want) -> Result<Vec<(Key, Entry)>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    if want == Want::KEY {
        let entry = |key| (Key::from_stored(key), Entry::new(Bytes::new()));
        return Ok(keys.into_iter().map(entry).collect());
    }
    let options = GetOptions { want, renew: None };
    let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
    let values = if want.expiry {
        let mut commands = Vec::with_capacity(texts.len());
        for key in texts {
            commands.push((key, read::with_expiry(key, options)?));
        }
        router.read_each(Lane::Bulk, commands).await?
    } else {
        router.values(Lane::Bulk, &texts).await?
    };
    let mut entries = Vec::with_capacity(values.len());
    for (key, value) in keys.into_iter().zip(values) {
        if let Some(entry) = entry(router, value, options)? {
            entries.push((Key::from_stored(key), entry));
        }
    }
    Ok(entries)
}

fn entry(router: &Router, value: Value, options: GetOptions) -> Result<Option<Entry>> {
    let value = match router.reply(value) {
        Err(error) if error.kind() == ErrorKind::Foreign => return Ok(None),
        value => value?,
    };
    if options.want.expiry {
        read::entry_with_expiry(value, options)
    } else {
        read::entry(value, options)
    }
}

fn foreign() -> BackendError {
    BackendError::new(ErrorKind::Other, "the cursor is not of this scan; start without one")
}
