//! The door through which a type reads a value that its predecessor has written.

use super::StateKey;

/// A stored value of an older version, offered to [`StateKey::upgrade`].
pub trait UpgradeSource: Sized {
    /// What went wrong.
    type Error;

    /// Reads the value as the older type `Old`, which may itself upgrade it.
    ///
    /// # Errors
    ///
    /// Where the value is not a valid `Old`.
    fn read<Old: StateKey>(self) -> Result<Old, Self::Error>;

    /// The type knows no older version.
    fn unknown(self) -> Self::Error;

    /// The user's `TryFrom` refused the older value. Its error may quote the value, so it is not
    /// taken.
    fn refused() -> Self::Error;
}

/// A type that can be made of the older type that it upgrades from.
///
/// It is implemented by every conversion; its purpose is the message where there is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of `{Old}`",
    label = "no conversion from this older version",
    note = "implement `From<{Old}>` for `{Self}`, or `TryFrom<{Old}>` if some old values have no new form"
)]
pub trait UpgradeFrom<Old>: Sized {
    /// Converts the older value; `None` where the user's conversion refuses it.
    #[doc(hidden)]
    fn upgrade_from(old: Old) -> Option<Self>;
}

#[diagnostic::do_not_recommend]
impl<Old, T: TryFrom<Old>> UpgradeFrom<Old> for T {
    fn upgrade_from(old: Old) -> Option<Self> {
        Self::try_from(old).ok()
    }
}
