//! `Prefix`: the keys of a type that begin with the same fields.

use core::{fmt, marker::PhantomData};

use super::{KeyFormat, StateKey, Token};
use crate::key::{Key, KeyError, KeyWriter};

/// The keys of `T` whose leading fields have these values, to list or to watch them.
///
/// The derive makes it where a key has two fields or more: `Line::prefix(order_id)`. It ends where a
/// segment ends, so that what is within order 7 is not within order 70. A field that no key can hold
/// is an [`InvalidKey`](crate::StateError::InvalidKey) where the prefix is used.
///
/// `Display` and `Debug` print `***` from the first field on that is marked `#[state(secret)]`.
///
/// ```
/// use state_runtime::prelude::*;
///
/// #[derive(StateKey, Validate)]
/// #[state(key = "order:{order_id}:line:{line}", persistent)]
/// #[garde(allow_unvalidated)]
/// struct Line { order_id: String, line: u32, article: String }
///
/// assert_eq!(Line::prefix("7").to_string(), "order:7:line:");
/// assert_eq!(Line::prefix("7:8").to_string(), "order:7=3A8:line:");
/// ```
pub struct Prefix<T> {
    /// The segments of the leading fields in the order of the format, joined by `:`, which none
    /// holds.
    segments: Key,
    /// Why no key can start like this.
    error: Option<KeyError>,
    keys_of: PhantomData<fn() -> T>,
}

impl<T> Prefix<T> {
    /// For generated code: the leading fields, with a `:` between them.
    #[doc(hidden)]
    #[must_use]
    pub fn of_segments(writer: KeyWriter) -> Self {
        let (segments, error) = match writer.finish_or_partial() {
            Ok(segments) => (segments, None),
            Err((error, partial)) => (partial, Some(error)),
        };
        Self { segments, error, keys_of: PhantomData }
    }
}

impl<T: StateKey> Prefix<T> {
    /// Writes what all of the keys start with in `format`, a key format of `T`.
    ///
    /// Where the format has another field among those that are given, it ends before: then other
    /// keys start like this too.
    pub(crate) fn write(&self, format: KeyFormat, writer: &mut KeyWriter) {
        let names = T::NAMESPACE.format.tokens().iter().filter_map(|token| match token {
            Token::Field { name, .. } => Some(*name),
            Token::Literal(_) => None,
        });
        let given: Vec<_> = names.zip(self.segments.as_str().split(':')).collect();
        let mut left = given.len();
        for token in format.tokens() {
            match token {
                // A message shows as much as could be written.
                Token::Literal(_) if left == 0 && self.error.is_some() => break,
                Token::Literal(text) => writer.literal(text),
                Token::Field { name, secret } => {
                    let Some((_, segment)) = given.iter().find(|(given, _)| given == name) else {
                        break;
                    };
                    if *secret {
                        writer.hide();
                    }
                    writer.literal(segment);
                    left -= 1;
                }
            }
        }
        self.error.iter().cloned().for_each(|error| writer.fail(error));
    }
}

impl<T> Clone for Prefix<T> {
    fn clone(&self) -> Self {
        let Self { segments, error, keys_of } = self;
        Self { segments: segments.clone(), error: error.clone(), keys_of: *keys_of }
    }
}

impl<T: StateKey> fmt::Display for Prefix<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = KeyWriter::new();
        self.write(T::NAMESPACE.format, &mut writer);
        match writer.finish_or_partial() {
            Ok(prefix) => prefix.fmt(f),
            Err((_, partial)) => write!(f, "{partial}…"),
        }
    }
}

impl<T: StateKey> fmt::Debug for Prefix<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({self})")
    }
}
