//! `fenced_by`: what a type has to be so that its values can carry a token.

use syn::{DeriveInput, Type, spanned::Spanned as _};

use crate::{
    context::Context,
    generics,
    syntax::{StructAttrs, StructField},
};

/// The lock that the type is written under.
pub(super) fn check(
    attrs: &StructAttrs,
    input: &DeriveInput,
    fields: &[StructField<'_>],
    cx: &Context,
) -> Option<Type> {
    let lock = attrs.fenced_by.as_ref()?;
    if let Some(ttl) = &attrs.ttl {
        cx.error(
            ttl,
            "the token would expire with the value, and a late holder could write again; a type that is `fenced_by` a lock is `persistent`",
        );
    }
    if let Some(value) = fields.iter().find_map(|field| field.attrs.value.as_ref()) {
        cx.error(
            value,
            "a single value has no room for the token; remove `value`, so that the type is stored as an object",
        );
    }
    if let Some(formerly) = &attrs.formerly {
        cx.error(
            formerly,
            "a value and its token are one entry, and this would be two; move the values before the type is `fenced_by` a lock",
        );
    }
    if let Some(choice) = attrs.on_invalid.as_ref().filter(|choice| choice.value() != "error") {
        cx.error(
            choice,
            "a read that sets a value aside would take its token along; remove `on_invalid`",
        );
    }
    if let Some(superseded) = &attrs.superseded {
        cx.error(
            superseded,
            "an old version is not written, so no lock is asked; remove `fenced_by` here and keep it on the new version",
        );
    }
    if matches!(lock, Type::Path(ty) if ty.path.is_ident(&input.ident) || ty.path.is_ident("Self"))
    {
        cx.push(syn::Error::new(
            lock.span(),
            format!("`{}` cannot fence itself; name the type of the lock", input.ident),
        ));
    }
    Some(generics::without_self(lock, &input.ident, &input.generics))
}
