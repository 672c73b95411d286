//! `version`, `upgrade_from` and `superseded`.

use syn::{DeriveInput, Type};

use crate::{
    context::Context,
    generics,
    model::{Upgrade, Version},
    syntax::{StructAttrs, StructField},
};

/// The place in an upgrade chain.
pub(super) fn check(
    attrs: &StructAttrs,
    input: &DeriveInput,
    fields: &[StructField<'_>],
    cx: &Context,
) -> Version {
    check_shape(attrs, fields, cx);
    Version { superseded: attrs.superseded.is_some(), upgrade: upgrade(attrs, input, cx) }
}

fn upgrade(attrs: &StructAttrs, input: &DeriveInput, cx: &Context) -> Option<Upgrade> {
    let (number, from) = match (&attrs.version, &attrs.upgrade_from) {
        (None, None) => return None,
        (None, _) | (_, None) if attrs.incomplete => return None,
        (Some(number), None) => {
            cx.error(
                number,
                "a version needs the type that it replaces: add `upgrade_from = Old`; the first version of a type needs neither",
            );
            return None;
        }
        (None, Some(from)) => {
            cx.error(
                from,
                "an upgrade needs a number: add `version = 2`, one more than the old type has",
            );
            return None;
        }
        (Some(number), Some(from)) => (number, from),
    };
    let Ok(version) = number.base10_parse::<u32>() else {
        cx.error(number, "a version is a whole number from 2 to 4294967295");
        return None;
    };
    if version < 2 {
        cx.error(
            number,
            format!("`version = {version}` upgrades from nothing: 1 is the version of a type that says none; write 2 or more"),
        );
        return None;
    }
    if is_itself(from, input) {
        cx.error(
            from,
            format!(
                "`{}` cannot upgrade from itself; name the type of the version before",
                input.ident
            ),
        );
        return None;
    }
    Some(Upgrade {
        version,
        version_span: number.span(),
        from: generics::without_self(from, &input.ident, &input.generics),
    })
}

fn is_itself(from: &Type, input: &DeriveInput) -> bool {
    matches!(from, Type::Path(ty) if ty.path.is_ident(&input.ident) || ty.path.is_ident("Self"))
}

/// The version is a member of the stored object, and a single value has no members.
fn check_shape(attrs: &StructAttrs, fields: &[StructField<'_>], cx: &Context) {
    let Some(value) = fields.iter().find_map(|field| field.attrs.value.as_ref()) else { return };
    if attrs.version.is_some() || attrs.upgrade_from.is_some() {
        cx.error(
            value,
            "a single value has no room for the version; remove `value`, so that the type is stored as an object",
        );
    }
}
