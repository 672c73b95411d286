//! Instances that should find the same entries.

use std::{fmt, sync::Arc};

use futures_util::StreamExt;
use state_runtime::{
    backend::{
        Backend, BackendError, BatchOp, Bytes, Capabilities, Capability, Changes, Entry,
        GetOptions, ManualClock, Page, RemoveOptions, Result, Revision, ScanRequest, SetOptions,
        Timestamp, WatchRequest,
    },
    backends::MemoryBackend,
    conformance::{Subject, Verdict, cases, run},
    key::Key,
};
use tokio::sync::watch;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// Every instance has entries of its own.
    Apart,
    /// Closing one closes all.
    ClosesAll,
}

/// One of several instances over the same memory, each of which is closed alone.
struct Instance {
    inner: Arc<MemoryBackend>,
    fault: Fault,
    closed: watch::Sender<bool>,
}

impl Instance {
    fn new(inner: Arc<MemoryBackend>, fault: Fault) -> Self {
        Self { inner, fault, closed: watch::Sender::new(false) }
    }

    fn open(&self) -> Result<&MemoryBackend> {
        if *self.closed.borrow() {
            return Err(BackendError::closed());
        }
        Ok(&self.inner)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instance")
    }
}

impl Backend for Instance {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.open()?.get(key, options).await
    }
    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.open()?.set(key, value, options).await
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.open()?.remove(key, options).await
    }
    fn now(&self) -> Timestamp {
        self.inner.now()
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities().with(Capability::Shared)
    }
    async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        self.open()?.apply(batch).await
    }
    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        self.open()?.scan(request).await
    }
    async fn watch(&self, request: WatchRequest) -> Result<Changes> {
        let changes = self.open()?.watch(request).await?;
        let mut closed = self.closed.subscribe();
        Ok(Box::pin(
            changes.take_until(async move { closed.wait_for(|closed| *closed).await.is_ok() }),
        ))
    }
    async fn close(&self) -> Result<()> {
        if self.fault == Fault::ClosesAll {
            self.inner.close().await?;
        }
        self.closed.send_replace(true);
        Ok(())
    }
}

fn subject(fault: Fault) -> Subject<Instance> {
    let clock = Arc::new(ManualClock::default());
    let memory = |clock| Arc::new(MemoryBackend::builder().with_clock(clock).build());
    let (shared, handle) = (memory(Arc::clone(&clock)), Arc::clone(&clock));
    Subject::new(move || {
        let apart = fault == Fault::Apart;
        let inner = if apart { memory(Arc::clone(&handle)) } else { Arc::clone(&shared) };
        async move { Ok(Instance::new(inner, fault)) }
    })
    .with_clock(clock)
}

#[tokio::test(start_paused = true)]
async fn instances_that_share_pass() -> Result<()> {
    let report = run(&subject(Fault::Nothing)).await?;
    assert!(report.is_conforming() && report.skipped.is_empty(), "{report:#}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn instances_that_do_not_share_fail_every_case_about_it() -> Result<()> {
    let subject = subject(Fault::Apart);
    let about_it = cases().into_iter().filter(|case| case.theme() == "sharing");
    // What one instance does to itself is none of the others' business.
    let mut tested = 0;
    for case in about_it.filter(|case| case.name() != "closing_an_instance_closes_no_other") {
        let verdict = case.run(&subject).await?;
        assert!(matches!(verdict, Verdict::Failed(_)), "{} passes: {verdict:?}", case.name());
        tested += 1;
    }
    assert!(tested >= 15, "only {tested} cases");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_closes_the_others_is_found() -> Result<()> {
    let subject = subject(Fault::ClosesAll);
    let cases = cases();
    let case = cases.iter().find(|case| case.name() == "closing_an_instance_closes_no_other");
    let verdict = case.expect("there is such a case").run(&subject).await?;
    assert!(matches!(verdict, Verdict::Failed(_)), "{verdict:?}");
    Ok(())
}
