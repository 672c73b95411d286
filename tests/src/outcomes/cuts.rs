//! Cutting the connection at every byte of an operation's exchange.

use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt as _, future::join_all, stream};
use tokio::time::sleep;

use super::{
    Plan, Report, Run, Target,
    lane::{Lane, Said},
    report::Exchange,
};
use crate::proxy::{Action, Direction, Fault, Recording};

/// How many scenarios are laid out, or looked at, at once.
pub(super) const LOOKS: usize = 16;

/// Carries out each operation of `plan` again and again, each time with the connection breaking at
/// another byte, and judges every answer.
pub async fn cuts<T: Target>(target: &T, plan: &Plan) -> Report {
    let run = Run::new(target, plan);
    let (mut report, mut said) = (Report::default(), Vec::new());
    let mut faults = Vec::new();
    match Lane::open(&run).await {
        Ok(mut first) => {
            for operation in &plan.operations {
                if let Some(recording) = first.measure(*operation).await {
                    let exchange = exchange(&recording);
                    first.report.exchanges.insert(*operation, Some(exchange));
                    faults.extend(faults_of(exchange, plan).map(|fault| (*operation, fault)));
                }
            }
            let (log, its) = first.end();
            report.merge(log);
            said.extend(its);
        }
        Err(fault) => report.fault(fault),
    }
    report.planned += faults.len();
    let faults = Mutex::new(faults.into_iter());
    let lanes = (0..plan.lanes).map(|_| async {
        let mut lane = Lane::open(&run).await?;
        loop {
            let next = faults.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((operation, fault)) = next else { break };
            if !lane.strike(operation, fault).await {
                break;
            }
        }
        Ok::<_, String>(lane.end())
    });
    for end in join_all(lanes).await {
        match end {
            Ok((log, its)) => {
                report.merge(log);
                said.extend(its);
            }
            Err(fault) => report.fault(fault),
        }
    }
    sleep(plan.settle).await;
    for fault in look_again(target, &said).await {
        report.fault(fault);
    }
    report
}

/// Compares what was said with what is stored, now that nobody is left who could change it.
pub(super) async fn look_again<T: Target>(target: &T, said: &[Said]) -> Vec<String> {
    let looks = stream::iter(said).map(|said| async move {
        match said.scenario.found(target).await {
            Ok(found) if said.settled.allows(&said.scenario, &found) => None,
            Ok(_) => Some("it changed after the backend was gone".to_owned()),
            Err(error) => Some(format!("cannot look at the server: {error}")),
        }
        .map(|fault| format!("{:?}, {:?}: {fault}", said.scenario.operation, said.fault))
    });
    looks.buffer_unordered(LOOKS).filter_map(core::future::ready).collect().await
}

/// What passed, in figures.
pub(super) fn exchange(recording: &Recording) -> Exchange {
    Exchange {
        to_server: recording.bytes(Direction::ToServer),
        to_client: recording.bytes(Direction::ToClient),
        round_trips: recording.exchanges(),
    }
}

/// The faults to try on an exchange.
fn faults_of(exchange: Exchange, plan: &Plan) -> impl Iterator<Item = Fault> {
    let most = plan.places;
    let actions = [
        (Action::Reset, most),
        // At the bytes where a reset is seen as well, now and then in another way.
        (Action::Close, most.min(64)),
        // What is swallowed takes as long as the backend waits for an answer.
        (Action::Swallow, (most / 128).max(2)),
    ];
    let Exchange { to_server, to_client, .. } = exchange;
    [(Direction::ToServer, to_server), (Direction::ToClient, to_client)].into_iter().flat_map(
        move |(direction, len)| {
            actions.into_iter().flat_map(move |(action, most)| {
                places(len, most).into_iter().map(move |at| Fault::new(direction, at, action))
            })
        },
    )
}

/// At most `most` places of an exchange of `len` bytes, the first and the last among them.
pub(super) fn places(len: u64, most: usize) -> Vec<u64> {
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    if len <= most {
        return (0..len).collect();
    }
    let gaps = most.max(2) - 1;
    (0..=gaps).map(|step| step * (len - 1) / gaps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_places_are_spread_and_all_of_a_short_exchange_are_taken() {
        assert_eq!(places(4, 10), [0, 1, 2, 3]);
        assert_eq!(places(100, 4), [0, 33, 66, 99]);
        assert_eq!(places(100, 1), [0, 99]);
        assert_eq!(places(0, 4), [0; 0]);
    }
}
