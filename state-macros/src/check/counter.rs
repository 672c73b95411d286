//! Which types of state are counters: one integer, stored as a plain number.
//!
//! Nothing here is a mistake: a type that is no counter just cannot be added to.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::{
    Expr, Ident, Token, Type,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
};

use crate::{
    model::Counter,
    syntax::{FieldRules, StructField},
};

/// Integers whose whole range the runtime can add in.
const INTEGERS: [&str; 10] =
    ["i8", "i16", "i32", "i64", "isize", "u8", "u16", "u32", "u64", "usize"];

/// What the rules say of the one value field, if that is an integer which serde stores as it is.
/// `whole` tells that some rule looks at the whole struct.
pub(super) fn check(fields: &[StructField<'_>], whole: bool) -> Option<Counter> {
    let [field] = fields else { return None };
    let plain = field.attrs.value.is_some() && field.serde.copied.is_empty();
    if !plain || !is_integer(&field.field.ty) {
        return None;
    }
    Some(if whole { Counter::Rules } else { range(&field.garde) })
}

/// Whether the one value field is stored as its type has it, and has no rules of its own.
pub(super) fn is_plain(fields: &[StructField<'_>]) -> bool {
    let [field] = fields else { return false };
    field.serde.copied.is_empty() && field.garde.own.is_empty()
}

fn is_integer(ty: &Type) -> bool {
    match ty {
        // What a macro of the user passes on is in a group.
        Type::Group(group) => is_integer(&group.elem),
        Type::Path(path) if path.qself.is_none() => {
            path.path.get_ident().is_some_and(|ident| INTEGERS.iter().any(|name| ident == name))
        }
        _ => false,
    }
}

fn range(rules: &FieldRules) -> Counter {
    match rules.own.as_slice() {
        [] => Counter::Range { min: None, max: None },
        [rule] => literal_range(rule).unwrap_or(Counter::Rules),
        _ => Counter::Rules,
    }
}

/// `range(min = 1, max = 9)`, if its ends are literals.
fn literal_range(rule: &TokenStream) -> Option<Counter> {
    let parse = |input: ParseStream<'_>| {
        if input.parse::<Ident>()? != "range" {
            return Err(input.error("another rule"));
        }
        let ends;
        syn::parenthesized!(ends in input);
        Punctuated::<End, Token![,]>::parse_terminated(&ends)
    };
    let (mut min, mut max) = (None, None);
    for End { name, value } in parse.parse2(rule.clone()).ok()? {
        match name.to_string().as_str() {
            "min" => min = Some(value.into_token_stream()),
            "max" => max = Some(value.into_token_stream()),
            _ => return None,
        }
    }
    Some(Counter::Range { min, max })
}

/// `min = -5`
struct End {
    name: Ident,
    value: Expr,
}

impl Parse for End {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        let value = input.parse::<Expr>()?;
        if is_literal(&value) { Ok(Self { name, value }) } else { Err(input.error("no literal")) }
    }
}

fn is_literal(value: &Expr) -> bool {
    match value {
        Expr::Lit(literal) => matches!(literal.lit, syn::Lit::Int(_)),
        Expr::Unary(unary) => matches!(unary.op, syn::UnOp::Neg(_)) && is_literal(&unary.expr),
        Expr::Group(group) => is_literal(&group.expr),
        _ => false,
    }
}
