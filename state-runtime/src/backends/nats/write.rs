//! Writing single entries.
//!
//! A condition is a sequence that the last message of the subject has to have; the server checks it.
//! Whether there is an entry at that sequence, or one that was removed or has expired, is found out
//! before, and stays so: a message never changes.

use core::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use tokio::time::Instant;

use super::{
    Engine,
    api::{Ack, EXPECTED, EXPIRES, OPERATION, TTL},
    backoff::random,
    error,
    session::{Session, Trouble},
    stored::{Mark, Stored},
};
use crate::{
    backend::{
        AddOptions, BackendError, Condition, ErrorKind, RemoveOptions, Result, Revision,
        SetOptions, ThrottleOptions, Throttled, Timestamp, TtlChange, integer::sum,
        rules::check_ttl, throttle::take,
    },
    key::Key,
};

/// How long a message stays that says that there is no entry: long enough for clients of others who
/// watch the bucket and lose their connection for a while.
const MARKER_LIFE: Duration = Duration::from_secs(60 * 60);

/// A message to be stored.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) subject: String,
    /// `None` says that there is no entry.
    pub(super) value: Option<Bytes>,
    pub(super) expiry: Option<Timestamp>,
    /// The sequence that the last message has to have.
    pub(super) expected: Option<u64>,
}

impl Draft {
    /// The headers; most messages have none.
    pub(super) fn headers(&self, session: &Session, now: Timestamp) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(sequence) = self.expected {
            headers.insert(EXPECTED, sequence.to_string());
        }
        let mut life = None;
        if self.value.is_none() {
            headers.insert(OPERATION, "DEL");
            life = Some(MARKER_LIFE);
        }
        if let Some(expiry) = self.expiry {
            headers.insert(EXPIRES, expiry.as_millis().to_string());
            life = Some(expiry.since(now));
        }
        if let Some(life) = life
            && session.bucket.collects()
        {
            // Later than it expires, never earlier: this only collects what nobody reads any more.
            let seconds = life.as_millis().div_ceil(1000) + 1;
            headers.insert(TTL, format!("{seconds}s"));
        }
        headers
    }
}

impl Session {
    /// Stores a message and returns its sequence.
    pub(super) async fn store(&self, draft: Draft, now: Timestamp) -> Result<u64> {
        let headers = draft.headers(self, now);
        let value = draft.value.unwrap_or_default();
        self.check_size(&headers, &value)?;
        let before = self.reached();
        match self.connection.request(draft.subject, headers, value).await {
            Ok(answer) => {
                let ack = acknowledged(&answer.payload)?;
                self.note(before, ack.seq);
                Ok(ack.seq)
            }
            Err(trouble) => {
                if matches!(trouble, Trouble::Lost(_)) {
                    // What is queued there must not be sent when the callers have long given up.
                    self.connection.give_up();
                }
                Err(trouble.of_write())
            }
        }
    }
}

/// What a revision names, if it is an entry of this bucket that can still be there.
pub(super) fn live_mark(session: &Session, revision: &Revision, now: Timestamp) -> Result<Mark> {
    Mark::read(revision)
        .filter(|mark| mark.epoch == session.bucket.epoch)
        .filter(|mark| mark.expiry.is_none_or(|expiry| now < expiry))
        .ok_or_else(|| BackendError::conflict(0))
}

/// What the server says of a message that was handed over.
pub(super) fn acknowledged(answer: &[u8]) -> Result<Ack> {
    let ack: Ack = serde_json::from_slice(answer)
        .map_err(|_| error::indeterminate("the answer cannot be understood"))?;
    match ack {
        Ack { error: Some(refusal), .. } => Err(error::of_api(&refusal)),
        Ack { seq: 0, .. } => Err(error::indeterminate("the answer cannot be understood")),
        ack => Ok(ack),
    }
}

impl Engine {
    pub(super) async fn set(
        &self,
        key: &Key,
        value: Bytes,
        options: SetOptions,
    ) -> Result<Option<Revision>> {
        if let TtlChange::After(ttl) = options.ttl {
            check_ttl(ttl)?;
        }
        let session = self.link.session()?;
        let subject = self.subject(&session, key)?;
        let draft = |expected, expiry| Draft {
            subject: subject.clone(),
            value: Some(value.clone()),
            expiry,
            expected,
        };
        let mark = match options.condition {
            Condition::Always if options.ttl != TtlChange::Keep => {
                self.store(&session, draft(None, self.expires(options.ttl, None))).await?
            }
            Condition::Always => {
                let mut rounds = Rounds::new(self);
                loop {
                    let found = session.last(&subject).await?;
                    let expected = found.as_ref().map_or(0, |stored| stored.sequence);
                    let live = found.filter(|stored| stored.is_live(self.now()));
                    let expiry = live.and_then(|stored| stored.expiry);
                    match self.store(&session, draft(Some(expected), expiry)).await {
                        Err(error) if is_conflict(&error) => rounds.next().await?,
                        stored => break stored?,
                    }
                }
            }
            Condition::IfAbsent => {
                let mut rounds = Rounds::new(self);
                // Most often there is nothing at all, and one request is enough.
                let mut expected = 0;
                loop {
                    let expiry = self.expires(options.ttl, None);
                    match self.store(&session, draft(Some(expected), expiry)).await {
                        Err(error) if is_conflict(&error) => {}
                        stored => break stored?,
                    }
                    let found = session.last(&subject).await?;
                    if found.as_ref().is_some_and(|stored| stored.is_live(self.now())) {
                        return Err(BackendError::conflict(0));
                    }
                    let last = found.map_or(0, |stored| stored.sequence);
                    if last == expected {
                        // It went away, or another writer is at work.
                        rounds.next().await?;
                    }
                    expected = last;
                }
            }
            Condition::IfRevision(revision) => {
                let mark = live_mark(&session, &revision, self.now())?;
                let expiry = self.expires(options.ttl, Some(mark));
                self.store(&session, draft(Some(mark.sequence), expiry)).await?
            }
        };
        Ok(options.want_revision.then(|| mark.into()))
    }

