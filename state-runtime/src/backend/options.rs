//! What a caller can ask of an operation. The default of each asks for nothing special.

use core::time::Duration;

use super::Revision;

/// How to read one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GetOptions {
    /// Renews an entry that has an expiry: to this long from now, if less than 7/8 of it is left.
    /// Needs [`Capability::Ttl`](super::Capability).
    pub renew: Option<Duration>,
    /// What the caller will look at; a backend may leave out the rest.
    pub want: Want,
}

/// What a read has to return. The default is the value alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// Fill [`Entry::value`](super::Entry), which may otherwise be empty: whoever lists keys has no
    /// use for it. A backend that gains nothing by leaving it out fills it in all the same.
    pub value: bool,
    /// Fill [`Entry::revision`](super::Entry). Needs [`Capability::Cas`](super::Capability).
    pub revision: bool,
    /// Fill [`Entry::expiry`](super::Entry). Needs [`Capability::Ttl`](super::Capability).
    pub expiry: bool,
}

impl Want {
    /// Nothing but that the entry is there.
    pub const KEY: Self = Self { value: false, revision: false, expiry: false };
    /// The value alone.
    pub const VALUE: Self = Self { value: true, ..Self::KEY };
    /// The value and its revision.
    pub const REVISION: Self = Self { revision: true, ..Self::VALUE };
    /// The value and its expiry.
    pub const EXPIRY: Self = Self { expiry: true, ..Self::VALUE };
    /// Everything.
    pub const ALL: Self = Self { value: true, revision: true, expiry: true };
}

impl Default for Want {
    fn default() -> Self {
        Self::VALUE
    }
}

/// How to write one entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetOptions {
    /// What has to hold for the write to happen.
    pub condition: Condition,
    /// What becomes of the entry's expiry.
    pub ttl: TtlChange,
    /// Whether to return the new revision. Needs [`Capability::Cas`](super::Capability).
    pub want_revision: bool,
}

/// How to remove one entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemoveOptions {
    /// What has to hold for the removal to happen. `IfAbsent` makes it a mere check.
    pub condition: Condition,
}

/// What has to hold of an entry, at the very moment of a write.
///
/// An entry past its expiry is absent. Anything but `Always` needs
/// [`Capability::Cas`](super::Capability); where it does not hold, the write is a
/// [`Conflict`](super::ErrorKind::Conflict).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Condition {
    /// Nothing.
    #[default]
    Always,
    /// There is no entry.
    IfAbsent,
    /// The entry has this revision.
    IfRevision(Revision),
}

/// What a write does to the expiry of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TtlChange {
    /// The entry lives for ever.
    #[default]
    Clear,
    /// The entry keeps what it has; a new one lives for ever. Needs [`Capability::Ttl`](super::Capability).
    Keep,
    /// The entry lives this long from now, from [`MIN_TTL`](super::MIN_TTL) to
    /// [`MAX_TTL`](super::MAX_TTL). Needs [`Capability::Ttl`](super::Capability).
    After(Duration),
}

/// A change of a stored integer, for [`Backend::add`](super::Backend::add).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddOptions {
    /// What to add.
    pub delta: i128,
    /// What the result must not be below.
    pub min: i128,
    /// What the result must not be above.
    pub max: i128,
    /// How long an entry lives that did not exist; an existing one keeps its expiry. Needs
    /// [`Capability::Ttl`](super::Capability).
    pub ttl: Option<Duration>,
}
