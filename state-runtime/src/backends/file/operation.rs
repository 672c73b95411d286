//! The writes of the contract, each as a step of a plan.

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{error, plan::Plan};
use crate::{
    backend::{
        AddOptions, BackendError, BatchOp, RemoveOptions, Result, Revision, SetOptions,
        ThrottleOptions, Throttled, Timestamp, TtlChange, integer::sum, throttle::take,
    },
    key::Key,
};

/// A write of one kind.
pub(super) trait Operation: Send + 'static {
    type Output: Send + 'static;

    /// Decides what it does: everything, or after an error nothing.
    fn run(self, plan: &mut Plan<'_>) -> Result<Self::Output>;

    /// About how many bytes it keeps in memory while it waits.
    fn size(&self) -> usize;

    /// How many revisions it may take.
    fn revisions(&self) -> u64 {
        1
    }
}

/// A write that waits, or is decided and waits for its commit.
pub(super) trait Job: Send {
    fn run(&mut self, plan: &mut Plan<'_>);
    /// Answers the caller: what was decided, or `failure` in its place.
    fn settle(self: Box<Self>, failure: Option<BackendError>);
    fn size(&self) -> usize;
    fn revisions(&self) -> u64;
}

/// An operation and the caller who waits for it.
pub(super) struct Call<O: Operation> {
    operation: Option<O>,
    decided: Option<Result<O::Output>>,
    caller: oneshot::Sender<Result<O::Output>>,
}

impl<O: Operation> Call<O> {
    pub(super) fn new(operation: O) -> (Box<Self>, oneshot::Receiver<Result<O::Output>>) {
        let (caller, answer) = oneshot::channel();
        (Box::new(Self { operation: Some(operation), decided: None, caller }), answer)
    }
}

impl<O: Operation> Job for Call<O> {
    fn run(&mut self, plan: &mut Plan<'_>) {
        self.decided = self.operation.take().map(|operation| operation.run(plan));
    }

    fn settle(self: Box<Self>, failure: Option<BackendError>) {
        let answer = match (failure, self.decided) {
            (None, Some(decided)) => decided,
            (Some(failure), _) => Err(failure),
            (None, None) => Err(error::read_only("the write did not run")),
        };
        // The caller may have dropped its future; the write happened all the same.
        let _ = self.caller.send(answer);
    }

    fn size(&self) -> usize {
        self.operation.as_ref().map_or(0, Operation::size)
    }

    fn revisions(&self) -> u64 {
        self.operation.as_ref().map_or(0, Operation::revisions)
    }
}

pub(super) struct Set {
    pub(super) key: Key,
    pub(super) value: Bytes,
    pub(super) options: SetOptions,
}

impl Operation for Set {
    type Output = Option<Revision>;

    fn run(self, plan: &mut Plan<'_>) -> Result<Self::Output> {
        plan.check(&self.key, &self.options.condition, 0)?;
        let expiry = plan.expiry(&self.key, self.options.ttl)?;
        let revision = plan.put(self.key, self.value, expiry);
        Ok(self.options.want_revision.then_some(revision))
    }

    fn size(&self) -> usize {
        self.key.as_str().len() + self.value.len()
    }
}

pub(super) struct Remove {
    pub(super) key: Key,
    pub(super) options: RemoveOptions,
}

impl Operation for Remove {
    type Output = ();

    fn run(self, plan: &mut Plan<'_>) -> Result<()> {
        plan.check(&self.key, &self.options.condition, 0)?;
        // Without anything to remove there is nothing to make durable.
        if plan.is_stored(&self.key)? {
            plan.remove(self.key);
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.key.as_str().len()
    }
}

pub(super) struct Touch {
    pub(super) key: Key,
    pub(super) ttl: TtlChange,
}

impl Operation for Touch {
    type Output = bool;

    fn run(self, plan: &mut Plan<'_>) -> Result<bool> {
        let Some(record) = plan.get(&self.key)? else { return Ok(false) };
        let expiry = plan.expiry(&self.key, self.ttl)?;
        if expiry != record.header.expiry {
            plan.retime(self.key, record, expiry);
        }
        Ok(true)
    }

    fn size(&self) -> usize {
        self.key.as_str().len()
    }
}

/// Moves the expiry of an entry that a reader found at `revision`, unless it has moved since.
pub(super) struct Renew {
    pub(super) key: Key,
    pub(super) revision: u64,
    pub(super) expiry: Timestamp,
}

impl Operation for Renew {
    type Output = ();

