//! `add`: integers that change in one atomic step.

use core::time::Duration;

use super::case;
use crate::{
    backend::{AddOptions, Backend, ErrorKind, Expiry},
    conformance::{
        case::{Case, Checked, Failure},
        trial::{Trial, absent, adding, ensure, holds, refused, same},
    },
    key::Key,
};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(an_absent_integer_is_zero, Cas),
        case!(add_adds_to_what_is_there, Cas),
        case!(add_of_a_negative_number_subtracts, Cas),
        case!(add_of_zero_creates, Cas),
        case!(add_adds_to_what_was_written_by_hand, Cas),
        case!(the_stored_form_is_plain_digits, Cas),
        case!(add_stays_within_its_upper_bound, Cas),
        case!(add_stays_within_its_lower_bound, Cas),
        case!(add_out_of_bounds_creates_nothing, Cas),
        case!(add_goes_beyond_64_bits_signed, Cas),
        case!(add_goes_beyond_64_bits_unsigned, Cas),
        case!(add_stops_at_the_ends_of_128_bits, Cas),
        case!(add_stops_at_the_bounds_of_common_types, Cas),
        case!(add_refuses_what_is_no_integer, Cas),
        case!(add_refuses_without_showing_the_value, Cas),
        case!(add_after_a_remove_starts_at_zero, Cas),
        case!(add_creates_with_a_ttl, Cas, Ttl),
        case!(add_keeps_the_ttl_that_is_there, Cas, Ttl),
        case!(add_gives_no_ttl_to_an_entry_without, Cas, Ttl),
        case!(add_to_an_expired_integer_starts_at_zero, Cas, Ttl),
    ]
}

/// Checks that adding `delta` within bounds is refused and changes nothing.
async fn refuses<B: Backend>(
    t: &Trial<B>,
    stored: i128,
    delta: i128,
    bounds: (i128, i128),
) -> Checked {
    let key = t.key("bounded");
    t.put(&key, stored.to_string()).await?;
    refused(t.add(&key, within(delta, bounds)).await, ErrorKind::OutOfRange)?;
    holds(t.value(&key).await?.as_ref(), stored.to_string())
}

/// Checks that adding `delta` within bounds gives `sum`.
async fn gives<B: Backend>(
    t: &Trial<B>,
    stored: i128,
    delta: i128,
    bounds: (i128, i128),
) -> Checked {
    let (key, sum) = (t.key("bounded"), stored + delta);
    t.put(&key, stored.to_string()).await?;
    same(t.add(&key, within(delta, bounds)).await?, sum, "the sum")?;
    holds(t.value(&key).await?.as_ref(), sum.to_string())
}

fn within(delta: i128, (min, max): (i128, i128)) -> AddOptions {
    AddOptions { delta, min, max, ttl: None }
}

async fn an_absent_integer_is_zero<B: Backend>(t: &Trial<B>) -> Checked {
    same(t.plus(&t.key("n"), 5).await?, 5, "5 added to nothing")
}

async fn add_adds_to_what_is_there<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    t.plus(&key, 40).await?;
    same(t.plus(&key, 2).await?, 42, "40 + 2")
}

async fn add_of_a_negative_number_subtracts<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    t.plus(&key, 3).await?;
    same(t.plus(&key, -5).await?, -2, "3 - 5")?;
    same(t.plus(&key, 2).await?, 0, "-2 + 2")
}

async fn add_of_zero_creates<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    same(t.plus(&key, 0).await?, 0, "0 added to nothing")?;
    holds(t.value(&key).await?.as_ref(), "0")
}

async fn add_adds_to_what_was_written_by_hand<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    t.put(&key, "-41").await?;
    same(t.plus(&key, -1).await?, -42, "-41 - 1")
}

async fn the_stored_form_is_plain_digits<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    t.plus(&key, 1234).await?;
    holds(t.value(&key).await?.as_ref(), "1234")?;
    t.plus(&key, -2000).await?;
    holds(t.value(&key).await?.as_ref(), "-766")
}

async fn add_stays_within_its_upper_bound<B: Backend>(t: &Trial<B>) -> Checked {
    gives(t, 9, 1, (0, 10)).await?;
    refuses(t, 9, 2, (0, 10)).await
}

async fn add_stays_within_its_lower_bound<B: Backend>(t: &Trial<B>) -> Checked {
    gives(t, 1, -1, (0, 10)).await?;
    refuses(t, 1, -2, (0, 10)).await
}

