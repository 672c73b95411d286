//! The schema floor: what `#[derive(StateKey)]` tells the runtime about a type.
//!
//! Nothing here encodes, decodes or stores; the floors above do that, guided by these traits.

mod countable;
mod disjoint;
mod fenced;
mod fencing;
mod format;
#[doc(hidden)]
pub mod key_text;
mod lifetime;
mod namespace;
mod prefix;
pub(crate) mod registry;
mod sole;
mod typed;
mod upgrade;
mod validated;

pub use self::{
    countable::{Countable, Integer},
    disjoint::{Row, check_row},
    fenced::{Fenced, Removable},
    fencing::FencingToken,
    format::{KeyFormat, Token},
    lifetime::{Expiring, Lifetime, Persistent, Unversioned, Versioned, Versioning},
    namespace::{DEFAULT_MAX_SIZE, Namespace, OnInvalid, Shape},
    prefix::Prefix,
    registry::{Instance, NamespaceConflict, Registration, registered},
    sole::SoleValue,
    typed::{StateKey, TypedKey, Writable},
    upgrade::{UpgradeFrom, UpgradeSource},
    validated::Validated,
};
