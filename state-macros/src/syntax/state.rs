//! `#[state(…)]` on structs, fields and variants.

use syn::{
    Attribute, Ident, LitInt, LitStr, Path, Token, Type,
    ext::IdentExt as _,
    parse::{Parse, ParseStream, Parser as _},
};

use crate::{context::Context, suggest::did_you_mean};

/// The attributes of a struct.
#[derive(Default)]
pub(crate) struct StructAttrs {
    pub(crate) key: Option<LitStr>,
    pub(crate) ttl: Option<LitStr>,
    pub(crate) persistent: Option<Ident>,
    pub(crate) sliding: Option<Ident>,
    pub(crate) max_size: Option<LitStr>,
    pub(crate) version: Option<LitInt>,
    pub(crate) upgrade_from: Option<Type>,
    pub(crate) superseded: Option<Ident>,
    pub(crate) formerly: Option<LitStr>,
    pub(crate) on_invalid: Option<LitStr>,
    pub(crate) fenced_by: Option<Type>,
    pub(crate) key_type: Option<Ident>,
    pub(crate) key_fn: Option<Ident>,
    pub(crate) prefix_fn: Option<Ident>,
    pub(crate) krate: Option<Path>,
    /// Some attribute could not be read, so what is missing may only be misspelt.
    pub(crate) incomplete: bool,
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) value: Option<Ident>,
    pub(crate) secret: Option<Ident>,
}

/// The attributes of `#[derive(KeyPart)]`: those of an enum, or of one of its variants.
#[derive(Default)]
pub(crate) struct PartAttrs {
    pub(crate) rename: Option<LitStr>,
    pub(crate) rename_all: Option<LitStr>,
    pub(crate) krate: Option<Path>,
}

const STRUCT: [&str; 15] = [
    "key",
    "ttl",
    "persistent",
    "sliding",
    "max_size",
    "version",
    "upgrade_from",
    "superseded",
    "formerly",
    "on_invalid",
    "fenced_by",
    "key_type",
    "key_fn",
    "prefix_fn",
    "crate",
];
const FIELD: [&str; 2] = ["value", "secret"];
const PART: [&str; 3] = ["rename", "rename_all", "crate"];

impl StructAttrs {
    pub(super) fn parse(attrs: &[Attribute], cx: &Context) -> Self {
        let mut this = Self::default();
        let complete = each_item(attrs, cx, |name, input| {
            let item = Item { name, input };
            match name.to_string().as_str() {
                "key" => item.text(&mut this.key, "session:{id}"),
                "ttl" => item.text(&mut this.ttl, "30m"),
                "persistent" => item.flag(&mut this.persistent),
                "sliding" => item.flag(&mut this.sliding),
                "max_size" => item.text(&mut this.max_size, "64KiB"),
                "version" => item.value(&mut this.version, "2"),
                "upgrade_from" => item.value(&mut this.upgrade_from, "SessionV1"),
                "superseded" => item.flag(&mut this.superseded),
                "formerly" => item.text(&mut this.formerly, "old:{id}"),
                "on_invalid" => item.text(&mut this.on_invalid, "discard"),
                "fenced_by" => item.value(&mut this.fenced_by, "ReportLock"),
                "key_type" => item.value(&mut this.key_type, "SessionId"),
                "key_fn" => item.value(&mut this.key_fn, "id"),
                "prefix_fn" => item.value(&mut this.prefix_fn, "of_user"),
                "crate" => item.path(&mut this.krate),
                other => Err(unknown(name, other, STRUCT, FIELD, "a field")),
            }
        });
        this.incomplete = !complete;
        this
    }
}

impl FieldAttrs {
    pub(super) fn parse(attrs: &[Attribute], cx: &Context) -> Self {
        let mut this = Self::default();
        each_item(attrs, cx, |name, input| {
            let item = Item { name, input };
            match name.to_string().as_str() {
                "value" => item.flag(&mut this.value),
                "secret" => item.flag(&mut this.secret),
                other => Err(unknown(name, other, FIELD, STRUCT, "the struct")),
            }
        });
        this
    }
}

