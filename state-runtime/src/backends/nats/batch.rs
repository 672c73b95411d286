//! Several writes as one, on servers that have atomic batches.
//!
//! The messages of a batch carry its name and their number. The server keeps them back until the
//! last one, which says so and is the only one to be answered; then it checks all expected sequences
//! at one moment and stores all messages, or none. A batch of which the end never comes is
//! forgotten by the server.

use core::{pin::pin, time::Duration};

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::timeout;

use super::{
    Engine,
    api::{BATCH_COMMIT, BATCH_ID, BATCH_SEQUENCE},
    backoff::random,
    bucket::Version,
    error,
    session::{Session, Trouble},
    stored::{Mark, Stored},
    write::{Draft, Rounds, acknowledged, is_conflict, live_mark},
};
use crate::backend::{
    BackendError, BatchOp, Capability, Condition, ErrorKind, Result, Revision, SetOptions,
    TtlChange,
    rules::{check_batch, check_ttl},
};

/// The most messages that a server takes in one batch.
const MOST: usize = 1000;
/// How many entries are read at the same time before a batch.
const AT_ONCE: usize = 64;
/// How long to wait for the reason why a batch is incomplete.
const COMPLAINT: Duration = Duration::from_secs(1);

/// What is sent: to which subject, with which headers, and which value.
type Message = (String, HeaderMap, Bytes);

