//! Many operations at once on one backend whose connection breaks below all of them.

use futures_util::{StreamExt as _, TryStreamExt as _, future::join_all, stream};
use state_runtime::backend::{AddOptions, Backend as _, ErrorKind, Result};
use tokio::time::{sleep, timeout};

use super::{
    Operation, PATIENCE, Plan, Ready, Report, Run, Target,
    cuts::{LOOKS, exchange, look_again, places},
    lane::{Lane, Said},
    report::Exchange,
    strike::Strike,
    sum::Sum,
    unseen,
    verdict::{judge, name},
};
use crate::proxy::{Action, Direction, Fault};

/// How many of each operation are carried out at once.
const EACH: usize = 3;

/// How many add to one and the same number.
const ADDERS: usize = 8;

/// How many do one and the same thing: enough for a backend that lets callers share commands only when
/// there are many.
const THRONG: usize = 64;

/// At how many places of a direction a crowd is cut, at most.
const MOST: usize = 60;

/// Carries out the operations of `plan` several times at once, with the connection breaking below them at
/// another byte each time, and judges every answer: once all operations together, once very many reads,
/// and once very many reads and writes.
///
/// Some add to one number, which in the end has to be what was acknowledged, give or take what was not.
/// Each kind of operation is hit: some faults wait for a certain operation.
pub async fn crowds<T: Target>(target: &T, plan: &Plan) -> Report {
    let run = Run::new(target, plan);
    let mut report = Report::default();
    let (mut said, mut sums) = (Vec::new(), Vec::new());
    let throngs = [&[Operation::Get][..], &[Operation::Get, Operation::Set]]
        .into_iter()
        .filter(|throng| throng.iter().all(|operation| plan.operations.contains(operation)))
        .map(|throng| Crowd { operations: throng.to_vec(), each: THRONG, adders: 0 });
    let adders = if plan.operations.contains(&Operation::Add) { ADDERS } else { 0 };
    let mixed = Crowd { operations: plan.operations.clone(), each: EACH, adders };
    let ends = throngs.chain([mixed]).map(|crowd| through(&run, crowd));
    for end in join_all(ends).await {
        match end {
            Ok(end) => {
                report.merge(end.report);
                said.extend(end.said);
                sums.extend(end.sums);
            }
            Err(fault) => report.fault(fault),
        }
    }
    sleep(plan.settle).await;
    for fault in look_again(target, &said).await {
        report.fault(fault);
    }
    for sum in sums {
        if let Err(message) = sum.check(target).await {
            report.fault(format!("additions at once, when the backend was gone: {message}"));
        }
    }
    report
}

/// Who carries out something at once.
struct Crowd {
    operations: Vec<Operation>,
    /// How many of each.
    each: usize,
    adders: usize,
}

/// What a crowd has come to.
struct End {
    report: Report,
    said: Vec<Said>,
    sums: Vec<Sum>,
}

/// Whom a fault hits.
#[derive(Debug, Clone, Copy)]
enum Aim {
    /// Whoever is there.
    Anybody,
    /// The first with this operation.
    Operation(Operation),
    /// One of those who add to one number.
    Adder,
}

async fn through<T: Target>(run: &Run<'_, T>, mut crowd: Crowd) -> Result<End, String> {
    let mut lane = Lane::open(run).await?;
    let mut aims = Vec::new();
    let mut supported = Vec::new();
    for operation in core::mem::take(&mut crowd.operations) {
        let Some(recording) = lane.measure(operation).await else { continue };
        lane.report.exchanges.insert(operation, None);
        supported.push(operation);
        let last = exchange(&recording).to_client.saturating_sub(1);
        let aim = Aim::Operation(operation);
        if operation == Operation::Add && crowd.adders > 0 {
            aims.extend([
                (Aim::Adder, Direction::ToServer, 0),
                (Aim::Adder, Direction::ToClient, 0),
            ]);
        }
        aims.extend([(aim, Direction::ToServer, 0), (aim, Direction::ToClient, 0)]);
        aims.push((aim, Direction::ToClient, last));
    }
    crowd.operations = supported;
    let mut sums = Vec::new();
    lane.proxy.record();
    gather(&mut lane, &crowd, Aim::Anybody, None, &mut sums).await?;
    let Exchange { to_server, to_client, .. } = exchange(&lane.proxy.recorded());
    for (direction, len) in [(Direction::ToServer, to_server), (Direction::ToClient, to_client)] {
        let most = run.plan.places.min(MOST);
        aims.extend(places(len, most).into_iter().map(|place| (Aim::Anybody, direction, place)));
    }
    lane.report.planned += aims.len();
    let actions = [Action::Reset, Action::Close].into_iter().cycle();
    for ((aim, direction, place), action) in aims.into_iter().zip(actions) {
        let mut strike = Strike::new(Fault::new(direction, place, action));
        loop {
            gather(&mut lane, &crowd, aim, Some(&mut strike), &mut sums).await?;
            let works = lane.recover(Operation::Set).await;
            let is_over = strike.is_over(&mut lane.report);
            if !works {
                return Ok(end(lane, sums));
            }
            if is_over {
                break;
            }
        }
    }
    Ok(end(lane, sums))
}

