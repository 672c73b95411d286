//! What a backend can do: a set that an instance declares, and marker traits for types.

use core::fmt;

use super::Backend;

/// One thing that a backend may be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Capability {
    /// Conditional writes: [`Condition::IfAbsent`](super::Condition) and `IfRevision`.
    Cas,
    /// Entries that expire.
    Ttl,
    /// Several writes as one, all or nothing.
    Batch,
    /// Listing the entries under a prefix.
    Scan,
    /// Telling of changes.
    Watch,
    /// An acknowledged write survives a crash of the process and of the machine.
    Durable,
    /// Other instances, in other processes too, find the same entries: whatever one was told to be
    /// done, all find from then on.
    Shared,
    /// A revision never comes back for other content.
    UniqueRevision,
    /// [`Backend::add`] is one atomic operation of the engine.
    Counter,
    /// A revision that comes back stands for the same content as before, whatever happened in between, a
    /// removal included. [`UniqueRevision`](Self::UniqueRevision) says more.
    ExactRevision,
}

impl Capability {
    const ALL: [Self; 10] = [
        Self::Cas,
        Self::Ttl,
        Self::Batch,
        Self::Scan,
        Self::Watch,
        Self::Durable,
        Self::Shared,
        Self::UniqueRevision,
        Self::Counter,
        Self::ExactRevision,
    ];

    /// The name in messages and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cas => "compare-and-swap",
            Self::Ttl => "TTL",
            Self::Batch => "atomic batch",
            Self::Scan => "scan",
            Self::Watch => "watch",
            Self::Durable => "durable",
            Self::Shared => "shared",
            Self::UniqueRevision => "unique revision",
            Self::Counter => "counter",
            Self::ExactRevision => "exact revision",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of [`Capability`].
///
/// ```
/// use state_runtime::backend::{Capabilities, Capability};
///
/// const MINE: Capabilities = Capabilities::NONE.with(Capability::Cas).with(Capability::Ttl);
/// assert!(MINE.contains(Capability::Cas));
/// assert_eq!(MINE.to_string(), "compare-and-swap, TTL");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u16);

impl Capabilities {
    /// The empty set: get, set and remove, and nothing else.
    pub const NONE: Self = Self(0);

    /// The set with one more.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability.bit())
    }

    /// The set with one less.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !capability.bit())
    }

    /// Whether the set has `capability`.
    #[must_use]
    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    /// The members, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |capability| self.contains(*capability))
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("none");
        }
        for (i, capability) in self.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{capability}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A backend whose instances may offer [`Capability::Cas`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no compare-and-swap",
    label = "needs a backend that implements `Cas`",
    note = "use a backend that implements `Cas`: memory, file, redis, nats, dapr, or one of your own with `impl Cas for …`"
)]
pub trait Cas: Backend {}

/// A backend whose instances may offer [`Capability::Ttl`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot expire entries",
    label = "needs a backend that implements `Ttl`",
    note = "use a backend that implements `Ttl`: memory, file, redis, nats, dapr, or one of your own with `impl Ttl for …`"
)]
pub trait Ttl: Backend {}

/// A backend whose instances may offer [`Capability::Batch`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no atomic batches",
    label = "needs a backend that implements `Batch`",
    note = "use a backend that implements `Batch`: memory, file, redis, nats, dapr, or one of your own with `impl Batch for …`"
)]
pub trait Batch: Backend {}

/// A backend whose instances may offer [`Capability::Scan`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot list its entries",
    label = "needs a backend that implements `Scan`",
    note = "use a backend that implements `Scan`: memory, file, redis, nats, or one of your own with `impl Scan for …`"
)]
pub trait Scan: Backend {}

/// A backend whose instances may offer [`Capability::Watch`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot tell of changes",
    label = "needs a backend that implements `Watch`",
    note = "use a backend that implements `Watch`: memory, file, redis, nats, or one of your own with `impl Watch for …`"
)]
pub trait Watch: Backend {}
