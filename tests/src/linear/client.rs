//! One client: makes calls through a store, or through the backend beneath it, and says what came of
//! them.

use core::time::Duration;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use state_runtime::{
    StateError,
    backend::{
        AddOptions, BackendError, Batch, BatchOp, Cas, Condition, Entry, ErrorKind, GetOptions,
        RemoveOptions, Revision, SetOptions, Want,
    },
    key::Key,
    prelude::*,
};

use super::{
    disturbance::Written,
    generator::Way,
    register::{Answer, Call, Register, Write, mix},
};

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered(Answer),
    /// It may have taken effect, and may yet.
    Unknown,
    /// Certainly it did not, and never will.
    NotApplied,
    /// It says what it may not say.
    Wrong(String),
}

/// The numbers that were seen lately, each with its revision. All clients know them, as if they
/// had told each other.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<HashMap<usize, Vec<(i64, Revision)>>>);

/// How many revisions are remembered for each register: old ones are to be tried too.
const REMEMBERED: usize = 3;

impl Board {
    fn put(&self, register: usize, number: i64, revision: Revision) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = board.entry(register).or_default();
        seen.retain(|(other, _)| *other != number);
        seen.insert(0, (number, revision));
        seen.truncate(REMEMBERED);
    }

    /// One that was seen, if there is any.
    pub(super) fn pick(&self, register: usize, pick: usize) -> Option<(i64, Revision)> {
        let board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = board.get(&register)?;
        seen.get(pick % seen.len()).cloned()
    }
}

/// A call that is ready to be made.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) register: usize,
    pub(super) call: Call,
    pub(super) way: Way,
    /// Of what was seen, where the call is about that.
    pub(super) seen: Option<Revision>,
    /// Whether the revision of what is read or written is wanted.
    pub(super) versioned: bool,
}

/// The handle of one client.
#[derive(Debug)]
pub(super) struct Client<'r, B: Cas + Batch> {
    pub(super) store: &'r StateStore<B>,
    /// What the names of the registers begin with.
    pub(super) prefix: &'r str,
    pub(super) board: &'r Board,
    pub(super) written: Written,
}

