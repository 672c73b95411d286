//! A server that is away for a while: what is said meanwhile, and what comes of it afterwards.

use core::time::Duration;

use futures_util::future::join_all;
use state_runtime::backend::{Backend as _, Bytes, ErrorKind, Result, SetOptions};
use tokio::time::{Instant, sleep, timeout};

use super::{
    Farewell, Operation, Outage, PATIENCE, Plan, Ready, Report, Run, STEP, Target,
    lane::carry_out,
    operation::Answer,
    unseen,
    verdict::{judge, name},
};
use crate::proxy::Proxy;

/// How long the operations of these checks may take: failing at once is far from it.
const LIMIT: Duration = Duration::from_secs(4);

/// What another writer stores while the server is away from the backend.
const NEWER: &[u8] = br#"{"state":"newer"}"#;

/// Lets the server be down. Once the backend has noticed, every operation has to be
/// `Unavailable` at once; and nothing of it may ever be carried out.
pub async fn down<T: Target, O: Outage>(
    target: &T,
    plan: &Plan,
    outage: &O,
    farewell: Farewell,
) -> Report {
    let run = Run::new(target, plan);
    let mut report = Report::default();
    if let Err(fault) = try_down(&run, outage, farewell, &mut report).await {
        report.fault(fault);
    }
    report
}

/// Cuts backends off from the server, one for each [`Farewell`], as [`down`] does.
pub async fn cut_off<T: Target>(target: &T, plan: &Plan) -> Report {
    let checks = Farewell::ALL.map(|farewell| async move {
        let proxy = Proxy::start(target.server()).await;
        down(target, plan, &proxy, farewell).await
    });
    Report::of(join_all(checks).await)
}

async fn try_down<T: Target, O: Outage>(
    run: &Run<'_, T>,
    outage: &O,
    farewell: Farewell,
    report: &mut Report,
) -> Result<(), String> {
    let backend = run.open(outage.address(), LIMIT).await?;
    let prepared = prepare(run, &backend, report).await?;
    outage.begin().await;
    notice(run, &backend).await?;
    for ready in &prepared {
        let scenario = &ready.scenario;
        let start = Instant::now();
        let said = ready.act(&backend).await;
        let elapsed = start.elapsed();
        report.answered(scenario.operation, name(said.as_ref()));
        if elapsed > LIMIT / 2 {
            report.fault(format!("{:?}: it did not fail at once", scenario.operation));
        }
        match said {
            Some(Err(error)) if error.kind() == ErrorKind::Unavailable => {}
            said => report.fault(format!(
                "{:?}: it is not unavailable, but {}",
                scenario.operation,
                name(said.as_ref())
            )),
        }
    }
    let newer = if O::SERVER_RUNS { Some(NEWER) } else { None };
    if let Some(newer) = newer {
        for Ready { scenario, .. } in &prepared {
            run.target.put(&scenario.keys[0], Some(newer)).await.map_err(unseen)?;
        }
    }
    let left = farewell.take(backend).await?;
    outage.end().await;
    if let (Farewell::Kept, Some(backend)) = (farewell, &left) {
        recover(run, backend).await?;
    }
    let deadline = Instant::now() + LIMIT + run.plan.settle;
    while Instant::now() < deadline {
        for Ready { scenario, .. } in &prepared {
            let mut expected = scenario.before.clone();
            if let Some(newer) = newer {
                expected[0] = Some(newer.to_vec());
            }
            if scenario.look(run.target).await.map_err(unseen)? != expected {
                return Err(format!("{:?}: it was applied afterwards", scenario.operation));
            }
        }
        sleep(LIMIT / 20).await;
    }
    Ok(())
}

/// Lets the server stop in the middle of everything, for longer than operations may take. All of them
/// have to end in bounded time, and what they say has to be true when the server goes on.
pub async fn freeze<T: Target, O: Outage>(target: &T, plan: &Plan, outage: &O) -> Report {
    let run = Run::new(target, plan);
    let mut report = Report::default();
    if let Err(fault) = try_freeze(&run, outage, &mut report).await {
        report.fault(fault);
    }
    report
}

