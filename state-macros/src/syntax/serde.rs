//! `#[serde(…)]`: what is copied to the stored form, and what decides its bounds.

use syn::{
    Attribute, Expr, ExprLit, ExprPath, Lit, LitStr, Meta, Path, Token, WherePredicate,
    parse::Parser as _, punctuated::Punctuated,
};

use super::named;
use crate::{context::Context, suggest::did_you_mean};

/// The serde attributes of a struct.
#[derive(Default)]
pub(crate) struct ContainerSerde {
    /// Those that the stored form takes over as they are.
    pub(crate) copied: Vec<Meta>,
    /// Whether a name is given for serialisation, and for deserialisation.
    pub(crate) renamed: Sides<bool>,
    pub(crate) default: Option<self::Default>,
    pub(crate) bounds: Sides<Option<Vec<WherePredicate>>>,
}

/// The serde attributes of a field.
#[derive(Default)]
pub(crate) struct FieldSerde {
    /// All of them, as they are.
    pub(crate) copied: Vec<Meta>,
    /// Whether the field's own `Serialize` and `Deserialize` are not used.
    pub(crate) bypassed: Sides<bool>,
    /// Whether the field's `Default` is used.
    pub(crate) needs_default: bool,
    pub(crate) bounds: Sides<Option<Vec<WherePredicate>>>,
}

/// Something for serialisation and the same for deserialisation.
#[derive(Default, Clone)]
pub(crate) struct Sides<T> {
    pub(crate) ser: T,
    pub(crate) de: T,
}

/// Where a struct takes absent fields from.
pub(crate) enum Default {
    /// `default`
    Trait,
    /// `default = "path"`
    Path(ExprPath),
}

/// Container attributes that bypass the fields, of which the stored form is made.
const BYPASSING: [&str; 5] = ["from", "try_from", "into", "remote", "transparent"];

/// What serde knows on a struct, and on its fields. A misspelt name would be told by serde, but
/// together with what follows from the helper that it then does not generate.
const CONTAINER: [&str; 13] = [
    "rename",
    "rename_all",
    "deny_unknown_fields",
    "tag",
    "bound",
    "default",
    "crate",
    "expecting",
    "from",
    "try_from",
    "into",
    "remote",
    "transparent",
];
const FIELD: [&str; 14] = [
    "rename",
    "alias",
    "default",
    "flatten",
    "skip",
    "skip_serializing",
    "skip_deserializing",
    "skip_serializing_if",
    "serialize_with",
    "deserialize_with",
    "with",
    "borrow",
    "bound",
    "getter",
];

impl ContainerSerde {
    pub(super) fn parse(attrs: &[Attribute], cx: &Context) -> Self {
        let mut this = Self::default();
        for meta in metas(attrs, cx) {
            let Some(name) = known(&meta, CONTAINER, cx) else { continue };
            match name.as_str() {
                name if BYPASSING.contains(&name) => {
                    let advice = if name == "transparent" {
                        "mark the one stored field `#[state(value)]` instead"
                    } else {
                        "the stored form is made of the struct's fields; put `#[serde(with = \"…\")]` on the fields that need it"
                    };
                    cx.error(
                        meta.path(),
                        format!("`#[serde({name})]` cannot be used on state; {advice}"),
                    );
                }
                // The runtime's own serde is used.
                "crate" => {}
                "default" => this.default = default(&meta, cx),
                "bound" => this.bounds = bounds(&meta, cx),
                "rename" => {
                    let sides = sides_of(&meta);
                    this.renamed.ser |= sides.ser;
                    this.renamed.de |= sides.de;
                    this.copied.push(meta);
                }
                "tag" => {
                    reject_reserved(&meta, cx);
                    this.copied.push(meta);
                }
                _ => this.copied.push(meta),
            }
        }
        this
    }
}

