//! `assert_disjoint!`: no two of these types share a key, or the program does not build.

use super::{Namespace, StateKey, namespace::same};

/// Fails the build if two of the types could share a key, naming both and their formats.
///
/// A store checks the same when it is built; this says it before the program runs, for types of one
/// crate or of many.
///
/// ```
/// use state_runtime::{assert_disjoint, prelude::*};
///
/// #[derive(StateKey, Validate)]
/// #[state(key = "session:{id}", ttl = "30m")]
/// struct Session { #[garde(skip)] id: String, #[garde(skip)] user: u64 }
///
/// #[derive(StateKey, Validate)]
/// #[state(key = "cart:{id}", ttl = "7d")]
/// struct Cart { #[garde(skip)] id: String, #[garde(skip)] items: Vec<u64> }
///
/// assert_disjoint!(Session, Cart);
/// ```
#[macro_export]
macro_rules! assert_disjoint {
    ($($ty:ty),+ $(,)?) => {
        const _: () = {
            const ROWS: &[$crate::schema::Row] =
                &[$($crate::schema::Row::of::<$ty>(::core::stringify!($ty))),+];
            // One constant a row: a single one would run into the evaluator's limit.
            $(const _: () = $crate::schema::check_row(ROWS, ::core::stringify!($ty));)+
        };
    };
}

/// One type in [`assert_disjoint!`](crate::assert_disjoint).
#[doc(hidden)]
#[derive(Debug)]
pub struct Row {
    name: &'static str,
    /// The start of `name`.
    start: Word,
    namespace: Namespace,
    /// What every key starts with; nothing where a former format may start otherwise.
    head: Word,
}

impl Row {
    /// The row of the type `T`, written as `name`.
    #[must_use]
    pub const fn of<T: StateKey>(name: &'static str) -> Self {
        let namespace = T::NAMESPACE;
        let head = match namespace.former {
            Some(_) => Word::of(""),
            None => Word::of(namespace.format.prefix()),
        };
        Self { name, start: Word::of(name), namespace, head }
    }
}

/// Compares the row called `name` with all before it.
///
/// # Panics
///
/// Where two overlap, which in a constant fails the build.
#[doc(hidden)]
pub const fn check_row(rows: &[Row], name: &str) {
    let mut this = 0;
    let start = Word::of(name);
    while this < rows.len() && (rows[this].start.differs(&start) || !same(rows[this].name, name)) {
        this += 1;
    }
    if this == rows.len() {
        return;
    }
    let row = &rows[this];
    let mut i = 0;
    while i < this {
        let other = &rows[i];
        i += 1;
        if row.head.differs(&other.head) {
            continue;
        }
        // Instances of one generic type have the same format, so they share keys too.
        let instances = same(row.namespace.type_name, other.namespace.type_name);
        if instances || row.namespace.conflicts(&other.namespace) {
            let mut message = Message::new();
            message.push_row(other);
            message.push(" and ");
            message.push_row(row);
            message.push(" can share a key; give one of them another literal segment");
            panic!("{}", message.as_str());
        }
    }
}

/// The first bytes of a text as one number: nearly all pairs are told apart by it in one step, where
/// a loop would be slow in the evaluator of constants.
#[derive(Debug)]
struct Word {
    bytes: u128,
    /// The bits of `bytes` that are in use.
    mask: u128,
}

impl Word {
    const fn of(text: &str) -> Self {
        let text = text.as_bytes();
        let mut word = Self { bytes: 0, mask: 0 };
        let mut i = 0;
        while i < text.len() && i < 16 {
            word.bytes |= (text[i] as u128) << (8 * i);
            word.mask |= 0xff << (8 * i);
            i += 1;
        }
        word
    }

    /// Whether the texts differ in the bytes that both have.
    const fn differs(&self, other: &Self) -> bool {
        (self.bytes ^ other.bytes) & self.mask & other.mask != 0
    }
}

/// A text that is put together in a constant, cut off where it gets too long.
struct Message {
    bytes: [u8; 1024],
    len: usize,
}

impl Message {
    const fn new() -> Self {
        Self { bytes: [0; 1024], len: 0 }
    }

    const fn push(&mut self, text: &str) {
        let bytes = text.as_bytes();
        if self.len + bytes.len() > self.bytes.len() {
            return;
        }
        let mut i = 0;
        while i < bytes.len() {
            self.bytes[self.len] = bytes[i];
            self.len += 1;
            i += 1;
        }
    }

    const fn push_row(&mut self, row: &Row) {
        self.push("`");
        self.push(row.name);
        self.push("` (key \"");
        self.push(row.namespace.format.as_str());
        if let Some(former) = &row.namespace.former {
            self.push("\", formerly \"");
            self.push(former.as_str());
        }
        self.push("\")");
    }

    const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "two types can share a key",
        }
    }
}
