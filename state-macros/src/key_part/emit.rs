//! `impl KeyPart`, and a stub of it beside an error.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, GenericParam, Generics, Ident, Member, Type};

use super::{Kind, Part};
use crate::{context::Context, emit::at, syntax::PartAttrs};

/// Everything that `#[derive(KeyPart)]` generates.
pub(crate) fn emit(part: &Part<'_>) -> TokenStream {
    let krate = &part.krate;
    let p = quote!(#krate::__private);
    let (bound, write, parse) = match &part.kind {
        Kind::Newtype { member, ty } => newtype(&p, member, ty),
        Kind::Enum(variants) => enumeration(&p, variants),
    };
    let ident = part.ident;
    let (generics, arguments, _) = part.generics.split_for_impl();
    let where_clause = where_clause(part.ident, part.generics, bound);
    quote! {
        #[automatically_derived]
        #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
        impl #generics #p::KeyPart for #ident #arguments #where_clause {
            fn write(&self, __state_segment: &mut #p::Segment<'_>) {
                #write
            }

            fn parse(__state_text: &str) -> ::core::result::Result<Self, #p::PartError> {
                #parse
            }
        }
    }
}

/// The bound on the field, `write` and `parse`.
fn newtype(p: &TokenStream, member: &Member, ty: &Type) -> (TokenStream, TokenStream, TokenStream) {
    let part = quote_spanned!(at(ty)=> <#ty as #p::KeyPart>);
    let make = match member {
        Member::Named(name) => quote!(Self { #name: __state_inner }),
        Member::Unnamed(_) => quote!(Self(__state_inner)),
    };
    (
        quote!(#ty: #p::KeyPart),
        quote_spanned!(at(ty)=> #part::write(&self.#member, __state_segment);),
        quote_spanned! {at(ty)=>
            ::core::result::Result::map(#part::parse(__state_text), |__state_inner| #make)
        },
    )
}

fn enumeration(
    p: &TokenStream,
    variants: &[(&Ident, String)],
) -> (TokenStream, TokenStream, TokenStream) {
    let names = variants.iter().map(|(ident, _)| ident);
    let again = names.clone();
    let texts = variants.iter().map(|(_, text)| text);
    let texts_again = texts.clone();
    let list = texts.clone().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ");
    let expected = format!("one of {list}");
    (
        TokenStream::new(),
        quote! {
            #p::Segment::push_str(__state_segment, match self { #(Self::#names => #texts,)* });
        },
        quote! {
            match __state_text {
                #(#texts_again => ::core::result::Result::Ok(Self::#again),)*
                _ => ::core::result::Result::Err(#p::PartError::expected(#expected)),
            }
        },
    )
}

/// For a type with parameters, what the trait asks of it cannot be checked before they are known.
fn where_clause(ident: &Ident, generics: &Generics, bound: TokenStream) -> TokenStream {
    let (_, arguments, own) = generics.split_for_impl();
    let predicates = own.map(|clause| &clause.predicates).into_iter().flatten();
    if generics.type_params().next().is_none() {
        return quote!(#own);
    }
    let bound = (!bound.is_empty()).then_some(bound).into_iter();
    quote! {
        where
            #(#predicates,)*
            #(#bound,)*
            #ident #arguments: ::core::cmp::Ord + ::core::hash::Hash + ::core::fmt::Debug
    }
}

/// An impl that fits no value, for a type whose attributes are wrong.
pub(crate) fn fallback(input: &DeriveInput) -> TokenStream {
    let cx = Context::new();
    let krate = PartAttrs::parse(&input.attrs, &cx).krate;
    let _told = cx.finish();
    let borrows = |param: &GenericParam| matches!(param, GenericParam::Lifetime(_));
    // A union has none of the traits that a key part needs beside, and would be told of each.
    if input.generics.params.iter().any(borrows) || matches!(input.data, Data::Union(_)) {
        return TokenStream::new();
    }
    let krate = krate.unwrap_or_else(|| syn::parse_quote!(::state_runtime));
    let p = quote!(#krate::__private);
    let ident = &input.ident;
    let (generics, arguments, _) = input.generics.split_for_impl();
    let where_clause = where_clause(ident, &input.generics, TokenStream::new());
    quote! {
        impl #generics #p::KeyPart for #ident #arguments #where_clause {
            fn write(&self, _: &mut #p::Segment<'_>) {}
            fn parse(_: &str) -> ::core::result::Result<Self, #p::PartError> { loop {} }
        }
    }
}
