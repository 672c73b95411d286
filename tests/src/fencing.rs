//! A lock, what it protects, and what it does not: for holders that are stopped in the middle of it.

use garde::Validate;
use state_runtime::{
    StateError, StateKey,
    backend::Cas,
    patterns::{Lease, LockGuard},
    store::StateStore,
};

/// The lock.
#[derive(Debug, StateKey, Validate)]
#[state(key = "fencing:lock", persistent)]
pub struct TheLock {
    /// Who holds it.
    #[state(value)]
    #[garde(skip)]
    pub lease: Lease,
}

/// The tokens of those who have written, in order; one that writes several times in a row is there once.
#[derive(Debug, StateKey, Validate)]
#[state(key = "fencing:protected", persistent, max_size = "1MiB", fenced_by = TheLock)]
pub struct Protected {
    /// The tokens.
    #[garde(skip)]
    pub tokens: Vec<u64>,
}

/// The same, written by whoever believes to be the holder.
#[derive(Debug, StateKey, Validate)]
#[state(key = "fencing:control", persistent, max_size = "1MiB")]
pub struct Control {
    /// The tokens.
    #[garde(skip)]
    pub tokens: Vec<u64>,
}

/// How many writes came from a holder that was late.
#[must_use]
pub fn late(tokens: &[u64]) -> usize {
    let mut greatest = 0;
    let is_late = |token: &&u64| {
        let late = **token < greatest;
        greatest = greatest.max(**token);
        late
    };
    tokens.iter().filter(is_late).count()
}

/// Writes to both, if the guard says that the lock is held.
///
/// # Errors
///
/// Those of the store.
pub async fn write<B: Cas>(
    store: &StateStore<B>,
    guard: &LockGuard<TheLock>,
) -> Result<(), StateError> {
    let token = guard.token().get();
    let note = |tokens: &mut Vec<u64>| {
        if tokens.last() != Some(&token) {
            tokens.push(token);
        }
    };
    if !guard.is_held() {
        return Ok(());
    }
    let empty = || Control { tokens: Vec::new() };
    store.update_or_insert_with(Control::key(), empty, |it| note(&mut it.tokens)).await?;
    let fenced = store.fenced(guard.token());
    fenced
        .update_option(Protected::key(), |it| {
            note(&mut it.get_or_insert(Protected { tokens: Vec::new() }).tokens);
        })
        .await
        .map(drop)
}
