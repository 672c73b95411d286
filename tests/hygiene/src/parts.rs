//! Types that stand in keys.

use renamed::{KeyPart, prelude::*};

/// A number with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
#[state(crate = renamed)]
#[non_exhaustive]
pub struct UserId(pub u64);

/// A text with a meaning, whose field nobody sees.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
#[state(crate = renamed)]
#[non_exhaustive]
pub struct Tenant(String);

impl Tenant {
    /// The tenant of this name.
    #[must_use]
    #[inline]
    pub const fn new(name: String) -> Self {
        Self(name)
    }
}

/// A number with a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
#[state(crate = renamed)]
#[non_exhaustive]
pub struct Order {
    /// The number.
    pub number: u64,
}

/// A newtype of anything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
#[state(crate = renamed)]
#[non_exhaustive]
pub struct Tagged<T>(pub T);

/// A choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, KeyPart)]
#[state(crate = renamed)]
#[non_exhaustive]
pub enum Region {
    /// Here.
    EuWest,
    /// There.
    UsEast = 7,
    /// A keyword, almost.
    Ok,
    /// Another.
    None,
}

/// All of them in one key.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "parts:{user}:{tenant}:{order}:{tagged}:{region}", persistent)]
#[non_exhaustive]
pub struct Parts {
    /// A number with a meaning.
    #[garde(skip)]
    pub user: UserId,
    /// A text with a meaning.
    #[garde(skip)]
    pub tenant: Tenant,
    /// A number with a name.
    #[garde(skip)]
    pub order: Order,
    /// A newtype of anything.
    #[garde(skip)]
    pub tagged: Tagged<UserId>,
    /// A choice.
    #[garde(skip)]
    pub region: Region,
    /// What is stored.
    #[garde(skip)]
    pub stored: u64,
}
