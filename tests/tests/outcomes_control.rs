//! The checks of outcomes themselves: an honest backend passes, and every kind of lie is found.

use core::time::Duration;

use tests::{
    outcomes::{
        Farewell, Frozen, Liar, Lie, Operation, PlainTarget, Plan, Report, crowds, cut_off, cuts,
        down, drops, freeze,
    },
    proxy::Proxy,
    servers::redis::{Flavour, Server},
};

async fn plain() -> PlainTarget {
    PlainTarget::new(Server::shared(Flavour::Valkey9).await.address())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_backend_passes_at_every_byte() {
    cuts(&plain().await, &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_backend_passes_in_a_crowd() {
    crowds(&plain().await, &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_backend_passes_while_the_server_is_down() {
    cut_off(&plain().await, &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_backend_passes_when_its_callers_go() {
    drops(&plain().await, &Plan::usual()).await.assert_honest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_goes_on_when_its_caller_has_gone_is_found() {
    let target = plain().await;
    let liar = Liar { target: &target, lie: Lie::Insists };
    // Long enough for the slowest liar: who is found out does not wait for it.
    let plan = Plan { settle: Duration::from_secs(20), ..Plan::brief().of(&[Operation::Set]) };
    let report = drops(&liar, &plan).await;
    for trouble in ["Stuck", "Away"] {
        for farewell in ["Kept", "ThrownAway", "Closed"] {
            report.assert_caught_of(&format!("{trouble}, {farewell}"), "applied afterwards");
        }
    }
}

/// What is found when the backend of a liar is cut at a few bytes of `operation`.
async fn lies(lie: Lie, operation: Operation) -> Report {
    let target = plain().await;
    cuts(&Liar { target: &target, lie }, &Plan::brief().of(&[operation])).await
}

/// What is found when the server of a liar is down.
async fn lies_while_down(lie: Lie, operation: Operation) -> Report {
    let target = plain().await;
    let proxy = Proxy::start(Server::shared(Flavour::Valkey9).await.address()).await;
    let plan = Plan::brief().of(&[operation]);
    down(&Liar { target: &target, lie }, &plan, &proxy, Farewell::ThrownAway).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_addition_that_is_repeated_is_found() {
    lies(Lie::Repeats, Operation::Add).await.assert_caught("neither old nor new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_is_repeated_is_found_as_a_false_conflict() {
    lies(Lie::Repeats, Operation::Create).await.assert_caught("a reason that is not so: conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_is_repeated_is_found_as_a_false_conflict() {
    lies(Lie::Repeats, Operation::Replace).await.assert_caught("a reason that is not so: conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_denied_is_found() {
    for operation in [Operation::Set, Operation::Remove, Operation::Apply] {
        lies(Lie::Denies, operation).await.assert_caught("which means not applied");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_assumed_is_found() {
    lies(Lie::Assumes, Operation::Set).await.assert_caught("but it is not applied");
    lies(Lie::Assumes, Operation::Add).await.assert_caught("a wrong answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_that_nobody_has_seen_is_found() {
    lies(Lie::Absent, Operation::Get).await.assert_caught("a wrong answer");
    lies(Lie::Absent, Operation::GetMany).await.assert_caught("a wrong answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_behind_the_callers_back_is_found() {
    lies(Lie::Queues, Operation::Set).await.assert_caught_late();
    lies_while_down(Lie::Queues, Operation::Set).await.assert_caught("applied afterwards");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_does_not_work_again_is_found() {
    let target = plain().await;
    let liar = Liar { target: &target, lie: Lie::GivesUp };
    let plan = Plan { recovery: Duration::from_secs(3), ..Plan::brief().of(&[Operation::Set]) };
    cuts(&liar, &plan).await.assert_caught("does not work again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_waits_for_a_server_that_is_down_is_found() {
    lies_while_down(Lie::Waits, Operation::Set).await.assert_caught("did not return");
}

/// Checks that in a crowd of `operations` the lie about each of them is found.
async fn is_found_in_a_crowd(lie: Lie, operations: &[Operation], what: &str) {
    let target = plain().await;
    let report = crowds(&Liar { target: &target, lie }, &Plan::brief().of(operations)).await;
    for operation in operations {
        report.assert_caught_of(&format!("{operation:?} among others"), what);
    }
    if operations.contains(&Operation::Add) {
        report.assert_caught_of("additions at once", "were said to be done");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_crowd_every_repeated_write_that_is_not_the_same_twice_is_found() {
    let conditional =
        [Operation::Create, Operation::Replace, Operation::RemoveIf, Operation::ApplyIf];
    is_found_in_a_crowd(Lie::Repeats, &conditional, "a reason that is not so: conflict").await;
    let additions = [Operation::Add, Operation::AddNew];
    is_found_in_a_crowd(Lie::Repeats, &additions, "neither old nor new").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_crowd_every_denied_write_is_found() {
    let writes: Vec<_> = Operation::ALL.into_iter().filter(|it| it.is_write()).collect();
    is_found_in_a_crowd(Lie::Denies, &writes, "which means not applied").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_crowd_every_absence_that_nobody_has_seen_is_found() {
    let reads = [Operation::Get, Operation::GetMany];
    is_found_in_a_crowd(Lie::Absent, &reads, "a wrong answer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_another_reader_was_to_get_is_found() {
    is_found_in_a_crowd(Lie::Mixes, &[Operation::Get], "a wrong answer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_promised_but_not_supported_is_found() {
    let what = "is not supported, but promised";
    lies(Lie::Disowns, Operation::Apply).await.assert_caught(what);
    lies_while_down(Lie::Disowns, Operation::Apply).await.assert_caught(what);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_about_a_server_that_stopped_is_found() {
    let server = Server::start(Flavour::Valkey9).await;
    let target = PlainTarget::new(server.address());
    let frozen = Frozen(&server);
    freeze(&target, &Plan::usual(), &frozen).await.assert_honest();
    let liar = Liar { target: &target, lie: Lie::Denies };
    freeze(&liar, &Plan::usual(), &frozen).await.assert_caught("which means not applied");
}