fn end<T: Target>(lane: Lane<'_, '_, T>, sums: Vec<Sum>) -> End {
    let (report, said) = lane.end();
    End { report, said, sums }
}

/// Lets all of them carry out what they do at once, under a fault if there is one.
async fn gather<T: Target>(
    lane: &mut Lane<'_, '_, T>,
    crowd: &Crowd,
    aim: Aim,
    mut strike: Option<&mut Strike>,
    sums: &mut Vec<Sum>,
) -> Result<(), String> {
    let (run, backend) = (lane.run, &lane.backend);
    let kinds = crowd.operations.iter();
    let members = kinds.flat_map(|operation| core::iter::repeat_n(*operation, crowd.each));
    let members = stream::iter(members).map(|operation| run.ready(backend, operation));
    let members: Vec<Ready> = members.buffered(LOOKS).try_collect().await?;
    let number = run.scenario(Operation::AddNew);
    let [counter, _] = &number.keys;
    let first =
        |operation| members.iter().map(|it| &it.scenario).find(|it| it.operation == operation);
    let aimed_at = match aim {
        Aim::Anybody => None,
        Aim::Operation(operation) => first(operation),
        Aim::Adder => Some(&number),
    };
    let fault = strike.as_ref().map(|strike| strike.fault);
    let acts = join_all(members.iter().map(|member| member.act(backend)));
    let one = AddOptions { delta: 1, min: 0, max: i128::MAX, ttl: None };
    let adds = (0..crowd.adders).map(|_| timeout(PATIENCE, backend.add(counter, one)));
    let all = async { tokio::join!(acts, join_all(adds)) };
    let (said, added) = match &mut strike {
        Some(strike) => {
            strike.mark = aimed_at.map(|scenario| scenario.mark.clone());
            strike.during(&lane.proxy, all).await
        }
        None => all.await,
    };
    let looks = members.iter().map(|member| member.scenario.found(run.target));
    let found: Vec<_> = stream::iter(looks).buffered(LOOKS).try_collect().await.map_err(unseen)?;
    for ((Ready { scenario, .. }, said), found) in members.into_iter().zip(said).zip(found) {
        let operation = scenario.operation;
        if fault.is_some() {
            lane.report.answered(operation, name(said.as_ref()));
        }
        match judge(&scenario, said.as_ref(), &found) {
            // What a read has left alone need not be looked at again.
            Ok(settled) if operation.is_write() => {
                lane.said.push(Said { scenario, settled, fault });
            }
            Ok(_) => {}
            Err(message) => {
                lane.report.fault(format!("{operation:?} among others, {fault:?}: {message}"));
            }
        }
    }
    let added: Vec<_> = added.into_iter().map(core::result::Result::ok).collect();
    for said in &added {
        let is_plausible = match said {
            Some(Ok(_)) => true,
            Some(Err(error)) => {
                error.kind().is_retryable() || error.kind() == ErrorKind::Indeterminate
            }
            None => false,
        };
        if !is_plausible {
            lane.report.fault(format!("an addition among others, {fault:?}: {said:?}"));
        }
    }
    let sum = Sum::new(counter.clone(), &added);
    match sum.check(run.target).await {
        Ok(()) => sums.push(sum),
        Err(message) => {
            lane.report.fault(format!("additions at once, {fault:?}: {message}"));
        }
    }
    Ok(())
}
