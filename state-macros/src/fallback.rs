//! Stubs beside an error: what the rest of the user's program names still exists, so that one
//! mistake is one message.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Field, GenericParam, Ident, LitStr, Path};

use crate::{check, context::Context, emit, generics, syntax, syntax::StructAttrs, template};

/// The key type, `Session::key` and the trait impls, as far as the input tells their names.
pub(crate) fn state_key(input: &DeriveInput) -> TokenStream {
    // State has no lifetimes, so stubs for a type with one would be wrong themselves.
    if input.generics.params.iter().any(|param| matches!(param, GenericParam::Lifetime(_))) {
        return TokenStream::new();
    }
    let attrs = attributes(input);
    let stubs = Stubs {
        input,
        p: private(attrs.krate.as_ref()),
        key_type: check::key_type_name(&attrs, input),
        key_fn: check::key_fn_name(&attrs, input),
        prefix_fn: check::prefix_fn_name(&attrs, input),
        names: attrs
            .key
            .as_ref()
            .map(LitStr::value)
            .map_or_else(Vec::new, |format| template::names_in(&format)),
    };
    stubs.emit(attrs.superseded.is_some(), attrs.fenced_by.as_ref())
}

/// The attributes once more, without their errors, which have been told.
fn attributes(input: &DeriveInput) -> StructAttrs {
    let cx = Context::new();
    let attrs = syntax::parse(input, &syn::Fields::Unit, &cx).attrs;
    let _told = cx.finish();
    attrs
}

