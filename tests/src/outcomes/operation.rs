//! What is asked of a backend: each operation with the state before it and the state after it.

use std::io;

use state_runtime::{
    backend::{
        AddOptions, Backend, BackendError, BatchOp, Bytes, Capabilities, Capability, Condition,
        Entry, ErrorKind, GetOptions, RemoveOptions, Result, Revision, SetOptions, Want,
    },
    key::Key,
};
use tokio::time::sleep;

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

    /// Whether a backend with these capabilities has promised to support it.
    pub(super) fn is_promised(self, by: Capabilities) -> bool {
        match self {
            Self::Get | Self::GetMany | Self::Set | Self::Remove => true,
            Self::Create | Self::Replace | Self::RemoveIf => by.contains(Capability::Cas),
            Self::Add | Self::AddNew => {
                by.contains(Capability::Counter) || by.contains(Capability::Cas)
            }
            Self::Apply => by.contains(Capability::Batch),
            Self::ApplyIf => by.contains(Capability::Batch) && by.contains(Capability::Cas),
        }
    }
}

/// What is stored under the two keys of a scenario.
pub(super) type State = [Option<Vec<u8>>; 2];

/// How often a state that does not belong together has to look the same until it is taken for what it is.
/// However slow server and observer are, two looks alike would do if each key was read at once.
const LOOKS_ALIKE: usize = 10;

/// What numbers begin with. It is far from what is added, so that no sum is that of another scenario.
const START: i128 = 5_000_000;

/// What is added, give or take the number of the scenario.
const DELTA: i128 = 1_000_000;

/// An operation on two keys that nobody else uses, with values that nobody else has: an answer that was
/// meant for somebody else is a wrong one.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) operation: Operation,
    pub(super) keys: [Key; 2],
    /// A part of both keys, as it is sent, and of no other key.
    pub(super) mark: String,
    pub(super) before: State,
    pub(super) after: State,
    new: Vec<u8>,
    delta: i128,
}

/// What an operation answered.
#[derive(Debug)]
pub(super) enum Answer {
    Done,
    Entries(Vec<Option<Entry>>),
    Sum(i128),
}

impl Scenario {
    /// Scenario number `number`, on keys that `mark` is a part of.
    pub(super) fn new(operation: Operation, number: usize, mark: String, keys: [Key; 2]) -> Self {
        let delta = DELTA + i128::try_from(number).unwrap_or_default();
        let text = |state: &str| Some(format!(r#"{{"{state}":"{mark}"}}"#).into_bytes());
        let count = |number: i128| Some(number.to_string().into_bytes());
        let (old, new) = (text("old"), text("new"));
        let (before, after) = match operation {
            Operation::Get | Operation::GetMany => ([old.clone(), None], [old, None]),
            Operation::Set | Operation::Replace => ([old, None], [new.clone(), None]),
            Operation::Create => ([None, None], [new.clone(), None]),
            Operation::Add => ([count(START), None], [count(START + delta), None]),
            Operation::AddNew => ([None, None], [count(delta), None]),
            Operation::Remove | Operation::RemoveIf => ([old, None], [None, None]),
            Operation::Apply => ([old, None], [new.clone(), new.clone()]),
            Operation::ApplyIf => ([old.clone(), old], [new.clone(), None]),
        };
        let new = new.unwrap_or_default();
        Self { operation, keys, mark, before, after, new, delta }
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
    /// between. So what belongs together in neither way is looked at until it stays as it is.
    pub(super) async fn found<T: Target>(&self, target: &T) -> io::Result<State> {
        let (mut last, mut same) = (None, 0);
        loop {
            let found = self.look(target).await?;
            same = if last.as_ref() == Some(&found) { same + 1 } else { 0 };
            if found == self.before || found == self.after || same > LOOKS_ALIKE {
                return Ok(found);
            }
            last = Some(found);
            sleep(STEP).await;
        }
    }

    /// How what was found of each key is called in reports.
    pub(super) fn describe(&self, found: &State) -> [&'static str; 2] {
        let [mut first, mut second] = ["something else"; 2];
        for (name, known) in [("new", &self.after), ("old", &self.before)] {
            let pairs = [&mut first, &mut second].into_iter().zip(known.iter().zip(found));
            pairs.filter(|(_, (known, found))| known == found).for_each(|(slot, _)| *slot = name);
        }
        [first, second]
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
        let value = Bytes::from(self.new.clone());
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
                let options = AddOptions { delta: self.delta, min: 0, max: i128::MAX, ttl: None };
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
