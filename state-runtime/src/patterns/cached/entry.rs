//! What is stored of a cached value.

use core::fmt;

use serde::{Deserialize, Serialize};

/// What is stored of a cached value: that somebody computes it, or the value.
///
/// Times are milliseconds, points in time those since the Unix epoch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheEntry<V> {
    /// Somebody computes it for the first time; what is here tells who.
    Computing(Box<str>),
    /// The value.
    Ready {
        /// What was computed.
        value: V,
        /// How long that took.
        took: u64,
        /// Until when it is fresh.
        fresh_until: u64,
        /// Who computes it anew, if somebody does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh: Option<Refresh>,
    },
}

/// Who computes a value anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// What tells this refresh from any other.
    pub by: Box<str>,
    /// Until when nobody else begins one.
    pub until: u64,
}

/// Hides the value.
impl<V> fmt::Debug for CacheEntry<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Computing(_) => "Computing(..)",
            Self::Ready { .. } => "Ready { .. }",
        })
    }
}

/// The rules of the value, for `#[garde(dive)]`.
impl<V: garde::Validate> garde::Validate for CacheEntry<V> {
    type Context = V::Context;

    fn validate_into(
        &self,
        context: &V::Context,
        parent: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) {
        if let Self::Ready { value, .. } = self {
            value.validate_into(context, parent, report);
        }
    }
}
