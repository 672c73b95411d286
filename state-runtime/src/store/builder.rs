//! `StoreBuilder`: the settings of a store.

use core::time::Duration;
use std::sync::Arc;

use super::{Access, Namespaces, StateStore, guard::Guard, path::Scope};
use crate::{
    backend::{Backend, RiskKind},
    error::{Result, StateError},
    schema::{Instance, registered, registry},
};

const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);
const DEFAULT_MAX_IN_FLIGHT: usize = 4096;

/// The settings of a [`StateStore`].
///
/// ```standalone_crate
/// use core::time::Duration;
/// use state_runtime::{backends::MemoryBackend, prelude::*};
///
/// let store = StateStore::builder(MemoryBackend::new())
///     .scope("acme")
///     .deadline(Duration::from_millis(250))
///     .max_in_flight(256)
///     .build()?;
/// # Ok::<(), state_runtime::StateError>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct StoreBuilder<B> {
    backend: B,
    scope: Option<String>,
    access: Access,
    deadline: Duration,
    max_in_flight: usize,
    namespaces: Option<Vec<Instance>>,
    accepted: Vec<RiskKind>,
}

impl<B: Backend> StoreBuilder<B> {
    pub(super) fn new(backend: B) -> Self {
        Self {
            backend,
            scope: None,
            access: Access::ALL,
            deadline: DEFAULT_DEADLINE,
            max_in_flight: DEFAULT_MAX_IN_FLIGHT,
            namespaces: None,
            accepted: Vec::new(),
        }
    }

    /// Keeps all keys within the scope of an application or a tenant; by default there is none.
    pub fn scope(mut self, name: impl Into<String>) -> Self {
        self.scope = Some(name.into());
        self
    }

    /// The rights of the store; by default all.
    pub const fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// How long an operation may take, waiting for its turn included; 5 seconds by default.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many operations may be in flight at once, at least 1; 4,096 by default. One more waits
    /// for its turn, and is [`Overloaded`](StateError::Overloaded) at its deadline.
    pub const fn max_in_flight(mut self, operations: usize) -> Self {
        self.max_in_flight = if operations == 0 { 1 } else { operations };
        self
    }

    /// Checks these types for overlapping keys, instead of all that are linked into the program.
    pub fn namespaces<N: Namespaces>(mut self) -> Self {
        self.namespaces = Some(N::instances());
        self
    }

    /// Accepts that state could be lost in this way. Only [`build_production`](Self::build_production)
    /// asks. A name of a file of settings is read by `parse`, which knows all there are.
    ///
    /// ```standalone_crate
    /// use state_runtime::{backend::RiskKind, backends::MemoryBackend, prelude::*};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), state_runtime::StateError> {
    /// let store = StateStore::builder(MemoryBackend::new())
    ///     .accept_risk(RiskKind::Memory)
    ///     .build_production()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn accept_risk(mut self, kind: RiskKind) -> Self {
        self.accepted.push(kind);
        self
    }

    /// Builds the store.
    ///
    /// # Errors
    ///
    /// [`NamespaceConflict`](StateError::NamespaceConflict) if two types of state can share a key,
    /// [`InvalidKey`](StateError::InvalidKey) if the name of the scope is empty or too long.
    pub fn build(self) -> Result<StateStore<B>> {
        match &self.namespaces {
            Some(instances) => registry::check(instances)?,
            None => registry::check(&registered().copied().collect::<Vec<_>>())?,
        }
        let scope = self.scope.map(|name| Scope::new(None, &name)).transpose()?;
        let guard = Arc::new(Guard::new(self.backend, self.deadline, self.max_in_flight));
        Ok(StateStore { guard, scope, access: self.access, lifetime: None })
    }

    /// Builds the store for production: see [`StateStore::production`].
    ///
    /// # Errors
    ///
    /// [`NotDurable`](StateError::NotDurable) with the risks, those of [`build`](Self::build), and
    /// those of the backend when it is asked.
    pub async fn build_production(mut self) -> Result<StateStore<B>> {
        let accepted = core::mem::take(&mut self.accepted);
        let store = self.build()?;
        let mut risks = store.guard.risks().await?;
        risks.retain(|risk| !accepted.contains(&risk.kind()));
        if risks.is_empty() {
            Ok(store)
        } else {
            Err(StateError::NotDurable { risks: risks.into() })
        }
    }
}
