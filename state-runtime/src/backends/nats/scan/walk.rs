//! The walk of a scan through the sequences of a bucket, in rounds.

use async_nats::Subscriber;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{AT_ONCE, Found, Looked, PAGE_BYTES, Place, Session, Stored, names::Names};
use crate::{
    backend::{ErrorKind, Result},
    backends::nats::{
        api::{GetMessage, PENDING, StreamInfo},
        error,
        session::{json, status},
        stored::number,
    },
};

/// The most messages that one page looks at where each is a request of its own.
const MOST_SINGLE: usize = 128;

/// Where a walk stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Walk {
    /// The sequence to go on with.
    next: u64,
    round: Option<Round>,
}

/// A part of the sequences.
#[derive(Clone, Copy)]
struct Round {
    /// The last sequence of it.
    end: u64,
    /// How many there are.
    length: u64,
}

impl Walk {
    /// The next messages under `filter`, and how to go on.
    pub(super) async fn page(
        self,
        session: &Session,
        filter: &str,
        limit: usize,
    ) -> Result<Looked> {
        // There is no message 0.
        let start = self.next.max(1);
        let batched = if session.bucket.reads_batches() {
            session.batch(filter, start, limit).await?
        } else {
            None
        };
        let mut found = match batched {
            Some(found) => found,
            None => session.one_by_one(filter, start, limit.min(MOST_SINGLE)).await?,
        };
        let next = if found.complete {
            None
        } else {
            let first = found.messages.first().map_or(start, |(_, stored)| stored.sequence);
            let next = found.last.map_or(start, |last| last.saturating_add(1));
            self.go_on(session, first, next).await?
        };
        if session.bucket.config.max_msgs_per_subject != 1 {
            session.leave_latest(&mut found.messages).await?;
        }
        Ok((found.messages, next))
    }

    /// Goes on with `next` after a page that began with `first`.
    async fn go_on(self, session: &Session, first: u64, next: u64) -> Result<Option<Place>> {
        if self.round.is_some_and(|round| next <= round.end) {
            return Ok(Some(Place::Walk(Self { next, ..self })));
        }
        let reached = session.last_sequence().await?;
        if reached < next {
            return Ok(None);
        }
        let begin = self.round.map_or(first, |round| round.end);
        let length = reached.saturating_sub(begin);
        if self.round.is_some_and(|round| length > round.length / 2) {
            return Ok(Some(Place::Names(Names::behind(next))));
        }
        let round = Some(Round { end: reached, length });
        Ok(Some(Place::Walk(Self { next, round })))
    }
}

impl Session {
    /// The sequence that the bucket has reached.
    async fn last_sequence(&self) -> Result<u64> {
        let api = format!("STREAM.INFO.{}", self.bucket.stream);
        let info: StreamInfo = self.connection.ask(&api, Bytes::new()).await?;
        Ok(info.state.last_seq)
    }

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
