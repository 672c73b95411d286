//! Rate limits: permits are taken by a script, by the clock of the server.

use core::time::Duration;

use redis::Value;

use super::{
    error,
    node::{Effect, Lane},
    router::Router,
    script::THROTTLE,
};
use crate::{
    backend::{
        Pace, Result, ThrottleOptions, Throttled,
        throttle::{micros, not_a_window},
    },
    key::Key,
};

pub(super) async fn throttle(
    router: &Router,
    key: &Key,
    options: &ThrottleOptions,
) -> Result<Throttled> {
    let key = key.as_str();
    let (kind, step) = match options.pace {
        Pace::Smooth { interval, .. } => ("smooth", interval),
        Pace::Window { period, .. } => ("window", period),
    };
    let mut command = THROTTLE.call(1, 4, key.len() + 60);
    command.arg(key).arg(kind).arg(options.cost);
    command.arg(options.pace.capacity()).arg(micros(step));
    match router.perform(Lane::Small, Effect::Write, &[key], &command).await? {
        Value::Array(answer) => read(&answer).ok_or_else(error::strange_write),
        Value::Int(2) => Err(not_a_window()),
        _ => Err(error::strange_write()),
    }
}

/// The answer of the script.
fn read(answer: &[Value]) -> Option<Throttled> {
    let [Value::Int(admitted), Value::Int(remaining), Value::Int(later), Value::Int(reset)] =
        answer
    else {
        return None;
    };
    Some(Throttled {
        admitted: *admitted == 1,
        remaining: u32::try_from(*remaining).ok()?,
        retry_after: u64::try_from(*later).ok().map(Duration::from_micros),
        reset: Duration::from_micros(u64::try_from(*reset).ok()?),
    })
}
