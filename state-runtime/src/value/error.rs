//! What can be wrong with a value, told without a piece of it.

use core::fmt;

use super::Report;

/// Why a value could not be written or read.
#[derive(Debug)]
pub(crate) enum ValueError {
    /// It breaks rules.
    Invalid(Report),
    /// It has no stored form, or none that could be read back.
    Encode(EncodeKind),
    /// Its stored form does not fit the type.
    Decode(Box<DecodeFault>),
    /// It was written by a newer version of the type.
    Version { found: u64, supported: u32 },
    /// Its stored form is too large.
    TooLarge { size: usize, limit: usize },
}

impl From<Report> for ValueError {
    fn from(report: Report) -> Self {
        Self::Invalid(report)
    }
}

impl From<DecodeFault> for ValueError {
    fn from(fault: DecodeFault) -> Self {
        Self::Decode(Box::new(fault))
    }
}

impl From<EncodeKind> for ValueError {
    fn from(kind: EncodeKind) -> Self {
        Self::Encode(kind)
    }
}

/// Why a value could not be serialised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeKind {
    /// A `Serialize` implementation failed: a map whose keys are no strings, for example.
    Serialize,
    /// The object has a member whose name starts with `$`; those are the runtime's.
    ReservedMember,
    /// A flattened map has a member that the object has already.
    RepeatedMember,
    /// A float is infinite or no number, for which JSON has no text.
    NotFinite,
    /// It is nested deeper than it could be read back.
    TooDeep,
}

impl fmt::Display for EncodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serialize => "its `Serialize` implementation failed",
            Self::ReservedMember => {
                "a member name starts with `$`, which is reserved; rename that member or map key"
            }
            Self::RepeatedMember => {
                "two members have one name; rename the map key that is called like a field"
            }
            Self::NotFinite => {
                "a float is infinite or not a number, which JSON cannot hold; \
                 use an `Option` or refuse it with a rule"
            }
            Self::TooDeep => "it is nested deeper than 127 levels; store it flatter",
        })
    }
}

/// Where and why decoding stopped.
#[derive(Debug)]
pub(crate) struct DecodeFault {
    pub(crate) path: FieldPath,
    pub(crate) kind: DecodeKind,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl DecodeFault {
    pub(super) fn not_utf8() -> Self {
        Self::whole(DecodeKind::NotUtf8)
    }

    pub(super) fn upgrade() -> Self {
        Self::whole(DecodeKind::Upgrade)
    }

    fn whole(kind: DecodeKind) -> Self {
        Self { path: FieldPath::default(), kind, line: 0, column: 0 }
    }
}

/// Why a stored value does not fit its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeKind {
    /// The bytes are not UTF-8, so they are not JSON.
    NotUtf8,
    /// The text is not JSON.
    Syntax,
    /// The text ends in the middle of a value.
    UnexpectedEnd,
    /// Text follows after the value.
    TrailingText,
    /// A member is missing; its name, where it is a declared one.
    MissingField(Option<&'static str>),
    /// A member stands there twice; its name, where it is a declared one.
    DuplicateField(Option<&'static str>),
    /// The type says `deny_unknown_fields`, and there is one.
    UnknownField,
    /// An enum has no such variant.
    UnknownVariant,
    /// A value is of another JSON type than expected; what was found.
    WrongType(&'static str),
    /// A value is of the right type, but not one that the field can have.
    WrongValue,
    /// An array or object has another number of elements than expected.
    WrongLength,
    /// The older version of the value could not be upgraded.
    Upgrade,
    /// A `Deserialize` implementation of the user refused the value.
    Custom,
}

impl fmt::Display for DecodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("the stored bytes are not UTF-8"),
            Self::Syntax => f.write_str("the stored text is not JSON"),
            Self::UnexpectedEnd => f.write_str("the stored text ends too early"),
            Self::TrailingText => f.write_str("text follows after the stored value"),
            Self::MissingField(Some(name)) => write!(f, "member `{name}` is missing"),
            Self::MissingField(None) => f.write_str("a member is missing"),
            Self::DuplicateField(Some(name)) => write!(f, "member `{name}` stands there twice"),
            Self::DuplicateField(None) => f.write_str("a member stands there twice"),
            Self::UnknownField => f.write_str("a member is unknown to the type"),
            Self::UnknownVariant => f.write_str("the enum has no such variant"),
            Self::WrongType(found) => write!(f, "{found} does not fit the field's type"),
            Self::WrongValue => f.write_str("the value is not one that the field can have"),
            Self::WrongLength => f.write_str("the number of elements does not fit the type"),
            Self::Upgrade => f.write_str("the older version could not be upgraded"),
            Self::Custom => f.write_str("the field's own `Deserialize` refused the value"),
        }
    }
}

/// The place of a fault in a value: `cart[2].quantity`.
///
/// Names that the types declare and indices are shown; anything else, a map key for example, is
/// `[*]`. Empty for the value as a whole.
#[derive(Clone, PartialEq, Eq, Default, Hash)]
pub struct FieldPath(Box<str>);

impl FieldPath {
    pub(super) fn new(steps: &[Step]) -> Self {
        let mut text = String::new();
        for step in steps {
            match step {
                Step::Field(name) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(name);
                }
                Step::Index(index) => {
                    text.push('[');
                    text.push_str(itoa::Buffer::new().format(*index));
                    text.push(']');
                }
                Step::Hidden => text.push_str("[*]"),
            }
        }
        Self(text.into())
    }

    /// The path as text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the value as a whole is meant.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_whole() { "the value" } else { &self.0 })
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A field that a type declares.
    Field(&'static str),
    /// A position in a sequence.
    Index(usize),
    /// Something that comes from the value.
    Hidden,
}
