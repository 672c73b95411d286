//! The life of an instance: health, closing, interrupted calls, and what it prints.

use core::{
    future::{Future, poll_fn},
    pin::pin,
    slice::from_ref,
    task::Poll,
    time::Duration,
};

use super::{batches::write, case};
use crate::{
    backend::{
        Backend, Capability, Entry, ErrorKind, GetOptions, RemoveOptions, Result, ScanRequest,
        SetOptions, TtlChange, Want, WatchRequest,
    },
    conformance::{
        case::{Case, Checked, Failure},
        trial::{Trial, adding, ensure, holds, refused, same},
    },
};

/// How often a probe may be seen before it is said to stay.
const PROBES: usize = 20;

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(it_has_a_name),
        case!(it_does_not_change_what_it_can_do),
        case!(it_refuses_what_it_does_not_declare),
        case!(it_is_healthy),
        case!(health_leaves_nothing_behind, Scan),
        case!(a_call_that_is_dropped_leaves_it_usable),
        case!(a_call_that_is_never_polled_does_nothing),
        case!(it_can_be_closed_twice),
        case!(it_is_closed_for_every_call_or_for_none),
        case!(its_debug_form_hides_values),
        case!(it_says_whether_it_may_lose_state),
    ]
}

async fn it_has_a_name<B: Backend>(t: &Trial<B>) -> Checked {
    ensure(!t.name().is_empty(), "the backend has no name")
}

async fn it_does_not_change_what_it_can_do<B: Backend>(t: &Trial<B>) -> Checked {
    let before = t.capabilities();
    t.put(&t.key("value"), "1").await?;
    same(t.capabilities(), before, "what the backend declares after a write")
}

async fn it_refuses_what_it_does_not_declare<B: Backend>(t: &Trial<B>) -> Checked {
    let lacks = |capability| !t.capabilities().contains(capability);
    let unsupported = ErrorKind::Unsupported;
    let key = t.key("value");
    if lacks(Capability::Batch) {
        let result = t.apply(vec![write(&key, "1")]).await;
        refused(result, unsupported(Capability::Batch))?;
    }
    if lacks(Capability::Scan) {
        refused(t.scan(scan_of("")).await, unsupported(Capability::Scan))?;
    }
    if lacks(Capability::Watch) {
        let result = t.watch(WatchRequest::Key(key.clone())).await;
        refused(result.map(drop), unsupported(Capability::Watch))?;
    }
    ensure(!t.exists(&key).await?, "a refused operation wrote")
}

async fn it_is_healthy<B: Backend>(t: &Trial<B>) -> Checked {
    t.health().await?;
    Ok(t.health().await?)
}

async fn health_leaves_nothing_behind<B: Backend>(t: &Trial<B>) -> Checked {
    // Others may be probing at the same time, and one that was dropped may have left its probe.
    for _ in 0..PROBES {
        t.health().await?;
        if !shows_a_probe(t).await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Failure::new("a probe is still there after health"))
}

async fn shows_a_probe<B: Backend>(t: &Trial<B>) -> Checked<bool> {
    let mut request = scan_of("=");
    loop {
        let page = t.scan(request.clone()).await?;
        if page.entries.iter().any(|(key, _)| key.as_str().starts_with("=health")) {
            return Ok(true);
        }
        request.cursor = page.next;
        if request.cursor.is_none() {
            return Ok(false);
        }
    }
}

fn scan_of(prefix: &str) -> ScanRequest {
    ScanRequest { prefix: prefix.to_owned(), cursor: None, limit: 100, want: Want::VALUE }
}

