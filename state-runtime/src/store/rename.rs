//! Moving a value to another key: what the pattern `Sessions` asks of a store.

use tokio::time::{Instant, sleep};

use super::{
    StateStore,
    former::remove_former,
    path::read,
    rewrite::{Found, pause},
    versioned::contended,
};
use crate::{
    backend::{Backend, Batch, BatchOp, Capability, Cas, Condition, SetOptions},
    error::{Operation, Result, StateError},
    schema::{TypedKey, Writable},
};

impl<B: Backend> StateStore<B> {
    /// Moves the value of one key to another that nothing lies under, in one batch, and starts its
    /// lifetime anew. `None` if there is no value.
    pub(crate) async fn rename<K>(&self, from: &K, to: K) -> Result<Option<K::Value>>
    where
        K: TypedKey<Value: Writable>,
        B: Cas + Batch,
    {
        self.access.check(Operation::Take)?;
        self.access.check(Operation::Create)?;
        self.guard.require(Capability::Batch)?;
        let (source, target) = (self.encode_key(from)?, self.encode_key(&to)?);
        let start = Instant::now();
        let (mut turn, mut races) = (None, 0);
        loop {
            if let Some(Found { value, present, former }) = self.find(from, &source, None).await? {
                let Some(value) = value else { return Ok(None) };
                let (_, bytes) = self.write(&value)?;
                let moved = read(to.clone(), &target, &bytes)?;
                let options = SetOptions {
                    condition: Condition::IfAbsent,
                    ttl: self.ttl_change::<K::Value>(),
                    want_revision: false,
                };
                let set = BatchOp::Set { key: target.clone(), value: bytes, options };
                let mut batch = vec![set, remove_former(&source, present)];
                batch.extend(former.map(|(key, condition)| remove_former(&key, condition)));
                match self.guard.apply(Operation::Commit, batch).await {
                    // Somebody wrote the value after it was read: what they wrote moves.
                    Err(StateError::Conflict { key }) if *key != target => {}
                    Err(StateError::Conflict { key }) => {
                        return Err(StateError::AlreadyExists { key });
                    }
                    applied => return applied.map(|_| moved),
                }
            }
            if start.elapsed() >= self.guard.deadline() {
                return Err(contended(Operation::Commit));
            }
            if turn.is_some() {
                sleep(pause(races)).await;
            } else {
                turn = Some(self.turn(Operation::Commit, &source, start).await?);
            }
            races += 1;
        }
    }
}