impl PartAttrs {
    pub(crate) fn parse(attrs: &[Attribute], cx: &Context) -> Self {
        let mut this = Self::default();
        each_item(attrs, cx, |name, input| {
            let item = Item { name, input };
            match name.to_string().as_str() {
                "rename" => item.text(&mut this.rename, "name"),
                "rename_all" => item.text(&mut this.rename_all, "kebab-case"),
                "crate" => item.path(&mut this.krate),
                other => Err(unknown(name, other, PART, [], "")),
            }
        });
        this
    }
}

fn unknown<const N: usize, const M: usize>(
    ident: &Ident,
    name: &str,
    known: [&str; N],
    elsewhere: [&str; M],
    place: &str,
) -> syn::Error {
    let message = if elsewhere.contains(&name) {
        format!("`{name}` belongs on {place}; move it there")
    } else {
        let mut hint = did_you_mean(name, known);
        if hint.is_empty() {
            let list = known.map(|name| format!("`{name}`")).join(", ");
            hint = format!("; known are {list}");
        }
        format!("unknown attribute `{name}`{hint}")
    };
    syn::Error::new(ident.span(), message)
}

/// Calls `read` for the name of each item in each `#[state(…)]`. After an error the rest of the
/// item is skipped and the next one is read. Answers whether there was no error.
fn each_item(
    attrs: &[Attribute],
    cx: &Context,
    mut read: impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> bool {
    let mut complete = true;
    for attr in super::named(attrs, "state") {
        let Ok(list) = attr.meta.require_list() else {
            cx.error(attr, "write the attributes in parentheses: `#[state(…)]`");
            complete = false;
            continue;
        };
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                let read = Ident::parse_any(input)
                    .map_err(|error| {
                        syn::Error::new(error.span(), "expected the name of an attribute")
                    })
                    .and_then(|name| read(&name, input))
                    .and_then(|()| end_of_item(input));
                if let Err(error) = read {
                    cx.push(error);
                    complete = false;
                    skip_item(input)?;
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(list.tokens.clone()) {
            cx.push(error);
            complete = false;
        }
    }
    complete
}

fn end_of_item(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(input.error("expected `,` before the next attribute"))
}

fn skip_item(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

/// One item: its name, and the input behind it.
struct Item<'i> {
    name: &'i Ident,
    input: ParseStream<'i>,
}

impl Item<'_> {
    /// `name`
    fn flag(self, slot: &mut Option<Ident>) -> syn::Result<()> {
        let name = self.name.clone();
        if self.input.peek(Token![=]) {
            return Err(self.input.error(format!("`{name}` takes no value; write it alone")));
        }
        self.set(slot, name)
    }

    /// `name = "text"`
    fn text(self, slot: &mut Option<LitStr>, example: &str) -> syn::Result<()> {
        self.value(slot, &format!("\"{example}\""))
    }

    /// `name = path`
    fn path(self, slot: &mut Option<Path>) -> syn::Result<()> {
        self.equals("my_runtime")?;
        let error = self.expected("my_runtime");
        let path = self.input.call(Path::parse_mod_style).map_err(|_| error)?;
        self.set(slot, path)
    }

    /// `name = …`
    fn value<T: Parse>(self, slot: &mut Option<T>, example: &str) -> syn::Result<()> {
        self.equals(example)?;
        let error = self.expected(example);
        let value = self.input.parse().map_err(|_| error)?;
        self.set(slot, value)
    }

    fn equals(&self, example: &str) -> syn::Result<()> {
        if self.input.peek(Token![=]) {
            self.input.parse::<Token![=]>()?;
            return Ok(());
        }
        let name = self.name;
        Err(syn::Error::new(name.span(), format!("`{name}` needs a value: `{name} = {example}`")))
    }

    fn expected(&self, example: &str) -> syn::Error {
        self.input.error(format!("write it like `{} = {example}`", self.name))
    }

    fn set<T>(self, slot: &mut Option<T>, value: T) -> syn::Result<()> {
        if slot.is_some() {
            let name = self.name;
            let message = format!("`{name}` is given twice; keep one");
            return Err(syn::Error::new(name.span(), message));
        }
        *slot = Some(value);
        Ok(())
    }
}
