//! What the server's settings mean for acknowledged state.

use super::*;
use state_runtime::backend::Capability;

async fn risks(server: &Server) -> core::result::Result<Vec<&'static str>, Box<dyn Error>> {
    let backend = connect(server).await?;
    let risks: Vec<_> = backend.risks().await?.iter().map(Risk::name).collect();
    let durable = backend.capabilities().contains(Capability::Durable);
    assert_eq!(durable, risks.is_empty());
    Ok(risks)
}

#[tokio::test]
async fn a_server_that_loses_nothing_has_no_risk() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::builder(flavour).synced().start().await;
        assert_eq!(risks(&server).await?, [""; 0]);
    }
    Ok(())
}

#[tokio::test]
async fn each_setting_that_loses_state_is_a_risk() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::start(flavour).await;
        let set =
            async |name: &str, to: &str| server.command::<()>(&["CONFIG", "SET", name, to]).await;
        for sync in ["everysec", "no"] {
            set("appendfsync", sync).await?;
            assert_eq!(risks(&server).await?, ["append-only-file-not-synced"]);
        }
        set("appendonly", "no").await?;
        assert_eq!(risks(&server).await?, ["no-append-only-file"]);
        set("maxmemory-policy", "allkeys-lru").await?;
        assert_eq!(risks(&server).await?, ["eviction", "no-append-only-file"]);
    }
    Ok(())
}
