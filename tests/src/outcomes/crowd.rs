//! Many operations at once on one backend whose connection breaks below all of them.

use futures_util::future::join_all;
use state_runtime::{
    backend::{AddOptions, Backend as _, ErrorKind, Result},
    key::Key,
};
use tokio::time::{sleep, timeout};

use super::{
    Operation, PATIENCE, Plan, Report, Run, Target,
    cuts::{exchange, places},
    lane::Lane,
    operation::{Answer, Scenario},
    report::Exchange,
    verdict::{judge, name},
};
use crate::proxy::{Action, Direction, Fault};

/// How many of each operation are carried out at once.
const EACH: usize = 3;

/// How many add to one and the same number.
const ADDERS: usize = 8;

/// Carries out all operations of `plan` several times at once, with the connection breaking below
/// them at another byte each time, and judges every answer. Some of them add to one number, which in
/// the end has to be what was acknowledged, give or take what was not.
pub async fn crowds<T: Target>(target: &T, plan: &Plan) -> Report {
    let run = Run::new(target, plan);
    match Lane::open(&run).await {
        Ok(mut lane) => {
            if let Err(fault) = crowd_everywhere(&mut lane).await {
                lane.report.fault(fault);
            }
            lane.end().0
        }
        Err(fault) => {
            let mut report = Report::default();
            report.fault(fault);
            report
        }
    }
}

async fn crowd_everywhere<T: Target>(lane: &mut Lane<'_, '_, T>) -> Result<(), String> {
    let mut operations = Vec::new();
    for operation in lane.run.plan.operations.clone() {
        if lane.measure(operation).await.is_some() {
            lane.report.exchanges.insert(operation, None);
            operations.push(operation);
        }
    }
    lane.proxy.record();
    crowd(lane, &operations, None).await?;
    let Exchange { to_server, to_client, .. } = exchange(&lane.proxy.recorded());
    for (direction, len) in [(Direction::ToServer, to_server), (Direction::ToClient, to_client)] {
        // How the operations share packets differs from time to time, and so does the length.
        for place in places(len / 2, lane.run.plan.places.min(60)) {
            for action in [Action::Reset, Action::Close] {
                crowd(lane, &operations, Some(Fault::new(direction, place, action))).await?;
                if !lane.recover(Operation::Set).await {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

async fn crowd<T: Target>(
    lane: &mut Lane<'_, '_, T>,
    operations: &[Operation],
    fault: Option<Fault>,
) -> Result<(), String> {
    let (run, raw) = (lane.run, |error| format!("cannot look at the server: {error}"));
    let mut members = Vec::new();
    for operation in operations.iter().flat_map(|operation| [*operation; EACH]) {
        let scenario = run.scenario(operation);
        scenario.lay_out(run.target).await.map_err(raw)?;
        let Ok(revision) = scenario.prepare(&lane.backend).await else {
            lane.recover(Operation::Get).await;
            continue;
        };
        members.push((scenario, revision));
    }
    let counter = run.scenario(Operation::AddNew).keys[0].clone();
    let before = lane.proxy.traffic().faults;
    if let Some(fault) = fault {
        lane.report.armed += 1;
        lane.proxy.arm(fault);
    }
    let backend = &lane.backend;
    let acts = members
        .iter()
        .map(|(scenario, revision)| timeout(PATIENCE, scenario.act(backend, revision.clone())));
    let adds = if operations.contains(&Operation::Add) { ADDERS } else { 0 };
    let one = AddOptions { delta: 1, min: 0, max: i128::MAX, ttl: None };
    let adds = (0..adds).map(|_| timeout(PATIENCE, backend.add(&counter, one)));
    let (said, sums) = tokio::join!(join_all(acts), join_all(adds));
    lane.proxy.disarm();
    lane.report.happened += lane.proxy.traffic().faults - before;
    // Bytes that were already with the server when the connection broke may still be at work there.
    sleep(super::STEP * 5).await;
    for ((scenario, _), said) in members.iter().zip(said) {
        check_member(lane, scenario, said.ok().as_ref(), fault).await.map_err(raw)?;
    }
    let sums: Vec<_> = sums.into_iter().map(core::result::Result::ok).collect();
    if let Err(message) = check_counter(lane, &counter, &sums).await {
        lane.report.fault(format!("{ADDERS} additions at once, {fault:?}: {message}"));
    }
    Ok(())
}

async fn check_member<T: Target>(
    lane: &mut Lane<'_, '_, T>,
    scenario: &Scenario,
    said: Option<&Result<Answer>>,
    fault: Option<Fault>,
) -> std::io::Result<()> {
    let operation = scenario.operation;
    let found = scenario.found(lane.run.target).await?;
    if fault.is_some() {
        lane.report.answered(operation, name(said));
    }
    if let Err(message) = judge(scenario, said, &found) {
        lane.report.fault(format!("{operation:?} among others, {fault:?}: {message}"));
    }
    Ok(())
}

/// Compares the number with what was said of the additions of one.
async fn check_counter<T: Target>(
    lane: &Lane<'_, '_, T>,
    counter: &Key,
    said: &[Option<Result<i128>>],
) -> Result<(), String> {
    let stored = lane.run.target.stored(counter).await.map_err(|error| error.to_string())?;
    let text =
        stored.map_or_else(|| "0".to_owned(), |bytes| String::from_utf8_lossy(&bytes).into());
    let stored: usize = text.parse().map_err(|_| "what is stored is no number".to_owned())?;
    let done = said.iter().filter(|said| matches!(said, Some(Ok(_)))).count();
    let open = said
        .iter()
        .flatten()
        .filter(|said| said.as_ref().is_err_and(|error| error.kind() == ErrorKind::Indeterminate));
    let most = done + open.count();
    if (done..=most).contains(&stored) {
        Ok(())
    } else {
        Err(format!("{done} to {most} were said to be done, and {stored} are"))
    }
}
