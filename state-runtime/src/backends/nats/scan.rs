//! Scans: the messages under a prefix in the order of their sequences.
//!
//! Each entry is the last message of its subject, and a write gives it a higher sequence. So whoever
//! goes through the sequences to the end meets every entry that is there throughout: one that is
//! rewritten behind the scan was met before, or is met again in front of it.
//!
//! An entry of which nobody can tell when it expires is left out, for nobody can tell either whether
//! it is there. It ends no scan: the others are sound. A line of the log says where it is.

use async_nats::Subscriber;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    Engine,
    api::{GetMessage, PENDING},
    error,
    read::Named,
    session::{Session, json, status},
    stored::{Stored, number},
};
use crate::{
    backend::{BackendError, Cursor, ErrorKind, Page, Result, ScanRequest},
    key::Key,
};

/// The most messages that one page looks at, however many were asked for.
const MOST: usize = 1000;
/// The same where each message is a request of its own.
const MOST_SINGLE: usize = 128;

/// About how many bytes of values a page may hold.
const PAGE_BYTES: usize = 4 << 20;
/// How many entries are asked for at the same time.
const AT_ONCE: usize = 64;

/// Messages in the order of their sequences, with their subjects.
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
        let session = self.link.session()?;
        let Some(pattern) = self.mapping.pattern(&request.prefix) else {
            return Ok(Page::default());
        };
        let filter = format!("{}{pattern}", session.bucket.prefix);
        let start = request.cursor.as_ref().map_or(Ok(1), sequence)?;
        let limit = request.limit.clamp(1, MOST);
        let batched = if session.bucket.reads_batches() {
            session.batch(&filter, start, limit).await?
        } else {
            None
        };
        let mut found = match batched {
            Some(found) => found,
            None => session.one_by_one(&filter, start, limit.min(MOST_SINGLE)).await?,
        };
        let next = found.last.map_or(start, |last| last.saturating_add(1));
        let next = (!found.complete).then(|| Cursor::from_bytes(next.to_be_bytes()));
        if session.bucket.config.max_msgs_per_subject != 1 {
            session.leave_latest(&mut found.messages).await?;
        }
        let now = self.now();
        let entries = found.messages.into_iter().filter_map(|(subject, stored)| {
            let key = self.mapping.key(subject.strip_prefix(&session.bucket.prefix)?)?;
            let listed = key.starts_with(&request.prefix) && stored.is_live(now);
            listed.then(|| (Key::from_stored(key), stored.into_entry(request.want)))
        });
        Ok(Page { entries: entries.collect(), next })
    }
}

fn sequence(cursor: &Cursor) -> Result<u64> {
    let bytes = cursor.as_bytes().try_into().map_err(|_| {
        BackendError::new(ErrorKind::Other, "the cursor is of a scan of another backend")
    })?;
    Ok(u64::from_be_bytes(bytes))
}

impl Session {
    /// Several messages by one request; `None` where a mirror answered.
    async fn batch(&self, filter: &str, start: u64, limit: usize) -> Result<Option<Found>> {
        let request = json(&GetMessage {
            next_by_subj: Some(filter),
            seq: Some(start),
            batch: Some(limit),
            max_bytes: Some(PAGE_BYTES),
            ..GetMessage::default()
        })?;
        let api = format!("$JS.API.DIRECT.GET.{}", self.bucket.stream);
        let receive = async |inbox: &mut Subscriber| {
            let mut found = Found::default();
            while let Some(message) = inbox.next().await {
                match status(&message) {
                    None => {
                        let Some(named) = self.direct(message) else { return Ok(None) };
                        found.take(named, &self.bucket.stream)?;
                    }
                    // The end of this batch, which says how many there are behind it.
                    Some(204) => {
                        let behind = message.headers.as_ref().and_then(|it| number(it, PENDING));
                        found.complete = behind == Some(0);
                        return Ok(Some(found));
                    }
                    Some(404) => {
                        found.complete = true;
                        return Ok(Some(found));
                    }
                    Some(503) => {
                        return Err(error::unavailable("the bucket has no leader just now"));
                    }
                    Some(_) => return Err(error::strange()),
                }
            }
            Err(error::unavailable("the connection was lost"))
        };
        self.connection.ask_for_many(api, request, receive).await
    }

    /// One message after the other from the leader, for buckets with replicas and old servers.
    async fn one_by_one(&self, filter: &str, start: u64, limit: usize) -> Result<Found> {
        let mut found = Found::default();
        let (mut seq, mut bytes) = (start, 0);
        for _ in 0..limit {
            let request =
                GetMessage { next_by_subj: Some(filter), seq: Some(seq), ..GetMessage::default() };
            let Some(named) = self.get_named(&request).await? else {
                found.complete = true;
                break;
            };
            seq = named.sequence.saturating_add(1);
            bytes += named.stored.as_ref().map_or(0, |stored| stored.value.len());
            found.take(named, &self.bucket.stream)?;
            if bytes >= PAGE_BYTES {
                break;
            }
        }
        Ok(found)
    }

    /// Of a bucket that keeps earlier values, too: leaves those that are still the last.
    async fn leave_latest(&self, messages: &mut Vec<(String, Stored)>) -> Result<()> {
        let last = async |subject| match self.last(subject).await {
            Err(error) if error.kind() == ErrorKind::Foreign => Ok(None),
            last => last,
        };
        let reads: Vec<_> = messages.iter().map(|(subject, _)| last(subject)).collect();
        let last: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        let mut last = last.into_iter();
        messages.retain(|(_, stored)| {
            last.next().flatten().is_some_and(|last: Stored| last.sequence == stored.sequence)
        });
        Ok(())
    }
}
