//! The key type, its impls, and the function that makes a key.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::{Emitter, at};
use crate::{
    generics::definition,
    model::{Format, KeyField, Piece},
    syntax::unraw,
};

/// A field of a format, and the literal before it.
struct Step<'s> {
    literal: &'s str,
    /// The position in [`Key::fields`](crate::model::Key::fields).
    index: usize,
    field: &'s KeyField<'s>,
}

impl Emitter<'_, '_> {
    /// `pub struct SessionKey { pub session_id: String }`
    pub(super) fn key_type(&self) -> TokenStream {
        let key = &self.model.key;
        let (vis, name) = (self.model.vis, &key.type_name);
        let definition = definition(self.model.generics);
        let where_clause = self.where_clause(&[]);
        let doc = format!(
            "The key of [`{}`]: the fields that `{}` names.",
            unraw(self.model.ident),
            key.format.text.value()
        );
        let checked = self.is_checked();
        let fields = key.fields.iter().map(|field| {
            let (ident, ty, docs) = (field.ident, &field.ty, &field.docs);
            let default = format!("The key field `{}`.", field.name);
            let default = docs.is_empty().then(|| quote!(#[doc = #default]));
            let rules = if checked { field.rules.attribute() } else { None };
            quote!(#(#docs)* #default #rules #vis #ident: #ty,)
        });
        let marker = self.key_marker().map(|ty| quote!(__state_marker: #ty,));
        let garde = checked.then(|| {
            // The key type stands beside the block.
            let krate = &self.model.krate;
            let context = key.context.iter();
            quote! {
                #[derive(#krate::__private::garde::Validate)]
                #[garde(allow_unvalidated)]
                #(#[garde(#context)])*
            }
        });
        quote! {
            #[doc = #doc]
            #[allow(
                deprecated, private_interfaces, private_bounds, non_camel_case_types,
                non_snake_case, clippy::absolute_paths, clippy::pub_underscore_fields
            )]
            #garde
            #vis struct #name #definition #where_clause {
                #(#fields)*
                #marker
            }
        }
    }

    /// Whether the key fields have rules that can be checked without the value.
    fn is_checked(&self) -> bool {
        self.model.key.fields.iter().any(|field| !field.rules.is_empty())
    }

    fn key_marker(&self) -> Option<TokenStream> {
        self.marker(self.model.key.fields.iter().map(|field| &field.ty))
    }

    /// The end of a struct expression of the key type.
    pub(super) fn marker_init(&self) -> Option<TokenStream> {
        self.key_marker().map(|_| quote!(__state_marker: ::core::marker::PhantomData,))
    }

    /// `Session::key(…)`
    pub(super) fn key_fn(&self) -> TokenStream {
        let (vis, name) = (self.model.vis, &self.model.key.fn_name);
        let (generics, _, _) = self.model.generics.split_for_impl();
        let where_clause = self.where_clause(&[]);
        let (whole, key) = (self.whole(), self.key());
        let key_name = &self.model.key.type_name;
        let doc = format!("The key of the `{}` with these key fields.", unraw(self.model.ident));
        let arguments = self.model.key.fields.iter().map(|field| self.argument(field));
        let inits = self.model.key.fields.iter().map(|field| {
            let (ident, value) = (field.ident, self.converted(field));
            if self.is_by_value(field) { quote!(#ident,) } else { quote!(#ident: #value,) }
        });
        let marker = self.marker_init();
        quote! {
            #[automatically_derived]
            impl #generics #whole #where_clause {
                #[doc = #doc]
                #[must_use]
                #[allow(
                    private_interfaces, non_snake_case,
                    clippy::too_many_arguments, clippy::impl_trait_in_params
                )]
                #vis fn #name(#(#arguments),*) -> #key {
                    #key_name { #(#inits)* #marker }
                }
            }
        }
    }

