//! What `RedisBackend` says of its operations is true, wherever the connection breaks.

use futures_util::future::join_all;
use tests::{
    outcomes::{
        Farewell, Frozen, Killed, Liar, Lie, Operation, Plan, crowds, cut_off, cuts, down, drops,
        freeze,
        targets::{Cluster, Redis, Sentinel},
    },
    servers::redis::{self, Flavour, Server},
};

async fn shared(flavour: Flavour) -> Redis {
    Redis::new(Server::shared(flavour).await.address())
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_7_is_honest_at_every_byte() {
    cuts(&shared(Flavour::Redis7).await, &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_8_is_honest_at_some_bytes() {
    cuts(&shared(Flavour::Redis8).await, &Plan::sampled()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn valkey_is_honest_at_some_bytes() {
    cuts(&shared(Flavour::Valkey9).await, &Plan::sampled()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_honest_to_many_callers_at_once() {
    crowds(&shared(Flavour::Valkey9).await, &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_sentinel_it_is_honest_at_some_bytes() {
    let target = Sentinel::new(Server::shared(Flavour::Valkey9).await.address());
    cuts(&target, &Plan::sampled()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_cluster_it_is_honest_at_some_bytes() {
    let cluster = redis::Cluster::start(Flavour::Valkey9, 3).await;
    // The nodes know one address of each other, so there is one proxy at a time.
    let plan = Plan { lanes: 1, ..Plan::sampled() };
    cuts(&Cluster::new(&cluster), &plan).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_cut_off_it_fails_at_once_and_leaves_nothing_for_later() {
    let target = shared(Flavour::Redis7).await;
    cut_off(&target, &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_caller_has_gone_is_not_done_later() {
    drops(&shared(Flavour::Valkey9).await, &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_is_used_again_with_its_data() {
    let server = Server::builder(Flavour::Redis7).synced().start().await;
    let target = Redis::new(server.address());
    down(&target, &Plan::usual(), &Killed(&server), Farewell::Kept).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_and_goes_on_makes_nobody_lie() {
    let checks = Flavour::ALL.map(async |flavour| {
        let server = Server::start(flavour).await;
        let target = Redis::new(server.address());
        freeze(&target, &Plan::usual(), &Frozen(&server)).await.assert_honest();
    });
    join_all(checks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_checks_find_it_out_when_it_lies() {
    let honest = shared(Flavour::Valkey9).await;
    for (lie, operation, what) in [
        (Lie::Repeats, Operation::Add, "neither old nor new"),
        (Lie::Repeats, Operation::Create, "a reason that is not so: conflict"),
        (Lie::Denies, Operation::Replace, "which means not applied, but it is"),
        (Lie::Assumes, Operation::Remove, "but it is not applied"),
        (Lie::Absent, Operation::Get, "a wrong answer"),
    ] {
        let liar = Liar { target: &honest, lie };
        cuts(&liar, &Plan::brief().of(&[operation])).await.assert_caught(what);
    }
    let liar = Liar { target: &honest, lie: Lie::Queues };
    cuts(&liar, &Plan::brief().of(&[Operation::Set])).await.assert_caught_late();
}
