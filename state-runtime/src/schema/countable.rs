//! `Countable`: state that is one integer, and can be added to.

use super::StateKey;

mod sealed {
    pub trait Sealed {}
}

/// An integer that a counter can be: all of Rust's up to 64 bits.
pub trait Integer: sealed::Sealed + Copy + Send + Sync + 'static {
    /// The same number, in the type that sums are made in.
    #[doc(hidden)]
    fn widen(self) -> i128;

    /// The same number, if it fits.
    #[doc(hidden)]
    fn narrow(wide: i128) -> Option<Self>;
}

macro_rules! integers {
    ($($integer:ident)*) => {$(
        impl sealed::Sealed for $integer {}

        impl Integer for $integer {
            #[allow(clippy::cast_lossless, reason = "there is no `From<usize>`, and 64 bits fit")]
            fn widen(self) -> i128 {
                self as i128
            }

            fn narrow(wide: i128) -> Option<Self> {
                wide.try_into().ok()
            }
        }
    )*};
}
integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

/// A state type whose stored value is one integer.
///
/// `#[derive(StateKey)]` implements it where `#[state(value)]` marks a field of an integer type that
/// serde stores as it is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no counter, so nothing can be added to it",
    label = "not a counter",
    note = "a counter has one field beside its key, `#[state(value)] count: i64`, of an integer type and without `#[serde(…)]`",
    note = "to change anything else, use `update`"
)]
pub trait Countable: StateKey {
    /// The type of the value.
    type Number: Integer;

    /// The values that the rules allow; `None` where only running them can tell.
    #[doc(hidden)]
    const RANGE: Option<(Self::Number, Self::Number)>;
}
