//! The stored form: written in place through serde's `remote`, read into a struct of its own.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::{Emitter, bounds::Side};
use crate::{
    generics::{definition, meta_without_self},
    model::Shape,
    syntax::{Default, unraw},
};

impl Emitter<'_, '_> {
    /// `__StateWrite` and `__StateStored`, which have the value fields with their serde attributes.
    pub(super) fn stored(&self) -> TokenStream {
        let definition = definition(self.model.generics);
        let where_clause = self.where_clause(&[]);
        let (ser, de) = (self.container(Side::Ser), self.container(Side::De));
        let fields = self.stored_fields();
        let default = self.default();
        quote! {
            #[derive(__state_serde::Serialize)]
            #[serde(#ser)]
            #[allow(dead_code, non_snake_case)]
            struct __StateWrite #definition #where_clause { #fields }

            #[derive(__state_serde::Deserialize)]
            #[serde(#de)]
            #[allow(non_snake_case)]
            #[doc(hidden)]
            pub struct __StateStored #definition #where_clause { #fields }

            #default
        }
    }

    fn stored_fields(&self) -> TokenStream {
        let (ident, generics) = (self.model.ident, self.model.generics);
        let fields = self.model.value.fields.iter().map(|field| {
            let metas = field.serde.copied.iter();
            let metas = metas.map(|meta| meta_without_self(meta, ident, generics));
            let (ident, ty) = (field.ident, &field.ty);
            quote!(#(#[serde(#metas)])* #ident: #ty,)
        });
        let marker = self.stored_marker();
        let marker = marker.map(|ty| quote!(#[serde(skip)] __state_marker: #ty,));
        quote!(#(#fields)* #marker)
    }

    pub(super) fn stored_marker(&self) -> Option<TokenStream> {
        self.marker(self.model.value.fields.iter().map(|field| &field.ty))
    }

    /// The container attributes of one helper.
    fn container(&self, side: Side) -> TokenStream {
        let serde = &self.model.value.serde;
        let name = unraw(self.model.ident);
        let mut items = vec![quote!(crate = "__state_serde")];
        if side == Side::Ser {
            // serde adds the parameters itself.
            let whole = self.model.ident.to_string();
            items.push(quote!(remote = #whole));
        }
        match self.model.value.shape {
            Shape::Value => items.push(quote!(transparent)),
            Shape::Object => {
                items.extend(serde.copied.iter().map(ToTokens::to_token_stream));
                match side {
                    Side::Ser if !serde.renamed.ser => {
                        items.push(quote!(rename(serialize = #name)));
                    }
                    Side::De if !serde.renamed.de => {
                        items.push(quote!(rename(deserialize = #name)));
                    }
                    _ => {}
                }
                if side == Side::De && serde.default.is_some() {
                    items.push(quote!(default));
                }
            }
        }
        if self.model.generics.type_params().next().is_some() {
            let bounds = self.serde_bounds(side, &quote!(__state_serde));
            let bounds = quote!(#(#bounds),*).to_string();
            items.push(match side {
                Side::Ser => quote!(bound(serialize = #bounds)),
                Side::De => quote!(bound(deserialize = #bounds)),
            });
        }
        quote!(#(#items),*)
    }

    /// The defaults of `#[serde(default)]` on the struct are those of the whole struct.
    fn default(&self) -> Option<TokenStream> {
        let default = self.model.value.serde.default.as_ref()?;
        if self.model.value.shape == Shape::Value {
            return None;
        }
        let ident = self.model.ident;
        let whole = self.whole();
        let (generics, arguments, _) = self.model.generics.split_for_impl();
        let (make, bound) = match default {
            Default::Trait => {
                let bound = quote!(#whole: ::core::default::Default);
                (quote!(<#whole as ::core::default::Default>::default()), Some(bound))
            }
            Default::Path(path) => (quote!(#path()), None),
        };
        let generic = self.model.generics.type_params().next().is_some();
        let bound: Vec<_> = bound.filter(|_| generic).into_iter().collect();
        let where_clause = self.where_clause(&bound);
        let names: Vec<_> = self.model.value.fields.iter().map(|field| field.ident).collect();
        let locals: Vec<_> =
            (0..names.len()).map(|index| quote::format_ident!("__state_field_{index}")).collect();
        let marker = self.stored_marker();
        let marker = marker.map(|_| quote!(__state_marker: ::core::marker::PhantomData,));
        Some(quote! {
            #[automatically_derived]
            impl #generics ::core::default::Default for __StateStored #arguments #where_clause {
                fn default() -> Self {
                    let #ident { #(#names: #locals,)* .. }: #whole = #make;
                    Self { #(#names: #locals,)* #marker }
                }
            }
        })
    }
}