async fn add_out_of_bounds_creates_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    refused(t.add(&key, within(11, (0, 10))).await, ErrorKind::OutOfRange)?;
    refused(t.add(&key, within(-1, (0, 10))).await, ErrorKind::OutOfRange)?;
    refused(t.add(&key, within(0, (1, 10))).await, ErrorKind::OutOfRange)?;
    absent(t.value(&key).await?.as_ref())
}

async fn add_goes_beyond_64_bits_signed<B: Backend>(t: &Trial<B>) -> Checked {
    let (min, max) = (i128::from(i64::MIN), i128::from(i64::MAX));
    gives(t, max, 1, (i128::MIN, i128::MAX)).await?;
    gives(t, min, -1, (i128::MIN, i128::MAX)).await
}

async fn add_goes_beyond_64_bits_unsigned<B: Backend>(t: &Trial<B>) -> Checked {
    let max = i128::from(u64::MAX);
    gives(t, max - 1, 1, (0, max)).await?;
    gives(t, max, 1, (i128::MIN, i128::MAX)).await?;
    // Where a double would have rounded.
    gives(t, (1 << 53) + 1, 1, (0, max)).await
}

async fn add_stops_at_the_ends_of_128_bits<B: Backend>(t: &Trial<B>) -> Checked {
    let all = (i128::MIN, i128::MAX);
    gives(t, i128::MAX - 1, 1, all).await?;
    refuses(t, i128::MAX, 1, all).await?;
    gives(t, i128::MIN + 1, -1, all).await?;
    refuses(t, i128::MIN, -1, all).await?;
    refuses(t, i128::MAX, i128::MAX, all).await
}

async fn add_stops_at_the_bounds_of_common_types<B: Backend>(t: &Trial<B>) -> Checked {
    for (min, max) in [
        (i128::from(i64::MIN), i128::from(i64::MAX)),
        (0, i128::from(u64::MAX)),
        (i128::from(i32::MIN), i128::from(i32::MAX)),
        (0, i128::from(u8::MAX)),
    ] {
        refuses(t, max, 1, (min, max)).await?;
        refuses(t, min, -1, (min, max)).await?;
    }
    Ok(())
}

async fn add_refuses_what_is_no_integer<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    let values: [&'static [u8]; 9] =
        [b"\"1\"", b"1.5", b"1e3", b"{}", b"", b"one", b"true", b"\xff", b"1 2"];
    for value in values {
        t.put(&key, value).await?;
        refused(t.plus(&key, 1).await, ErrorKind::NotAnInteger)?;
        holds(t.value(&key).await?.as_ref(), value)?;
    }
    Ok(())
}

async fn add_refuses_without_showing_the_value<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    t.put(&key, "\"canary-1f9d\"").await?;
    let Err(error) = t.plus(&key, 1).await else {
        return Err(Failure::new("add took a text for an integer"));
    };
    let shown = format!("{error} {error:?}");
    ensure(!shown.contains("canary"), "an error shows a stored value")
}

async fn add_after_a_remove_starts_at_zero<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    t.plus(&key, 5).await?;
    t.delete(&key).await?;
    same(t.plus(&key, 1).await?, 1, "1 added to what was removed")
}

async fn add_for<B: Backend>(t: &Trial<B>, key: &Key, ttl: Duration) -> Checked<i128> {
    Ok(t.add(key, AddOptions { ttl: Some(ttl), ..adding(1) }).await?)
}

async fn add_creates_with_a_ttl<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("n"), t.time.now());
    add_for(t, &key, HOUR).await?;
    t.expires_after(&key, now, HOUR).await
}

async fn add_keeps_the_ttl_that_is_there<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("n"), t.time.now());
    add_for(t, &key, HOUR).await?;
    t.time.pass(t.time.short()).await;
    add_for(t, &key, HOUR * 5).await?;
    t.plus(&key, 1).await?;
    t.expires_after(&key, now, HOUR).await
}

async fn add_gives_no_ttl_to_an_entry_without<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    t.plus(&key, 1).await?;
    add_for(t, &key, HOUR).await?;
    same(t.expiry(&key).await?, Some(Expiry::Never), "the expiry of a persistent integer")
}

async fn add_to_an_expired_integer_starts_at_zero<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, ttl, now) = (t.key("n"), t.time.short(), t.time.now());
    add_for(t, &key, ttl).await?;
    t.outlive(&key, now, ttl).await?;
    same(t.plus(&key, 7).await?, 7, "7 added to what expired")?;
    same(t.expiry(&key).await?, Some(Expiry::Never), "the expiry of the new integer")
}
