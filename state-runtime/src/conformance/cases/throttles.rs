//! `throttle`: permits of a rate limit, taken in one atomic step.

use core::time::Duration;

use super::case;
use crate::{
    backend::{Backend, ErrorKind, Pace, RateWindow, ThrottleOptions, Throttled},
    conformance::{
        case::{Case, Checked, Failure},
        trial::{Trial, absent, ensure, holds, refused, same},
    },
    key::Key,
};

/// So long that no permit comes back while a case runs.
const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(permits_are_taken_until_none_is_left, Cas, Ttl),
        case!(permits_are_taken_all_or_none, Cas, Ttl),
        case!(a_refusal_pushes_nothing_further_away, Cas, Ttl),
        case!(more_permits_than_there_are_ever_are_refused_for_ever, Cas, Ttl),
        case!(looking_takes_no_permit, Cas, Ttl),
        case!(permits_come_back_one_by_one, Cas, Ttl),
        case!(all_permits_of_a_window_come_back_at_its_end, Cas, Ttl),
        case!(a_rate_window_expires_when_all_permits_are_back, Cas, Ttl),
        case!(a_changed_limit_holds_at_once, Cas, Ttl),
        case!(a_changed_pace_holds_at_once, Cas, Ttl),
        case!(a_rate_window_is_stored_as_json, Cas, Ttl),
        case!(throttle_refuses_what_is_no_rate_window, Cas, Ttl),
        case!(callers_at_once_take_no_permit_twice, Cas, Ttl),
    ]
}

fn smooth(burst: u32) -> Pace {
    Pace::Smooth { interval: DAY, burst }
}

fn window(limit: u32) -> Pace {
    Pace::Window { period: DAY, limit }
}

async fn take<B: Backend>(t: &Trial<B>, key: &Key, pace: Pace, cost: u32) -> Checked<Throttled> {
    Ok(t.throttle(key, ThrottleOptions { pace, cost }).await?)
}

/// Takes permits that have to be there, and checks how many are left.
async fn takes<B: Backend>(t: &Trial<B>, key: &Key, pace: Pace, cost: u32, left: u32) -> Checked {
    let answer = take(t, key, pace, cost).await?;
    ensure(answer.admitted, "permits that are there were refused")?;
    same(answer.retry_after, None, "when to try again after permits were taken")?;
    same(answer.remaining, left, "how many permits are left")
}

/// Asks for permits that must not be there, and tells when to try again.
async fn lacks<B: Backend>(
    t: &Trial<B>,
    key: &Key,
    pace: Pace,
    cost: u32,
) -> Checked<Option<Duration>> {
    let answer = take(t, key, pace, cost).await?;
    ensure(!answer.admitted, "more permits were taken than there are")?;
    Ok(answer.retry_after)
}

async fn permits_are_taken_until_none_is_left<B: Backend>(t: &Trial<B>) -> Checked {
    for (name, pace) in [("smooth", smooth(3)), ("window", window(3))] {
        let key = t.key(name);
        for left in [2, 1, 0] {
            takes(t, &key, pace, 1, left).await?;
        }
        let wait = lacks(t, &key, pace, 1).await?.unwrap_or_default();
        ensure(wait > DAY / 2 && wait <= DAY, "a wrong time to try again")?;
    }
    Ok(())
}

async fn permits_are_taken_all_or_none<B: Backend>(t: &Trial<B>) -> Checked {
    for (name, pace) in [("smooth", smooth(10)), ("window", window(10))] {
        let key = t.key(name);
        takes(t, &key, pace, 7, 3).await?;
        ensure(lacks(t, &key, pace, 4).await?.is_some(), "no time to try again")?;
        takes(t, &key, pace, 3, 0).await?;
    }
    Ok(())
}

async fn a_refusal_pushes_nothing_further_away<B: Backend>(t: &Trial<B>) -> Checked {
    for (name, pace) in [("smooth", smooth(1)), ("window", window(1))] {
        let key = t.key(name);
        takes(t, &key, pace, 1, 0).await?;
        let stored = t.value(&key).await?;
        for _ in 0..5 {
            lacks(t, &key, pace, 1).await?;
        }
        ensure(t.value(&key).await? == stored, "a refusal changes what is stored")?;
    }
    Ok(())
}

async fn more_permits_than_there_are_ever_are_refused_for_ever<B: Backend>(
    t: &Trial<B>,
) -> Checked {
    for (name, pace) in [("smooth", smooth(2)), ("window", window(2))] {
        let key = t.key(name);
        same(lacks(t, &key, pace, 3).await?, None, "when to try again")?;
        absent(t.value(&key).await?.as_ref())?;
        takes(t, &key, pace, 2, 0).await?;
    }
    Ok(())
}

async fn looking_takes_no_permit<B: Backend>(t: &Trial<B>) -> Checked {
    for (name, pace) in [("smooth", smooth(2)), ("window", window(2))] {
        let key = t.key(name);
        takes(t, &key, pace, 0, 2).await?;
        absent(t.value(&key).await?.as_ref())?;
        takes(t, &key, pace, 1, 1).await?;
        takes(t, &key, pace, 0, 1).await?;
        takes(t, &key, pace, 1, 0).await?;
    }
    Ok(())
}