fn private(krate: Option<&Path>) -> TokenStream {
    krate.map_or_else(|| quote!(::state_runtime::__private), |path| quote!(#path::__private))
}

struct Stubs<'a> {
    input: &'a DeriveInput,
    p: TokenStream,
    key_type: Ident,
    key_fn: Ident,
    prefix_fn: Ident,
    /// The placeholders of the key format.
    names: Vec<String>,
}

impl Stubs<'_> {
    fn emit(&self, superseded: bool, fenced_by: Option<&syn::Type>) -> TokenStream {
        let Self { input, p, key_type, key_fn, names, .. } = self;
        let (ident, vis) = (&input.ident, &input.vis);
        let (generics, arguments, where_clause) = input.generics.split_for_impl();
        let definition = generics::definition(&input.generics);
        let fields = self.key_fields();
        let markers = input.generics.type_params().map(|param| &param.ident);
        let any = names.iter().map(|_| quote!(_: impl ::core::marker::Sized));
        let prefix_fns = self.prefix_fns();
        let predicates = where_clause.map(|clause| &clause.predicates);
        let bound = (!input.generics.params.is_empty()).then(|| {
            quote! {
                #ident #arguments: ::core::marker::Send + ::core::marker::Sync + 'static,
            }
        });
        let full = quote!(where #bound #predicates);
        let writable = (!superseded)
            .then(|| quote!(impl #generics #p::Writable for #ident #arguments #full {}));
        let fenced = fenced_by
            .map(|lock| quote!(impl #generics #p::Fenced<#lock> for #ident #arguments #full {}));
        quote! {
            #[doc(hidden)]
            #[allow(dead_code, private_interfaces)]
            #vis struct #key_type #definition #where_clause {
                #(#fields,)*
                __state_marker: ::core::marker::PhantomData<(#(fn() -> #markers,)*)>,
            }

            #[allow(dead_code, unconditional_recursion, unused_variables)]
            const _: () = {
                impl #generics #ident #arguments #where_clause {
                    #[doc(hidden)]
                    #vis fn #key_fn(#(#any),*) -> #key_type #arguments { loop {} }
                    #(#prefix_fns)*
                }
                impl #generics ::core::clone::Clone for #key_type #arguments #where_clause {
                    fn clone(&self) -> Self { loop {} }
                }
                impl #generics ::core::cmp::PartialEq for #key_type #arguments #where_clause {
                    fn eq(&self, _: &Self) -> bool { loop {} }
                }
                impl #generics ::core::cmp::Eq for #key_type #arguments #where_clause {}
                impl #generics ::core::cmp::PartialOrd for #key_type #arguments #where_clause {
                    fn partial_cmp(&self, _: &Self) -> ::core::option::Option<::core::cmp::Ordering> {
                        loop {}
                    }
                }
                impl #generics ::core::cmp::Ord for #key_type #arguments #where_clause {
                    fn cmp(&self, _: &Self) -> ::core::cmp::Ordering { loop {} }
                }
                impl #generics ::core::hash::Hash for #key_type #arguments #where_clause {
                    fn hash<__StateHasher: ::core::hash::Hasher>(&self, _: &mut __StateHasher) {}
                }
                impl #generics ::core::fmt::Debug for #key_type #arguments #where_clause {
                    fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { loop {} }
                }
                impl #generics ::core::fmt::Display for #key_type #arguments #where_clause {
                    fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { loop {} }
                }
                impl #generics ::core::str::FromStr for #key_type #arguments #where_clause {
                    type Err = #p::KeyError;
                    fn from_str(_: &str) -> ::core::result::Result<Self, #p::KeyError> { loop {} }
                }
                impl #generics #p::TypedKey for #key_type #arguments #full {
                    type Value = #ident #arguments;
                    fn write(&self, _: &mut #p::KeyWriter) {}
                    fn read(_: #p::KeyReader<'_>) -> ::core::result::Result<Self, #p::KeyError> { loop {} }
                    fn check(&self) -> ::core::result::Result<(), #p::garde::Report> { loop {} }
                }
                impl #generics #p::StateKey for #ident #arguments #full {
                    type Key = #key_type #arguments;
                    // Any backend can store it, so no call on a store is an error.
                    type Lifetime = #p::Persistent;
                    type Versioning = #p::Unversioned;
                    type Stored = ();
                    const NAMESPACE: #p::Namespace =
                        #p::Namespace::new("", #p::KeyFormat::new("", &[]));
                    fn state_key(&self) -> #key_type #arguments { loop {} }
                    fn write_key(&self, _: &mut #p::KeyWriter) {}
                    fn serialize_stored<__StateSerializer: #p::serde::Serializer>(
                        &self,
                        _: __StateSerializer,
                    ) -> ::core::result::Result<
                        <__StateSerializer as #p::serde::Serializer>::Ok,
                        <__StateSerializer as #p::serde::Serializer>::Error,
                    > {
                        loop {}
                    }
                    fn from_stored(_: #key_type #arguments, _: ()) -> Self { loop {} }
                    fn check_rules(&self) -> ::core::result::Result<(), #p::garde::Report> { loop {} }
                }
                #writable
                impl #generics #p::Removable for #ident #arguments #full {}
                #fenced
            };
        }
    }

    /// The functions that make prefixes.
    fn prefix_fns(&self) -> Vec<TokenStream> {
        let Self { input, p, key_fn, prefix_fn, names, .. } = self;
        if key_fn == prefix_fn {
            return Vec::new();
        }
        let vis = &input.vis;
        let function = |(last, name): (usize, &String)| {
            let any = (0..=last).map(|_| quote!(_: impl ::core::marker::Sized));
            let function = emit::prefix_fn_name(prefix_fn, last, name);
            quote!(#[doc(hidden)] #vis fn #function(#(#any),*) -> #p::Prefix<Self> { loop {} })
        };
        let leading = names.len().saturating_sub(1);
        names.iter().take(leading).enumerate().map(function).collect()
    }

    /// The fields that the placeholders name, where they exist.
    fn key_fields(&self) -> Vec<TokenStream> {
        let Data::Struct(data) = &self.input.data else { return Vec::new() };
        let vis = &self.input.vis;
        let mut seen: Vec<&str> = Vec::new();
        let mut fields = Vec::new();
        for name in &self.names {
            let is_it =
                |field: &&Field| field.ident.as_ref().map(syntax::unraw).as_ref() == Some(name);
            if let Some(field) = data.fields.iter().find(is_it)
                && !seen.contains(&name.as_str())
            {
                seen.push(name);
                let ident = &field.ident;
                let ty = generics::without_self(&field.ty, &self.input.ident, &self.input.generics);
                fields.push(quote!(#vis #ident: #ty));
            }
        }
        fields
    }
}
