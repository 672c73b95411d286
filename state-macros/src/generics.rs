//! Type parameters: which fields name them, and `Self` written out.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::{
    GenericParam, Generics, Ident, Meta, Type, TypePath,
    visit::{self, Visit},
    visit_mut::{self, VisitMut},
};

/// Replaces `Self` by the type, for code that stands outside of its impls.
pub(crate) fn without_self(ty: &Type, ident: &Ident, generics: &Generics) -> Type {
    let (_, arguments, _) = generics.split_for_impl();
    let mut ty = ty.clone();
    SelfType { full: syn::parse_quote!(#ident #arguments) }.visit_type_mut(&mut ty);
    ty
}

struct SelfType {
    full: Type,
}

impl VisitMut for SelfType {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(TypePath { qself: None, path, .. }) = ty
            && let Some(first) = path.segments.first()
            && first.ident == "Self"
        {
            if path.segments.len() == 1 {
                *ty = self.full.clone();
                return;
            }
            let full = &self.full;
            let rest = path.segments.iter().skip(1);
            *ty = syn::parse_quote!(<#full>::#(#rest)::*);
        }
        visit_mut::visit_type_mut(self, ty);
    }
}

/// Replaces `Self::` at the start of a path in a serde attribute.
pub(crate) fn meta_without_self(meta: &Meta, ident: &Ident, generics: &Generics) -> TokenStream {
    let (_, arguments, _) = generics.split_for_impl();
    let full = quote!(#ident #arguments).to_string();
    replace_literals(meta.to_token_stream(), &full)
}

fn replace_literals(tokens: TokenStream, full: &str) -> TokenStream {
    let replace = |token: TokenTree| match token {
        TokenTree::Literal(literal) => {
            let text = syn::parse2::<syn::LitStr>(literal.to_token_stream()).ok();
            match text.as_ref().map(|text| (text, text.value())) {
                Some((text, value)) if value.starts_with("Self::") => {
                    let path = format!("<{full}>{}", &value["Self".len()..]);
                    TokenTree::Literal({
                        let mut literal = proc_macro2::Literal::string(&path);
                        literal.set_span(text.span());
                        literal
                    })
                }
                _ => TokenTree::Literal(literal),
            }
        }
        other => other,
    };
    tokens.into_iter().map(replace).collect()
}

/// The type parameters that `ty` names.
pub(crate) fn named_in<'g>(generics: &'g Generics, ty: &Type) -> Named<'g> {
    let mut named = Named::new(generics);
    named.visit_type(ty);
    named
}

/// What [`named_in`] found.
pub(crate) struct Named<'g> {
    generics: &'g Generics,
    /// Parameters that stand anywhere.
    pub(crate) mentioned: Vec<&'g Ident>,
    /// Parameters that stand for themselves, but not in a `PhantomData`, which holds none of them.
    pub(crate) params: Vec<&'g Ident>,
    /// Projections on a parameter: `T::Item`.
    pub(crate) projections: Vec<TypePath>,
}

impl<'g> Named<'g> {
    fn new(generics: &'g Generics) -> Self {
        Self { generics, mentioned: Vec::new(), params: Vec::new(), projections: Vec::new() }
    }
}

impl<'ast> Visit<'ast> for Named<'_> {
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        if let Some(last) = path.path.segments.last()
            && last.ident == "PhantomData"
        {
            let mut inner = Named::new(self.generics);
            inner.visit_path_arguments(&last.arguments);
            self.mentioned.append(&mut inner.mentioned);
            return;
        }
        if let Some(first) = path.path.segments.first()
            && path.qself.is_none()
            && let Some(param) =
                self.generics.type_params().find(|param| param.ident == first.ident)
        {
            self.mentioned.push(&param.ident);
            if path.path.segments.len() == 1 {
                self.params.push(&param.ident);
            } else {
                self.projections.push(path.clone());
            }
        }
        visit::visit_type_path(self, path);
    }
}

/// Whether `ty` is a type parameter, or one of the types that are passed by value.
pub(crate) fn is_by_value(ty: &Type, generics: &Generics) -> bool {
    const BY_VALUE: [&str; 14] = [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
        "bool", "char",
    ];
    let ty = match ty {
        // What a macro of the user passes on as `$ty` comes in a group that nobody sees.
        Type::Group(group) => return is_by_value(&group.elem, generics),
        Type::Paren(paren) => return is_by_value(&paren.elem, generics),
        Type::Path(ty) if ty.qself.is_none() => ty,
        _ => return false,
    };
    let path = &ty.path;
    if let Some(ident) = path.get_ident() {
        return BY_VALUE.iter().any(|name| ident == name)
            || generics.type_params().any(|param| param.ident == *ident);
    }
    let mut segments = path.segments.iter().rev();
    matches!(
        (segments.next(), segments.next()),
        (Some(last), Some(module)) if module.ident == "primitive" && BY_VALUE.iter().any(|name| last.ident == name)
    )
}

/// The parameters as they stand in a definition, bounds and defaults included, without attributes.
pub(crate) fn definition(generics: &Generics) -> TokenStream {
    let params = generics.params.iter().cloned().map(|mut param| {
        match &mut param {
            GenericParam::Type(param) => param.attrs.clear(),
            GenericParam::Const(param) => param.attrs.clear(),
            GenericParam::Lifetime(param) => param.attrs.clear(),
        }
        param
    });
    if generics.params.is_empty() { TokenStream::new() } else { quote!(<#(#params),*>) }
}
