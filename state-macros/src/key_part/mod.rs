//! `#[derive(KeyPart)]`: newtypes and enums without data as key fields.

mod case;
mod emit;

use syn::{Data, DataEnum, DataStruct, DeriveInput, Generics, Ident, Index, Member, Path, Type};

pub(crate) use self::emit::{emit, fallback};
use crate::{context::Context, suggest::did_you_mean, syntax, syntax::PartAttrs};

/// The checked form of a key part.
pub(crate) struct Part<'a> {
    ident: &'a Ident,
    generics: &'a Generics,
    krate: Path,
    kind: Kind<'a>,
}

enum Kind<'a> {
    /// The one field of a newtype.
    Newtype { member: Member, ty: &'a Type },
    /// The variants of an enum, and the texts they are written as.
    Enum(Vec<(&'a Ident, String)>),
}

/// Checks everything; `None` if `cx` was told of a mistake.
pub(crate) fn check<'a>(input: &'a DeriveInput, cx: &Context) -> Option<Part<'a>> {
    let attrs = PartAttrs::parse(&input.attrs, cx);
    if let Some(rename) = &attrs.rename {
        cx.error(rename, "`rename` belongs on a variant; `rename_all` is for the enum");
    }
    if let (Some(case), false) = (&attrs.rename_all, matches!(input.data, Data::Enum(_))) {
        cx.error(case, "`rename_all` is for the variants of an enum; remove it");
    }
    let kind = match &input.data {
        Data::Struct(data) => newtype(data, input, cx),
        Data::Enum(data) => variants(data, &attrs, input, cx),
        Data::Union(data) => {
            cx.error(data.union_token, "a union cannot be a key part; use a newtype or an enum");
            None
        }
    };
    let krate = attrs.krate.unwrap_or_else(|| syn::parse_quote!(::state_runtime));
    Some(Part { ident: &input.ident, generics: &input.generics, krate, kind: kind? })
}

fn newtype<'a>(data: &'a DataStruct, input: &'a DeriveInput, cx: &Context) -> Option<Kind<'a>> {
    for field in &data.fields {
        if let Some(attr) = field.attrs.iter().find(|attr| attr.path().is_ident("state")) {
            cx.error(attr, "the field of a newtype takes no attributes; remove this one");
        }
    }
    let mut fields = data.fields.iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        cx.error(
            &input.ident,
            "a key part has exactly one field, which is written in its place; put each of several fields into the key by itself",
        );
        return None;
    };
    let member = field.ident.clone().map_or_else(|| Member::Unnamed(Index::from(0)), Member::Named);
    Some(Kind::Newtype { member, ty: &field.ty })
}

fn variants<'a>(
    data: &'a DataEnum,
    attrs: &PartAttrs,
    input: &'a DeriveInput,
    cx: &Context,
) -> Option<Kind<'a>> {
    if data.variants.is_empty() {
        cx.error(&input.ident, "an enum without variants has no values to write; add a variant");
        return None;
    }
    let mut parts: Vec<(&Ident, String)> = Vec::new();
    for variant in &data.variants {
        if !variant.fields.is_empty() {
            cx.error(
                &variant.fields,
                "a key part is one text, so its variants hold no data; put the data into key fields of their own",
            );
        }
        let own = PartAttrs::parse(&variant.attrs, cx);
        if let Some(case) = &own.rename_all {
            cx.error(case, "`rename_all` belongs on the enum; `rename` is for a variant");
        }
        let name = syntax::unraw(&variant.ident);
        let text = match (&own.rename, &attrs.rename_all) {
            (Some(text), _) => text.value(),
            (None, Some(case)) => case::rename(&name, &case.value()).unwrap_or(name),
            (None, None) => name,
        };
        if text.is_empty() {
            cx.error(
                &own.rename,
                "an empty text is no key segment; give it at least one character",
            );
        }
        if let Some((first, _)) = parts.iter().find(|(_, known)| *known == text) {
            let message = format!(
                "`{first}` is written `{text}` too, so it could not be read back; rename one"
            );
            match &own.rename {
                Some(rename) => cx.error(rename, message),
                None => cx.error(&variant.ident, message),
            }
        }
        parts.push((&variant.ident, text));
    }
    if let Some(case) = &attrs.rename_all {
        check_case(case, cx);
    }
    Some(Kind::Enum(parts))
}

fn check_case(case: &syn::LitStr, cx: &Context) {
    let text = case.value();
    if !case::CASES.contains(&text.as_str()) {
        let remedy = match did_you_mean(&text, case::CASES) {
            hint if hint.is_empty() => {
                let known = case::CASES.map(|case| format!("\"{case}\"")).join(", ");
                format!("; known are {known}")
            }
            hint => hint,
        };
        cx.error(case, format!("unknown case `{text}`{remedy}"));
    }
}