    pub(super) async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        let session = self.link.session()?;
        let expected = match options.condition {
            Condition::Always => None,
            Condition::IfRevision(revision) => {
                Some(live_mark(&session, &revision, self.now())?.sequence)
            }
            Condition::IfAbsent => {
                let found = self.find(key).await?;
                return if found.is_some() { Err(BackendError::conflict(0)) } else { Ok(()) };
            }
        };
        let subject = self.subject(&session, key)?;
        let draft = Draft { subject, value: None, expiry: None, expected };
        self.store(&session, draft).await.map(drop)
    }

    pub(super) async fn touch(&self, key: &Key, ttl: TtlChange) -> Result<bool> {
        if let TtlChange::After(ttl) = ttl {
            check_ttl(ttl)?;
        }
        let mut rounds = Rounds::new(self);
        loop {
            let Some(stored) = self.find(key).await? else { return Ok(false) };
            let unchanged =
                ttl == TtlChange::Keep || (ttl == TtlChange::Clear && stored.expiry.is_none());
            if unchanged || self.rewrite(key, &stored, ttl).await?.is_some() {
                return Ok(true);
            }
            rounds.next().await?;
        }
    }

    pub(super) async fn add(&self, key: &Key, options: AddOptions) -> Result<i128> {
        if let Some(ttl) = options.ttl {
            check_ttl(ttl)?;
        }
        let mut rounds = Rounds::new(self);
        loop {
            let session = self.link.session()?;
            let subject = self.subject(&session, key)?;
            let found = session.last(&subject).await?;
            let expected = Some(found.as_ref().map_or(0, |stored| stored.sequence));
            let live = found.filter(|stored| stored.is_live(self.now()));
            let sum = sum(live.as_ref().map(|stored| &*stored.value), &options)?;
            let expiry = match (live, options.ttl) {
                (Some(stored), _) => stored.expiry,
                (None, ttl) => self.expires(ttl.map_or(TtlChange::Clear, TtlChange::After), None),
            };
            let value = Some(Bytes::from(sum.to_string()));
            match self.store(&session, Draft { subject, value, expiry, expected }).await {
                Err(error) if is_conflict(&error) => rounds.next().await?,
                stored => return stored.map(|_| sum),
            }
        }
    }

    pub(super) async fn throttle(&self, key: &Key, options: ThrottleOptions) -> Result<Throttled> {
        let mut rounds = Rounds::new(self);
        loop {
            let session = self.link.session()?;
            let subject = self.subject(&session, key)?;
            let found = session.last(&subject).await?;
            let expected = Some(found.as_ref().map_or(0, |stored| stored.sequence));
            let live = found.filter(|stored| stored.is_live(self.now()));
            let stored = live.as_ref().map(|stored| &*stored.value);
            let (answer, taken) = take(stored, &options, self.now())?;
            let Some(taken) = taken else { return Ok(answer) };
            let expiry = self.expires(TtlChange::After(taken.ttl), None);
            let value = Some(taken.value);
            match self.store(&session, Draft { subject, value, expiry, expected }).await {
                Err(error) if is_conflict(&error) => rounds.next().await?,
                stored => return stored.map(|_| answer),
            }
        }
    }

    /// Writes the same value again with another expiry; `None` where somebody else was faster.
    pub(super) async fn rewrite(
        &self,
        key: &Key,
        stored: &Stored,
        ttl: TtlChange,
    ) -> Result<Option<Mark>> {
        let session = self.link.session()?;
        if stored.epoch != session.bucket.epoch {
            return Ok(None);
        }
        let draft = Draft {
            subject: self.subject(&session, key)?,
            value: Some(stored.value.clone()),
            expiry: self.expires(ttl, Some(stored.mark())),
            expected: Some(stored.sequence),
        };
        match self.store(&session, draft).await {
            Err(error) if is_conflict(&error) => Ok(None),
            stored => stored.map(Some),
        }
    }

    async fn store(&self, session: &Session, draft: Draft) -> Result<Mark> {
        let expiry = draft.expiry;
        let sequence = session.store(draft, self.now()).await?;
        Ok(Mark { epoch: session.bucket.epoch, sequence, expiry })
    }

    /// When an entry expires that is written now, in place of `last`.
    pub(super) fn expires(&self, ttl: TtlChange, last: Option<Mark>) -> Option<Timestamp> {
        match ttl {
            TtlChange::Clear => None,
            TtlChange::Keep => last.and_then(|mark| mark.expiry),
            TtlChange::After(ttl) => Some(self.now().after(ttl)),
        }
    }
}

pub(super) fn is_conflict(error: &BackendError) -> bool {
    matches!(error.kind(), ErrorKind::Conflict { .. })
}

/// Attempts of one operation. Each that fails is one in which another writer succeeded.
pub(super) struct Rounds {
    end: Instant,
    failed: u32,
}

impl Rounds {
    pub(super) fn new(engine: &Engine) -> Self {
        Self { end: Instant::now() + engine.link.config.response_timeout, failed: 0 }
    }

    /// Waits a moment of random length, longer each time, so that writers who meet get apart.
    pub(super) async fn next(&mut self) -> Result<()> {
        self.failed += 1;
        let most = 250_u64 << self.failed.min(7);
        let pause = Duration::from_micros(random() % most);
        if Instant::now() + pause >= self.end {
            return Err(error::contended());
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
