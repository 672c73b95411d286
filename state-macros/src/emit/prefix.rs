//! The functions that make prefixes: `Line::prefix(order_id)`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;

use super::{Emitter, at};
use crate::{generics::is_by_value, model::KeyField, syntax::unraw};

/// The name of the function that takes all fields up to the one at `last`, which is called `name`.
pub(crate) fn prefix_fn_name(first: &Ident, last: usize, name: &str) -> Ident {
    if last == 0 {
        return first.clone();
    }
    format_ident!("{}_through_{name}", unraw(first), span = first.span())
}

impl Emitter<'_, '_> {
    /// A function for each group of leading key fields, all of them left out: that is a key.
    pub(super) fn prefix_fns(&self) -> Option<TokenStream> {
        let fields = &self.model.key.fields;
        let leading = fields.len().checked_sub(1).filter(|leading| *leading > 0)?;
        let functions = (0..leading).filter_map(|last| self.prefix_fn(fields.get(..=last)?));
        let (generics, _, _) = self.model.generics.split_for_impl();
        let (whole, where_clause) = (self.whole(), self.where_clause(&[]));
        Some(quote! {
            #[automatically_derived]
            impl #generics #whole #where_clause {
                #(#functions)*
            }
        })
    }

    fn prefix_fn(&self, fields: &[KeyField<'_>]) -> Option<TokenStream> {
        let p = &self.p;
        let vis = self.model.vis;
        let last = fields.last()?;
        let name = prefix_fn_name(&self.model.key.prefix_fn_name, fields.len() - 1, &last.name);
        let doc = format!(
            "The keys of the `{}`s whose key fields up to `{}` are these.",
            unraw(self.model.ident),
            last.name
        );
        let arguments = fields.iter().map(|field| self.argument(field));
        let bounds = self.key_bounds(&TokenStream::new());
        let where_clause = (!bounds.is_empty()).then(|| quote!(where #(#bounds),*));
        // A colon stands between two segments, as none can hold one.
        let literals = core::iter::once("").chain(core::iter::repeat(":"));
        let writes = fields.iter().zip(literals).map(|(field, literal)| {
            let (value, name) = (self.converted(field), &field.name);
            let method = if field.secret { "part_write_secret" } else { "part_write" };
            let write = self.part(field, method);
            quote_spanned!(at(&field.ty)=> #write(&#value, #literal, #name, &mut __state_writer);)
        });
        Some(quote! {
            #[doc = #doc]
            #[must_use]
            #[allow(
                dead_code, private_interfaces, non_snake_case,
                clippy::too_many_arguments, clippy::impl_trait_in_params
            )]
            #vis fn #name(#(#arguments),*) -> #p::Prefix<Self> #where_clause {
                let mut __state_writer = #p::KeyWriter::new();
                #(#writes)*
                #p::Prefix::of_segments(__state_writer)
            }
        })
    }

    /// Whether a function takes a key field as it is.
    pub(super) fn is_by_value(&self, field: &KeyField<'_>) -> bool {
        is_by_value(&field.ty, self.model.generics)
    }

    /// The argument of a function that takes a key field.
    pub(super) fn argument(&self, field: &KeyField<'_>) -> TokenStream {
        let (ident, ty) = (field.ident, &field.ty);
        if self.is_by_value(field) {
            quote!(#ident: #ty)
        } else {
            quote!(#ident: impl ::core::convert::Into<#ty>)
        }
    }

    /// The key field that such an argument becomes.
    pub(super) fn converted(&self, field: &KeyField<'_>) -> TokenStream {
        let (ident, ty) = (field.ident, &field.ty);
        if self.is_by_value(field) {
            quote!(#ident)
        } else {
            quote!(::core::convert::Into::<#ty>::into(#ident))
        }
    }
}
