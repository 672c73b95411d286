//! What the user wrote: the struct and its attributes, taken apart but not yet judged.

mod garde;
mod serde;
mod state;

use syn::{Attribute, DeriveInput, Field};

pub(crate) use self::{
    garde::{ContainerRules, FieldRules},
    serde::{ContainerSerde, Default, FieldSerde},
    state::{FieldAttrs, PartAttrs, StructAttrs},
};
use crate::context::Context;

/// A struct with its attributes.
pub(crate) struct Struct<'a> {
    pub(crate) attrs: StructAttrs,
    pub(crate) serde: ContainerSerde,
    pub(crate) garde: ContainerRules,
    pub(crate) fields: Vec<StructField<'a>>,
}

/// A field with its attributes.
pub(crate) struct StructField<'a> {
    pub(crate) field: &'a Field,
    pub(crate) ident: &'a syn::Ident,
    /// The name as formats, JSON and messages have it: without `r#`.
    pub(crate) name: String,
    pub(crate) attrs: FieldAttrs,
    pub(crate) serde: FieldSerde,
    pub(crate) garde: FieldRules,
}

/// Reads all attributes of a struct. What cannot be read is told to `cx` and left out.
pub(crate) fn parse<'a>(
    input: &'a DeriveInput,
    fields: &'a syn::Fields,
    cx: &Context,
) -> Struct<'a> {
    let fields = fields.iter().filter_map(|field| {
        let ident = field.ident.as_ref()?;
        Some(StructField {
            field,
            ident,
            name: unraw(ident),
            attrs: FieldAttrs::parse(&field.attrs, cx),
            serde: FieldSerde::parse(&field.attrs, cx),
            garde: FieldRules::parse(&field.attrs),
        })
    });
    Struct {
        attrs: StructAttrs::parse(&input.attrs, cx),
        serde: ContainerSerde::parse(&input.attrs, cx),
        garde: ContainerRules::parse(&input.attrs),
        fields: fields.collect(),
    }
}

/// The name of an identifier without `r#`.
pub(crate) fn unraw(ident: &syn::Ident) -> String {
    use syn::ext::IdentExt as _;
    ident.unraw().to_string()
}

fn named<'a>(attrs: &'a [Attribute], name: &'a str) -> impl Iterator<Item = &'a Attribute> {
    attrs.iter().filter(move |attr| attr.path().is_ident(name))
}
