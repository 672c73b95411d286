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
