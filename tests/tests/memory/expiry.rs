//! Expired entries are swept, a few with each write.

use std::time::Duration;

use state_runtime::backend::{
    Backend, ErrorKind, GetOptions, MAX_TTL, SetOptions, TtlChange, Want,
};

use crate::{TestResult, clocked, field, key, lasting, put, value};

const TTL: Duration = Duration::from_secs(5);

#[tokio::test]
async fn writes_sweep_what_expired() -> TestResult {
    let (clock, backend) = clocked();
    for i in 0..500 {
        backend.set(&key(&format!("old:{i}")), "1".into(), lasting(TTL)).await?;
    }
    clock.advance(TTL);
    assert_eq!(field(&backend, "stored"), 500, "expired entries go with writes, not by themselves");
    for i in 0..1000 {
        put(&backend, &format!("new:{i}"), "1").await?;
    }
    assert_eq!(field(&backend, "stored"), 1000);
    Ok(())
}

#[tokio::test]
async fn one_write_sweeps_only_a_few() -> TestResult {
    let (clock, backend) = clocked();
    for i in 0..10_000 {
        backend.set(&key(&format!("old:{i}")), "1".into(), lasting(TTL)).await?;
    }
    clock.advance(TTL);
    put(&backend, "new", "1").await?;
    let left = field(&backend, "stored");
    assert!((9_990..=10_000).contains(&left), "{left} left");
    Ok(())
}

#[tokio::test]
async fn renewed_and_touched_entries_are_not_swept_by_their_old_expiry() -> TestResult {
    let (clock, backend) = clocked();
    for name in ["renewed", "touched", "replaced", "cleared"] {
        backend.set(&key(name), "1".into(), lasting(TTL)).await?;
    }
    let renew = GetOptions { renew: Some(TTL * 10), want: Want::VALUE };
    backend.get(&key("renewed"), renew).await?;
    backend.touch(&key("touched"), TtlChange::After(TTL * 10)).await?;
    backend.set(&key("replaced"), "1".into(), lasting(TTL * 10)).await?;
    backend.set(&key("cleared"), "1".into(), SetOptions::default()).await?;
    clock.advance(TTL);
    for i in 0..1000 {
        put(&backend, &format!("new:{i}"), "1").await?;
    }
    for name in ["renewed", "touched", "replaced", "cleared"] {
        assert_eq!(value(&backend, name).await?.as_deref(), Some("1"), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_ttl_below_a_millisecond_is_refused() -> TestResult {
    let (_, backend) = clocked();
    put(&backend, "a", "1").await?;
    for ttl in [Duration::ZERO, Duration::from_nanos(999_999)] {
        let set = backend.set(&key("a"), "2".into(), lasting(ttl)).await;
        assert_eq!(set.unwrap_err().kind(), ErrorKind::InvalidTtl);
        let touch = backend.touch(&key("a"), TtlChange::After(ttl)).await;
        assert_eq!(touch.unwrap_err().kind(), ErrorKind::InvalidTtl);
    }
    assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"));
    Ok(())
}

#[tokio::test]
async fn a_ttl_beyond_ten_years_is_refused() -> TestResult {
    let (_, backend) = clocked();
    for ttl in [MAX_TTL + Duration::from_millis(1), Duration::MAX] {
        let refused = backend.set(&key("a"), "1".into(), lasting(ttl)).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidTtl, "{ttl:?}");
    }
    backend.set(&key("a"), "1".into(), lasting(MAX_TTL)).await?;
    assert!(backend.exists(&key("a")).await?);
    Ok(())
}
