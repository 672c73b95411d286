//! Dapr: a sidecar with a component of each kind that is known.

use futures_util::future::join_all;
use state_runtime::{
    backends::{DaprBackend, DaprConfig},
    conformance::Subject,
};
use tests::servers::{
    dapr::{Component, Sidecar, is_left_out},
    redis::{Flavour, Server},
};

use crate::{Outcome, PATIENCE, TestResult, all_conform, report};

async fn on(component: Component) -> Outcome {
    let kind = component.kind();
    let sidecar = Sidecar::start(component).await;
    let config = DaprConfig::new(sidecar.address(), sidecar.store()).with_timeout(PATIENCE);
    let subject = Subject::new(move || DaprBackend::connect(config.clone()));
    report(&format!("dapr {kind}"), &format!("Dapr {}", sidecar.version()), subject).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dapr_conforms_with_every_component() -> TestResult {
    if is_left_out() {
        println!("left out: the sidecar could not be installed");
        return Ok(());
    }
    let (server, folder) = (Server::start(Flavour::Redis7).await, tempfile::tempdir()?);
    let components =
        [Component::in_memory(), Component::redis(&server), Component::sqlite(folder.path())];
    all_conform(join_all(components.map(on)).await)
}
