//! `Namespace`: everything that is known of a state type at compile time.

use core::time::Duration;

use super::KeyFormat;

/// The most bytes that a stored value may have unless its type says `max_size = "…"`: 64 KiB.
pub const DEFAULT_MAX_SIZE: usize = 64 * 1024;

/// A typed key namespace: the compile-time description of a [`StateKey`](super::StateKey) type.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are what the attributes of a type say, each on its own"
)]
pub struct Namespace {
    /// The path of the type, for people: `shop::Session`.
    pub type_name: &'static str,
    /// The format of its keys.
    pub format: KeyFormat,
    /// The format that its keys had formerly (`formerly = "…"`).
    pub former: Option<KeyFormat>,
    /// The version of the schema; 1 unless the type says otherwise.
    pub version: u32,
    /// The type that this one upgrades from.
    pub previous: Option<&'static Namespace>,
    /// Whether the type is an old version, which is read but no longer written.
    pub superseded: bool,
    /// How long a value lives after it was written. `None` is for ever.
    pub ttl: Option<Duration>,
    /// Whether reading a value renews its TTL.
    pub sliding: bool,
    /// The most bytes that the stored form may have.
    pub max_size: usize,
    /// What a read does with a stored value that is not valid.
    pub on_invalid: OnInvalid,
    /// Whether values are written with the token of a lock (`fenced_by = TheLock`).
    pub fenced: bool,
    /// The stored form.
    pub shape: Shape,
    /// Whether a field is flattened into the stored object, which can then have members of any
    /// name.
    pub flattened: bool,
    /// The names of all fields, for paths in messages.
    pub fields: &'static [&'static str],
    /// The names of the fields with rules of garde's own that look at the rest of the value. What
    /// such a rule says quotes it, so it is not repeated in messages.
    pub dependent: &'static [&'static str],
}

impl Namespace {
    /// For generated code, which then sets the fields that differ.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(type_name: &'static str, format: KeyFormat) -> Self {
        Self {
            type_name,
            format,
            former: None,
            version: 1,
            previous: None,
            superseded: false,
            ttl: None,
            sliding: false,
            max_size: DEFAULT_MAX_SIZE,
            on_invalid: OnInvalid::Error,
            fenced: false,
            shape: Shape::Object,
            flattened: false,
            fields: &[],
            dependent: &[],
        }
    }

    /// Whether some text is a key of both types, their former formats included. Types of one
    /// upgrade chain share their keys on purpose and never conflict; two that upgrade from the same
    /// type are no chain, as neither could read what the other writes.
    #[must_use]
    pub const fn conflicts(&self, other: &Self) -> bool {
        !self.descends_from(other) && !other.descends_from(self) && self.overlaps(other)
    }

    /// Whether some text is a key of both types.
    pub(super) const fn overlaps(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.formats(), other.formats());
        let mut i = 0;
        while i < mine.len() {
            let mut j = 0;
            while j < theirs.len() {
                if let (Some(a), Some(b)) = (&mine[i], &theirs[j])
                    && a.overlaps(b)
                {
                    return true;
                }
                j += 1;
            }
            i += 1;
        }
        false
    }

    const fn formats(&self) -> [Option<KeyFormat>; 2] {
        [Some(self.format), self.former]
    }

    /// Whether `other` is this type or one that it upgrades from, directly or through others.
    const fn descends_from(&self, other: &Self) -> bool {
        let mut this = self;
        while !same(this.type_name, other.type_name) {
            match this.previous {
                Some(older) => this = older,
                None => return false,
            }
        }
        true
    }
}

pub(super) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// The stored form of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// A JSON object of the value fields.
    Object,
    /// The JSON of the one field that is marked `#[state(value)]`.
    Value,
}

/// What a read does with a stored value that cannot be decoded or breaks a rule.
///
/// A value of a newer version is never touched, whatever this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnInvalid {
    /// The read fails; the value stays.
    #[default]
    Error,
    /// The value is removed and the read finds nothing.
    Discard,
    /// The value is moved to a reserved key and the read finds nothing.
    Quarantine,
}
