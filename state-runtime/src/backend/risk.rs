//! In which way acknowledged state could be lost.

use core::fmt;
use std::borrow::Cow;

/// One way in which acknowledged state could be lost, as a backend finds it in its own settings or
/// in those of its server.
///
/// ```
/// use state_runtime::backend::Risk;
///
/// let risk = Risk::new("eviction", "the server removes keys when its memory is full");
/// assert_eq!(risk.to_string(), "the server removes keys when its memory is full (eviction)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    name: &'static str,
    reason: Cow<'static, str>,
}

impl Risk {
    /// A risk called `name`, by which a program accepts it. `reason` says what can be lost, why, and
    /// which setting cures it.
    #[must_use]
    pub fn new(name: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { name, reason: reason.into() }
    }

    /// The name by which it is accepted.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What can be lost, and why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.name)
    }
}
