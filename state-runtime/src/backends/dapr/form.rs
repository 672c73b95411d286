//! How a value is stored: as one JSON string that tells what it holds in its first line.
//!
//! A sidecar takes values as JSON and hands them to its component as numbers, strings and maps of
//! its own language. On the way integers beyond 2^53 are rounded, some components cut floats to six
//! decimals, and the members of objects change their order. Strings alone come back as they were.
//! So a value is stored as a string:
//!
//! ```text
//! $state expires=1767225600000␊{"userId":"u-1"}
//! ```
//!
//! The first line is `$state`, followed by words that are separated by single spaces:
//! - `expires=N`: the entry is absent from then on, in milliseconds since the Unix epoch. The time
//!   to live that the component is given only frees the space.
//! - `base64`: what follows the line is base64 of the bytes, which are no text.
//! - `removed`: there is no entry; the mark keeps the component from accepting an old etag.
//!
//! What follows the line is the value. Anything else that is stored was written by another program
//! and is taken as it is: the JSON text of `41`, `"hello"` or `{"userId":"u-1"}`. Only a string that
//! starts with `$state` and a space or a line end is ever taken for this form.

use core::fmt::Write;
use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;

use crate::backend::{BackendError, ErrorKind, Result, Timestamp};

const NAME: &str = "$state";
const EXPIRES: &str = "expires=";
const BASE64: &str = "base64";
const REMOVED: &str = "removed";

/// What a component holds under a key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// The bytes; `None` is the mark of a removal.
    pub(super) value: Option<Bytes>,
    /// From when on the entry is absent.
    pub(super) expires: Option<Timestamp>,
}

/// The text of a value as it is stored, not yet quoted.
pub(super) fn write(value: &[u8], expires: Option<Timestamp>) -> String {
    let mut text = String::with_capacity(value.len() + 32);
    text.push_str(NAME);
    if let Some(expires) = expires {
        // Writing to a `String` cannot fail.
        let _ = write!(text, " {EXPIRES}{}", expires.as_millis());
    }
    match core::str::from_utf8(value) {
        Ok(plain) if is_shorter_as_text(value) => {
            text.push('\n');
            text.push_str(plain);
        }
        _ => {
            text.push(' ');
            text.push_str(BASE64);
            text.push('\n');
            BASE64_STANDARD.encode_string(value, &mut text);
        }
    }
    text
}

/// The mark of a removal.
pub(super) fn removed() -> String {
    format!("{NAME} {REMOVED}\n")
}

/// Reads what a component holds, as the sidecar sends it.
///
/// # Errors
///
/// [`ErrorKind::Foreign`] where the first line says something that is not known here.
pub(super) fn read(data: Bytes) -> Result<Stored> {
    let quoted = data.strip_prefix(b"\"").is_some_and(|rest| rest.starts_with(NAME.as_bytes()));
    let text = if quoted {
        serde_json::from_slice::<Cow<'_, str>>(&data).ok()
    } else {
        // A component that encrypts what it stores gives strings back without their quotes.
        core::str::from_utf8(&data).ok().filter(|text| text.starts_with(NAME)).map(Cow::Borrowed)
    };
    match text.as_deref().and_then(split) {
        Some((words, content)) => parse(words, content),
        None => Ok(Stored { value: Some(data), expires: None }),
    }
}

/// The words of the first line and what follows it, if it is a first line.
fn split(text: &str) -> Option<(&str, &str)> {
    let (line, content) = text.split_once('\n')?;
    let words = line.strip_prefix(NAME)?;
    (words.is_empty() || words.starts_with(' ')).then_some((words, content))
}

fn parse(words: &str, content: &str) -> Result<Stored> {
    let (mut expires, mut encoded, mut gone) = (None, false, false);
    for word in words.split_ascii_whitespace() {
        match word {
            BASE64 => encoded = true,
            REMOVED => gone = true,
            _ => {
                let millis = word.strip_prefix(EXPIRES).and_then(|millis| millis.parse().ok());
                expires = Some(Timestamp::from_millis(millis.ok_or_else(unknown)?));
            }
        }
    }
    let value = if gone {
        None
    } else if encoded {
        Some(BASE64_STANDARD.decode(content).map_err(|_| unknown())?.into())
    } else {
        Some(Bytes::copy_from_slice(content.as_bytes()))
    };
    Ok(Stored { value, expires })
}

fn unknown() -> BackendError {
    BackendError::new(
        ErrorKind::Foreign,
        "a stored value has a first line that is not known here; was it written by a newer version?",
    )
}

/// Whether the value takes less room as the text of a JSON string than as base64.
fn is_shorter_as_text(value: &[u8]) -> bool {
    let escaped = value.iter().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..0x20 => 6,
        _ => 1_usize,
    });
    // Text is what people can read, so it may take up to twice the room.
    escaped.sum::<usize>() <= value.len().saturating_mul(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came_back(value: &[u8], expires: Option<Timestamp>) {
        let quoted = serde_json::to_string(&write(value, expires)).unwrap();
        for sent in [quoted, write(value, expires)] {
            let stored = read(sent.into()).unwrap();
            assert_eq!(stored.value.as_deref(), Some(value));
            assert_eq!(stored.expires, expires);
        }
    }

    #[test]
    fn every_value_comes_back() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        for value in [b"".as_slice(), b"41", b"\"41\"", b"\n\n", b"$state\n", b"\0\0\0", &all] {
            came_back(value, None);
            came_back(value, Some(Timestamp::from_millis(1_767_225_600_000)));
        }
    }

    #[test]
    fn text_is_stored_so_that_people_can_read_it() {
        assert_eq!(write(br#"{"a":"b"}"#, None), "$state\n{\"a\":\"b\"}");
        let expiring = write(b"1", Some(Timestamp::from_millis(5)));
        assert_eq!(expiring, "$state expires=5\n1");
        assert_eq!(write(b"\xff", None), "$state base64\n/w==");
    }

    #[test]
    fn what_other_programs_wrote_is_taken_as_it_is() {
        for native in ["41", "null", "\"41\"", "\"$stateful\\n1\"", "\"$state\"", "{\"a\":1}", "no"]
        {
            let stored = read(native.into()).unwrap();
            assert_eq!(stored.value.as_deref(), Some(native.as_bytes()), "{native}");
        }
    }

    #[test]
    fn a_first_line_of_a_newer_version_is_refused() {
        for strange in ["$state zip\nx", "$state expires=soon\n1", "$state base64\n*"] {
            let error = read(strange.into()).err().map(|error| error.kind());
            assert_eq!(error, Some(ErrorKind::Foreign), "{strange}");
        }
    }

    #[test]
    fn a_mark_holds_no_value() {
        assert_eq!(read(removed().into()).unwrap().value, None);
    }
}
