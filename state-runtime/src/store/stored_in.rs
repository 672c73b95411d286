//! `StoredIn`: which backends can keep which types of state, checked by the compiler.

use crate::{
    backend::{Backend, Cas, Ttl},
    schema::{Expiring, Persistent, Unversioned, Versioned},
};

/// A need of a state type that the backend `B` can meet.
///
/// `ttl = "…"` needs [`Ttl`], `version = N` needs [`Cas`]; a persistent type without a version can
/// be stored anywhere.
#[diagnostic::on_unimplemented(
    message = "`{B}` cannot store this type of state: it is `{Self}`",
    label = "this state is `{Self}`",
    note = "a type with `ttl = \"…\"` is `Expiring` and needs a backend that implements `Ttl`; make it `persistent` or choose another backend",
    note = "a type with `version = N` is `Versioned` and needs a backend that implements `Cas`"
)]
pub trait StoredIn<B: ?Sized> {}

// Not recommended, or the message would be that of the capability, which does not tell of the type.
#[diagnostic::do_not_recommend]
impl<B: Backend> StoredIn<B> for Persistent {}
#[diagnostic::do_not_recommend]
impl<B: Ttl> StoredIn<B> for Expiring {}
#[diagnostic::do_not_recommend]
impl<B: Backend> StoredIn<B> for Unversioned {}
#[diagnostic::do_not_recommend]
impl<B: Cas> StoredIn<B> for Versioned {}
