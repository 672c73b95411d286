//! `KeyPart`: the types that can stand in a key, and how each is written.

use core::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::{KeyError, KeyReader, KeyWriter, PartError};

/// The segment that a [`KeyPart`] writes itself into; see [`push_str`](Segment::push_str).
pub struct Segment<'w> {
    pub(super) sink: Sink<'w>,
    /// Whether the value has no text.
    pub(super) refused: bool,
}

/// Where the plain text of a field goes.
pub(super) enum Sink<'w> {
    /// Into a key, escaped.
    Key(&'w mut KeyWriter),
    /// Nowhere: it is compared with what is expected to follow; `None` once it differed.
    Expected(Option<&'w str>),
}

/// Hides the text, which may be a secret.
impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment").field("refused", &self.refused).finish_non_exhaustive()
    }
}

/// A type that can be a key field.
///
/// The text that [`write`](Self::write) gives must be canonical: one value, one text, and
/// [`parse`](Self::parse) of that text gives the value back. Escaping is not the type's business.
/// A text that parses but would be written differently (`007` for 7) is refused by the reader.
///
/// A value that shares its text with another one is refused with [`Segment::refuse`].
///
/// Implemented for strings, integers, `bool`, `char` and IP addresses, behind features for
/// [`uuid`](https://docs.rs/uuid), [`chrono`](https://docs.rs/chrono) and
/// [`jiff`](https://docs.rs/jiff) types, and by `#[derive(KeyPart)]` for newtypes and unit enums.
///
/// ```
/// use state_runtime::key::{KeyPart, PartError, Segment};
///
/// /// A port of this machine, written as a number.
/// #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
/// struct Port(u16);
///
/// impl KeyPart for Port {
///     fn write(&self, segment: &mut Segment<'_>) {
///         self.0.write(segment);
///     }
///     fn parse(text: &str) -> Result<Self, PartError> {
///         u16::parse(text).map(Port)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key field",
    label = "not a `KeyPart`",
    note = "key fields are strings, integers, `bool`, `char`, IP addresses, and with a feature of `state-runtime` UUIDs and dates",
    note = "for a newtype or an enum without data, add `#[derive(KeyPart)]` to it",
    note = "floats are no key fields: equal keys must be equal texts, and 0.1 + 0.2 is not 0.3"
)]
pub trait KeyPart: Ord + Hash + fmt::Debug {
    /// Writes the canonical text.
    fn write(&self, segment: &mut Segment<'_>);

    /// Reads the text back.
    ///
    /// # Errors
    ///
    /// [`PartError::Parse`] where `text` is not a value of this type.
    fn parse(text: &str) -> Result<Self, PartError>
    where
        Self: Sized;

    // What generated key types are made of. They go through this trait alone, so that a field
    // whose type is no `KeyPart` is one error of the compiler and not one for each trait; and each
    // is one plain call, because the compiler checks a closure or a `?` much more slowly.

    #[doc(hidden)]
    fn part_write(&self, literal: &str, field: &'static str, writer: &mut KeyWriter) {
        writer.literal(literal);
        writer.part(field, self);
    }

    #[doc(hidden)]
    fn part_write_secret(&self, literal: &str, field: &'static str, writer: &mut KeyWriter) {
        writer.literal(literal);
        writer.secret(field, self);
    }

    #[doc(hidden)]
    fn part_read(
        literal: &str,
        field: &'static str,
        reader: &mut KeyReader<'_>,
    ) -> Result<Self, KeyError>
    where
        Self: Sized,
    {
        reader.literal(literal)?;
        reader.part(field)
    }

    #[doc(hidden)]
    #[must_use]
    fn part_clone(&self) -> Self
    where
        Self: Clone,
    {
        self.clone()
    }

    #[doc(hidden)]
    fn part_eq(&self, other: &Self) -> bool {
        self == other
    }

    #[doc(hidden)]
    fn part_cmp(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    #[doc(hidden)]
    fn part_hash<H: Hasher>(&self, hasher: &mut H) {
        self.hash(hasher);
    }

    #[doc(hidden)]
    fn part_debug(&self) -> &dyn fmt::Debug
    where
        Self: Sized,
    {
        self
    }
}

impl KeyPart for str {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.push_str(self);
    }
}

macro_rules! strings {
    ($($type:ty),*) => {$(
        impl KeyPart for $type {
            fn write(&self, segment: &mut Segment<'_>) {
                segment.push_str(self);
            }
            fn parse(text: &str) -> Result<Self, PartError> {
                Ok(text.into())
            }
        }
    )*};
}
strings!(String, Box<str>, alloc::sync::Arc<str>);

macro_rules! integers {
    ($expected:literal: $($type:ty),*) => {$(
        impl KeyPart for $type {
            fn write(&self, segment: &mut Segment<'_>) {
                segment.push_str(itoa::Buffer::new().format(*self));
            }
            fn parse(text: &str) -> Result<Self, PartError> {
                text.parse().map_err(|_| PartError::expected($expected))
            }
        }
    )*};
}
integers!("an unsigned integer in range": u8, u16, u32, u64, u128, usize);
integers!("an integer in range": i8, i16, i32, i64, i128, isize);

macro_rules! displayed {
    ($($(#[$cfg:meta])* $type:ty: $expected:literal),* $(,)?) => {$(
        $(#[$cfg])*
        impl KeyPart for $type {
            fn write(&self, segment: &mut Segment<'_>) {
                segment.push_display(self);
            }
            fn parse(text: &str) -> Result<Self, PartError> {
                text.parse().map_err(|_| PartError::expected($expected))
            }
        }
    )*};
}
displayed! {
    bool: "`true` or `false`",
    IpAddr: "an IP address",
    Ipv4Addr: "an IPv4 address",
    Ipv6Addr: "an IPv6 address",
    #[cfg(feature = "uuid")]
    uuid::Uuid: "a hyphenated lower-case UUID",
    #[cfg(feature = "chrono")]
    chrono::NaiveDate: "a date like 2026-11-22",
    #[cfg(feature = "jiff")]
    jiff::civil::Date: "a date like 2026-11-22",
    #[cfg(feature = "jiff")]
    jiff::Timestamp: "a timestamp like 2026-11-22T10:00:00Z",
}

impl KeyPart for char {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.push_str(self.encode_utf8(&mut [0; 4]));
    }
    fn parse(text: &str) -> Result<Self, PartError> {
        text.parse().map_err(|_| PartError::expected("a single character"))
    }
}

/// UTC alone: with an offset, one instant would have many texts.
#[cfg(feature = "chrono")]
impl KeyPart for chrono::DateTime<chrono::Utc> {
    fn write(&self, segment: &mut Segment<'_>) {
        // A leap second anywhere but at the end of a minute prints like the second after it.
        if self.timestamp_subsec_nanos() >= 1_000_000_000 && self.timestamp().rem_euclid(60) != 59 {
            segment.refuse();
        } else {
            segment.push_display(&self.format("%Y-%m-%dT%H:%M:%S%.fZ"));
        }
    }
    fn parse(text: &str) -> Result<Self, PartError> {
        text.parse().map_err(|_| PartError::expected("a time like 2026-11-22T10:00:00Z"))
    }
}