impl Engine {
    pub(super) async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        check_batch(&batch)?;
        for op in &batch {
            if let BatchOp::Set { options: SetOptions { ttl: TtlChange::After(ttl), .. }, .. } = op
            {
                check_ttl(*ttl)?;
            }
        }
        if batch.len() > MOST {
            let message = format!("a batch has at most {MOST} operations; split it");
            return Err(BackendError::new(ErrorKind::Other, message));
        }
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let session = self.link.session()?;
        // An older server, connected to since, would store each message by itself.
        if !session.bucket.config.allow_atomic || session.bucket.version < Version(2, 12, 0) {
            return Err(BackendError::unsupported(Capability::Batch));
        }
        let mut rounds = Rounds::new(self);
        // What the batch itself tells is enough at first. After a conflict all entries that have a
        // condition are read, to find out which one it is.
        let mut suspicious = false;
        loop {
            let drafts = self.prepare(&session, &batch, suspicious).await?;
            let expiries: Vec<_> = drafts.iter().map(|draft| draft.expiry).collect();
            match self.commit(&session, drafts).await {
                Err(error) if is_conflict(&error) => rounds.next().await?,
                Err(error) => return Err(error),
                Ok(last) => {
                    let first = (last + 1).saturating_sub(batch.len() as u64);
                    let marks = (first..).zip(expiries);
                    let epoch = session.bucket.epoch;
                    let revision = |(op, (sequence, expiry)): (&BatchOp, (u64, _))| {
                        wants_revision(op).then(|| Mark { epoch, sequence, expiry }.into())
                    };
                    return Ok(batch.iter().zip(marks).map(revision).collect());
                }
            }
            suspicious = true;
        }
    }

    /// Turns the operations into messages, in their order.
    async fn prepare(
        &self,
        session: &Session,
        batch: &[BatchOp],
        suspicious: bool,
    ) -> Result<Vec<Draft>> {
        let draft =
            |(index, op)| async move {
                let drafted = self.draft(session, op, suspicious).await;
                drafted.map_err(|error| {
                    if is_conflict(&error) { BackendError::conflict(index) } else { error }
                })
            };
        let drafts: Vec<_> = batch.iter().enumerate().map(draft).collect();
        stream::iter(drafts).buffered(AT_ONCE).try_collect().await
    }

    async fn draft(&self, session: &Session, op: &BatchOp, suspicious: bool) -> Result<Draft> {
        let subject = self.subject(session, op.key())?;
        let (value, condition, ttl) = match op {
            BatchOp::Set { value, options, .. } => {
                (Some(value.clone()), &options.condition, options.ttl)
            }
            BatchOp::Remove { options, .. } => (None, &options.condition, TtlChange::Clear),
        };
        let (expected, last) = match condition {
            Condition::Always if ttl != TtlChange::Keep => (None, None),
            Condition::Always => {
                let found = session.last(&subject).await?;
                let expected = found.as_ref().map_or(0, |stored| stored.sequence);
                let live = found.filter(|stored| stored.is_live(self.now()));
                (Some(expected), live.as_ref().map(Stored::mark))
            }
            Condition::IfAbsent => {
                let found = session.last(&subject).await?;
                if found.as_ref().is_some_and(|stored| stored.is_live(self.now())) {
                    return Err(BackendError::conflict(0));
                }
                (Some(found.map_or(0, |stored| stored.sequence)), None)
            }
            Condition::IfRevision(revision) => {
                let mark = live_mark(session, revision, self.now())?;
                if suspicious {
                    let found = session.last(&subject).await?;
                    if found.is_none_or(|stored| stored.sequence != mark.sequence) {
                        return Err(BackendError::conflict(0));
                    }
                }
                (Some(mark.sequence), Some(mark))
            }
        };
        Ok(Draft { subject, value, expiry: self.expires(ttl, last), expected })
    }

    /// Sends the messages without waiting in between, and returns the sequence of the last one.
    async fn commit(&self, session: &Session, drafts: Vec<Draft>) -> Result<u64> {
        let mut messages = self.messages(session, drafts)?;
        let count = messages.len();
        let Some((subject, headers, value)) = messages.pop() else { return Err(error::strange()) };
        let others: Vec<_> = messages.iter().map(|(subject, ..)| subject.clone()).collect();
        let is_of_batch = move |denied: &str| others.iter().any(|subject| subject == denied);
        let mut denied = pin!(session.connection.denied(is_of_batch));
        let before = session.reached();
        let send = async {
            for (subject, headers, value) in messages {
                // After an error the server has only a beginning, which it forgets.
                let sent = session.connection.publish(subject, headers, value).await;
                sent.map_err(Trouble::Refused)?;
            }
            session.connection.request(subject, headers, value).await
        };
        let answer = tokio::select! {
            biased;
            answer = send => answer,
            // Without one of its messages the server takes none of them.
            () = &mut denied => Err(Trouble::Refused(error::denied())),
        };
        match answer {
            Ok(answer) => {
                let ack = match acknowledged(&answer.payload) {
                    Err(error) if error.kind() == ErrorKind::Overloaded => {
                        // It is incomplete. That a message of it was denied was said before, but by
                        // another way, which may take a moment longer.
                        let denied = timeout(COMPLAINT, denied).await;
                        return Err(denied.map_or(error, |()| error::denied()));
                    }
                    ack => ack?,
                };
                if ack.count != count {
                    return Err(error::indeterminate("it was not stored as one batch"));
                }
                session.note(before, ack.seq);
                Ok(ack.seq)
            }
            Err(trouble) => {
                if matches!(trouble, Trouble::Lost(_)) {
                    session.connection.give_up();
                }
                Err(trouble.of_write())
            }
        }
    }

    /// The messages of a batch, none of which is too large to be sent.
    fn messages(&self, session: &Session, drafts: Vec<Draft>) -> Result<Vec<Message>> {
        let now = self.now();
        let id = format!("{:016x}{:016x}", random(), random());
        let count = drafts.len();
        let message = |(i, draft): (usize, Draft)| {
            let mut headers = draft.headers(session, now);
            headers.insert(BATCH_ID, id.as_str());
            headers.insert(BATCH_SEQUENCE, (i + 1).to_string());
            if i + 1 == count {
                headers.insert(BATCH_COMMIT, "1");
            }
            let value = draft.value.unwrap_or_default();
            session.check_size(&headers, &value)?;
            Ok((draft.subject, headers, value))
        };
        drafts.into_iter().enumerate().map(message).collect()
    }
}

const fn wants_revision(op: &BatchOp) -> bool {
    matches!(op, BatchOp::Set { options: SetOptions { want_revision: true, .. }, .. })
}
