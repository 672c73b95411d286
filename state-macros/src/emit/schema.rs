//! `impl StateKey`, the namespace, the checks of the upgrade chain, and the registration.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;

use super::{Emitter, at};
use crate::{
    model::{Counter, Format, Lifetime, OnInvalid, Shape, Upgrade},
    syntax::unraw,
};

impl Emitter<'_, '_> {
    /// `impl StateKey` and what it needs.
    pub(super) fn schema(&self) -> TokenStream {
        let p = &self.p;
        let model = self.model;
        let (generics, arguments, _) = model.generics.split_for_impl();
        let (whole, key) = (self.whole(), self.key());
        let where_clause = self.where_clause(&self.state_bounds());
        let former_check = model.key.former.as_ref().map(|former| self.former_check(former));
        let base = self.base_namespace();
        let namespace = self.namespace();
        let lifetime = match model.lifetime {
            Lifetime::Persistent => quote!(Persistent),
            Lifetime::Expiring { .. } => quote!(Expiring),
        };
        let versioning = if model.is_versioned() { quote!(Versioned) } else { quote!(Unversioned) };
        let write_key = self.write(&model.key.format);
        let (state_key, from_stored) = (self.state_key(), self.join());
        // At the name, because that is what has no rules where this is an error.
        let check_rules = quote_spanned! {at(model.ident)=>
            <Self as #p::Validated>::check_rules(self)
        };
        let upgrade = model.version.upgrade.as_ref().map(|upgrade| self.upgrade(upgrade));
        let written = self.written();
        let counter = self.counter();
        let sole_value = self.sole_value();
        quote! {
            const __STATE_NAMESPACE: #p::Namespace = #base;

            #former_check

            #[automatically_derived]
            impl #generics #p::StateKey for #whole #where_clause {
                type Key = #key;
                type Lifetime = #p::#lifetime;
                type Versioning = #p::#versioning;
                type Stored = __StateStored #arguments;

                const NAMESPACE: #p::Namespace = #namespace;

                fn state_key(&self) -> #key {
                    #state_key
                }

                fn write_key(&self, __state_writer: &mut #p::KeyWriter) {
                    #write_key
                }

                fn serialize_stored<__StateSerializer: #p::serde::Serializer>(
                    &self,
                    __state_serializer: __StateSerializer,
                ) -> ::core::result::Result<
                    <__StateSerializer as #p::serde::Serializer>::Ok,
                    <__StateSerializer as #p::serde::Serializer>::Error,
                > {
                    <__StateWrite #arguments>::serialize(self, __state_serializer)
                }

                fn from_stored(__state_key: #key, __state_stored: __StateStored #arguments) -> Self {
                    #from_stored
                }

