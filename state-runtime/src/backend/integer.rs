//! Adding to a stored integer, for every backend that computes the sum itself.

use super::{AddOptions, BackendError, ErrorKind, Result};

/// The result of adding to `stored`.
///
/// # Errors
///
/// [`ErrorKind::NotAnInteger`] where `stored` is not the JSON of an integer,
/// [`ErrorKind::OutOfRange`] where the result leaves the bounds.
pub(crate) fn sum(stored: Option<&[u8]>, options: &AddOptions) -> Result<i128> {
    let current = match stored {
        None => 0,
        Some(bytes) => serde_json::from_slice::<i128>(bytes).map_err(|_| {
            BackendError::new(ErrorKind::NotAnInteger, "the stored value is not an integer")
        })?,
    };
    current
        .checked_add(options.delta)
        .filter(|sum| (options.min..=options.max).contains(sum))
        .ok_or_else(|| BackendError::new(ErrorKind::OutOfRange, "the sum would leave its bounds"))
}
