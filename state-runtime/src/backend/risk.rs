//! In which way acknowledged state could be lost.

use core::{fmt, str::FromStr};
use std::borrow::Cow;

use super::suggest::did_you_mean;

/// One way in which acknowledged state could be lost, as a backend finds it in its own settings or
/// in those of its server.
///
/// ```
/// use state_runtime::backend::{Risk, RiskKind};
///
/// let risk = Risk::new(RiskKind::Eviction, "the server removes keys when its memory is full");
/// assert_eq!(risk.to_string(), "the server removes keys when its memory is full (eviction)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    kind: RiskKind,
    reason: Cow<'static, str>,
}

impl Risk {
    /// A risk of a kind, as which a program accepts it. `reason` says what can be lost, why, and
    /// which setting cures it.
    #[must_use]
    pub fn new(kind: RiskKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, reason: reason.into() }
    }

    /// As what it is accepted.
    #[must_use]
    pub const fn kind(&self) -> RiskKind {
        self.kind
    }

    /// The name of its kind.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// What can be lost, and why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.kind)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// The kinds of risks, as which a program accepts them.
        ///
        /// Each has a name, for files of settings:
        ///
        /// ```
        /// use state_runtime::backend::RiskKind;
        ///
        /// assert_eq!("single-replica".parse(), Ok(RiskKind::SingleReplica));
        /// assert_eq!(RiskKind::SingleReplica.to_string(), "single-replica");
        ///
        /// let error = "single-replika".parse::<RiskKind>().unwrap_err();
        /// assert!(error.to_string().contains("did you mean `single-replica`?"));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum RiskKind {
            $($(#[$doc])* $kind,)*
            /// One of a backend that does not come with this crate, under the name that it gives. It has
            /// to be a name that no other kind has. Texts are not read as this.
            Other(&'static str),
        }

        impl RiskKind {
            /// All but those of other backends.
            const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                    Self::Other(name) => name,
                }
            }
        }
    };
}

kinds! {
    /// Everything is in the memory of this process.
    Memory = "memory",
    /// A backend or a component is not durable, or does not say that it is.
    NotDurable = "not-durable",
    /// Nobody can say whether what is behind a sidecar is durable.
    UnknownDurability = "unknown-durability",
    /// A server does not let its settings be seen.
    UnknownSettings = "unknown-settings",
    /// A Redis server removes entries when its memory is full.
    Eviction = "eviction",
    /// A Redis server writes nothing down between its snapshots.
    NoAppendOnlyFile = "no-append-only-file",
    /// A Redis server acknowledges writes before they are on its disk.
    AppendOnlyFileNotSynced = "append-only-file-not-synced",
    /// A Redis server follows another one.
    Replica = "replica",
    /// A Redis server can be replaced by one that lacks the latest writes.
    Failover = "failover",
    /// A NATS bucket is in the memory of the servers.
    MemoryStorage = "memory-storage",
    /// A NATS bucket removes every entry after a fixed time.
    MaxAge = "max-age",
    /// A NATS bucket removes entries when it is full.
    DiscardOld = "discard-old",
    /// A NATS bucket acknowledges writes before they are stored.
    AsynchronousWrites = "asynchronous-writes",
    /// A NATS bucket takes in the messages of other streams.
    Sources = "sources",
    /// A NATS bucket is on one server.
    SingleReplica = "single-replica",
    /// A server of this version is known to lose writes.
    ServerVersion = "server-version",
}

impl fmt::Display for RiskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RiskKind {
    type Err = UnknownRisk;

    fn from_str(name: &str) -> Result<Self, UnknownRisk> {
        let known = Self::ALL.iter().copied().find(|kind| kind.name() == name);
        known.ok_or_else(|| UnknownRisk(name.to_owned()))
    }
}

/// No kind of risk has this name. The message says which names there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRisk(String);

impl fmt::Display for UnknownRisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hint = did_you_mean(&self.0, RiskKind::ALL.iter().map(|kind| kind.name()));
        let end = if hint.is_empty() { ";" } else { "" };
        write!(f, "no risk is called `{}`{hint}{end} those that there are:", self.0)?;
        for (i, kind) in RiskKind::ALL.iter().enumerate() {
            write!(f, "{} `{kind}`", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownRisk {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_the_kind_that_has_it() {
        for kind in RiskKind::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
    }

    #[test]
    fn an_unknown_name_is_told_with_those_that_there_are() {
        let told = |name: &str| name.parse::<RiskKind>().unwrap_err().to_string();
        let near = told("evicton");
        assert!(near.contains("`evicton`; did you mean `eviction`? those"), "{near}");
        let far = told("x");
        assert!(far.contains("`x`; those that there are: `memory`, `not-durable`,"), "{far}");
    }
}
