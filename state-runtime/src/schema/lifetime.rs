//! What a state type needs of its backend, as types.

mod sealed {
    pub trait Sealed {}
}

/// How long values of a type live: [`Expiring`] or [`Persistent`].
pub trait Lifetime: sealed::Sealed + Send + Sync + 'static {}

/// The type says `ttl = "…"`; its backend has to expire entries.
#[derive(Debug, Clone, Copy)]
pub enum Expiring {}

/// The type says `persistent`.
#[derive(Debug, Clone, Copy)]
pub enum Persistent {}

/// Whether values of a type carry a version: [`Versioned`] or [`Unversioned`].
pub trait Versioning: sealed::Sealed + Send + Sync + 'static {}

/// The type says `version = N`; its writes are conditional, so that a value of a newer version is
/// never overwritten, and its backend has to offer compare-and-swap.
#[derive(Debug, Clone, Copy)]
pub enum Versioned {}

/// The type says nothing of a version.
#[derive(Debug, Clone, Copy)]
pub enum Unversioned {}

impl sealed::Sealed for Expiring {}
impl sealed::Sealed for Persistent {}
impl sealed::Sealed for Versioned {}
impl sealed::Sealed for Unversioned {}
impl Lifetime for Expiring {}
impl Lifetime for Persistent {}
impl Versioning for Versioned {}
impl Versioning for Unversioned {}
