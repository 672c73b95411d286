//! One backend behind a proxy of its own, which carries out one operation after the other.

use std::io;

use state_runtime::backend::{Backend as _, ErrorKind, Result};
use tokio::time::{Instant, sleep};

use super::{
    Operation, Ready, Report, Run, STEP, Target,
    operation::{Answer, Scenario},
    strike::Strike,
    unseen,
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
    pub(super) said: Vec<Said>,
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
            self.report.skipped.insert(operation);
            if operation.is_promised(self.backend.capabilities()) {
                self.report.fault(format!("{operation:?} is not supported, but promised"));
            }
            return None;
        }
        let deadline = Instant::now() + self.run.plan.recovery;
        // The first time may send more: a script, for instance.
        while self.recover(operation).await {
            match self.record(operation).await {
                Ok(Some(recording)) => return Some(recording),
                Ok(None) if Instant::now() < deadline => {}
                Ok(None) => {
                    self.report.fault(format!("{operation:?} never works at once"));
                    break;
                }
                Err(fault) => {
                    self.report.fault(format!("{operation:?}: {fault}"));
                    break;
                }
            }
        }
        None
    }

    async fn record(&self, operation: Operation) -> Result<Option<Recording>, String> {
        let ready = self.run.ready(&self.backend, operation).await?;
        self.proxy.record();
        let said = ready.act(&self.backend).await;
        let recording = self.proxy.recorded();
        Ok(matches!(said, Some(Ok(_))).then_some(recording))
    }

    async fn supports(&self, operation: Operation) -> bool {
        let unsupported = |kind| matches!(kind, ErrorKind::Unsupported(_));
        let said = carry_out(self.run, &self.backend, operation).await;
        !said.is_ok_and(|said| said.is_err_and(|error| unsupported(error.kind())))
    }

    /// Lets a fault happen during an operation, and waits until the backend works again; tells whether
    /// it does.
    pub(super) async fn strike(&mut self, operation: Operation, fault: Fault) -> bool {
        let mut strike = Strike::new(fault);
        loop {
            self.attempt(operation, Some(&mut strike)).await;
            let works = self.recover(operation).await;
            if strike.is_over(&mut self.report) || !works {
                return works;
            }
        }
    }

    /// Carries out an operation, under a fault if there is one, and judges what the backend says. Tells
    /// whether it was `Ok`, and the truth.
    async fn attempt(&mut self, operation: Operation, strike: Option<&mut Strike>) -> bool {
        let fault = strike.as_ref().map(|strike| strike.fault);
        match self.try_attempt(operation, strike).await {
            Ok((said, ok)) => {
                self.said.push(said);
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
        operation: Operation,
        strike: Option<&mut Strike>,
    ) -> Result<(Said, bool), String> {
        let ready = self.run.ready(&self.backend, operation).await?;
        let fault = strike.as_ref().map(|strike| strike.fault);
        let act = ready.act(&self.backend);
        let said = match strike {
            Some(strike) => strike.during(&self.proxy, act).await,
            None => act.await,
        };
        if fault.is_some() {
            self.report.answered(operation, name(said.as_ref()));
        }
        let Ready { scenario, .. } = ready;
        let found = scenario.found(self.run.target).await.map_err(unseen)?;
        let settled = judge(&scenario, said.as_ref(), &found)?;
        Ok((Said { scenario, settled, fault }, matches!(said, Some(Ok(_)))))
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
