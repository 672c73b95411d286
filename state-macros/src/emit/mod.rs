//! From the checked model to code. Nothing here can fail.
//!
//! Generated code names everything by a full path, through `::core` or the runtime's `__private`,
//! and calls everything in full form: what the user has in scope is never looked at. Its own names
//! start with `__state_` or `__State`.

mod bounds;
mod key;
mod prefix;
mod schema;
mod value;

pub(crate) use self::prefix::prefix_fn_name;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::{
    generics::named_in,
    model::{KeyField, Model},
};

/// Everything that `#[derive(StateKey)]` generates.
pub(crate) fn emit(model: &Model<'_>) -> TokenStream {
    let krate = &model.krate;
    let emitter = Emitter { model, p: quote!(__state) };
    let key_type = emitter.key_type();
    let key_fn = emitter.key_fn();
    let prefix_fns = emitter.prefix_fns();
    let key_impls = emitter.key_impls();
    let stored = emitter.stored();
    let schema = emitter.schema();
    let registration = emitter.registration();
    quote! {
        #key_type

        #[allow(deprecated, unreachable_pub, unused_qualifications, clippy::absolute_paths)]
        const _: () = {
            use #krate::__private as __state;
            use __state::serde as __state_serde;

            #key_fn
            #prefix_fns
            #key_impls
            #stored
            #schema
            #registration
        };
    }
}

/// The place of the user's tokens, for code of the derive: what is wrong with it is told there, and
/// its names are still those of the derive, even if a macro has made the user's.
pub(crate) fn at(tokens: &impl Spanned) -> Span {
    Span::call_site().located_at(tokens.span())
}

/// The model, and what nearly every piece of code needs of it.
struct Emitter<'m, 'a> {
    model: &'m Model<'a>,
    /// The name that the runtime's `__private` has within the generated block.
    p: TokenStream,
}

impl Emitter<'_, '_> {
    /// `Session<T>`
    fn whole(&self) -> TokenStream {
        let ident = self.model.ident;
        let (_, arguments, _) = self.model.generics.split_for_impl();
        quote!(#ident #arguments)
    }

    /// `SessionKey<T>`
    fn key(&self) -> TokenStream {
        let ident = &self.model.key.type_name;
        let (_, arguments, _) = self.model.generics.split_for_impl();
        quote!(#ident #arguments)
    }

    /// `<FieldType as KeyPart>::method`, at the span of the type: a type that is no `KeyPart` gives
    /// the same error wherever it is called, and the compiler shows it once.
    fn part(&self, field: &KeyField<'_>, method: &str) -> TokenStream {
        let p = &self.p;
        let ty = &field.ty;
        let method = syn::Ident::new(method, at(ty));
        quote_spanned!(at(ty)=> <#ty as #p::KeyPart>::#method)
    }

    /// The type parameters that none of `types` names, as `PhantomData` that owns nothing.
    fn marker<'t>(&self, types: impl Iterator<Item = &'t syn::Type>) -> Option<TokenStream> {
        let generics = self.model.generics;
        let mut unnamed: Vec<_> = generics.type_params().map(|param| &param.ident).collect();
        for ty in types {
            let named = named_in(generics, ty);
            unnamed.retain(|param| !named.mentioned.contains(param));
        }
        let marker = quote!(::core::marker::PhantomData<(#(fn() -> #unnamed,)*)>);
        (!unnamed.is_empty()).then_some(marker)
    }
}
