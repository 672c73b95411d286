//! What a backend stores: values with a revision and an expiry.

use core::fmt;

use bytes::Bytes;

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

/// Prints the bytes in hexadecimal.
impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revision(")?;
        for byte in self.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}
