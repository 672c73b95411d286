//! `SoleValue`: state whose stored value is one field, as the patterns want it.

use super::StateKey;

/// A state type whose stored value is one field of type `V`, marked `#[state(value)]`.
///
/// `#[derive(StateKey)]` implements it. It is how a pattern knows that a namespace keeps what it
/// works with: a [`RateLimiter`](crate::patterns::RateLimiter) a
/// [`RateWindow`](crate::backend::RateWindow), for example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not store a `{V}` alone",
    label = "its stored value is not `{V}`",
    note = "beside its key it needs one field: `#[state(value)] name: {V}`"
)]
pub trait SoleValue<V>: StateKey {
    /// Whether serde stores the field as its type has it, and no rule looks at it. So a server may
    /// write it without the program.
    #[doc(hidden)]
    const PLAIN: bool;

    /// The state of a key and a value.
    fn with_key(key: Self::Key, field: V) -> Self;

    /// The value.
    fn field(&self) -> &V;

    /// The value alone.
    fn into_field(self) -> V;
}
