//! The checked form of a state type: `emit` needs nothing else, and cannot fail.

use syn::{Generics, Ident, LitStr, Path, Type, Visibility};

use crate::syntax::{ContainerSerde, FieldRules, FieldSerde};

/// A state type.
pub(crate) struct Model<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) generics: &'a Generics,
    pub(crate) krate: Path,
    pub(crate) key: Key<'a>,
    pub(crate) value: Value<'a>,
    pub(crate) lifetime: Lifetime,
    pub(crate) max_size: Option<u64>,
    pub(crate) version: Version,
    pub(crate) on_invalid: OnInvalid,
    /// The lock that the type is written under.
    pub(crate) fenced_by: Option<Type>,
    /// The names of all fields, in the order of the struct.
    pub(crate) field_names: Vec<String>,
    /// The fields with rules that look at the rest of the struct.
    pub(crate) dependent_names: Vec<String>,
}

/// The key of a state type.
pub(crate) struct Key<'a> {
    pub(crate) format: Format,
    pub(crate) former: Option<Format>,
    /// In the order of the format.
    pub(crate) fields: Vec<KeyField<'a>>,
    pub(crate) type_name: Ident,
    pub(crate) fn_name: Ident,
    /// The function of the first field alone; the others are called after it.
    pub(crate) prefix_fn_name: Ident,
    /// garde's `context(…)`.
    pub(crate) context: Option<proc_macro2::TokenStream>,
}

/// A key format.
pub(crate) struct Format {
    pub(crate) text: LitStr,
    pub(crate) pieces: Vec<Piece>,
}

/// One piece of a key format.
pub(crate) enum Piece {
    Literal(String),
    /// The position in [`Key::fields`].
    Field(usize),
}

/// A key field.
pub(crate) struct KeyField<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) name: String,
    /// With `Self` written out.
    pub(crate) ty: Type,
    pub(crate) docs: Vec<&'a syn::Attribute>,
    pub(crate) secret: bool,
    pub(crate) rules: FieldRules,
}

/// What is stored.
pub(crate) struct Value<'a> {
    pub(crate) shape: Shape,
    pub(crate) fields: Vec<ValueField<'a>>,
    pub(crate) serde: ContainerSerde,
    /// What a counter of this type may be, where the value is a plain integer.
    pub(crate) counter: Option<Counter>,
    /// Whether serde stores a lone value as its type has it, and no rule looks at it.
    pub(crate) plain: bool,
}

/// What rules say of a stored integer.
pub(crate) enum Counter {
    /// A range of literals; a missing end is that of the type.
    Range { min: Option<proc_macro2::TokenStream>, max: Option<proc_macro2::TokenStream> },
    /// Rules that only running them can tell.
    Rules,
}

/// The stored form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An object of the value fields.
    Object,
    /// The one value field alone.
    Value,
}

/// A value field.
pub(crate) struct ValueField<'a> {
    pub(crate) ident: &'a Ident,
    /// With `Self` written out.
    pub(crate) ty: Type,
    pub(crate) serde: FieldSerde,
}

/// How long a value lives.
pub(crate) enum Lifetime {
    Persistent,
    Expiring { millis: u64, sliding: bool },
}

/// The place in an upgrade chain.
pub(crate) struct Version {
    pub(crate) superseded: bool,
    /// The number, as the user wrote it, and the older type.
    pub(crate) upgrade: Option<Upgrade>,
}

/// An upgrade from an older type.
pub(crate) struct Upgrade {
    pub(crate) version: u32,
    pub(crate) version_span: proc_macro2::Span,
    pub(crate) from: Type,
}

/// What a read does with an invalid value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnInvalid {
    Error,
    Discard,
    Quarantine,
}

impl Model<'_> {
    /// Whether the type has parameters, so that its instances are not known here.
    pub(crate) fn is_generic(&self) -> bool {
        !self.generics.params.is_empty()
    }

    /// Whether the type is part of an upgrade chain.
    pub(crate) fn is_versioned(&self) -> bool {
        self.version.superseded || self.version.upgrade.is_some()
    }
}
