//! What is asked of a backend: each operation with the state before it and the state after it.

use core::time::Duration;
use std::io;

use state_runtime::{
    backend::{
        AddOptions, Backend, BackendError, BatchOp, Bytes, Condition, Entry, ErrorKind, GetOptions,
        RemoveOptions, Result, Revision, SetOptions, Want,
    },
    key::Key,
};
use tokio::time::{Instant, sleep};

use super::{STEP, Target};

/// What is asked of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Read an entry.
    Get,
    /// Read an entry and one that is not there.
    GetMany,
    /// Write an entry.
    Set,
    /// Write an entry that does not exist.
    Create,
    /// Write an entry that has not changed.
    Replace,
    /// Add to a number.
    Add,
    /// Add to a number that does not exist.
    AddNew,
    /// Remove an entry.
    Remove,
    /// Remove an entry that has not changed.
    RemoveIf,
    /// Write two entries as one.
    Apply,
    /// Write an entry that has not changed and remove another, as one.
    ApplyIf,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Get,
        Self::GetMany,
        Self::Set,
        Self::Create,
        Self::Replace,
        Self::Add,
        Self::AddNew,
        Self::Remove,
        Self::RemoveIf,
        Self::Apply,
        Self::ApplyIf,
    ];

    /// Those that write two entries as one.
    pub const BATCHES: [Self; 2] = [Self::Apply, Self::ApplyIf];

    /// Whether it changes what is stored.
    #[must_use]
    pub const fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::GetMany)
    }
}

/// What is stored under the two keys of a scenario.
pub(super) type State = [Option<Vec<u8>>; 2];

/// How long to look for a state that belongs together.
const LOOK: Duration = Duration::from_millis(500);

const OLD: &str = r#"{"state":"old"}"#;
const NEW: &str = r#"{"state":"new"}"#;
const START: &str = "50";
const DELTA: i128 = 3;
const SUM: &str = "53";

/// An operation on two keys that nobody else uses.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) operation: Operation,
    pub(super) keys: [Key; 2],
    pub(super) before: State,
    pub(super) after: State,
}

/// What an operation answered.
#[derive(Debug)]
pub(super) enum Answer {
    Done,
    Entries(Vec<Option<Entry>>),
    Sum(i128),
}

impl Scenario {
    pub(super) fn new(operation: Operation, keys: [Key; 2]) -> Self {
        let (before, after) = match operation {
            Operation::Get | Operation::GetMany => ([Some(OLD), None], [Some(OLD), None]),
            Operation::Set | Operation::Replace => ([Some(OLD), None], [Some(NEW), None]),
            Operation::Create => ([None, None], [Some(NEW), None]),
            Operation::Add => ([Some(START), None], [Some(SUM), None]),
            Operation::AddNew => ([None, None], [Some("3"), None]),
            Operation::Remove | Operation::RemoveIf => ([Some(OLD), None], [None, None]),
            Operation::Apply => ([Some(OLD), None], [Some(NEW), Some(NEW)]),
            Operation::ApplyIf => ([Some(OLD), Some(OLD)], [Some(NEW), None]),
        };
        let [before, after] = [before, after].map(|state| state.map(|v| v.map(Into::into)));
        Self { operation, keys, before, after }
    }

    /// Brings the server into the state before the operation.
    pub(super) async fn lay_out<T: Target>(&self, target: &T) -> io::Result<()> {
        for (key, value) in self.keys.iter().zip(&self.before) {
            // A key that was never used needs no removal.
            if value.is_some() {
                target.put(key, value.as_deref()).await?;
            }
        }
        Ok(())
    }

    /// What the server holds just now.
    pub(super) async fn look<T: Target>(&self, target: &T) -> io::Result<State> {
        let [a, b] = &self.keys;
        Ok([target.stored(a).await?, target.stored(b).await?])
    }

    /// What the server holds.
    ///
    /// The two keys are looked at one after the other, and what was handed over may be carried out in
    /// between. So what belongs together in neither way is looked at once more, until it is found
    /// twice in a row: then it is so, however long a look takes.
    pub(super) async fn found<T: Target>(&self, target: &T) -> io::Result<State> {
        let deadline = Instant::now() + LOOK;
        let mut last = None;
        loop {
            let found = self.look(target).await?;
            let stays = last.as_ref() == Some(&found) && Instant::now() > deadline;
            if found == self.before || found == self.after || stays {
                return Ok(found);
            }
            last = Some(found);
            sleep(STEP).await;
        }
    }

    /// Learns what the operation has to know before it begins.
    pub(super) async fn prepare<B: Backend>(&self, backend: &B) -> Result<Option<Revision>> {
        let [key, _] = &self.keys;
        match self.operation {
            Operation::Replace | Operation::RemoveIf | Operation::ApplyIf => {
                let options = GetOptions { want: Want::REVISION, renew: None };
                let revision = backend.get(key, options).await?.and_then(|entry| entry.revision);
                let none = || BackendError::new(ErrorKind::Other, "no revision of what is there");
                revision.map(Some).ok_or_else(none)
            }
            _ => Ok(None),
        }
    }

    /// Carries the operation out.
    pub(super) async fn act<B: Backend>(
        &self,
        backend: &B,
        revision: Option<Revision>,
    ) -> Result<Answer> {
        let [a, b] = &self.keys;
        let condition = revision.map_or(Condition::Always, Condition::IfRevision);
        let set = |condition| SetOptions { condition, ..SetOptions::default() };
        let remove = |condition| RemoveOptions { condition };
        let value = Bytes::from_static(NEW.as_bytes());
        let write = |key: &Key, condition| BatchOp::Set {
            key: key.clone(),
            value: value.clone(),
            options: set(condition),
        };
        match self.operation {
            Operation::Get => {
                let entry = backend.get(a, GetOptions::default()).await?;
                Ok(Answer::Entries(vec![entry]))
            }
            Operation::GetMany => {
                let requests = [a, b].map(|key| (key.clone(), GetOptions::default()));
                Ok(Answer::Entries(backend.get_many(&requests).await?))
            }
            Operation::Set | Operation::Replace => {
                backend.set(a, value, set(condition)).await?;
                Ok(Answer::Done)
            }
            Operation::Create => {
                backend.set(a, value, set(Condition::IfAbsent)).await?;
                Ok(Answer::Done)
            }
            Operation::Add | Operation::AddNew => {
                let options = AddOptions { delta: DELTA, min: 0, max: i128::MAX, ttl: None };
                Ok(Answer::Sum(backend.add(a, options).await?))
            }
            Operation::Remove | Operation::RemoveIf => {
                backend.remove(a, remove(condition)).await?;
                Ok(Answer::Done)
            }
            Operation::Apply => {
                let batch = vec![write(a, Condition::Always), write(b, Condition::Always)];
                backend.apply(batch).await?;
                Ok(Answer::Done)
            }
            Operation::ApplyIf => {
                let gone = BatchOp::Remove { key: b.clone(), options: remove(Condition::Always) };
                backend.apply(vec![write(a, condition), gone]).await?;
                Ok(Answer::Done)
            }
        }
    }

    /// Whether `answer` is the right one.
    pub(super) fn is_answer(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Done => true,
            Answer::Sum(sum) => self.after.first() == Some(&Some(sum.to_string().into_bytes())),
            Answer::Entries(entries) => {
                let asked = if self.operation == Operation::Get { 1 } else { 2 };
                entries.len() == asked
                    && entries.iter().zip(&self.after).all(|(entry, expected)| {
                        entry.as_ref().map(|entry| &*entry.value) == expected.as_deref()
                    })
            }
        }
    }
}