    /// The impls of the key type, written out: a derive would give one error for each trait that a
    /// wrong field type lacks.
    pub(super) fn key_impls(&self) -> TokenStream {
        let impls = [self.equality(), self.order_and_hash(), self.text_forms(), self.typed_key()];
        quote!(#(#impls)*)
    }

    fn equality(&self) -> TokenStream {
        let (generics, _, _) = self.model.generics.split_for_impl();
        let key = self.key();
        let where_clause = self.where_clause(&self.key_bounds(&TokenStream::new()));
        let where_clone = self.where_clause(&self.key_bounds(&quote!(+ ::core::clone::Clone)));
        let fields = &self.model.key.fields;
        let clones = fields.iter().map(|field| {
            let (ident, clone) = (field.ident, self.part(field, "part_clone"));
            let ty = &field.ty;
            quote_spanned!(at(ty)=> #ident: #clone(&self.#ident),)
        });
        let marker = self.marker_init();
        let eqs = fields.iter().map(|field| {
            let (ident, eq) = (field.ident, self.part(field, "part_eq"));
            quote_spanned!(at(&field.ty)=> #eq(&self.#ident, &__state_other.#ident))
        });
        let equal = if fields.is_empty() { quote!(true) } else { quote!(#(#eqs)&&*) };
        quote! {
            #[automatically_derived]
            impl #generics ::core::clone::Clone for #key #where_clone {
                fn clone(&self) -> Self {
                    Self { #(#clones)* #marker }
                }
            }

            #[automatically_derived]
            impl #generics ::core::cmp::PartialEq for #key #where_clause {
                fn eq(&self, __state_other: &Self) -> bool {
                    #equal
                }
            }

            #[automatically_derived]
            impl #generics ::core::cmp::Eq for #key #where_clause {}
        }
    }

    fn order_and_hash(&self) -> TokenStream {
        let (generics, _, _) = self.model.generics.split_for_impl();
        let key = self.key();
        let where_clause = self.where_clause(&self.key_bounds(&TokenStream::new()));
        let fields = &self.model.key.fields;
        let ordering = fields.iter().rev().fold(TokenStream::new(), |rest, field| {
            let (ident, cmp) = (field.ident, self.part(field, "part_cmp"));
            let this = quote_spanned! {at(&field.ty)=>
                #cmp(&self.#ident, &__state_other.#ident)
            };
            if rest.is_empty() {
                this
            } else {
                // No `then_with`, because a closure is one more body to check.
                quote! {
                    match #this {
                        ::core::cmp::Ordering::Equal => #rest,
                        __state_unequal => __state_unequal,
                    }
                }
            }
        });
        let ordering =
            if fields.is_empty() { quote!(::core::cmp::Ordering::Equal) } else { ordering };
        let hashes = fields.iter().map(|field| {
            let (ident, hash) = (field.ident, self.part(field, "part_hash"));
            quote_spanned!(at(&field.ty)=> #hash(&self.#ident, __state_hasher);)
        });
        quote! {
            #[automatically_derived]
            impl #generics ::core::cmp::Ord for #key #where_clause {
                fn cmp(&self, __state_other: &Self) -> ::core::cmp::Ordering {
                    #ordering
                }
            }

            #[automatically_derived]
            impl #generics ::core::cmp::PartialOrd for #key #where_clause {
                fn partial_cmp(
                    &self,
                    __state_other: &Self,
                ) -> ::core::option::Option<::core::cmp::Ordering> {
                    ::core::option::Option::Some(::core::cmp::Ord::cmp(self, __state_other))
                }
            }

            #[automatically_derived]
            impl #generics ::core::hash::Hash for #key #where_clause {
                fn hash<__StateHasher: ::core::hash::Hasher>(
                    &self,
                    __state_hasher: &mut __StateHasher,
                ) {
                    #(#hashes)*
                }
            }
        }
    }

    fn text_forms(&self) -> TokenStream {
        let p = &self.p;
        let (generics, _, _) = self.model.generics.split_for_impl();
        let key = self.key();
        let where_debug = self.where_clause(&self.key_bounds(&TokenStream::new()));
        let where_clause = self.where_clause(&self.state_bounds());
        let name = unraw(&self.model.key.type_name);
        let shown = self.model.key.fields.iter().map(|field| {
            let (ident, name) = (field.ident, &field.name);
            let debug = self.part(field, "part_debug");
            let shown = if field.secret {
                quote!(&#p::key_text::Hidden)
            } else {
                quote_spanned!(at(&field.ty)=> #debug(&self.#ident))
            };
            quote!((#name, #shown))
        });
        quote! {
            #[automatically_derived]
            impl #generics ::core::fmt::Debug for #key #where_debug {
                fn fmt(&self, __state_f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #p::key_text::debug(__state_f, #name, &[#(#shown),*])
                }
            }

            #[automatically_derived]
            impl #generics ::core::fmt::Display for #key #where_clause {
                fn fmt(&self, __state_f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #p::key_text::print(self, __state_f)
                }
            }

            #[automatically_derived]
            impl #generics ::core::str::FromStr for #key #where_clause {
                type Err = #p::KeyError;

                fn from_str(__state_text: &str) -> ::core::result::Result<Self, #p::KeyError> {
                    #p::key_text::parse(__state_text)
                }
            }
        }
    }

    fn typed_key(&self) -> TokenStream {
        let p = &self.p;
        let (generics, _, _) = self.model.generics.split_for_impl();
        let (whole, key) = (self.whole(), self.key());
        let where_clause = self.where_clause(&self.state_bounds());
        let write = self.write(&self.model.key.format);
        let write_former = self.model.key.former.as_ref().map(|former| {
            let (write, read) = (self.write(former), self.read(former));
            quote! {
                fn write_former(&self, __state_writer: &mut #p::KeyWriter) -> bool {
                    #write
                    true
                }

                fn read_former(
                    mut __state_reader: #p::KeyReader<'_>,
                ) -> ::core::result::Result<Self, #p::KeyError> {
                    #read
                }
            }
        });
        let read = self.read(&self.model.key.format);
        let check = if self.is_checked() {
            quote!(#p::garde::Validate::validate(self))
        } else {
            quote!(::core::result::Result::Ok(()))
        };
        quote! {
            #[automatically_derived]
            impl #generics #p::TypedKey for #key #where_clause {
                type Value = #whole;

                fn write(&self, __state_writer: &mut #p::KeyWriter) {
                    #write
                }

                #write_former

                fn read(
                    mut __state_reader: #p::KeyReader<'_>,
                ) -> ::core::result::Result<Self, #p::KeyError> {
                    #read
                }

                fn check(&self) -> ::core::result::Result<(), #p::garde::Report> {
                    #check
                }
            }
        }
    }

    /// Writes the fields of `self`, a value or a key, in `format`.
    pub(super) fn write(&self, format: &Format) -> TokenStream {
        let p = &self.p;
        let (steps, end) = self.steps(format);
        let steps = steps.into_iter().map(|Step { literal, field, .. }| {
            let (ident, name) = (field.ident, &field.name);
            let method = if field.secret { "part_write_secret" } else { "part_write" };
            let write = self.part(field, method);
            quote_spanned!(at(&field.ty)=> #write(&self.#ident, #literal, #name, __state_writer);)
        });
        let end = (!end.is_empty()).then(|| quote!(#p::KeyWriter::literal(__state_writer, #end);));
        quote!(#(#steps)* #end)
    }

    /// The fields of a format, and the literal after the last.
    fn steps<'s>(&'s self, format: &'s Format) -> (Vec<Step<'s>>, &'s str) {
        let mut steps = Vec::new();
        let mut literal = "";
        for piece in &format.pieces {
            match piece {
                Piece::Literal(text) => literal = text,
                Piece::Field(index) => {
                    let field = self.model.key.fields.get(*index);
                    let literal = std::mem::take(&mut literal);
                    steps.extend(field.map(|field| Step { literal, index: *index, field }));
                }
            }
        }
        (steps, literal)
    }

    /// Reads the fields of a key in `format`.
    fn read(&self, format: &Format) -> TokenStream {
        let p = &self.p;
        let fields = &self.model.key.fields;
        let local = |index: usize| quote::format_ident!("__state_part_{index}");
        let (steps, end) = self.steps(format);
        let steps = steps.into_iter().map(|Step { literal, index, field }| {
            let (local, name) = (local(index), &field.name);
            let read = self.part(field, "part_read");
            let read = quote_spanned! {at(&field.ty)=>
                #read(#literal, #name, &mut __state_reader)
            };
            // No `?`, because its conversions cost the compiler more than a `match`.
            quote! {
                let #local = match #read {
                    ::core::result::Result::Ok(__state_part) => __state_part,
                    ::core::result::Result::Err(__state_error) => {
                        return ::core::result::Result::Err(__state_error);
                    }
                };
            }
        });
        let inits = fields.iter().enumerate().map(|(index, field)| {
            let (ident, local) = (field.ident, local(index));
            quote!(#ident: #local,)
        });
        let marker = self.marker_init();
        quote! {
            #(#steps)*
            match #p::KeyReader::end(&mut __state_reader, #end) {
                ::core::result::Result::Ok(()) => {
                    ::core::result::Result::Ok(Self { #(#inits)* #marker })
                }
                ::core::result::Result::Err(__state_error) => {
                    ::core::result::Result::Err(__state_error)
                }
            }
        }
    }

    /// The parsed format, as a constant expression.
    pub(super) fn format(&self, format: &Format) -> TokenStream {
        let p = &self.p;
        let text = Literal::string(&format.text.value());
        let tokens = format.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => quote!(#p::Token::Literal(#text)),
            Piece::Field(index) => {
                let field = self.model.key.fields.get(*index);
                let name = field.map_or("", |field| field.name.as_str());
                let secret = field.is_some_and(|field| field.secret);
                quote!(#p::Token::Field { name: #name, secret: #secret })
            }
        });
        quote!(#p::KeyFormat::new(#text, &[#(#tokens),*]))
    }
}