impl<B: Cas + Batch> Client<'_, B> {
    /// Makes a call, and waits for the answer no longer than `patience`.
    pub(super) async fn make(&self, request: &Request, patience: Duration) -> Option<Outcome> {
        let said = tokio::time::timeout(patience, self.carry_out(request)).await.ok()?;
        Some(match said.map_or_else(Outcome::from, Outcome::Answered) {
            Outcome::Unknown if !request.call.is_write() => {
                Outcome::Wrong("a read has no unknown outcome".to_owned())
            }
            outcome => outcome,
        })
    }

    async fn carry_out(&self, request: &Request) -> Result<Answer, Failure> {
        let (store, backend) = (self.store, self.store.backend());
        let (name, stored) = (self.name(request.register), self.key(request.register));
        let key = || Register::key(name.as_str());
        let value = |number| Register { name: name.clone(), number };
        let number = |found: Option<Register>| found.map(|register| register.number);
        match (request.call, request.way) {
            (Call::Get, Way::Typed) if request.versioned => {
                let found = store.get_versioned(key()).await?;
                Ok(Answer::Found(found.map(|found| {
                    self.board.put(request.register, found.number, found.revision);
                    found.value.number
                })))
            }
            (Call::Get, Way::Typed) => Ok(Answer::Found(number(store.get(key()).await?))),
            (Call::Get, Way::Untyped) => self.read(request).await,
            (Call::GetMany, Way::Typed) => {
                let both = [key(), Register::key(self.name(request.register ^ 1))];
                let found = store.get_all(both).await?.into_iter().next();
                Ok(Answer::Found(number(found.flatten())))
            }
            (Call::GetMany, Way::Untyped) => {
                let options = GetOptions { renew: None, want: request.want() };
                let both = [stored, self.key(request.register ^ 1)].map(|key| (key, options));
                let found = backend.get_many(&both).await?.into_iter().next();
                self.found(request, found.flatten())
            }
            (Call::Exists, Way::Typed) => Ok(Answer::There(store.exists(key()).await?)),
            (Call::Exists, Way::Untyped) => Ok(Answer::There(backend.exists(&stored).await?)),
            (Call::Commit(write), Way::Typed) => {
                let transaction = store.transaction();
                let transaction = match write {
                    Write::Set(new) => transaction.set(&value(new)),
                    Write::Create(new) => transaction.create(&value(new)),
                    Write::Replace { new, .. } => {
                        transaction.replace(&value(new), &request.revision())
                    }
                };
                done(transaction.commit().await)
            }
            (Call::Commit(write), Way::Untyped) => self.commit(request, write).await,
            (Call::Take, _) => Ok(Answer::Found(number(store.take(key()).await?))),
            (Call::Set(new), Way::Typed) => done(store.set(&value(new)).await),
            (Call::Set(new), Way::Untyped) => self.write(request, new, Condition::Always).await,
            (Call::Create(new), Way::Typed) => done(store.create(&value(new)).await),
            (Call::Create(new), Way::Untyped) => {
                self.write(request, new, Condition::IfAbsent).await
            }
            (Call::Replace { new, .. }, Way::Typed) => {
                let revision = store.replace(&value(new), &request.revision()).await?;
                self.wrote(request.register, new, Some(revision));
                Ok(Answer::Done)
            }
            (Call::Replace { new, .. }, Way::Untyped) => {
                self.write(request, new, Condition::IfRevision(request.revision())).await
            }
            (Call::Update(with), _) => {
                let update = |register: &mut Register| register.number = mix(register.number, with);
                Ok(Answer::Wrote(store.update(key(), update).await?.number))
            }
            (Call::Upsert(with), _) => {
                let update = |register: &mut Register| register.number = mix(register.number, with);
                let written = store.update_or_insert_with(key(), || value(0), update).await?;
                Ok(Answer::Wrote(written.number))
            }
            (Call::Add(delta), Way::Typed) => Ok(Answer::Wrote(store.add(key(), delta).await?)),
            (Call::Add(delta), Way::Untyped) => {
                let (delta, min, max) = (delta.into(), i64::MIN.into(), i64::MAX.into());
                let sum = backend.add(&stored, AddOptions { delta, min, max, ttl: None }).await?;
                Ok(Answer::Wrote(i64::try_from(sum).map_err(|_| not_a_number())?))
            }
            (Call::Remove, Way::Typed) => done(store.remove(key()).await),
            (Call::Remove, Way::Untyped) => {
                done(backend.remove(&stored, RemoveOptions::default()).await)
            }
            (Call::RemoveIf { .. }, _) => {
                let condition = Condition::IfRevision(request.revision());
                done(backend.remove(&stored, RemoveOptions { condition }).await)
            }
        }
    }

    async fn read(&self, request: &Request) -> Result<Answer, Failure> {
        let options = GetOptions { renew: None, want: request.want() };
        let entry = self.store.backend().get(&self.key(request.register), options).await?;
        self.found(request, entry)
    }

    fn found(&self, request: &Request, entry: Option<Entry>) -> Result<Answer, Failure> {
        let Some(entry) = entry else { return Ok(Answer::Found(None)) };
        let text = core::str::from_utf8(&entry.value).map_err(|_| not_a_number())?;
        let number = text.parse().map_err(|_| not_a_number())?;
        if let Some(revision) = entry.revision {
            self.board.put(request.register, number, revision);
        }
        Ok(Answer::Found(Some(number)))
    }

    async fn write(
        &self,
        request: &Request,
        number: i64,
        condition: Condition,
    ) -> Result<Answer, Failure> {
        let key = self.key(request.register);
        let options =
            SetOptions { condition, want_revision: request.versioned, ..SetOptions::default() };
        let written = self.store.backend().set(&key, number.to_string().into(), options).await?;
        self.wrote(request.register, number, written);
        Ok(Answer::Done)
    }

    /// A batch of one write.
    async fn commit(&self, request: &Request, write: Write) -> Result<Answer, Failure> {
        let (number, condition) = match write {
            Write::Set(new) => (new, Condition::Always),
            Write::Create(new) => (new, Condition::IfAbsent),
            Write::Replace { new, .. } => (new, Condition::IfRevision(request.revision())),
        };
        let options =
            SetOptions { condition, want_revision: request.versioned, ..SetOptions::default() };
        let (key, value) = (self.key(request.register), number.to_string().into());
        let batch = vec![BatchOp::Set { key, value, options }];
        let written = self.store.backend().apply(batch).await?;
        self.wrote(request.register, number, written.into_iter().next().flatten());
        Ok(Answer::Done)
    }

    fn wrote(&self, register: usize, number: i64, revision: Option<Revision>) {
        if let (Some(revision), Written::Holds) = (revision, self.written) {
            self.board.put(register, number, revision);
        }
    }

    fn name(&self, register: usize) -> String {
        format!("{}-{register}", self.prefix)
    }

    fn key(&self, register: usize) -> Key {
        Key::from_stored(format!("linear:{}", self.name(register)))
    }
}

impl Request {
    /// What is wanted of an entry that is read.
    const fn want(&self) -> Want {
        if self.versioned { Want::REVISION } else { Want::VALUE }
    }

    /// What was seen; a revision that nothing has, where the call is about none.
    fn revision(&self) -> Revision {
        self.seen.clone().unwrap_or_else(|| Revision::from_bytes(b""))
    }
}

/// An error of the store, or of the backend beneath it.
#[derive(Debug)]
enum Failure {
    Store(StateError),
    Backend(BackendError),
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::Store(error)
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        let refused = Self::Answered(Answer::Refused);
        match &failure {
            Failure::Store(error) => match error {
                StateError::Conflict { .. }
                | StateError::AlreadyExists { .. }
                | StateError::NotFound { .. } => refused,
                StateError::Indeterminate { .. } => Self::Unknown,
                error if error.is_retryable() => Self::NotApplied,
                _ => Self::Wrong(format!("{error:?}")),
            },
            Failure::Backend(error) => match error.kind() {
                ErrorKind::Conflict { .. } => refused,
                ErrorKind::Indeterminate => Self::Unknown,
                kind if kind.is_retryable() => Self::NotApplied,
                _ => Self::Wrong(format!("{error:?}")),
            },
        }
    }
}

fn done<E: Into<Failure>>(said: Result<(), E>) -> Result<Answer, Failure> {
    said.map(|()| Answer::Done).map_err(Into::into)
}

fn not_a_number() -> BackendError {
    BackendError::new(ErrorKind::Corrupted, "what is stored is no number of 64 bits")
}
