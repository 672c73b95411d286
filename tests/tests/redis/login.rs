//! Users, passwords, rights and TLS.

use super::*;
use state_runtime::backend::{BatchOp, RemoveOptions, Want};
use tests::servers::certificates::Certificates;

#[tokio::test]
async fn without_the_password_nobody_is_let_in() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::builder(flavour).password("tiger-5e2").start().await;
        let config = || RedisConfig::new(server.address());
        assert_eq!(refused(RedisBackend::connect(config())).await, ErrorKind::Denied);
        let wrong = RedisBackend::connect(config().with_password("lion-5e2")).await.unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Denied);
        assert!(!format!("{wrong} {wrong:?}").contains("lion"), "{wrong:?}");
        assert!(wrong.to_string().contains(&server.address()), "{wrong}");
        let backend = RedisBackend::connect(config().with_password("tiger-5e2")).await?;
        put(&backend, "a", "1").await?;
        assert!(!format!("{backend:?}").contains("tiger"));
    }
    Ok(())
}

#[tokio::test]
async fn a_password_that_nobody_asked_for_is_refused() {
    let server = Server::shared(Flavour::Redis7).await;
    let config = RedisConfig::new(server.address()).with_password("tiger");
    assert_eq!(refused(RedisBackend::connect(config)).await, ErrorKind::Denied);
}

#[tokio::test]
async fn a_user_has_the_rights_of_its_list() -> TestResult {
    for flavour in Flavour::ALL {
        let server =
            Server::builder(flavour).user("shop", "secret", "~shop:* +@all -debug").start().await;
        let config = RedisConfig::new(server.address());
        let backend =
            RedisBackend::connect(config.with_username("shop").with_password("secret")).await?;
        put(&backend, "shop:1", "1").await?;
        assert_eq!(value(&backend, "shop:1").await?.as_deref(), Some("1"));
        assert_eq!(refused(put(&backend, "bank:1", "1")).await, ErrorKind::Denied);
        assert_eq!(refused(value(&backend, "bank:1")).await, ErrorKind::Denied);
        assert_eq!(refused(backend.add(&key("bank:1"), plus(1))).await, ErrorKind::Denied);
        let many = ["shop:1", "bank:1"].map(|name| (key(name), GetOptions::default()));
        assert_eq!(refused(backend.get_many(&many)).await, ErrorKind::Denied);
    }
    Ok(())
}

