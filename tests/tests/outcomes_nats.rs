//! What `NatsBackend` says of its operations is true, wherever the connection breaks.

use futures_util::future::join_all;
use tests::{
    outcomes::{
        Farewell, Frozen, Killed, Liar, Lie, Operation, Plan, crowds, cut_off, cuts, down, drops,
        freeze, targets::Nats,
    },
    servers::nats::{Server, Version},
};

async fn shared(version: Version) -> Nats {
    Nats::new(Server::shared(version).await.address())
}

/// What a server of this version does not support.
fn lacks(version: Version) -> &'static [Operation] {
    match version {
        Version::V2_9 | Version::V2_11 => &Operation::BATCHES,
        Version::V2_15 => &[],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_2_15_is_honest_at_every_byte() {
    let plan = Plan::usual().without(&Operation::BATCHES);
    cuts(&shared(Version::V2_15).await, &plan).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_batches_of_nats_2_15_are_honest_at_some_bytes() {
    // A batch whose end was cut off takes a place on the server for ten seconds, and of those there
    // are fifty. In this test it runs out of them on purpose.
    let plan = Plan { places: 16, ..Plan::usual().of(&Operation::BATCHES) };
    cuts(&shared(Version::V2_15).await, &plan).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_2_11_is_honest_at_some_bytes() {
    let report = cuts(&shared(Version::V2_11).await, &Plan::sampled()).await;
    report.assert_honest_but_for(lacks(Version::V2_11));
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_2_9_is_honest_at_some_bytes() {
    let report = cuts(&shared(Version::V2_9).await, &Plan::sampled()).await;
    report.assert_honest_but_for(lacks(Version::V2_9));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_honest_to_many_callers_at_once() {
    crowds(&shared(Version::V2_15).await, &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_cut_off_it_fails_at_once_and_leaves_nothing_for_later() {
    let target = shared(Version::V2_11).await;
    let report = cut_off(&target, &Plan::usual()).await;
    report.assert_honest_but_for(lacks(Version::V2_11));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_caller_has_gone_is_not_done_later() {
    drops(&shared(Version::V2_15).await, &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_is_used_again_with_its_data() {
    let server = Server::start(Version::V2_15).await;
    let target = Nats::new(server.address());
    down(&target, &Plan::usual(), &Killed(&server), Farewell::Kept).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_and_goes_on_makes_nobody_lie() {
    let checks = Version::ALL.map(async |version| {
        let server = Server::start(version).await;
        let target = Nats::new(server.address());
        let report = freeze(&target, &Plan::usual(), &Frozen(&server)).await;
        report.assert_honest_but_for(lacks(version));
    });
    join_all(checks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_checks_find_it_out_when_it_lies() {
    let honest = shared(Version::V2_15).await;
    for (lie, operation, what) in [
        (Lie::Repeats, Operation::Add, "neither old nor new"),
        (Lie::Repeats, Operation::Create, "a reason that is not so: conflict"),
        (Lie::Denies, Operation::Replace, "which means not applied, but it is"),
        (Lie::Absent, Operation::Get, "a wrong answer"),
    ] {
        let liar = Liar { target: &honest, lie };
        cuts(&liar, &Plan::brief().of(&[operation])).await.assert_caught(what);
    }
    let liar = Liar { target: &honest, lie: Lie::Queues };
    cuts(&liar, &Plan::brief().of(&[Operation::Set])).await.assert_caught_late();
}
