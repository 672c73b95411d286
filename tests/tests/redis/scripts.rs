//! Scripts that the server has forgotten.

use super::*;
use state_runtime::backend::{Expiry, Want};

#[tokio::test]
async fn a_forgotten_script_is_sent_again() -> TestResult {
    let hour = Duration::from_secs(3600);
    for flavour in Flavour::ALL {
        let server = Server::start(flavour).await;
        let backend = connect(&server).await?;
        let forget = || server.command::<()>(&["SCRIPT", "FLUSH"]);
        for round in 1..=3 {
            forget().await?;
            assert_eq!(backend.add(&key("n"), plus(1)).await?, round);
            assert_eq!(backend.add(&key("m"), plus(1)).await?, round);
        }
        backend.set(&key("a"), "1".into(), lasting(hour)).await?;
        forget().await?;
        let all = GetOptions { want: Want::ALL, renew: Some(hour * 9) };
        let entry = backend.get(&key("a"), all).await?.ok_or("absent")?;
        assert!(matches!(entry.expiry, Expiry::At(_)));
        forget().await?;
        // In a pipeline, each of them is unknown.
        let found =
            backend.get_many(&[(key("a"), all), (key("none"), all), (key("a"), all)]).await?;
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
        forget().await?;
        let condition = entry.revision.map_or(Condition::Always, Condition::IfRevision);
        let replace = SetOptions { condition, ..SetOptions::default() };
        backend.set(&key("a"), "2".into(), replace).await?;
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("2"));
    }
    Ok(())
}
