//! State that only the present holder of a lock writes: `fenced_by = TheLock`.

use super::StateKey;

/// A state type that says `fenced_by = L`: it is written with the tokens of that lock alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not fenced by `{L}`, so a token of that lock means nothing to it",
    label = "does not say `fenced_by = {L}`",
    note = "take the token of the lock that `{Self}` names; if it names none, add `fenced_by = {L}` to its `#[state(…)]` or write it with the store itself"
)]
pub trait Fenced<L: StateKey>: StateKey {}

/// A state type that may be removed without a token: every one that does not say `fenced_by`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be removed without a token: it is fenced, or may be",
    label = "not removable",
    note = "if it says `fenced_by`, remove it with `store.fenced(guard.token())`, which leaves a mark that later holders are known by",
    note = "if it is a type parameter, bound it by `Writable` or `Removable`"
)]
pub trait Removable: StateKey {}
