//! `#[garde(…)]`: the rules that a key type can check without the rest of the struct.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, Meta};

use super::named;

/// The rules of a struct.
pub(crate) struct ContainerRules {
    /// `context(…)`, which every rule may use.
    pub(crate) context: Option<TokenStream>,
    /// Whether a rule looks at the whole struct.
    pub(crate) whole: bool,
}

/// The rules of a field.
pub(crate) struct FieldRules {
    /// Those that hold of the field alone.
    pub(crate) own: Vec<TokenStream>,
    /// Whether a rule of garde's own looks at the rest of the struct, which its message quotes.
    pub(crate) dependent: bool,
    /// Whether any rule looks at the rest of the struct.
    pub(crate) whole: bool,
}

impl ContainerRules {
    pub(super) fn parse(attrs: &[Attribute]) -> Self {
        let items = items(attrs);
        let whole = items.iter().any(|item| first(item, "custom"));
        let context = items.into_iter().find(|item| first(item, "context"));
        Self { context, whole }
    }
}

impl FieldRules {
    pub(super) fn parse(attrs: &[Attribute]) -> Self {
        let mut own = items(attrs);
        // What a custom rule says is its author's to word.
        let quotes = |rule: &TokenStream| mentions_self(rule.clone()) && !first(rule, "custom");
        let dependent = own.iter().any(quotes);
        let looks_around =
            |rule: &TokenStream| mentions_self(rule.clone()) || first(rule, "matches");
        let whole = own.iter().any(looks_around);
        // A rule that looks at another field needs the whole struct, where it runs anyway.
        own.retain(|rule| !looks_around(rule));
        own.retain(|rule| !first(rule, "skip"));
        Self { own, dependent, whole }
    }

    /// Whether there is anything to check.
    pub(crate) fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// The attribute for the field of the key type.
    pub(crate) fn attribute(&self) -> Option<TokenStream> {
        let own = &self.own;
        (!own.is_empty()).then(|| quote!(#[garde(#(#own),*)]))
    }
}

/// The items between the commas. They are garde's to parse: their grammar is not that of `Meta`.
fn items(attrs: &[Attribute]) -> Vec<TokenStream> {
    let mut items = Vec::new();
    for attr in named(attrs, "garde") {
        let Meta::List(list) = &attr.meta else { continue };
        let mut item = TokenStream::new();
        for token in list.tokens.clone() {
            match &token {
                TokenTree::Punct(punct) if punct.as_char() == ',' => {
                    items.push(core::mem::take(&mut item));
                }
                _ => item.extend([token]),
            }
        }
        items.push(item);
    }
    items.retain(|item| !item.is_empty());
    items
}

fn first(item: &TokenStream, name: &str) -> bool {
    matches!(item.clone().into_iter().next(), Some(TokenTree::Ident(ident)) if ident == name)
}

fn mentions_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "self" || ident == "Self",
        TokenTree::Group(group) => mentions_self(group.stream()),
        _ => false,
    })
}
