//! The one thread that writes: group commit.
//!
//! Whatever waits when a commit is done becomes the next group: one transaction and one sync of
//! the disk, however many callers share it. Nothing waits for company when it is alone.

use core::time::Duration;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    engine::{Change, Engine, Marks},
    error,
    expiry::Sweep,
    folder::Folder,
    operation::Job,
    plan::{Decided, Plan},
    queue::Work,
    reader::Shared,
    rescue::Rescue,
};
use crate::{
    backend::{BackendError, Result},
    key::Key,
};

/// The most writes of one group. It bounds how long the first of them waits.
const MAX_GROUP: usize = 4096;
/// How many revisions are set aside at once.
const REVISION_BLOCK: u64 = 1 << 20;

/// The writer's own state.
pub(super) struct Writer {
    shared: Arc<Shared>,
    engine: Engine,
    /// Keeps other processes out until the thread ends.
    _folder: Option<Folder>,
    next_revision: u64,
    sweep: Sweep,
    /// Why no write is taken any more.
    read_only: Option<Box<str>>,
    rescue: Rescue,
}

impl Writer {
    /// Sets the first revisions aside and shows the state to readers.
    pub(super) fn start(
        shared: Arc<Shared>,
        mut engine: Engine,
        folder: Option<Folder>,
    ) -> Result<Self> {
        let stored = engine.marks();
        shared.time.not_before(stored.clock);
        let marks = Marks {
            revision: stored.revision.saturating_add(REVISION_BLOCK),
            clock: shared.time.now(),
        };
        engine.commit(core::iter::empty(), marks)?;
        shared.show(engine.snapshot());
        let next_revision = stored.revision.max(1);
        let sweep = Sweep::new();
        Ok(Self {
            shared,
            engine,
            _folder: folder,
            next_revision,
            sweep,
            read_only: None,
            rescue: Rescue::new(),
        })
    }

    /// What the callers share with this writer.
    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        // Should the thread end by a panic, nobody may wait for it forever.
        let ended = catch_unwind(AssertUnwindSafe(|| self.work()));
        shared.hide();
        shared.hub.close();
        if ended.is_err() {
            shared.queue.abandon();
        }
    }

    fn work(&mut self) {
        loop {
            match self.shared.queue.next(MAX_GROUP, self.sleep()) {
                Work::Group(jobs) => {
                    let callers = self.group(jobs);
                    self.shared.queue.linger(callers.min(MAX_GROUP));
                }
                Work::Idle => {
                    self.group(Vec::new());
                }
                Work::Salvage => self.rescue.want(),
                Work::Closed => break self.end(),
            }
            if self.rescue.wait().is_some_and(|wait| wait.is_zero()) {
                self.salvage();
            }
        }
    }

    /// How long there is nothing to do unless a write comes.
    fn sleep(&self) -> Option<Duration> {
        if self.read_only.is_some() {
            return self.rescue.wait();
        }
        let watched = self.shared.hub.watchers() > 0;
        self.sweep.sleep(self.engine.snapshot(), self.shared.time.now(), watched)
    }

    /// Carries out a group: decide, commit, show, tell, answer. Returns how many callers there seem
    /// to be: those that were answered and those that wait.
    fn group(&mut self, mut jobs: Vec<Box<dyn Job>>) -> usize {
        let (decided, failure) = match self.decide(&mut jobs) {
            Err(_) => (None, None),
            Ok(decided) => {
                let failure = self.commit(&decided).err();
                (Some(decided), failure)
            }
        };
        match &failure {
            Some(cause) => self.fail(cause),
            None => self.shared.show(self.engine.snapshot()),
        }
        // After a failure too: the changes may be there all the same.
        let order = decided.iter().flat_map(|decided| &decided.order);
        self.shared.hub.publish(order.map(Key::as_str));
        let callers = jobs.len().saturating_add(self.shared.queue.len());
        for job in jobs {
            job.settle(match (&failure, &decided) {
                (Some(cause), _) => Some(error::indeterminate(cause)),
                (None, None) => Some(self.refusal()),
                (None, Some(_)) => None,
            });
        }
        callers
    }

    /// Runs the operations. After an error none has run.
    fn decide(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<Decided> {
        if self.read_only.is_some() {
            return Err(self.refusal());
        }
        let revisions = jobs.iter().map(|job| job.revisions()).sum();
        self.reserve(revisions)?;
        let (now, committed) = (self.shared.time.now(), self.engine.snapshot());
        let mut plan = Plan::new(committed, now, self.next_revision);
        for job in jobs.iter_mut() {
            job.run(&mut plan);
        }
        // A sweep that fails comes again; the writes of the group have nothing to do with it.
        let swept = self.sweep.portion(committed, now, jobs.len());
        let _ = swept.and_then(|keys| keys.into_iter().try_for_each(|key| plan.sweep(key)));
        Ok(plan.decide())
    }

    fn commit(&mut self, decided: &Decided) -> Result<()> {
        self.next_revision = decided.next_revision;
        if decided.changes.is_empty() && !decided.must_commit {
            return Ok(());
        }
        let marks = self.marks(decided)?;
        let changes = decided.changes.iter().map(|(key, change)| (key.as_str(), change));
        self.engine.commit(changes, marks)
    }

    /// The marks to store with a group. Time matters to entries that expire, and to a probe, which
    /// has to write something.
    fn marks(&self, decided: &Decided) -> Result<Marks> {
        let stored = self.engine.marks();
        let expires = |change: &Change| match change {
            Change::Put(record) => record.header.expiry.is_some(),
            Change::Remove => false,
        };
        let matters = decided.must_commit
            || decided.changes.values().any(expires)
            || self.engine.snapshot().next_expiry()?.is_some();
        Ok(if matters { Marks { clock: self.shared.time.now(), ..stored } } else { stored })
    }

    /// Makes sure that `count` revisions can be given away which no later opening gives away again.
    fn reserve(&mut self, count: u64) -> Result<()> {
        let stored = self.engine.marks();
        let end = self.next_revision.saturating_add(count);
        if end <= stored.revision {
            return Ok(());
        }
        let marks = Marks { revision: end.saturating_add(REVISION_BLOCK), ..stored };
        let reserved = self.engine.commit(core::iter::empty(), marks);
        if let Err(cause) = &reserved {
            self.fail(cause);
        }
        reserved
    }

    /// Keeps the time of the last read, by which entries may have been absent.
    fn end(&mut self) {
        let marks = Marks { clock: self.shared.time.now(), ..self.engine.marks() };
        if self.read_only.is_none() && marks != self.engine.marks() {
            // What was acknowledged is on the disk; without this mark, nothing of it is lost.
            let _ = self.engine.commit(core::iter::empty(), marks);
        }
    }

    /// What a write is answered after the disk failed.
    fn refusal(&self) -> BackendError {
        error::read_only(self.read_only.as_deref().unwrap_or("it cannot be read"))
    }

    /// A commit failed because of `cause`.
    fn fail(&mut self, cause: &BackendError) {
        self.read_only = Some(cause.message().into());
        self.salvage();
    }

    /// After a disk error: reads go on, writes do not.
    fn salvage(&mut self) {
        self.read_only.get_or_insert_with(|| "it cannot be read".into());
        self.shared.is_failing();
        if self.engine.salvage().is_ok() {
            self.shared.show(self.engine.snapshot());
        }
        self.rescue.done();
        // Should reads still fail, the next of them asks again.
        self.shared.works_again();
    }
}
