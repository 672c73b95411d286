//! What the contract says of every backend, for those that carry it out themselves.

use core::time::Duration;

use super::{BackendError, BatchOp, ErrorKind, MAX_TTL, MIN_TTL, Result, Timestamp};

/// Refuses a time to live that is shorter or longer than engines count.
///
/// # Errors
///
/// [`ErrorKind::InvalidTtl`].
pub(crate) fn check_ttl(ttl: Duration) -> Result<()> {
    if (MIN_TTL..=MAX_TTL).contains(&ttl) {
        Ok(())
    } else {
        Err(BackendError::new(
            ErrorKind::InvalidTtl,
            "a time to live is between a millisecond and ten years",
        ))
    }
}

/// Refuses a batch that writes one entry twice.
///
/// # Errors
///
/// [`ErrorKind::Other`].
pub(crate) fn check_batch(batch: &[BatchOp]) -> Result<()> {
    let mut keys: Vec<_> = batch.iter().map(|op| op.key().as_str()).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| matches!(pair, [one, two] if one == two)) {
        return Err(BackendError::new(
            ErrorKind::Other,
            "a key stands in the batch twice; merge the two operations",
        ));
    }
    Ok(())
}

/// Whether a read at `now` that gives its entry another `ttl` has to write: less than seven
/// eighths of it are left. So an entry that is read all the time is written eight times a `ttl`.
pub(crate) fn renewal_is_due(expires: Timestamp, now: Timestamp, ttl: Duration) -> bool {
    expires.since(now) < ttl / 8 * 7
}
