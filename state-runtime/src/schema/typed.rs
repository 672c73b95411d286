//! `StateKey` and `TypedKey`: a state type, and the key it lives under.

use core::{
    fmt::{Debug, Display},
    hash::Hash,
    str::FromStr,
};

use serde::{Serializer, de::DeserializeOwned};

use super::{Lifetime, Namespace, Removable, UpgradeSource, Versioning};
use crate::key::{KeyError, KeyReader, KeyWriter};

/// A type of state: a struct with a key format, a lifetime, rules and a version.
///
/// Implement it with `#[derive(StateKey)]`; the items that the documentation hides are for
/// generated code and change without notice.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type of state",
    label = "has no `#[derive(StateKey)]`",
    note = "add `#[derive(StateKey, Validate)]` and `#[state(key = \"…\", ttl = \"…\")]` to it"
)]
pub trait StateKey: Sized + Send + Sync + 'static {
    /// The key fields alone; `SessionKey` for `Session`.
    type Key: TypedKey<Value = Self>;

    /// [`Expiring`](super::Expiring) or [`Persistent`](super::Persistent).
    type Lifetime: Lifetime;

    /// [`Versioned`](super::Versioned) if the type is part of an upgrade chain.
    type Versioning: Versioning;

    /// The value fields alone, as they are decoded.
    #[doc(hidden)]
    type Stored: DeserializeOwned + Send;

    /// Everything that is known of the type at compile time.
    const NAMESPACE: Namespace;

    /// The key of this value. Clones the key fields.
    fn state_key(&self) -> Self::Key;

    /// Writes the key of this value without cloning its fields.
    #[doc(hidden)]
    fn write_key(&self, writer: &mut KeyWriter);

    /// Serialises the value fields in place.
    ///
    /// # Errors
    ///
    /// Those of `serializer`, and those of the fields' own `Serialize` implementations.
    #[doc(hidden)]
    fn serialize_stored<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Joins decoded value fields with the fields of their key.
    #[doc(hidden)]
    fn from_stored(key: Self::Key, stored: Self::Stored) -> Self;

    /// Checks the garde rules of the whole value.
    ///
    /// It is a method and not a supertrait [`Validated`](super::Validated), so that a type without
    /// rules is one error where it is declared and none where it is used.
    ///
    /// # Errors
    ///
    /// The rules that are not met.
    #[doc(hidden)]
    fn check_rules(&self) -> Result<(), garde::Report>;

    /// Reads a value that an older version of the type has written.
    ///
    /// # Errors
    ///
    /// Those of `source`.
    #[doc(hidden)]
    fn upgrade<S: UpgradeSource>(source: S) -> Result<Self, S::Error> {
        Err(source.unknown())
    }
}

/// The key fields of a [`StateKey`] type, as a type of their own.
///
/// `Display` prints the encoded form and `FromStr` reads it back; `Debug` hides the fields that are
/// marked `#[state(secret)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a typed key",
    label = "not the key of a type of state",
    note = "keys are made by the type they belong to: `Session::key(…)`"
)]
pub trait TypedKey:
    Clone + Eq + Ord + Hash + Debug + Display + FromStr<Err = KeyError> + Send + Sync + 'static
{
    /// The type of state that lives under this key.
    type Value: StateKey<Key = Self>;

    /// Writes the encoded key.
    #[doc(hidden)]
    fn write(&self, writer: &mut KeyWriter);

    /// Writes the key in the format that the type had formerly, if it says `formerly = "…"`.
    /// Otherwise writes nothing and answers `false`.
    #[doc(hidden)]
    fn write_former(&self, _writer: &mut KeyWriter) -> bool {
        false
    }

    /// Reads a key in the format that the type had formerly.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for every text that [`write_former`](Self::write_former) would not have written.
    #[doc(hidden)]
    fn read_former(_reader: KeyReader<'_>) -> Result<Self, KeyError> {
        Err(KeyError::Format { expected: "no former key format" })
    }

    /// Reads the encoded key.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for every text that [`write`](Self::write) would not have written.
    #[doc(hidden)]
    fn read(reader: KeyReader<'_>) -> Result<Self, KeyError>;

    /// Checks the garde rules of the key fields.
    ///
    /// # Errors
    ///
    /// The rules that are not met.
    #[doc(hidden)]
    fn check(&self) -> Result<(), garde::Report>;
}

/// A state type that may be written: every one that is neither `#[state(superseded)]` nor [`Fenced`](super::Fenced).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written: it is superseded, fenced, or no type of state",
    label = "not writable",
    note = "if it says `superseded`, write the type that says `upgrade_from = {Self}` instead",
    note = "if it says `fenced_by`, write it with `store.fenced(guard.token())`",
    note = "if it is no type of state, add `#[derive(StateKey, Validate)]` and `#[state(key = \"…\", ttl = \"…\")]` to it"
)]
pub trait Writable: Removable {}
