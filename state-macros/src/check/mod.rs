//! The rules of `#[derive(StateKey)]`: one function a rule, from what was written to the model.

mod counter;
mod fence;
mod key;
mod lifetime;
mod value;
mod version;

use quote::format_ident;
use syn::{Data, DeriveInput, Fields, GenericParam, Type, TypeReference};

use crate::{
    context::Context,
    model::{Model, OnInvalid},
    suggest::did_you_mean,
    syntax::{self, Struct, StructAttrs, StructField},
};

/// Checks everything; `None` if `cx` was told of a mistake without which there is no model.
pub(crate) fn check<'a>(input: &'a DeriveInput, cx: &Context) -> Option<Model<'a>> {
    let fields = fields(input, cx);
    check_lifetimes(input, cx);
    let read = syntax::parse(input, fields?, cx);
    let Struct { mut attrs, serde, garde, fields, .. } = read;
    if !input.attrs.iter().any(|attr| attr.path().is_ident("state")) {
        attrs.incomplete = true;
        cx.error(
            &input.ident,
            "state needs a key and a lifetime: add `#[state(key = \"session:{id}\", ttl = \"30m\")]`, or `persistent` in place of `ttl`",
        );
    }
    check_borrows(&fields, cx);
    let field_names = fields.iter().map(|field| field.name.clone()).collect();
    let dependent = fields.iter().filter(|field| field.garde.dependent);
    let dependent_names = dependent.map(|field| field.name.clone()).collect();
    let lifetime = lifetime::check(&attrs, input, cx);
    let max_size = lifetime::max_size(&attrs, cx);
    let on_invalid = on_invalid(&attrs, cx);
    let fenced_by = fence::check(&attrs, input, &fields, cx);
    let version = version::check(&attrs, input, &fields, cx);
    let krate = attrs.krate.clone().unwrap_or_else(|| syn::parse_quote!(::state_runtime));
    let whole = garde.whole || fields.iter().any(|field| field.garde.whole);
    let (key, rest) = key::check(&attrs, garde, fields, input, cx);
    let counter = counter::check(&rest, whole);
    let plain = !whole && counter::is_plain(&rest);
    let value = value::check(rest, serde, (counter, plain), attrs.superseded.is_none(), input, cx);
    Some(Model {
        ident: &input.ident,
        vis: &input.vis,
        generics: &input.generics,
        krate,
        key: key?,
        value,
        lifetime: lifetime?,
        max_size,
        version,
        on_invalid,
        fenced_by,
        field_names,
        dependent_names,
    })
}

/// The name of the key type.
pub(crate) fn key_type_name(attrs: &StructAttrs, input: &DeriveInput) -> syn::Ident {
    attrs.key_type.clone().filter(|name| *name != input.ident).unwrap_or_else(|| {
        format_ident!("{}Key", syntax::unraw(&input.ident), span = input.ident.span())
    })
}

/// The name of the function that makes a key.
pub(crate) fn key_fn_name(attrs: &StructAttrs, input: &DeriveInput) -> syn::Ident {
    attrs.key_fn.clone().unwrap_or_else(|| syn::Ident::new("key", input.ident.span()))
}

/// The name of the function that makes a prefix.
pub(crate) fn prefix_fn_name(attrs: &StructAttrs, input: &DeriveInput) -> syn::Ident {
    attrs.prefix_fn.clone().unwrap_or_else(|| syn::Ident::new("prefix", input.ident.span()))
}

fn fields<'a>(input: &'a DeriveInput, cx: &Context) -> Option<&'a Fields> {
    match &input.data {
        Data::Struct(data) if !matches!(data.fields, Fields::Unnamed(_)) => Some(&data.fields),
        Data::Struct(data) => {
            cx.error(
                &data.fields,
                "the fields of state need names, which the key format and the stored JSON use; write `{ name: Type }`",
            );
            None
        }
        Data::Enum(data) => {
            cx.error(
                data.enum_token,
                "state is a struct, so that its key fields are always there; put the enum into a field of a struct",
            );
            None
        }
        Data::Union(data) => {
            cx.error(data.union_token, "state is a struct; a union cannot be stored");
            None
        }
    }
}

fn check_lifetimes(input: &DeriveInput, cx: &Context) {
    for param in &input.generics.params {
        if let GenericParam::Lifetime(param) = param {
            cx.error(
                param,
                "state owns its data, because it outlives what it was read from; use owned types like `String` and remove the lifetime",
            );
        }
    }
}

/// A lifetime that is declared, or missing, is told by itself; `'static` is neither.
fn check_borrows(fields: &[StructField<'_>], cx: &Context) {
    const READ_OTHERWISE: [&str; 4] = ["skip", "skip_deserializing", "with", "deserialize_with"];
    for field in fields {
        let Type::Reference(TypeReference { lifetime: Some(lifetime), .. }) = &field.field.ty
        else {
            continue;
        };
        let read = READ_OTHERWISE.iter().all(|name| field.serde.find(name).is_none());
        if lifetime.ident == "static" && read {
            cx.error(
                &field.field.ty,
                "state owns its data, because it is read from a store; use an owned type like `String`",
            );
        }
    }
}

fn on_invalid(attrs: &StructAttrs, cx: &Context) -> OnInvalid {
    let Some(text) = &attrs.on_invalid else { return OnInvalid::Error };
    match text.value().as_str() {
        "error" => OnInvalid::Error,
        "discard" => OnInvalid::Discard,
        "quarantine" => OnInvalid::Quarantine,
        other => {
            let remedy = match did_you_mean(other, ["error", "discard", "quarantine"]) {
                hint if hint.is_empty() => {
                    "; write \"error\", \"discard\" or \"quarantine\"".to_owned()
                }
                hint => hint,
            };
            cx.error(text, format!("unknown choice `{other}`{remedy}"));
            OnInvalid::Error
        }
    }
}