                fn check_rules(&self) -> ::core::result::Result<(), #p::garde::Report> {
                    #check_rules
                }

                #upgrade
            }

            #written
            #counter
            #sole_value
        }
    }

    /// `impl SoleValue`, where the stored value is one field. The field's type is a parameter of
    /// the trait, for it may be more private than the struct.
    fn sole_value(&self) -> Option<TokenStream> {
        if self.model.value.shape != Shape::Value {
            return None;
        }
        let p = &self.p;
        let field = self.model.value.fields.first()?;
        let (name, ty, plain) = (field.ident, &field.ty, self.model.value.plain);
        let marker = self.stored_marker();
        let marker = marker.map(|_| quote!(, __state_marker: ::core::marker::PhantomData));
        let (generics, _, _) = self.model.generics.split_for_impl();
        let (whole, where_clause) = (self.whole(), self.where_clause(&self.state_bounds()));
        Some(quote! {
            #[automatically_derived]
            impl #generics #p::SoleValue<#ty> for #whole #where_clause {
                const PLAIN: bool = #plain;

                fn with_key(
                    __state_key: <Self as #p::StateKey>::Key,
                    __state_field: #ty,
                ) -> Self {
                    let __state_stored = __StateStored { #name: __state_field #marker };
                    <Self as #p::StateKey>::from_stored(__state_key, __state_stored)
                }

                fn field(&self) -> &#ty {
                    &self.#name
                }

                fn into_field(self) -> #ty {
                    self.#name
                }
            }
        })
    }

    /// How the type is written: freely, under a lock, or no more.
    fn written(&self) -> TokenStream {
        let p = &self.p;
        let (generics, _, _) = self.model.generics.split_for_impl();
        let (whole, where_clause) = (self.whole(), self.where_clause(&self.state_bounds()));
        if let Some(lock) = &self.model.fenced_by {
            let lock = quote_spanned!(at(lock)=> #lock);
            return quote! {
                #[automatically_derived]
                impl #generics #p::Fenced<#lock> for #whole #where_clause {}
            };
        }
        let writable = (!self.model.version.superseded).then(|| {
            quote! {
                #[automatically_derived]
                impl #generics #p::Writable for #whole #where_clause {}
            }
        });
        quote! {
            #writable

            #[automatically_derived]
            impl #generics #p::Removable for #whole #where_clause {}
        }
    }

    /// `impl Countable`, for a value that is a plain integer.
    fn counter(&self) -> Option<TokenStream> {
        let p = &self.p;
        let counter = self.model.value.counter.as_ref()?;
        let number = &self.model.value.fields.first()?.ty;
        let (generics, _, _) = self.model.generics.split_for_impl();
        let (whole, where_clause) = (self.whole(), self.where_clause(&self.state_bounds()));
        let range = match counter {
            Counter::Rules => quote!(::core::option::Option::None),
            Counter::Range { min, max } => {
                let min = min.clone().unwrap_or_else(|| quote!(<#number>::MIN));
                let max = max.clone().unwrap_or_else(|| quote!(<#number>::MAX));
                quote!(::core::option::Option::Some((#min, #max)))
            }
        };
        Some(quote! {
            #[automatically_derived]
            impl #generics #p::Countable for #whole #where_clause {
                type Number = #number;

                const RANGE: ::core::option::Option<(#number, #number)> = #range;
            }
        })
    }

    /// That no former key is the present key of another value: writing the one would remove the
    /// other.
    fn former_check(&self, former: &Format) -> TokenStream {
        let p = &self.p;
        let tokens = self.format(former);
        let message = format!(
            "a key of the former format could be the present key of another value, which would be removed when this one is written; the present format is `{}`, so give the former one another literal or remove `formerly`",
            self.model.key.format.text.value()
        );
        quote_spanned! {at(&former.text)=>
            const _: () = {
                const __STATE_FORMER: #p::KeyFormat = #tokens;
                ::core::assert!(!__STATE_NAMESPACE.format.overlaps(&__STATE_FORMER), "{}", #message);
            };
        }
    }

    /// The namespace, as far as it is the same for all instances of a generic type.
    fn base_namespace(&self) -> TokenStream {
        let p = &self.p;
        let model = self.model;
        let path = format!("::{}", unraw(model.ident));
        let names = &model.field_names;
        let format = self.format(&model.key.format);
        let mut set = Vec::new();
        if let Some(former) = &model.key.former {
            let former = self.format(former);
            set.push(quote!(former = ::core::option::Option::Some(#former)));
        }
        if let Some(upgrade) = &model.version.upgrade {
            let version = upgrade.version;
            set.push(quote!(version = #version));
        }
        if model.version.superseded {
            set.push(quote!(superseded = true));
        }
        if let Lifetime::Expiring { millis, sliding } = model.lifetime {
            let ttl = quote!(::core::time::Duration::from_millis(#millis));
            set.push(quote!(ttl = ::core::option::Option::Some(#ttl)));
            if sliding {
                set.push(quote!(sliding = true));
            }
        }
        if let Some(bytes) = model.max_size {
            let bytes = Literal::u64_unsuffixed(bytes);
            set.push(quote!(max_size = #bytes));
        }
        match model.on_invalid {
            OnInvalid::Error => {}
            OnInvalid::Discard => set.push(quote!(on_invalid = #p::OnInvalid::Discard)),
            OnInvalid::Quarantine => set.push(quote!(on_invalid = #p::OnInvalid::Quarantine)),
        }
        if model.fenced_by.is_some() {
            set.push(quote!(fenced = true));
        }
        if model.value.shape == Shape::Value {
            set.push(quote!(shape = #p::Shape::Value));
        }
        if model.value.fields.iter().any(|field| field.serde.find("flatten").is_some()) {
            set.push(quote!(flattened = true));
        }
        set.push(quote!(fields = &[#(#names),*]));
        let dependent = &model.dependent_names;
        if !dependent.is_empty() {
            set.push(quote!(dependent = &[#(#dependent),*]));
        }
        quote! {{
            let mut __state_namespace = #p::Namespace::new(
                ::core::concat!(::core::module_path!(), #path),
                #format,
            );
            #(__state_namespace.#set;)*
            __state_namespace
        }}
    }

    fn namespace(&self) -> TokenStream {
        let p = &self.p;
        let Some(upgrade) = &self.model.version.upgrade else { return quote!(__STATE_NAMESPACE) };
        let old = &upgrade.from;
        let generic = Some(upgrade).filter(|_| self.model.is_generic());
        let checks = generic.into_iter().flat_map(|upgrade| self.chain_checks(upgrade));
        quote! {{
            #(#checks)*
            let mut __state_namespace = __STATE_NAMESPACE;
            __state_namespace.previous =
                ::core::option::Option::Some(&<#old as #p::StateKey>::NAMESPACE);
            __state_namespace
        }}
    }

    fn state_key(&self) -> TokenStream {
        let name = &self.model.key.type_name;
        let fields = self.model.key.fields.iter().map(|field| {
            let (ident, clone) = (field.ident, self.part(field, "part_clone"));
            quote_spanned!(at(&field.ty)=> #ident: #clone(&self.#ident),)
        });
        let marker = self.marker_init();
        quote!(#name { #(#fields)* #marker })
    }

    fn join(&self) -> TokenStream {
        let key = self.model.key.fields.iter().map(|field| field.ident);
        let value = self.model.value.fields.iter().map(|field| field.ident);
        quote! {
            Self {
                #(#key: __state_key.#key,)*
                #(#value: __state_stored.#value,)*
            }
        }
    }

    fn upgrade(&self, upgrade: &Upgrade) -> TokenStream {
        let p = &self.p;
        let old = &upgrade.from;
        let convert = quote_spanned! {at(old)=>
            <Self as #p::UpgradeFrom<#old>>::upgrade_from(__state_old)
        };
        quote! {
            fn upgrade<__StateSource: #p::UpgradeSource>(
                __state_source: __StateSource,
            ) -> ::core::result::Result<Self, <__StateSource as #p::UpgradeSource>::Error> {
                let __state_old: #old =
                    <__StateSource as #p::UpgradeSource>::read(__state_source)?;
                ::core::option::Option::ok_or_else(
                    #convert,
                    <__StateSource as #p::UpgradeSource>::refused,
                )
            }
        }
    }

    /// That the older type is what an upgrade needs it to be, at the tokens that say otherwise.
    fn chain_checks(&self, upgrade: &Upgrade) -> [TokenStream; 3] {
        let p = &self.p;
        let old = &upgrade.from;
        let Upgrade { version, version_span, .. } = upgrade;
        let shown = type_text(old);
        let before = version - 1;
        let superseded = format!(
            "`{shown}` is still written: add `superseded` to its `#[state(…)]`, so that only the new version is"
        );
        let number = format!(
            "`version = {version}` has to be one more than the version of `{shown}`, which is not {before}"
        );
        let format = format!(
            "`{shown}` has another key format, but all versions of a value live under the same key; give both the same `key`"
        );
        let namespace = quote_spanned!(at(old)=> <#old as #p::StateKey>::NAMESPACE);
        let superseded = quote_spanned! {at(old)=>
            ::core::assert!(#namespace.superseded, #superseded);
        };
        let number = quote_spanned! {at(version_span)=>
            ::core::assert!(#namespace.version == #before, #number);
        };
        let text = &self.model.key.format.text;
        let former = self.model.key.former.is_some().then(|| {
            quote_spanned!(at(text)=> || match __STATE_NAMESPACE.former {
                ::core::option::Option::Some(__state_former) => {
                    #namespace.format.same_shape(&__state_former)
                }
                ::core::option::Option::None => false,
            })
        });
        let format = quote_spanned! {at(text)=>
            ::core::assert!(#namespace.format.same_shape(&__STATE_NAMESPACE.format) #former, #format);
        };
        [superseded, number, format]
    }

    /// What the program finds when a store is built.
    pub(super) fn registration(&self) -> TokenStream {
        let p = &self.p;
        let whole = self.whole();
        let upgrade = self.model.version.upgrade.as_ref();
        if !self.model.is_generic() {
            let checks = upgrade.into_iter().flat_map(|upgrade| self.chain_checks(upgrade));
            return quote! {
                #(const _: () = { #checks };)*

                #p::inventory::submit! {
                    #p::Registration(#p::Instance::of::<#whole>())
                }
            };
        }
        let upgrades = upgrade.and_then(|upgrade| last_segment(&upgrade.from)).map_or_else(
            || quote!(::core::option::Option::None),
            |last| quote!(::core::option::Option::Some(#last)),
        );
        quote! {
            #p::inventory::submit! {
                #p::Registration(#p::Instance::definition(__STATE_NAMESPACE, #upgrades))
            }
        }
    }
}

fn last_segment(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(ty) => ty.path.segments.last().map(|segment| unraw(&segment.ident)),
        _ => None,
    }
}

/// A type as people write it, without the spaces between its tokens.
fn type_text(ty: &Type) -> String {
    quote!(#ty).to_string().replace(' ', "")
}