    fn run(self, plan: &mut Plan<'_>) -> Result<()> {
        if let Some(record) = plan.get(&self.key)? {
            let due = record.header.expiry.is_some_and(|at| at < self.expiry);
            if due && record.header.revision == self.revision {
                plan.retime(self.key, record, Some(self.expiry));
            }
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.key.as_str().len()
    }
}

pub(super) struct Add {
    pub(super) key: Key,
    pub(super) options: AddOptions,
}

impl Operation for Add {
    type Output = i128;

    fn run(self, plan: &mut Plan<'_>) -> Result<i128> {
        let stored = plan.get(&self.key)?;
        let sum = sum(stored.as_ref().map(|record| &*record.value), &self.options)?;
        let expiry = match &stored {
            Some(record) => record.header.expiry,
            None => self.options.ttl.map(|ttl| plan.deadline(ttl)),
        };
        plan.put(self.key, Bytes::from(sum.to_string()), expiry);
        Ok(sum)
    }

    fn size(&self) -> usize {
        self.key.as_str().len()
    }
}

pub(super) struct Throttle {
    pub(super) key: Key,
    pub(super) options: ThrottleOptions,
}

impl Operation for Throttle {
    type Output = Throttled;

    fn run(self, plan: &mut Plan<'_>) -> Result<Throttled> {
        let stored = plan.get(&self.key)?;
        let stored = stored.as_ref().map(|record| &*record.value);
        let (answer, taken) = take(stored, &self.options, plan.now())?;
        if let Some(taken) = taken {
            let expiry = plan.deadline(taken.ttl);
            plan.put(self.key, taken.value, Some(expiry));
        }
        Ok(answer)
    }

    fn size(&self) -> usize {
        self.key.as_str().len()
    }
}

pub(super) struct Apply(pub(super) Vec<BatchOp>);

impl Operation for Apply {
    type Output = Vec<Option<Revision>>;

    fn run(self, plan: &mut Plan<'_>) -> Result<Self::Output> {
        let mut expiries = Vec::with_capacity(self.0.len());
        for (index, op) in self.0.iter().enumerate() {
            expiries.push(match op {
                BatchOp::Set { key, options, .. } => {
                    plan.check(key, &options.condition, index)?;
                    plan.expiry(key, options.ttl)?
                }
                BatchOp::Remove { key, options } => {
                    plan.check(key, &options.condition, index)?;
                    None
                }
            });
        }
        let mut revisions = Vec::with_capacity(self.0.len());
        for (op, expiry) in self.0.into_iter().zip(expiries) {
            revisions.push(match op {
                BatchOp::Set { key, value, options } => {
                    let revision = plan.put(key, value, expiry);
                    options.want_revision.then_some(revision)
                }
                BatchOp::Remove { key, .. } => {
                    plan.remove(key);
                    None
                }
            });
        }
        Ok(revisions)
    }

    fn size(&self) -> usize {
        self.0.iter().map(batch_op_size).sum()
    }

    fn revisions(&self) -> u64 {
        self.0.len() as u64
    }
}

/// About how many bytes one operation of a batch keeps in memory.
pub(super) fn batch_op_size(op: &BatchOp) -> usize {
    let value = if let BatchOp::Set { value, .. } = op { value.len() } else { 0 };
    op.key().as_str().len() + value
}

/// Finds out whether a commit goes through.
pub(super) struct Probe;

impl Operation for Probe {
    type Output = ();

    fn run(self, plan: &mut Plan<'_>) -> Result<()> {
        plan.must_commit();
        Ok(())
    }

    fn size(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::file::{
        engine::{Engine, Source},
        storage::in_memory,
    };

    #[test]
    fn a_renewal_leaves_an_entry_that_was_written_since() -> Result<()> {
        let key = || Key::from_stored("a");
        let (now, short) = (Timestamp::from_millis(10), Timestamp::from_millis(20));
        let engine = Engine::open(Source::Storage(in_memory()), 1 << 20, false)?;
        let mut plan = Plan::new(engine.snapshot(), now, 1);
        plan.put(key(), Bytes::new(), Some(short));
        let renew =
            |revision| Renew { key: key(), revision, expiry: Timestamp::from_millis(1_000) };
        let expiry = |plan: &Plan<'_>| Ok(plan.header(&key())?.and_then(|header| header.expiry));

        renew(1).run(&mut plan)?;
        assert_eq!(expiry(&plan)?, Some(Timestamp::from_millis(1_000)));
        plan.put(key(), Bytes::new(), Some(short));
        renew(1).run(&mut plan)?;
        assert_eq!(expiry(&plan)?, Some(short), "renewed what nobody read");
        Ok(())
    }
}
