//! What a backend stores: values with a revision and an expiry.

use core::{fmt, str::FromStr};
use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Timestamp;

/// A stored value and what is known of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The stored bytes.
    pub value: Bytes,
    /// The revision, where it was asked for.
    pub revision: Option<Revision>,
    /// When the entry expires, where it was asked for.
    pub expiry: Expiry,
}

impl Entry {
    /// An entry of which nothing but the value is known.
    #[must_use]
    pub const fn new(value: Bytes) -> Self {
        Self { value, revision: None, expiry: Expiry::Unknown }
    }
}

/// Hides the value.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("value", &format_args!("<{} bytes>", self.value.len()))
            .field("revision", &self.revision)
            .field("expiry", &self.expiry)
            .finish()
    }
}

/// When an entry stops to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expiry {
    /// It was not asked for.
    #[default]
    Unknown,
    /// Never.
    Never,
    /// At this time: the entry is absent from then on.
    At(Timestamp),
}

/// A mark of one state of an entry, to find out later whether it is still that.
///
/// Equal revisions imply equal bytes. A revision may change although the bytes do not. Whether one
/// can come back for other bytes is told by
/// [`Capability::UniqueRevision`](super::Capability).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Revision(Repr);

/// Numbers and digests up to 20 bytes stay inline, so that reading a revision does not allocate.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Inline { len: u8, bytes: [u8; Revision::INLINE] },
    Heap(Box<[u8]>),
}

impl Revision {
    const INLINE: usize = 22;

    /// A revision of arbitrary bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut inline = [0; Self::INLINE];
        match (inline.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(target), Ok(len)) => {
                target.copy_from_slice(bytes);
                Self(Repr::Inline { len, bytes: inline })
            }
            _ => Self(Repr::Heap(bytes.into())),
        }
    }

    /// The bytes it was made of.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Repr::Heap(bytes) => bytes,
        }
    }
}

impl From<u64> for Revision {
    fn from(number: u64) -> Self {
        Self::from_bytes(&number.to_be_bytes())
    }
}

impl From<u128> for Revision {
    fn from(number: u128) -> Self {
        Self::from_bytes(&number.to_be_bytes())
    }
}

/// Prints the bytes in hexadecimal: a text that fits between the quotes of an HTTP `ETag`.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({self})")
    }
}

/// Reads what `Display` prints, and nothing else.
impl FromStr for Revision {
    type Err = InvalidRevision;

    fn from_str(text: &str) -> core::result::Result<Self, InvalidRevision> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(InvalidRevision),
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return Err(InvalidRevision);
        }
        let byte = |[high, low]: &[u8; 2]| Ok(digit(*high)? << 4 | digit(*low)?);
        let bytes: Vec<u8> = pairs.iter().map(byte).collect::<core::result::Result<_, _>>()?;
        Ok(Self::from_bytes(&bytes))
    }
}

/// As a text, so that it can travel through forms, links and messages.
impl Serialize for Revision {
    fn serialize<S: Serializer>(&self, serializer: S) -> core::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Revision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> core::result::Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A text is not what a [`Revision`] prints as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRevision;

impl fmt::Display for InvalidRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a revision is an even number of lower-case hexadecimal digits")
    }
}

impl core::error::Error for InvalidRevision {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_reads_back_what_it_prints_and_nothing_else() {
        for bytes in [&b""[..], b"\x00", &[0x0f, 0xf0, 0xff], &[7; 40]] {
            let revision = Revision::from_bytes(bytes);
            assert_eq!(revision.to_string().parse(), Ok(revision.clone()));
            let json = serde_json::to_string(&revision).unwrap();
            assert_eq!(serde_json::from_str::<Revision>(&json).unwrap(), revision);
        }
        for text in ["0", "0F", "0g", " 00", "\"00\"", "é"] {
            assert_eq!(text.parse::<Revision>(), Err(InvalidRevision), "{text}");
        }
    }
}