async fn permits_come_back_one_by_one<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, interval) = (t.key("smooth"), t.time.short());
    // More than a case has time for.
    let pace = Pace::Smooth { interval, burst: 500 };
    let all = take(t, &key, pace, 500).await?;
    ensure(all.admitted, "permits that are there were refused")?;
    t.time.pass(interval * 3).await;
    let left = take(t, &key, pace, 0).await?.remaining;
    ensure(left >= 2, "no permit has come back")?;
    ensure(left < 500, "all permits have come back at once")?;
    ensure(take(t, &key, pace, 2).await?.admitted, "what has come back cannot be taken")
}

async fn all_permits_of_a_window_come_back_at_its_end<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, period) = (t.key("window"), t.time.short());
    let pace = Pace::Window { period, limit: 5 };
    takes(t, &key, pace, 5, 0).await?;
    t.time.pass(period).await;
    // Clocks of other machines may be a little behind.
    for _ in 0..50 {
        if take(t, &key, pace, 5).await?.admitted {
            return Ok(());
        }
        t.time.pass(Duration::from_millis(20)).await;
    }
    Err(Failure::new("the window does not end"))
}

async fn a_rate_window_expires_when_all_permits_are_back<B: Backend>(t: &Trial<B>) -> Checked {
    let now = t.time.now();
    for (name, pace, taken, span) in
        [("smooth", smooth(9), 2, DAY * 2), ("window", window(9), 2, DAY)]
    {
        let key = t.key(name);
        let answer = take(t, &key, pace, taken).await?;
        same(answer.reset, span, "when all permits are back")?;
        t.expires_after(&key, now, span).await?;
    }
    Ok(())
}

async fn a_changed_limit_holds_at_once<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("window");
    takes(t, &key, window(4), 4, 0).await?;
    lacks(t, &key, window(4), 1).await?;
    takes(t, &key, window(6), 1, 1).await?;
    lacks(t, &key, window(2), 1).await?;
    takes(t, &key, window(6), 1, 0).await?;

    let key = t.key("smooth");
    takes(t, &key, smooth(4), 4, 0).await?;
    lacks(t, &key, smooth(4), 1).await?;
    // Permits that come back twice as fast are half as far away.
    let faster = Pace::Smooth { interval: DAY / 2, burst: 4 };
    let wait = lacks(t, &key, faster, 1).await?;
    ensure(wait.is_some_and(|wait| wait <= DAY / 2), "the limit of former days still holds")
}

async fn a_changed_pace_holds_at_once<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("both");
    takes(t, &key, smooth(4), 4, 0).await?;
    // A window that is shorter than what is left of four days ends after its own time.
    let answer = take(t, &key, window(4), 1).await?;
    ensure(answer.reset <= DAY, "a window lasts longer than it is")
}

async fn a_rate_window_is_stored_as_json<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("window");
    take(t, &key, window(9), 2).await?;
    let value = t.value(&key).await?.unwrap_or_default();
    let text = str::from_utf8(&value).unwrap_or_default();
    let window: RateWindow = serde_json::from_str(text).map_err(Failure::new)?;
    let end = t.time.now().after(DAY);
    let off = window.free_at().since(end).max(end.since(window.free_at()));
    ensure(off <= t.time.tolerance(), "it ends at another time")?;
    ensure(text.ends_with(",\"used\":2}"), "it does not tell how many were taken")
}

async fn throttle_refuses_what_is_no_rate_window<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    let values: [&'static [u8]; 7] =
        [b"1", b"\"x\"", b"{}", b"{\"free_at\":\"1\"}", b"{\"free_at\":-1}", b"", b"\xff"];
    for value in values {
        t.put(&key, value).await?;
        let options = ThrottleOptions { pace: window(1), cost: 1 };
        refused(t.throttle(&key, options).await, ErrorKind::NotAWindow)?;
        holds(t.value(&key).await?.as_ref(), value)?;
    }
    Ok(())
}

async fn callers_at_once_take_no_permit_twice<B: Backend>(t: &Trial<B>) -> Checked {
    for (name, pace) in [("smooth", smooth(20)), ("window", window(20))] {
        let key = t.key(name);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..5 {
            let (backend, key) = (std::sync::Arc::clone(&t.backend), key.clone());
            tasks.spawn(async move {
                let mut taken = 0;
                for _ in 0..8 {
                    let options = ThrottleOptions { pace, cost: 1 };
                    taken += u32::from(backend.throttle(&key, options).await?.admitted);
                }
                Ok::<_, crate::backend::BackendError>(taken)
            });
        }
        let mut taken = 0;
        while let Some(joined) = tasks.join_next().await {
            taken += joined.map_err(|_| Failure::new("a task panicked"))??;
        }
        same(taken, 20, "how many permits were taken")?;
    }
    Ok(())
}