impl FieldSerde {
    pub(super) fn parse(attrs: &[Attribute], cx: &Context) -> Self {
        let mut this = Self::default();
        for meta in metas(attrs, cx) {
            let Some(name) = known(&meta, FIELD, cx) else { continue };
            match name.as_str() {
                "skip" => {
                    this.bypassed = Sides { ser: true, de: true };
                    this.needs_default = true;
                }
                "skip_serializing" | "serialize_with" => this.bypassed.ser = true,
                "skip_deserializing" => {
                    this.bypassed.de = true;
                    this.needs_default = true;
                }
                "deserialize_with" => this.bypassed.de = true,
                "with" => this.bypassed = Sides { ser: true, de: true },
                "default" => this.needs_default |= matches!(meta, Meta::Path(_)),
                "bound" => this.bounds = bounds(&meta, cx),
                "rename" | "alias" => reject_reserved(&meta, cx),
                "getter" => cx.error(
                    meta.path(),
                    "`#[serde(getter)]` cannot be used on state; the field itself is stored",
                ),
                _ => {}
            }
            this.copied.push(meta);
        }
        // A default that is given by path is used even where a field is skipped.
        let by_path =
            |meta: &Meta| meta.path().is_ident("default") && !matches!(meta, Meta::Path(_));
        this.needs_default &= !this.copied.iter().any(by_path);
        this
    }

    /// The span of an attribute that is there, if it is.
    pub(crate) fn find(&self, name: &str) -> Option<&Path> {
        self.copied.iter().map(Meta::path).find(|path| path.is_ident(name))
    }
}

/// All items of all attributes.
fn metas(attrs: &[Attribute], cx: &Context) -> Vec<Meta> {
    let mut metas = Vec::new();
    for attr in named(attrs, "serde") {
        match attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) {
            Ok(items) => metas.extend(items),
            Err(error) => cx.push(error),
        }
    }
    metas
}

fn known<const N: usize>(meta: &Meta, known: [&str; N], cx: &Context) -> Option<String> {
    let path = meta.path();
    let name = path.get_ident().map(ToString::to_string).unwrap_or_default();
    if known.contains(&name.as_str()) {
        return Some(name);
    }
    let hint = did_you_mean(&name, known);
    cx.error(path, format!("serde has no attribute `{name}` here{hint}"));
    None
}

fn text(meta: &Meta) -> Option<&LitStr> {
    let Meta::NameValue(pair) = meta else { return None };
    match &pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        _ => None,
    }
}

/// The items of `name(serialize = "…", deserialize = "…")`.
fn nested(meta: &Meta) -> Vec<Meta> {
    let Meta::List(list) = meta else { return Vec::new() };
    let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
    parser.parse2(list.tokens.clone()).map(|list| list.into_iter().collect()).unwrap_or_default()
}

fn sides_of(meta: &Meta) -> Sides<bool> {
    if text(meta).is_some() {
        return Sides { ser: true, de: true };
    }
    let nested = nested(meta);
    let has = |name| nested.iter().any(|meta| meta.path().is_ident(name));
    Sides { ser: has("serialize"), de: has("deserialize") }
}

fn default(meta: &Meta, cx: &Context) -> Option<Default> {
    let Some(path) = text(meta) else { return Some(Default::Trait) };
    let parsed = path.parse().ok();
    if parsed.is_none() {
        cx.error(path, "write the path of a function, like `default = \"initial_session\"`");
    }
    parsed.map(Default::Path)
}

fn bounds(meta: &Meta, cx: &Context) -> Sides<Option<Vec<WherePredicate>>> {
    let parse = |text: &LitStr| {
        let parser = Punctuated::<WherePredicate, Token![,]>::parse_terminated;
        let parsed = text.parse_with(parser).ok();
        if parsed.is_none() {
            cx.error(text, "write where-predicates, like `bound = \"T: MyTrait\"`");
        }
        parsed.map(|list| list.into_iter().collect())
    };
    if let Some(both) = text(meta) {
        let both: Option<Vec<_>> = parse(both);
        return Sides { ser: both.clone(), de: both };
    }
    let nested = nested(meta);
    let side = |name| {
        let meta = nested.iter().find(|meta| meta.path().is_ident(name));
        meta.and_then(text).and_then(parse)
    };
    Sides { ser: side("serialize"), de: side("deserialize") }
}

/// Members that start with `$` are the runtime's.
fn reject_reserved(meta: &Meta, cx: &Context) {
    let nested = nested(meta);
    for name in nested.iter().chain([meta]).filter_map(text) {
        if name.value().starts_with('$') {
            cx.error_at(
                name.span(),
                format!(
                    "stored members that start with `$` are the runtime's; choose another name than `{}`",
                    name.value()
                ),
            );
        }
    }
}
