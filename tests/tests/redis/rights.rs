//! The rights that the page of Redis names for each operation: they suffice, and none is in vain.

use state_runtime::backend::{RemoveOptions, ScanRequest, Want, WatchRequest};

use super::*;

/// The rows of the table of rights: the operations, and the rules.
fn documented() -> Vec<(String, Vec<String>)> {
    let page = include_str!("../../../docs/redis.md");
    let table = page.lines().skip_while(|line| !line.starts_with("| operations |")).skip(2);
    let rows = table.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1);
        let quoted = |cell: &str| -> Vec<String> {
            cell.replace('\\', "").split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let operations = cells.next().map(quoted).unwrap_or_default();
        // A rule may have a `|` of its own, which the page escapes.
        let rules = cells.collect::<Vec<_>>().join("|");
        // What follows is of use, but not needed.
        let rules = rules.split(';').next().unwrap_or_default();
        let rules = quoted(rules).iter().flat_map(|it| it.split(' ')).map(str::to_owned).collect();
        (operations.join(", "), rules)
    })
    .collect()
}

/// What the operations of a row ask of a server where there is `a` already.
async fn perform(operations: &str, backend: &RedisBackend) -> Result<()> {
    let (a, ttl) = (key("a"), Duration::from_secs(3600));
    let reading = |want| GetOptions { want, ..GetOptions::default() };
    match operations {
        "get, get_many, get_all" => {
            backend.get(&a, GetOptions::default()).await?;
            let many = ["a", "none"].map(|name| (key(name), GetOptions::default()));
            backend.get_many(&many).await.map(drop)
        }
        "set, create" => {
            put(backend, "a", "1").await?;
            match backend.set(&a, "1".into(), create()).await.map_err(|error| error.kind()) {
                Err(ErrorKind::Conflict { .. }) => Ok(()),
                other => panic!("{other:?}"),
            }
        }
        "remove" => backend.remove(&key("none"), RemoveOptions::default()).await,
        "exists" => backend.exists(&a).await.map(drop),
        "ttl" => backend.expiry(&a).await.map(drop),
        "touch" => backend.touch(&a, TtlChange::After(ttl)).await.map(drop),
        "persist" => {
            backend.touch(&a, TtlChange::Clear).await?;
            backend.touch(&a, TtlChange::Clear).await.map(drop)
        }
        "sliding" => {
            // One that has an expiry already, of which little is left.
            backend
                .get(&key("short"), GetOptions { renew: Some(ttl), ..GetOptions::default() })
                .await
                .map(drop)
        }
        "update, replace, take, transaction" => {
            let found = backend.get(&a, reading(Want::REVISION)).await?;
            let revision = found.and_then(|entry| entry.revision).expect("it is there");
            let condition = Condition::IfRevision(revision.clone());
            let options = SetOptions { condition, ..SetOptions::default() };
            backend.set(&a, "1".into(), options).await?;
            let condition = Condition::IfRevision(revision);
            backend.remove(&a, RemoveOptions { condition }).await?;
            let absent = state_runtime::backend::BatchOp::Set {
                key: a,
                value: "1".into(),
                options: create(),
            };
            backend.apply(vec![absent]).await.map(drop)
        }
        "add" => backend.add(&key("n"), plus(1)).await.map(drop),
        "scan, keys, count" => {
            let all =
                ScanRequest { prefix: String::new(), cursor: None, limit: 100, want: Want::VALUE };
            backend.scan(all).await.map(drop)
        }
        "watch" => backend.watch(WatchRequest::Prefix(String::new())).await.map(drop),
        other => panic!("what the page calls {other:?} is not tried here"),
    }
}

#[tokio::test]
async fn the_rights_of_the_page_suffice_and_none_is_in_vain() -> TestResult {
    let rows = documented();
    assert!(rows.len() > 10, "{rows:?}");
    for flavour in Flavour::ALL {
        let server = Server::start(flavour).await;
        for (operations, rules) in &rows {
            for left_out in core::iter::once(None).chain(rules.iter().map(Some)) {
                let granted = rules.iter().filter(|rule| Some(*rule) != left_out);
                let mut user = vec!["ACL", "SETUSER", "shop", "reset", "on", ">secret", "~*"];
                user.extend(granted.map(String::as_str));
                server.command::<()>(&["SET", "a", "1"]).await?;
                server.command::<()>(&["SET", "short", "1", "PX", "1000000"]).await?;
                server.command::<()>(&["SCRIPT", "FLUSH"]).await?;
                server.command::<()>(&user).await?;
                let config = RedisConfig::new(server.address());
                let config = config.with_username("shop").with_password("secret");
                let backend = RedisBackend::connect(config).await?;
                let done = perform(operations, &backend).await.map_err(|error| error.kind());
                let expected = if left_out.is_none() { Ok(()) } else { Err(ErrorKind::Denied) };
                assert_eq!(done, expected, "{flavour:?}: {operations} without {left_out:?}");
                backend.close().await?;
            }
        }
    }
    Ok(())
}