/// Polls a call a few times, as if its caller gave up then.
async fn interrupt<T>(call: impl Future<Output = T>, polls: usize) {
    let mut call = pin!(call);
    for _ in 0..polls {
        let done = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
        if done {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn a_call_that_is_dropped_leaves_it_usable<B: Backend>(t: &Trial<B>) -> Checked {
    for polls in 0..4 {
        let key = t.key(&polls.to_string());
        for _ in 0..10 {
            interrupt(t.put(&key, "dropped"), polls).await;
            interrupt(t.value(&key), polls).await;
            interrupt(t.read_many(from_ref(&key), GetOptions::default()), polls).await;
            interrupt(t.exists(&key), polls).await;
            interrupt(t.delete(&key), polls).await;
            interrupt(t.health(), polls).await;
        }
        // Dropped writes may still happen; they come before this one or not at all.
        let after = t.key(&format!("{polls}:after"));
        t.put(&after, "1").await?;
        holds(t.value(&after).await?.as_ref(), "1")?;
        t.value(&key).await?;
    }
    Ok(())
}

async fn a_call_that_is_never_polled_does_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    drop(t.put(&key, "2"));
    drop(t.delete(&key));
    holds(t.value(&key).await?.as_ref(), "1")
}

async fn it_can_be_closed_twice<B: Backend>(t: &Trial<B>) -> Checked {
    let backend = t.fresh().await?;
    backend.close().await?;
    Ok(backend.close().await?)
}

/// Whether a call found the backend closed; any other error is a failure.
fn closed<T>(result: Result<T>) -> Checked<bool> {
    match result {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == ErrorKind::Closed => Ok(true),
        Err(error) => Err(Failure::from(error)),
    }
}

async fn it_is_closed_for_every_call_or_for_none<B: Backend>(t: &Trial<B>) -> Checked {
    let backend = t.fresh().await?;
    let key = t.key("value");
    backend.close().await?;
    // One that holds nothing open may leave `close` as it is; then every call goes on working.
    let expected = closed(backend.get(&key, GetOptions::default()).await)?;
    let can = |capability| backend.capabilities().contains(capability);
    let mut answers = vec![
        ("set", closed(backend.set(&key, "1".into(), SetOptions::default()).await)?),
        ("get_many", closed(backend.get_many(&[(key.clone(), GetOptions::default())]).await)?),
        ("exists", closed(backend.exists(&key).await)?),
        ("expiry", closed(backend.expiry(&key).await)?),
        ("health", closed(backend.health().await)?),
        ("remove", closed(backend.remove(&key, RemoveOptions::default()).await)?),
    ];
    if can(Capability::Cas) {
        answers.push(("add", closed(backend.add(&key, adding(1)).await)?));
    }
    if can(Capability::Cas) && can(Capability::Ttl) {
        answers.push(("touch", closed(backend.touch(&key, TtlChange::Clear).await)?));
    }
    if can(Capability::Batch) {
        answers.push(("apply", closed(backend.apply(vec![write(&key, "1")]).await)?));
    }
    if can(Capability::Scan) {
        answers.push(("scan", closed(backend.scan(scan_of(&t.prefix)).await)?));
    }
    if can(Capability::Watch) {
        answers.push(("watch", closed(backend.watch(WatchRequest::Key(key)).await)?));
    }
    for (call, answer) in answers {
        same(answer, expected, &format!("whether `{call}` finds it closed, as `get` does"))?;
    }
    Ok(())
}

async fn its_debug_form_hides_values<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "canary-7c0f").await?;
    let entry: Option<Entry> = t.get(&key, GetOptions::default()).await?;
    holds(entry.as_ref().map(|entry| &entry.value), "canary-7c0f")?;
    let backend: &B = t;
    let shown = format!("{backend:?} {backend:#?} {entry:?}");
    ensure(!shown.contains("canary"), "a debug form shows a stored value")
}

async fn it_says_whether_it_may_lose_state<B: Backend>(t: &Trial<B>) -> Checked {
    let risks = t.risks().await?;
    let told = risks.iter().all(|risk| !risk.name().is_empty() && !risk.reason().is_empty());
    ensure(told, "state is lost for no reason told")
}
