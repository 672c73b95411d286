//! `where` clauses: the bounds that fields with type parameters need, and no others.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Lifetime, Type, WherePredicate, visit::Visit};

use super::Emitter;
use crate::{generics::named_in, model::ValueField, syntax::Default};

/// Which half of serde.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Ser,
    De,
}

impl Emitter<'_, '_> {
    /// The `where` clause of the struct, and `extra`.
    pub(super) fn where_clause(&self, extra: &[TokenStream]) -> TokenStream {
        let own = self.model.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let all: Vec<_> = own.map(ToTokens::to_token_stream).chain(extra.iter().cloned()).collect();
        if all.is_empty() { TokenStream::new() } else { quote!(where #(#all),*) }
    }

    /// Whether a type depends on the type parameters.
    fn is_open(&self, ty: &Type) -> bool {
        !named_in(self.model.generics, ty).mentioned.is_empty()
    }

    /// That the key fields with type parameters are key parts.
    pub(super) fn key_bounds(&self, also: &TokenStream) -> Vec<TokenStream> {
        let p = &self.p;
        let fields = self.model.key.fields.iter();
        fields
            .map(|field| &field.ty)
            .filter(|ty| self.is_open(ty))
            .map(|ty| quote!(#ty: #p::KeyPart #also))
            .collect()
    }

    /// What `StateKey`, `TypedKey` and `Writable` need alike, so that each can count on the others.
    pub(super) fn state_bounds(&self) -> Vec<TokenStream> {
        if self.model.generics.type_params().next().is_none() {
            return Vec::new();
        }
        let p = &self.p;
        let whole = self.whole();
        let mut bounds = vec![quote! {
            #whole: #p::Validated
                + ::core::marker::Send + ::core::marker::Sync + 'static
        }];
        bounds.extend(self.key_bounds(&quote! {
            + ::core::clone::Clone + ::core::marker::Send + ::core::marker::Sync + 'static
        }));
        for field in &self.model.value.fields {
            let ty = &field.ty;
            if self.is_open(ty) {
                bounds.push(quote!(#ty: ::core::marker::Send));
            }
        }
        bounds.extend(self.serde_bounds(Side::Ser, &quote!(#p::serde)));
        bounds.extend(self.serde_bounds(Side::De, &quote!(#p::serde)).into_iter().map(for_any_de));
        if let Some(Default::Trait) = self.model.value.serde.default {
            bounds.push(quote!(#whole: ::core::default::Default));
        }
        if let Some(upgrade) = &self.model.version.upgrade
            && self.is_open(&upgrade.from)
        {
            let old = &upgrade.from;
            bounds.push(quote!(#old: #p::StateKey));
            bounds.push(quote!(#whole: ::core::convert::TryFrom<#old>));
        }
        bounds
    }

    /// What one half of serde needs of the type parameters: what the user says in `bound`,
    /// otherwise its trait for each parameter that a field with no function of its own names.
    pub(super) fn serde_bounds(&self, side: Side, serde: &TokenStream) -> Vec<TokenStream> {
        let mut bounds = Vec::new();
        let mut add = |bound: TokenStream| {
            if !bounds.iter().any(|known: &TokenStream| known.to_string() == bound.to_string()) {
                bounds.push(bound);
            }
        };
        let container = &self.model.value.serde.bounds;
        let given = if side == Side::Ser { &container.ser } else { &container.de };
        for field in &self.model.value.fields {
            let own =
                if side == Side::Ser { &field.serde.bounds.ser } else { &field.serde.bounds.de };
            own.iter().flatten().for_each(|bound| add(bound.to_token_stream()));
            if given.is_none() && own.is_none() {
                self.inferred(field, side, serde).into_iter().for_each(&mut add);
            }
        }
        given.iter().flatten().for_each(|bound| add(bound.to_token_stream()));
        bounds
    }

    fn inferred(
        &self,
        field: &ValueField<'_>,
        side: Side,
        serde: &TokenStream,
    ) -> Vec<TokenStream> {
        let named = named_in(self.model.generics, &field.ty);
        let subjects = || {
            let params = named.params.iter().map(ToTokens::to_token_stream);
            params.chain(named.projections.iter().map(ToTokens::to_token_stream))
        };
        let mut bounds = Vec::new();
        let bypassed = &field.serde.bypassed;
        match side {
            Side::Ser if !bypassed.ser => {
                bounds.extend(subjects().map(|it| quote!(#it: #serde::Serialize)));
            }
            Side::De if !bypassed.de => {
                bounds.extend(subjects().map(|it| quote!(#it: #serde::de::DeserializeOwned)));
            }
            _ => {}
        }
        if side == Side::De && field.serde.needs_default {
            bounds.extend(subjects().map(|it| quote!(#it: ::core::default::Default)));
        }
        bounds
    }
}

/// `for<'de> T: Deserialize<'de>`, where serde lets the user write `'de` without declaring it.
fn for_any_de(bound: TokenStream) -> TokenStream {
    let Ok(mut predicate) = syn::parse2::<WherePredicate>(bound.clone()) else { return bound };
    let mut search = NamesDe(false);
    search.visit_where_predicate(&predicate);
    if let (true, WherePredicate::Type(predicate)) = (search.0, &mut predicate) {
        predicate.lifetimes.get_or_insert_with(|| syn::parse_quote!(for<'de>));
    }
    predicate.to_token_stream()
}

struct NamesDe(bool);

impl Visit<'_> for NamesDe {
    fn visit_lifetime(&mut self, lifetime: &Lifetime) {
        self.0 |= lifetime.ident == "de";
    }
}