async fn try_freeze<T: Target, O: Outage>(
    run: &Run<'_, T>,
    outage: &O,
    report: &mut Report,
) -> Result<(), String> {
    let backend = run.open(outage.address(), run.plan.limit).await?;
    let (mut prepared, mut said) = (Vec::new(), Vec::new());
    let rounds = [prepare(run, &backend, report).await?, prepare(run, &backend, report).await?];
    outage.begin().await;
    // In the second round the backend has already seen that it gets no answer.
    for round in rounds {
        said.extend(join_all(round.iter().map(|ready| ready.act(&backend))).await);
        prepared.extend(round);
    }
    outage.end().await;
    recover(run, &backend).await?;
    drop(backend);
    for (Ready { scenario, .. }, said) in prepared.iter().zip(&said) {
        if matches!(said, Some(Ok(_))) {
            report.fault(format!("{:?}: a server that stands still did it", scenario.operation));
        }
        report.answered(scenario.operation, name(said.as_ref()));
    }
    for look in ["at once", "later"] {
        for (Ready { scenario, .. }, said) in prepared.iter().zip(&said) {
            let found = scenario.found(run.target).await.map_err(unseen)?;
            if let Err(fault) = judge(scenario, said.as_ref(), &found) {
                report.fault(format!("{:?}, looked at {look}: {fault}", scenario.operation));
            }
        }
        if look == "at once" {
            sleep(run.plan.settle).await;
        }
    }
    Ok(())
}

/// What an operation says that nothing disturbs but a busy machine, on which its limit may be short.
async fn undisturbed<T: Target>(
    run: &Run<'_, T>,
    backend: &T::Backend,
    operation: Operation,
) -> Result<Result<Answer>, String> {
    let deadline = Instant::now() + run.plan.recovery;
    loop {
        match carry_out(run, backend, operation).await.map_err(unseen)? {
            Err(error)
                if (error.kind().is_retryable() || error.kind() == ErrorKind::Indeterminate)
                    && Instant::now() < deadline =>
            {
                sleep(STEP).await;
            }
            said => return Ok(said),
        }
    }
}

/// One scenario of each operation that the backend supports, ready to be carried out.
pub(super) async fn prepare<T: Target>(
    run: &Run<'_, T>,
    backend: &T::Backend,
    report: &mut Report,
) -> Result<Vec<Ready>, String> {
    let mut prepared = Vec::new();
    for operation in &run.plan.operations {
        // Once as it should be, which tells whether it is supported.
        match undisturbed(run, backend, *operation).await? {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::Unsupported(_)) => {
                report.skipped.insert(*operation);
                if operation.is_promised(backend.capabilities()) {
                    report.fault(format!("{operation:?} is not supported, but promised"));
                }
                continue;
            }
            Err(error) => return Err(format!("{operation:?} does not work: {error}")),
        }
        report.exchanges.insert(*operation, None);
        prepared.push(run.ready(backend, *operation).await?);
    }
    Ok(prepared)
}

/// Writes until the backend knows that the server is away. Before that, what it has handed over may
/// be on its way.
pub(super) async fn notice<T: Target>(
    run: &Run<'_, T>,
    backend: &T::Backend,
) -> Result<(), String> {
    let deadline = Instant::now() + run.plan.recovery;
    loop {
        let [key, _] = run.scenario(Operation::Set).keys;
        let value = Bytes::from_static(NEWER);
        match timeout(PATIENCE, backend.set(&key, value, SetOptions::default())).await {
            Ok(Err(error)) if error.kind() == ErrorKind::Unavailable => return Ok(()),
            Ok(Err(error)) if error.kind() == ErrorKind::Indeterminate => {}
            Ok(Err(error)) if error.kind().is_retryable() => {}
            Ok(said) => return Err(format!("a write to a server that is down: {said:?}")),
            Err(_) => return Err("a write to a server that is down did not return".to_owned()),
        }
        if Instant::now() > deadline {
            return Err("it does not notice that the server is down".to_owned());
        }
        sleep(STEP).await;
    }
}

/// Waits until every operation works again, on the same backend.
pub(super) async fn recover<T: Target>(
    run: &Run<'_, T>,
    backend: &T::Backend,
) -> Result<(), String> {
    let deadline = Instant::now() + run.plan.recovery;
    for operation in &run.plan.operations {
        loop {
            let said = carry_out(run, backend, *operation).await.map_err(unseen)?;
            let Err(error) = said else { break };
            match error.kind() {
                ErrorKind::Unsupported(_) => break,
                ErrorKind::Indeterminate => {}
                kind if kind.is_retryable() => {}
                _ => return Err(format!("{operation:?} afterwards: {error}")),
            }
            if Instant::now() > deadline {
                return Err(format!("{operation:?}: it does not work again: {error}"));
            }
            sleep(STEP).await;
        }
    }
    Ok(())
}
