//! The value fields and `#[state(value)]`.

use syn::DeriveInput;

use crate::{
    context::Context,
    generics,
    model::{Shape, Value, ValueField},
    syntax::{ContainerSerde, StructField},
};

/// The stored form, of all fields that are not in the key.
pub(super) fn check<'a>(
    fields: Vec<StructField<'a>>,
    serde: ContainerSerde,
    input: &'a DeriveInput,
    cx: &Context,
) -> Value<'a> {
    check_secret(&fields, cx);
    let shape = shape(&fields, cx);
    if shape == Shape::Value {
        check_always_stored(&fields, cx);
    }
    let fields = fields.into_iter().map(|field| ValueField {
        ident: field.ident,
        ty: generics::without_self(&field.field.ty, &input.ident, &input.generics),
        serde: field.serde,
    });
    Value { shape, fields: fields.collect(), serde }
}

fn shape(fields: &[StructField<'_>], cx: &Context) -> Shape {
    let mut marks = fields.iter().filter_map(|field| field.attrs.value.as_ref());
    let Some(first) = marks.next() else { return Shape::Object };
    let mut alone = true;
    for again in marks {
        alone = false;
        cx.error(again, "a second `value`: one field alone can be the stored value; remove both to store an object");
    }
    let other = fields.iter().find(|field| field.attrs.value.is_none());
    if let (true, Some(other)) = (alone, other) {
        cx.error(
            first,
            format!(
                "`{}` is neither in the key nor the `value`, so it would be lost; remove `value` to store an object of both",
                other.name
            ),
        );
    }
    Shape::Value
}

/// The one value cannot be left out or dissolve into members.
fn check_always_stored(fields: &[StructField<'_>], cx: &Context) {
    const LEFT_OUT: [&str; 5] =
        ["skip", "skip_serializing", "skip_deserializing", "skip_serializing_if", "flatten"];
    for field in fields.iter().filter(|field| field.attrs.value.is_some()) {
        for name in LEFT_OUT {
            if let Some(path) = field.serde.find(name) {
                cx.error(
                    path,
                    format!("`{name}` has no meaning for a `value`, which is stored alone and always; remove it"),
                );
            }
        }
    }
}

fn check_secret(fields: &[StructField<'_>], cx: &Context) {
    for field in fields {
        if let Some(secret) = &field.attrs.secret {
            cx.error(
                secret,
                "`secret` is for key fields: values are never printed, so a value field needs no mark; remove it",
            );
        }
    }
}
