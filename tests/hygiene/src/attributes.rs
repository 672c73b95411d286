//! Every attribute of the derive at once, and the attributes of others beside it.

use renamed::prelude::*;

/// The address of a customer, as it was.
#[derive(Debug, Clone, StateKey, Validate)]
#[state(crate = ::renamed, key = "address/{customer}", persistent, superseded)]
#[non_exhaustive]
pub struct OldAddress {
    /// The customer.
    #[garde(skip)]
    pub customer: u64,
    /// Street, number and city.
    #[garde(length(min = 1))]
    pub text: String,
}

/// The address of a customer.
#[derive(Debug, Clone, StateKey, Validate)]
#[state(crate = ::renamed, key = "address/{customer}", formerly = "addr:{customer}", persistent)]
#[state(version = 2, upgrade_from = OldAddress, max_size = "4KiB", on_invalid = "quarantine")]
#[state(key_type = CustomerKey, key_fn = of_customer)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE", deny_unknown_fields)]
#[non_exhaustive]
pub struct Address {
    /// The customer.
    #[garde(skip)]
    pub customer: u64,
    /// The street and its number.
    #[garde(length(min = 1))]
    pub street: String,
    /// The city.
    #[serde(default, skip_serializing_if = "String::is_empty", alias = "town")]
    #[garde(skip)]
    pub city: String,
}

impl From<OldAddress> for Address {
    #[inline]
    fn from(old: OldAddress) -> Self {
        Self { customer: old.customer, street: old.text, city: String::new() }
    }
}

/// A type whose author has used the names that the derive would take.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "lease:{name}", ttl = "1500ms", on_invalid = "discard")]
#[state(key_type = LeaseId, key_fn = lease_id)]
#[non_exhaustive]
pub struct Lease {
    /// What is leased.
    #[garde(skip)]
    pub name: String,
    /// Who holds it.
    #[garde(skip)]
    pub holder: String,
}

/// The name that the key type would have had.
#[derive(Debug)]
#[non_exhaustive]
pub struct LeaseKey;

impl Lease {
    /// The name that the key function would have had.
    #[must_use]
    #[inline]
    pub const fn key() -> LeaseKey {
        LeaseKey
    }
}

/// A type behind a condition, with a field behind another.
#[cfg(not(target_os = "none"))]
#[derive(Debug, StateKey, Validate)]
#[cfg_attr(not(target_os = "none"), state(crate = renamed, key = "host:{name}", persistent))]
#[non_exhaustive]
pub struct Host {
    /// Its name.
    #[garde(skip)]
    pub name: String,
    /// Its load.
    #[cfg(not(target_os = "none"))]
    #[garde(skip)]
    pub load: u64,
    /// Its load, elsewhere.
    #[cfg(target_os = "none")]
    #[garde(skip)]
    pub load: u8,
}

/// A type that nobody should use, with a field that nobody should read.
// Its rules are written out: what garde derives uses the deprecated name.
#[deprecated(note = "it is here to be derived")]
#[derive(Debug, StateKey)]
#[state(crate = renamed, key = "deprecated:{id}", persistent)]
#[non_exhaustive]
pub struct Deprecated {
    /// Its number.
    pub id: u64,
    /// What nobody should read.
    #[deprecated(note = "it is here to be derived")]
    pub field: u64,
}

#[expect(deprecated, reason = "it is here to be derived")]
impl Validate for Deprecated {
    type Context = ();

    #[inline]
    fn validate_into(
        &self,
        _context: &Self::Context,
        _parent: &mut dyn FnMut() -> garde::Path,
        _report: &mut garde::Report,
    ) {
    }
}
