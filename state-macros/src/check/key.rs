//! The key format, its fields, and the format of former days.

use proc_macro2::Span;
use syn::{DeriveInput, LitStr};

use super::{key_fn_name, key_type_name, prefix_fn_name};
use crate::{
    context::Context,
    generics,
    model::{Format, Key, KeyField, Piece},
    suggest::did_you_mean,
    syntax::{ContainerRules, StructAttrs, StructField},
    template::{self, Fault},
};

/// The key, and the fields that are not in it.
pub(super) fn check<'a>(
    attrs: &StructAttrs,
    garde: ContainerRules,
    fields: Vec<StructField<'a>>,
    input: &'a DeriveInput,
    cx: &Context,
) -> (Option<Key<'a>>, Vec<StructField<'a>>) {
    if let Some(name) = &attrs.key_type
        && *name == input.ident
    {
        cx.error(name, format!("`{name}` is the state itself; give its key another name"));
    }
    let Some(text) = &attrs.key else {
        if attrs.incomplete {
            return (None, Vec::new());
        }
        let message = "state needs a key format: add `key = \"session:{id}\"` to `#[state(…)]`, with the fields that are in the key";
        cx.error_at(attribute_span(input), message);
        return (None, Vec::new());
    };
    let Some(pieces) = parse(text, cx) else {
        // The other fields can be checked nonetheless.
        let names = template::names_in(&text.value());
        let rest = fields.into_iter().filter(|field| !names.contains(&field.name));
        return (None, rest.collect());
    };
    let order = resolve(text, &pieces, &fields, cx);
    let mut fields: Vec<_> = fields.into_iter().map(Some).collect();
    let in_key: Vec<_> = order
        .iter()
        .filter_map(|index| fields.get_mut(*index).and_then(Option::take))
        .map(|field| key_field(field, input, cx))
        .collect();
    let rest: Vec<_> = fields.into_iter().flatten().collect();
    check_prefix_fn(attrs, in_key.len(), input, cx);
    let former = attrs.formerly.as_ref().and_then(|former| check_former(former, &in_key, cx));
    let key = format(text, &pieces, &in_key).map(|format| Key {
        format,
        former,
        fields: in_key,
        type_name: key_type_name(attrs, input),
        fn_name: key_fn_name(attrs, input),
        prefix_fn_name: prefix_fn_name(attrs, input),
        context: garde.context,
    });
    (key, rest)
}

/// `#[state(…)]`, or the name of the type where there is none.
fn attribute_span(input: &DeriveInput) -> Span {
    use syn::spanned::Spanned as _;
    let attr = input.attrs.iter().find(|attr| attr.path().is_ident("state"));
    attr.map_or(input.ident.span(), |attr| attr.path().span())
}

fn parse(text: &LitStr, cx: &Context) -> Option<Vec<template::Piece>> {
    let format = text.value();
    match template::parse(&format) {
        Ok(pieces) => Some(pieces),
        Err(faults) => {
            for fault in faults {
                cx.error(text, fault.render(&format));
            }
            None
        }
    }
}

/// The positions of the fields that the placeholders name, in their order.
fn resolve(
    text: &LitStr,
    pieces: &[template::Piece],
    fields: &[StructField<'_>],
    cx: &Context,
) -> Vec<usize> {
    let mut order = Vec::new();
    let format = text.value();
    for piece in pieces {
        let template::Piece::Field { name, at } = piece else { continue };
        let fault = |message| cx.error(text, Fault { at: at.clone(), message }.render(&format));
        match fields.iter().position(|field| field.name == *name) {
            Some(index) if order.contains(&index) => fault(format!(
                "`{{{name}}}` stands in the key twice; name each field once, the second says nothing new"
            )),
            Some(index) => order.push(index),
            None => {
                let hint = did_you_mean(name, fields.iter().map(|field| field.name.as_str()));
                let remedy = if hint.is_empty() {
                    "; add the field or correct the placeholder"
                } else {
                    &hint
                };
                fault(format!("no field is called `{name}`{remedy}"));
            }
        }
    }
    order
}

fn key_field<'a>(field: StructField<'a>, input: &DeriveInput, cx: &Context) -> KeyField<'a> {
    if let Some(value) = &field.attrs.value {
        cx.error(
            value,
            format!(
                "`{}` is in the key, so it is not in the value; remove `value` or the placeholder",
                field.name
            ),
        );
    }
    KeyField {
        ident: field.ident,
        name: field.name,
        ty: generics::without_self(&field.field.ty, &input.ident, &input.generics),
        docs: field.field.attrs.iter().filter(|attr| attr.path().is_ident("doc")).collect(),
        secret: field.attrs.secret.is_some(),
        rules: field.garde,
    }
}

/// The functions that make prefixes need names of their own, and fields to be made of.
fn check_prefix_fn(attrs: &StructAttrs, fields: usize, input: &DeriveInput, cx: &Context) {
    let (key_fn, prefix_fn) = (key_fn_name(attrs, input), prefix_fn_name(attrs, input));
    if fields < 2 {
        if let Some(name) = &attrs.prefix_fn {
            cx.error(
                name,
                "a prefix is made of leading key fields, and this key has no two fields; remove `prefix_fn`",
            );
        }
    } else if key_fn == prefix_fn {
        let place = attrs.prefix_fn.as_ref().or(attrs.key_fn.as_ref()).unwrap_or(&input.ident);
        cx.error(
            place,
            format!(
                "`{key_fn}` would make a key and a prefix too; give one of them another name by `key_fn` or `prefix_fn`"
            ),
        );
    }
}

/// The former format has to say as much as the present one, so that each key has one former key.
fn check_former(text: &LitStr, fields: &[KeyField<'_>], cx: &Context) -> Option<Format> {
    let pieces = parse(text, cx)?;
    let format_text = text.value();
    let mut seen: Vec<&str> = Vec::new();
    let mut sound = true;
    for piece in &pieces {
        let template::Piece::Field { name, at } = piece else { continue };
        let known = fields.iter().any(|field| field.name == *name);
        let message = if seen.contains(&name.as_str()) {
            format!("`{{{name}}}` stands in the former key twice; name each field once")
        } else if known {
            seen.push(name);
            continue;
        } else {
            let hint = did_you_mean(name, fields.iter().map(|field| field.name.as_str()));
            format!("the former key has the fields of the key, and `{name}` is none{hint}")
        };
        sound = false;
        cx.error(text, Fault { at: at.clone(), message }.render(&format_text));
    }
    if let (true, Some(missing)) =
        (sound, fields.iter().find(|field| !seen.contains(&&*field.name)))
    {
        sound = false;
        cx.error(
            text,
            format!(
                "the former key lacks `{{{}}}`; it has to name every field of the key",
                missing.name
            ),
        );
    }
    if sound { format(text, &pieces, fields) } else { None }
}

fn format(text: &LitStr, pieces: &[template::Piece], fields: &[KeyField<'_>]) -> Option<Format> {
    let pieces = pieces.iter().map(|piece| match piece {
        template::Piece::Literal(text) => Some(Piece::Literal(text.clone())),
        template::Piece::Field { name, .. } => {
            fields.iter().position(|field| field.name == *name).map(Piece::Field)
        }
    });
    Some(Format { text: text.clone(), pieces: pieces.collect::<Option<_>>()? })
}
