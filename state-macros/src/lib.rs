//! The derive macros of `state-runtime`.

mod check;
mod context;
mod emit;
mod fallback;
mod generics;
mod key_part;
mod model;
mod suggest;
mod syntax;
mod template;
mod units;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;
use syn::DeriveInput;

use self::context::Context;

/// Makes a struct a type of state.
#[proc_macro_derive(StateKey, attributes(state, serde, garde))]
pub fn derive_state_key(input: TokenStream) -> TokenStream {
    expand(input.into(), expand_state_key).into()
}

/// Lets a newtype or an enum without data stand in a key.
#[proc_macro_derive(KeyPart, attributes(state))]
pub fn derive_key_part(input: TokenStream) -> TokenStream {
    expand(input.into(), expand_key_part).into()
}

fn expand(input: TokenStream2, derive: fn(&DeriveInput) -> TokenStream2) -> TokenStream2 {
    match syn::parse2(input) {
        Ok(input) => derive(&input),
        Err(error) => error.to_compile_error(),
    }
}

fn expand_state_key(input: &DeriveInput) -> TokenStream2 {
    let cx = Context::new();
    let model = check::check(input, &cx);
    match (cx.finish(), model) {
        (None, Some(model)) => emit::emit(&model),
        (errors, _) => errors.into_iter().chain([fallback::state_key(input)]).collect(),
    }
}

fn expand_key_part(input: &DeriveInput) -> TokenStream2 {
    let cx = Context::new();
    let part = key_part::check(input, &cx);
    match (cx.finish(), part) {
        (None, Some(part)) => key_part::emit(&part),
        (errors, _) => errors.into_iter().chain([key_part::fallback(input)]).collect(),
    }
}
