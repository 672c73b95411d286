//! Writes whose callers have gone: dropped at each of their await points, while nothing passes or the
//! server is away. None of them may be carried out when the server is there again.

use core::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use futures_util::{StreamExt as _, TryStreamExt as _, future::join_all, stream};
use tokio::time::{Instant, sleep, timeout};

use super::{
    Farewell, Operation, Plan, Ready, Report, Run, Target,
    cuts::LOOKS,
    down::{notice, prepare, recover},
    unseen,
    verdict::name,
};
use crate::proxy::Proxy;

/// How often a future is polled before it is dropped, at most.
const POLLS: usize = 4;

/// How many write, and read, besides: enough for a backend that lets callers wait in a queue when there
/// are many.
const THRONG: usize = 64;

/// What is wrong while writes are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Nothing that is sent arrives, and then the connection breaks.
    Stuck,
    /// The server is away, and the backend knows it.
    Away,
}

/// Drops writes at each of their await points while nothing reaches the server. As nothing ever did,
/// none of them may be carried out: not when the same backend works again, later than they could have
/// been done; and never after it was closed or thrown away.
pub async fn drops<T: Target>(target: &T, plan: &Plan) -> Report {
    let run = Run::new(target, plan);
    let checks = [Trouble::Stuck, Trouble::Away].into_iter().flat_map(|trouble| {
        Farewell::ALL.map(|farewell| {
            let run = &run;
            async move {
                let mut report = Report::default();
                if let Err(fault) = try_drops(run, trouble, farewell, &mut report).await {
                    report.fault(format!("{trouble:?}, {farewell:?}: {fault}"));
                }
                report
            }
        })
    });
    Report::of(join_all(checks).await)
}

async fn try_drops<T: Target>(
    run: &Run<'_, T>,
    trouble: Trouble,
    farewell: Farewell,
    report: &mut Report,
) -> Result<(), String> {
    let proxy = Proxy::start(run.target.server()).await;
    let backend = run.open(proxy.address(), run.plan.limit).await?;
    let supported = prepare(run, &backend, report).await?;
    let writes = supported.iter().map(|ready| ready.scenario.operation);
    let each = writes.flat_map(|operation| (1..=POLLS).map(move |polls| (operation, polls)));
    let many = [Operation::Set, Operation::Get].into_iter();
    let many =
        many.flat_map(|operation| (0..THRONG).map(move |caller| (operation, caller % POLLS + 1)));
    let members = stream::iter(each.chain(many)).map(|(operation, polls)| {
        let ready = run.ready(&backend, operation);
        async move { Ok::<_, String>((ready.await?, polls)) }
    });
    let members: Vec<(Ready, usize)> = members.buffered(LOOKS).try_collect().await?;
    match trouble {
        Trouble::Stuck => proxy.stall(),
        Trouble::Away => {
            proxy.refuse().await;
            notice(run, &backend).await?;
        }
    }
    let acts = members.iter().map(|(ready, polls)| {
        // Who is not woken that often waits for the server, and is dropped while it does.
        timeout(run.plan.limit / 2, dropped_after(*polls, ready.act(&backend)))
    });
    for ((Ready { scenario, .. }, _), said) in members.iter().zip(join_all(acts).await) {
        let answer = match said.ok().flatten() {
            None => "dropped".to_owned(),
            Some(Some(Ok(_))) => {
                return Err(format!("{:?}: nobody can have done it", scenario.operation));
            }
            Some(said) => name(said.as_ref()),
        };
        report.answered(scenario.operation, answer);
    }
    if farewell == Farewell::Kept {
        // Whatever takes longer than an operation may take would have been given up.
        sleep(run.plan.limit).await;
    }
    let left = farewell.take(backend).await?;
    // What is on its way is lost with the connections.
    proxy.refuse().await;
    proxy.release();
    proxy.accept().await;
    if let (Farewell::Kept, Some(backend)) = (farewell, &left) {
        recover(run, backend).await?;
    }
    let deadline = Instant::now() + run.plan.limit + run.plan.settle;
    loop {
        let is_last = Instant::now() > deadline;
        let looks = members.iter().map(|(ready, _)| ready.scenario.look(run.target));
        let found: Vec<_> =
            stream::iter(looks).buffered(LOOKS).try_collect().await.map_err(unseen)?;
        for ((Ready { scenario, .. }, _), found) in members.iter().zip(found) {
            if found != scenario.before {
                return Err(format!("{:?}: it was applied afterwards", scenario.operation));
            }
        }
        if is_last {
            return Ok(());
        }
        sleep(run.plan.settle / 8).await;
    }
}

/// Polls a future, each time that it is woken, `times` times at most, and drops it; its output if it was
/// done by then.
async fn dropped_after<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(|cx| {
        left = left.saturating_sub(1);
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
