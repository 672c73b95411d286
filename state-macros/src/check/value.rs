//! The value fields and `#[state(value)]`.

use syn::{DeriveInput, Type};

use crate::{
    context::Context,
    generics,
    model::{Counter, Shape, Value, ValueField},
    syntax::{ContainerSerde, StructField},
};

/// The stored form, of all fields that are not in the key.
pub(super) fn check<'a>(
    fields: Vec<StructField<'a>>,
    serde: ContainerSerde,
    (counter, plain): (Option<Counter>, bool),
    written: bool,
    input: &'a DeriveInput,
    cx: &Context,
) -> Value<'a> {
    check_secret(&fields, cx);
    let shape = shape(&fields, cx);
    if shape == Shape::Value {
        check_always_stored(&fields, cx);
    } else if written && serde.default.is_none() {
        check_read_when_left_out(&fields, cx);
    }
    let fields = fields.into_iter().map(|field| ValueField {
        ident: field.ident,
        ty: generics::without_self(&field.field.ty, &input.ident, &input.generics),
        serde: field.serde,
    });
    Value { shape, fields: fields.collect(), serde, counter, plain }
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

/// A member that writing leaves out needs something that reading puts in its place.
fn check_read_when_left_out(fields: &[StructField<'_>], cx: &Context) {
    const PUT_IN_PLACE: [&str; 3] = ["default", "skip_deserializing", "flatten"];
    for field in fields {
        let put_in_place = PUT_IN_PLACE.iter().any(|name| field.serde.find(name).is_some())
            // An `Option` that serde reads by itself is `None` then.
            || (is_option(&field.field.ty) && !field.serde.bypassed.de);
        let left_out = ["skip_serializing", "skip_serializing_if"]
            .into_iter()
            .find_map(|name| Some((name, field.serde.find(name)?)));
        if let (false, Some((name, path))) = (put_in_place, left_out) {
            cx.error(
                path,
                format!(
                    "`{name}` leaves `{}` out of the stored object, which could then not be read; add `default`",
                    field.name
                ),
            );
        }
    }
}

fn is_option(ty: &Type) -> bool {
    match ty {
        // What a macro of the user passes on is in a group.
        Type::Group(group) => is_option(&group.elem),
        Type::Paren(paren) => is_option(&paren.elem),
        Type::Path(ty) => ty.path.segments.last().is_some_and(|last| last.ident == "Option"),
        _ => false,
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