#[tokio::test]
async fn a_user_who_may_do_very_little_can_still_read() -> TestResult {
    for flavour in Flavour::ALL {
        let server = Server::builder(flavour).user("reader", "secret", "~* +get").start().await;
        server.command::<()>(&["SET", "a", "1"]).await?;
        let config = RedisConfig::new(server.address());
        let backend =
            RedisBackend::connect(config.with_username("reader").with_password("secret")).await?;
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"));
        assert_eq!(refused(put(&backend, "a", "2")).await, ErrorKind::Denied);
        // `MGET` is another command, and so is what counts missing keys.
        let many = ["a", "none"].map(|name| (key(name), GetOptions::default()));
        let found = backend.get_many(&many).await?;
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        let risks: Vec<_> = backend.risks().await?.iter().map(Risk::name).collect();
        assert_eq!(risks, ["unknown-settings"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_right_is_named_and_so_is_the_server() -> TestResult {
    for flavour in Flavour::ALL {
        let rules = "~shop:* +@all -set -pexpire";
        let server = Server::builder(flavour).user("shop", "secret", rules).start().await;
        server.command::<()>(&["SET", "shop:1", "tiger-5e2"]).await?;
        let config = RedisConfig::new(server.address());
        let backend =
            RedisBackend::connect(config.with_username("shop").with_password("secret")).await?;
        let keep = TtlChange::After(Duration::from_secs(60));
        let secret = key("bank:tiger-5e2");
        for (error, remedy) in [
            (put(&backend, "shop:1", "tiger-5e2").await.unwrap_err(), "add `+set`"),
            (backend.touch(&key("shop:1"), keep).await.unwrap_err(), "add `+pexpire`"),
            (backend.remove(&secret, RemoveOptions::default()).await.unwrap_err(), "`~shop:*`"),
            (backend.get(&secret, GetOptions::default()).await.unwrap_err(), "`~shop:*`"),
            (backend.add(&secret, plus(1)).await.unwrap_err(), "`~shop:*`"),
        ] {
            assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("tiger"), "{shown}");
            for part in [remedy, "access control list", &server.address()] {
                assert!(error.to_string().contains(part), "{flavour:?}: {part:?} in {error}");
            }
        }
        // The script writes by a command that the user may not run.
        let revision = backend.get(&key("shop:1"), reading_revision()).await?;
        let condition = Condition::IfRevision(revision.and_then(|it| it.revision).ok_or("none")?);
        let options = SetOptions { condition, ..SetOptions::default() };
        let error = backend.set(&key("shop:1"), "2".into(), options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{flavour:?}: {error}");
        assert!(error.to_string().contains(&server.address()), "{flavour:?}: {error}");
        assert!(error.to_string().contains("access control list"), "{flavour:?}: {error}");
    }
    Ok(())
}

fn reading_revision() -> GetOptions {
    GetOptions { want: Want { revision: true, ..Want::default() }, ..GetOptions::default() }
}

#[tokio::test]
async fn a_batch_whose_last_write_is_forbidden_writes_nothing_where_that_can_be_known() -> TestResult
{
    for flavour in Flavour::ALL {
        let rules = "~* +@all -del";
        let server = Server::builder(flavour).user("careful", "secret", rules).start().await;
        let config = RedisConfig::new(server.address());
        let backend =
            RedisBackend::connect(config.with_username("careful").with_password("secret")).await?;
        put(&backend, "old", "1").await?;
        let options = SetOptions::default();
        let batch = vec![
            BatchOp::Set { key: key("new"), value: "1".into(), options },
            BatchOp::Remove { key: key("old"), options: RemoveOptions::default() },
        ];
        let refusal = refused(backend.apply(batch)).await;
        if flavour == Flavour::Redis6 {
            // It cannot be asked for a right before the first write.
            assert_eq!(refusal, ErrorKind::Indeterminate);
        } else {
            assert_eq!(refusal, ErrorKind::Denied);
            assert_eq!(value(&backend, "new").await?, None);
        }
    }
    Ok(())
}

#[tokio::test]
async fn tls_is_spoken_with_a_server_that_is_trusted() -> TestResult {
    let server = Server::builder(Flavour::Redis7).tls().start().await;
    let certificates = server.certificates().ok_or("the server speaks TLS")?;
    let config = RedisConfig::new(server.address());
    let trusting = config.clone().with_ca_certificate(certificates.authority());
    let backend = RedisBackend::connect(trusting).await?;
    put(&backend, "a", "1").await?;
    assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"));
    // Whom the machine trusts is not for a test to say: this one is trusted, and is another one.
    let folder = tempfile::tempdir()?;
    let other = Certificates::make(folder.path());
    let untrusted = config.clone().with_ca_certificate(other.authority());
    let error = RedisBackend::connect(untrusted).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("TLS failed"), "{error}");
    assert_eq!(refused(RedisBackend::connect(config)).await, ErrorKind::Other);
    Ok(())
}

#[tokio::test]
async fn a_user_who_may_not_select_the_database_is_not_let_into_another() -> TestResult {
    let server = Server::builder(Flavour::Redis7).start().await;
    let mut raw = redis::Client::open(server.url())?.get_multiplexed_async_connection().await?;
    let mut command = redis::cmd("ACL");
    let rights = ["on", ">tiger-5e2", "~*", "+@all", "-select"];
    command.arg("SETUSER").arg("guest").arg(&rights).query_async::<()>(&mut raw).await?;
    let config =
        || RedisConfig::new(server.address()).with_username("guest").with_password("tiger-5e2");
    let refusal = RedisBackend::connect(config().with_database(3)).await.unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::Denied);
    RedisBackend::connect(config()).await?;
    Ok(())
}

#[tokio::test]
async fn an_address_with_a_login_is_not_repeated() {
    for address in ["redis://u:hunter2@h", "u:hunter2@h", "hunter2@h:6379"] {
        let config = RedisConfig::new(address);
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
        let refusal = RedisBackend::connect(config).await.unwrap_err();
        assert!(!format!("{refusal} {refusal:?}").contains("hunter2"), "{refusal:?}");
    }
}
