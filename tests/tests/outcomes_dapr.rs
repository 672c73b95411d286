//! What `DaprBackend` says of its operations is true, wherever the connection breaks.

use tests::{
    outcomes::{
        Farewell, Frozen, Killed, Liar, Lie, Operation, Plan, Report, crowds, cut_off, cuts, down,
        drops, freeze,
        targets::{Behind, Dapr},
    },
    servers::{
        dapr::{Component, Sidecar, is_left_out},
        redis::{Flavour, Server},
    },
};

/// What a sidecar cannot do on a Redis server.
const NOT_ON_REDIS: &[Operation] = &Operation::BATCHES;

#[tokio::test(flavor = "multi_thread")]
async fn in_memory_it_is_honest_at_every_byte() {
    if is_left_out() {
        return;
    }
    let sidecar = Sidecar::start(Component::in_memory()).await;
    cuts(&Dapr::new(&sidecar), &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_redis_it_is_honest_at_some_bytes() {
    if is_left_out() {
        return;
    }
    let sidecar = Sidecar::start(Component::redis(Server::shared(Flavour::Redis7).await)).await;
    let report = cuts(&Dapr::new(&sidecar), &Plan::sampled()).await;
    report.assert_honest_but_for(NOT_ON_REDIS);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_it_is_honest_at_some_bytes() {
    if is_left_out() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let sidecar = Sidecar::start(Component::sqlite(folder.path())).await;
    cuts(&Dapr::new(&sidecar), &Plan::sampled()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_honest_to_many_callers_at_once() {
    if is_left_out() {
        return;
    }
    let sidecar = Sidecar::start(Component::in_memory()).await;
    crowds(&Dapr::new(&sidecar), &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_cut_off_it_fails_at_once_and_leaves_nothing_for_later() {
    if is_left_out() {
        return;
    }
    let sidecar = Sidecar::start(Component::in_memory()).await;
    cut_off(&Dapr::new(&sidecar), &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_caller_has_gone_is_not_done_later() {
    if is_left_out() {
        return;
    }
    let sidecar = Sidecar::start(Component::in_memory()).await;
    drops(&Dapr::new(&sidecar), &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_that_was_killed_is_used_again() {
    if is_left_out() {
        return;
    }
    let sidecar = Sidecar::start(Component::redis(Server::shared(Flavour::Redis7).await)).await;
    let target = Dapr::new(&sidecar);
    let report = down(&target, &Plan::usual(), &Killed(&sidecar), Farewell::Kept).await;
    report.assert_honest_but_for(NOT_ON_REDIS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_that_stops_and_goes_on_makes_nobody_lie() {
    if is_left_out() {
        return;
    }
    let sidecar = Sidecar::start(Component::in_memory()).await;
    freeze(&Dapr::new(&sidecar), &Plan::usual(), &Frozen(&sidecar)).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_checks_find_it_out_when_it_lies() {
    if is_left_out() {
        return;
    }
    let sidecar = Sidecar::start(Component::in_memory()).await;
    let honest = Dapr::new(&sidecar);
    for (lie, operation, what) in [
        (Lie::Repeats, Operation::Add, "neither old nor new"),
        (Lie::Repeats, Operation::Create, "a reason that is not so: conflict"),
        (Lie::Denies, Operation::Replace, "which means not applied, but it is"),
        (Lie::Absent, Operation::Get, "a wrong answer"),
    ] {
        let liar = Liar { target: &honest, lie };
        cuts(&liar, &Plan::brief().of(&[operation])).await.assert_caught(what);
    }
}

/// Cuts the connection between a sidecar and its Redis server.
async fn cut_behind(settings: &[(&'static str, &'static str)], plan: Plan) -> Report {
    let server = Server::shared(Flavour::Redis7).await;
    let observer = Sidecar::start(Component::redis(server)).await;
    let target = Behind::new(server.address(), settings, &observer);
    cuts(&target, &Plan { lanes: 3, ..plan }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_sidecar_that_repeats_nothing_it_is_honest_at_some_bytes() {
    if is_left_out() {
        return;
    }
    let report = cut_behind(&[("redisMaxRetries", "-1")], Plan::sampled()).await;
    report.assert_honest_but_for(NOT_ON_REDIS);
}

/// Why the documentation asks for that setting: the sidecar itself is not honest without it.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_sidecar_that_repeats_writes_nobody_can_be_honest() {
    if is_left_out() {
        return;
    }
    let report = cut_behind(&[], Plan::brief().of(&[Operation::Create])).await;
    report.assert_caught("a reason that is not so: conflict");
}
