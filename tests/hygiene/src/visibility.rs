//! Types of every visibility, with fields of every visibility.

use renamed::prelude::*;

/// All may see it, and nobody its number.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "open:{id}:{name}", persistent)]
#[non_exhaustive]
pub struct Open {
    /// Its number.
    #[garde(skip)]
    id: u64,
    /// Its name.
    #[garde(length(min = 1))]
    pub(crate) name: String,
    /// What all may see.
    #[garde(skip)]
    pub seen: bool,
}

impl Open {
    /// One that nobody else can make.
    #[must_use]
    #[inline]
    pub fn new(id: u64) -> Self {
        Self { id, name: String::from("new"), seen: false }
    }

    /// Its number.
    #[must_use]
    #[inline]
    pub const fn id(&self) -> u64 {
        self.id
    }
}

/// The modules below may see it.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "inner:{id}", persistent)]
pub(crate) struct Inner {
    /// Its number.
    #[garde(skip)]
    pub(crate) id: u64,
    /// Its name.
    #[garde(skip)]
    pub(super) name: String,
}

/// This module alone may see it.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "private:{id}", persistent)]
struct Private {
    /// Its number.
    #[garde(skip)]
    id: Secret,
    /// Its name.
    #[garde(skip)]
    name: String,
}

/// A private type in the key of a private type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, renamed::KeyPart)]
#[state(crate = renamed)]
struct Secret(u64);

/// Visibilities that are given as paths.
mod below {
    /// Visible above.
    #[derive(Debug, renamed::StateKey, garde::Validate)]
    #[state(crate = renamed, key = "below:{id}:{other}", persistent)]
    pub(super) struct Below {
        /// Visible above.
        #[garde(skip)]
        pub(super) id: u64,
        /// Visible in the crate.
        #[garde(skip)]
        pub(in crate::visibility) other: u64,
        /// Visible here.
        #[garde(skip)]
        pub(self) name: String,
    }

    impl Below {
        /// One of them.
        pub(super) const fn new(id: u64) -> Self {
            Self { id, other: 0, name: String::new() }
        }

        /// Its name.
        pub(super) const fn name(&self) -> &str {
            self.name.as_str()
        }
    }
}

/// Uses each, so that none is dead.
#[must_use]
#[inline]
pub fn keys() -> [String; 3] {
    let inner = Inner { id: 1, name: String::from("inner") };
    let private = Private { id: Secret(2), name: inner.name.clone() };
    let below = below::Below::new(inner.id);
    let name = format!("{}{}{}{}", private.name, below.name(), below.other, below.id);
    [inner.state_key().to_string(), private.state_key().to_string(), name]
}
