//! One backend behind a proxy of its own, which carries out one operation after the other.

use std::io;

use state_runtime::backend::{ErrorKind, Result};
use tokio::time::{Instant, sleep, timeout};

use super::{
    Operation, PATIENCE, Report, Run, STEP, Target,
    operation::{Answer, Scenario},
    verdict::{Settled, judge, name},
};
use crate::proxy::{Fault, Proxy, Recording};

/// What was said of an operation, to be compared once more with what is stored when all backends are
/// gone.
pub(super) struct Said {
    pub(super) scenario: Scenario,
    pub(super) settled: Settled,
    pub(super) fault: Option<Fault>,
}

/// One backend behind a proxy of its own, which carries out one operation after the other.
pub(super) struct Lane<'r, 't, T: Target> {
    pub(super) run: &'r Run<'t, T>,
    pub(super) proxy: Proxy,
    pub(super) backend: T::Backend,
    pub(super) report: Report,
    said: Vec<Said>,
}

impl<'r, 't, T: Target> Lane<'r, 't, T> {
    pub(super) async fn open(run: &'r Run<'t, T>) -> Result<Self, String> {
        let proxy = Proxy::start(run.target.server()).await;
        let backend = run.open(proxy.address(), run.plan.limit).await?;
        let (report, said) = Default::default();
        Ok(Self { run, proxy, backend, report, said })
    }

    /// Throws the backend away.
    pub(super) fn end(self) -> (Report, Vec<Said>) {
        (self.report, self.said)
    }

    /// Records the exchange of an operation, or learns that the backend does not support it.
    pub(super) async fn measure(&mut self, operation: Operation) -> Option<Recording> {
        if !self.supports(operation).await {
            self.report.skipped.push(operation);
            return None;
        }
        // The first time may send more: a script, for instance.
        while self.recover(operation).await {
            let scenario = self.run.scenario(operation);
            if let Ok(Some(recording)) = self.record(&scenario).await {
                return Some(recording);
            }
        }
        None
    }

    async fn record(&self, scenario: &Scenario) -> io::Result<Option<Recording>> {
        scenario.lay_out(self.run.target).await?;
        let Ok(revision) = scenario.prepare(&self.backend).await else { return Ok(None) };
        self.proxy.record();
        let done = scenario.act(&self.backend, revision).await.is_ok();
        let recording = self.proxy.recorded();
        Ok(done.then_some(recording))
    }

    async fn supports(&self, operation: Operation) -> bool {
        let unsupported = |kind| matches!(kind, ErrorKind::Unsupported(_));
        let said = carry_out(self.run, &self.backend, operation).await;
        !said.is_ok_and(|said| said.is_err_and(|error| unsupported(error.kind())))
    }

    /// Carries out an operation, with a fault if there is one, and judges what the backend says.
    /// Tells whether it was `Ok`, and the truth.
    pub(super) async fn attempt(&mut self, operation: Operation, fault: Option<Fault>) -> bool {
        let scenario = self.run.scenario(operation);
        match self.try_attempt(&scenario, fault).await {
            Ok(None) => false,
            Ok(Some((settled, ok))) => {
                self.said.push(Said { scenario, settled, fault });
                ok
            }
            Err(message) => {
                let moment = fault.map_or("while it recovers".to_owned(), |f| format!("{f:?}"));
                self.report.fault(format!("{operation:?}, {moment}: {message}"));
                false
            }
        }
    }

    async fn try_attempt(
        &mut self,
        scenario: &Scenario,
        fault: Option<Fault>,
    ) -> Result<Option<(Settled, bool)>, String> {
        let raw = |error| format!("cannot look at the server: {error}");
        scenario.lay_out(self.run.target).await.map_err(raw)?;
        let revision = match scenario.prepare(&self.backend).await {
            Ok(revision) => revision,
            Err(error) if error.kind().is_retryable() => return Ok(None),
            Err(error) => return Err(format!("it cannot be read: {error}")),
        };
        let before = self.proxy.traffic().faults;
        if let Some(fault) = fault {
            self.report.armed += 1;
            self.proxy.arm(fault);
        }
        let said = timeout(PATIENCE, scenario.act(&self.backend, revision)).await.ok();
        self.proxy.disarm();
        self.report.happened += self.proxy.traffic().faults - before;
        if fault.is_some() {
            self.report.answered(scenario.operation, name(said.as_ref()));
        }
        let found = scenario.found(self.run.target).await.map_err(raw)?;
        let settled = judge(scenario, said.as_ref(), &found)?;
        Ok(Some((settled, matches!(said, Some(Ok(_))))))
    }

    /// Carries the operation out until it succeeds: the same backend has to work again.
    pub(super) async fn recover(&mut self, operation: Operation) -> bool {
        let deadline = Instant::now() + self.run.plan.recovery;
        while !self.attempt(operation, None).await {
            if Instant::now() > deadline {
                self.report.fault(format!("{operation:?}: it does not work again"));
                return false;
            }
            sleep(STEP).await;
        }
        true
    }
}

/// Carries an operation out on keys of its own.
pub(super) async fn carry_out<T: Target>(
    run: &Run<'_, T>,
    backend: &T::Backend,
    operation: Operation,
) -> io::Result<Result<Answer>> {
    let scenario = run.scenario(operation);
    scenario.lay_out(run.target).await?;
    Ok(match scenario.prepare(backend).await {
        Ok(revision) => scenario.act(backend, revision).await,
        Err(error) => Err(error),
    })
}
