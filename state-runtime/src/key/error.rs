//! What can be wrong with a key.

use core::fmt;

/// Why a key could not be encoded, or a text is not a key of the expected format.
///
/// No variant holds the text of a field: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// A key field is empty, and an empty segment could not be read back.
    Empty {
        /// The key field.
        field: &'static str,
    },
    /// The encoded key is longer than [`MAX_KEY_LEN`](super::MAX_KEY_LEN).
    TooLong {
        /// The most bytes an encoded key may have.
        limit: usize,
    },
    /// The text does not have the literals and delimiters of the format.
    Format {
        /// The format that was expected, as it is written in `#[state(key = "…")]`.
        expected: &'static str,
    },
    /// A segment is not the canonical form of a value of its field.
    Part {
        /// The key field.
        field: &'static str,
        /// What is wrong with the segment.
        reason: PartError,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { field } => {
                write!(f, "key field `{field}` is empty; give it at least one character")
            }
            Self::TooLong { limit } => write!(
                f,
                "the encoded key is longer than {limit} bytes; shorten its fields or store a digest of them"
            ),
            Self::Format { expected } => {
                write!(f, "the text is not a key of the format `{expected}`")
            }
            Self::Part { field, reason } => write!(f, "key field `{field}`: {reason}"),
        }
    }
}

impl core::error::Error for KeyError {}

/// Why a segment is not the canonical text of a key field's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartError {
    /// An escape is malformed, in lower case, or stands for a character that needs none.
    Escape,
    /// The text is not a value of the field's type.
    Parse {
        /// What was expected, for example `an unsigned integer`.
        expected: &'static str,
    },
    /// The value has no canonical text, so that it could not be told from another one.
    Unwritable,
    /// The text is a value of the type, written in another than its one canonical form (`007`).
    NotCanonical,
}

impl PartError {
    /// The text is not `expected`, which a [`KeyPart`](super::KeyPart) names in a few words.
    #[must_use]
    pub const fn expected(expected: &'static str) -> Self {
        Self::Parse { expected }
    }
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Escape => f.write_str("not a canonical escape (`=XX`, upper-case hexadecimal)"),
            Self::Parse { expected } => write!(f, "not {expected}"),
            Self::Unwritable => f.write_str("a value without a canonical text"),
            Self::NotCanonical => f.write_str("not in canonical form"),
        }
    }
}

impl core::error::Error for PartError {}
