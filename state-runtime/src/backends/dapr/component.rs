//! What is known of the components behind a state store, and what is declared of them.
//!
//! A sidecar passes on what its component does, and components differ where the state API says
//! little. Only a component that the conformance suite is run against stands in the table; of any
//! other nothing is declared beyond reading, writing and removing.

use serde::Deserialize;

use crate::backend::{Capabilities, Capability, Risk, RiskKind};

/// A component as the sidecar describes it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Component {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    capabilities: Vec<String>,
}

/// How a component carries out what the state API leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behaviour {
    /// How an entry is written only where there is none.
    pub(super) create: Create,
    /// How an entry is removed.
    pub(super) removal: Removal,
    /// What the text of a refused condition contains; anything, if `None`. The Redis component
    /// answers with the same status to every failure of a command.
    pub(super) mismatch: Option<&'static str>,
    /// Whether writes take turns. The database has one writer at a time, and others poll for their
    /// turn until some of them give up.
    pub(super) takes_turns: bool,
    /// Whether a failed transaction leaves nothing behind.
    transactions: bool,
    shared: bool,
}

/// How an entry is written only where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Create {
    /// By the concurrency `first-write` and no etag.
    FirstWrite,
    /// By an etag that no entry has. An absent entry accepts every etag, while `first-write` would
    /// break all later writes that have none.
    Etag(&'static str),
}

/// How an entry is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removal {
    /// By removing it.
    Delete,
    /// By a mark in its place, which expires. For a component that accepts every etag where there is
    /// nothing, and that counts its etags from 1 again: a write under a condition would bring back
    /// what was removed, or overwrite what it never saw.
    Mark,
}

const IN_MEMORY: Behaviour = Behaviour {
    create: Create::FirstWrite,
    removal: Removal::Delete,
    mismatch: None,
    takes_turns: false,
    transactions: true,
    shared: false,
};
const SQLITE: Behaviour = Behaviour { takes_turns: true, shared: true, ..IN_MEMORY };
const REDIS: Behaviour = Behaviour {
    // The largest that a 32-bit component can compare. A counter does not get there.
    create: Create::Etag("2147483647"),
    removal: Removal::Mark,
    mismatch: Some("failed to set key"),
    takes_turns: false,
    // Each operation of a transaction succeeds or fails for itself.
    transactions: false,
    shared: true,
};

impl Component {
    /// What is known of it, if it is in the table and declares etags and expiry.
    pub(super) fn behaviour(&self) -> Option<Behaviour> {
        let known = match self.kind.as_str() {
            "state.in-memory" => IN_MEMORY,
            "state.redis" => REDIS,
            "state.sqlite" | "state.sqlite3" => SQLITE,
            _ => return None,
        };
        (self.declares("ETAG") && self.declares("TTL")).then_some(known)
    }

    /// What a backend over it can do.
    pub(super) fn offers(&self) -> Capabilities {
        let Some(behaviour) = self.behaviour() else { return Capabilities::NONE };
        let mut offers = Capabilities::NONE.with(Capability::Cas).with(Capability::Ttl);
        if behaviour.transactions && self.declares("TRANSACTIONAL") {
            offers = offers.with(Capability::Batch);
        }
        if behaviour.shared {
            offers = offers.with(Capability::Shared);
        }
        offers
    }

    /// In which ways it could lose what it acknowledged.
    pub(super) fn risks(&self) -> Vec<Risk> {
        let Self { name, kind, .. } = self;
        let risk = if kind == "state.in-memory" {
            let reason = format!(
                "the component `{name}` keeps its entries in the memory of the sidecar; \
                 use a component that stores them"
            );
            Risk::new(RiskKind::NotDurable, reason)
        } else {
            let reason = format!(
                "a sidecar does not tell how its component `{name}` ({kind}) is set up; see to it \
                 that its database is durable and evicts nothing"
            );
            Risk::new(RiskKind::UnknownDurability, reason)
        };
        vec![risk]
    }

    fn declares(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|declared| declared == capability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(kind: &str, capabilities: &[&str]) -> Component {
        let capabilities = capabilities.iter().map(|&name| name.to_owned()).collect();
        Component { name: "statestore".to_owned(), kind: kind.to_owned(), capabilities }
    }

    const ALL: [&str; 3] = ["ETAG", "TRANSACTIONAL", "TTL"];

    #[test]
    fn a_component_that_is_not_in_the_table_offers_nothing() {
        assert_eq!(component("state.jetstream", &[]).offers(), Capabilities::NONE);
        assert_eq!(component("state.unheard-of", &ALL).offers(), Capabilities::NONE);
    }

    #[test]
    fn a_component_offers_no_more_than_it_declares() {
        assert_eq!(component("state.redis", &["TTL"]).offers(), Capabilities::NONE);
        let sqlite = component("state.sqlite", &["ETAG", "TTL"]).offers();
        assert!(sqlite.contains(Capability::Cas) && !sqlite.contains(Capability::Batch));
    }

    #[test]
    fn transactions_without_rollback_are_no_batches() {
        assert!(!component("state.redis", &ALL).offers().contains(Capability::Batch));
        assert!(component("state.in-memory", &ALL).offers().contains(Capability::Batch));
    }

    #[test]
    fn no_component_offers_durability() {
        for kind in ["state.in-memory", "state.redis", "state.sqlite"] {
            let component = component(kind, &ALL);
            assert!(!component.offers().contains(Capability::Durable));
            assert_eq!(component.risks().len(), 1);
        }
    }
}
