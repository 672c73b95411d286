//! Keys as subjects: injective, in both directions, and never a wildcard.
//!
//! A subject is made of tokens with dots in between. NATS takes `A-Z a-z 0-9 - _ / =` in the keys of
//! a bucket, and a dot that stands between two tokens.
//!
//! [`KeyMapping::Mapped`] makes a token of each part of a key between colons: `session:abc` becomes
//! `session.abc`. In a part it keeps what NATS takes, and the escapes that keys hold themselves:
//! `=` and two digits of upper-case hexadecimal. Everything else is written byte by byte as `=` and
//! two digits of lower-case hexadecimal, of which one at least is a letter: `.` is `=2e`. The few
//! bytes without a letter in their hexadecimal form are written with two signs, a space is `==20`;
//! an empty part is `==`. Keys of the typed store need neither.

use core::fmt::Write as _;
use std::borrow::Cow;

use crate::backend::{BackendError, ErrorKind, Result};

/// The longest name. Together with a bucket and an inbox it has to fit into one line of the
/// protocol, 4 KiB, or the server would end the connection.
const MAX_NAME_LEN: usize = 3072;

/// How keys become subjects of the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyMapping {
    /// Colons become dots, and what NATS refuses is escaped: every key can be held. Clients of other
    /// languages find `session:abc` under `session.abc`.
    #[default]
    Mapped,
    /// Keys are sent as they are, to share state with programs that use native names. A key that
    /// NATS refuses, such as one with a colon, is [`ErrorKind::InvalidKey`].
    Verbatim,
}

impl KeyMapping {
    /// The name of `key` in the bucket.
    pub(super) fn name(self, key: &str) -> Result<Cow<'_, str>> {
        match self {
            Self::Mapped => {
                let name = map(key);
                if name.len() <= MAX_NAME_LEN {
                    return Ok(Cow::Owned(name));
                }
                Err(BackendError::new(
                    ErrorKind::InvalidKey,
                    "the key is too long for a subject once it is escaped",
                ))
            }
            Self::Verbatim if is_name(key) => Ok(Cow::Borrowed(key)),
            Self::Verbatim => Err(BackendError::new(
                ErrorKind::InvalidKey,
                "the key cannot be sent verbatim: NATS takes letters, digits, `-`, `_`, `/`, `=`, \
                 and dots between them; use `KeyMapping::Mapped`",
            )),
        }
    }

    /// The key that has `name`, unless the name is of somebody else.
    pub(super) fn key(self, name: &str) -> Option<String> {
        match self {
            Self::Mapped => unmap(name).filter(|key| map(key) == name),
            Self::Verbatim => is_name(name).then(|| name.to_owned()),
        }
    }

    /// A pattern that covers the name of every key that starts with `prefix`, and perhaps others;
    /// `None` where there can be no such key.
    pub(super) fn pattern(self, prefix: &str) -> Option<String> {
        let delimiter = match self {
            Self::Mapped => ':',
            Self::Verbatim if prefix.chars().all(|c| is_plain(c) || c == '.') => '.',
            Self::Verbatim => return None,
        };
        // What stands before the last delimiter are whole tokens of every such key.
        let Some((whole, _)) = prefix.rsplit_once(delimiter) else { return Some(">".to_owned()) };
        let name = self.name(whole).ok()?;
        Some(format!("{name}.>"))
    }
}

/// Whether NATS takes the character anywhere in a name.
const fn is_plain(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '_' | '/' | '=')
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME_LEN
        && name.split('.').all(|token| !token.is_empty() && token.chars().all(is_plain))
}

fn map(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 8);
    for (i, part) in key.split(':').enumerate() {
        if i > 0 {
            name.push('.');
        }
        if part.is_empty() {
            name.push_str("==");
        }
        for (at, c) in part.char_indices() {
            let kept = if c == '=' { is_escape(part, at) } else { is_plain(c) };
            if kept {
                name.push(c);
                continue;
            }
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let sign = if has_letter(byte) { "=" } else { "==" };
                // Writing to a string cannot fail.
                let _ = write!(name, "{sign}{byte:02x}");
            }
        }
    }
    name
}

/// Whether an escape of the key's own starts at `at`.
fn is_escape(part: &str, at: usize) -> bool {
    let digits = part.as_bytes().get(at + 1..at + 3);
    digits.is_some_and(|digits| digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'A'..=b'F')))
}

/// Whether the hexadecimal form of a byte has a letter.
const fn has_letter(byte: u8) -> bool {
    byte >> 4 > 9 || byte & 15 > 9
}

/// Undoes [`map`]. Of a name that it does not write, the result is anything.
fn unmap(name: &str) -> Option<String> {
    let mut key = Vec::with_capacity(name.len());
    for (i, token) in name.split('.').enumerate() {
        if i > 0 {
            key.push(b':');
        }
        if token == "==" {
            continue;
        }
        let mut rest = token.as_bytes();
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            if first != b'=' {
                key.push(first);
                continue;
            }
            let (doubled, digits) = match after {
                [b'=', digits @ ..] => (true, digits),
                digits => (false, digits),
            };
            let (pair, after) = digits.split_at_checked(2)?;
            rest = after;
            if doubled || pair.iter().any(u8::is_ascii_lowercase) {
                let text = core::str::from_utf8(pair).ok()?;
                key.push(u8::from_str_radix(text, 16).ok()?);
            } else {
                key.push(b'=');
                key.extend_from_slice(pair);
            }
        }
    }
    String::from_utf8(key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(key: &str) -> String {
        let name = KeyMapping::Mapped.name(key).expect("every key can be mapped");
        assert!(is_name(&name), "{key} became {name}");
        assert_eq!(KeyMapping::Mapped.key(&name).as_deref(), Some(key), "by way of {name}");
        name.into_owned()
    }

    #[test]
    fn colons_become_dots() {
        assert_eq!(mapped("session:abc"), "session.abc");
        assert_eq!(mapped("/acme/session:a=20b"), "/acme/session.a=20b");
    }

    #[test]
    fn what_is_foreign_is_escaped_in_lower_case() {
        assert_eq!(mapped("a.b:{c}"), "a=2eb.=7bc=7d");
        assert_eq!(mapped("=health"), "=3dhealth");
        assert_eq!(mapped("*:>"), "=2a.=3e");
        assert_eq!(mapped("a b"), "a==20b");
        assert_eq!(mapped("ü"), "=c3=bc");
    }

    #[test]
    fn empty_parts_become_tokens() {
        assert_eq!(mapped(""), "==");
        assert_eq!(mapped(":a::b:"), "==.a.==.b.==");
    }

    /// Every text of up to five characters that matter is mapped back, so no two share a name.
    #[test]
    fn the_mapping_is_injective() {
        const CHARACTERS: [char; 9] = ['a', 'E', '2', '=', ':', '.', ' ', '*', 'ü'];
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            let longer: Vec<_> = texts
                .iter()
                .flat_map(|text| CHARACTERS.iter().map(move |c| format!("{text}{c}")))
                .collect();
            for text in &longer {
                mapped(text);
            }
            texts = longer;
        }
    }

    /// A name that is mapped to a key is the name of that key: nobody else's entry is taken for ours.
    #[test]
    fn names_of_others_are_no_keys() {
        for name in ["a=2Eb", "a=20", "a"] {
            assert!(KeyMapping::Mapped.key(name).is_some(), "{name}");
        }
        for name in ["a=61", "a=2", "=", "a=", "=2g", "==2e", "a.==.==x", "=ff", "==a"] {
            let key = KeyMapping::Mapped.key(name);
            assert!(key.as_deref().is_none_or(|key| map(key) == name), "{name} became {key:?}");
        }
        for name in ["=", "a=", "=2g", "==2e", "=ff", "=6a"] {
            assert_eq!(KeyMapping::Mapped.key(name), None, "{name}");
        }
    }

    #[test]
    fn verbatim_refuses_what_the_server_would() {
        for key in ["a", "a.b", "/acme/a=2E", "A-b_c"] {
            assert_eq!(KeyMapping::Verbatim.name(key).ok().as_deref(), Some(key));
        }
        for key in ["", ".a", "a.", "a..b", "a:b", "*", "a.>", "a b", "ü", "{a}"] {
            let refused = KeyMapping::Verbatim.name(key).map_err(|error| error.kind());
            assert_eq!(refused, Err(ErrorKind::InvalidKey), "{key}");
        }
    }

    #[test]
    fn a_pattern_holds_whole_tokens() {
        let mapped = |prefix| KeyMapping::Mapped.pattern(prefix);
        assert_eq!(mapped("").as_deref(), Some(">"));
        assert_eq!(mapped("sess").as_deref(), Some(">"));
        assert_eq!(mapped("session:").as_deref(), Some("session.>"));
        assert_eq!(mapped("a:*:b").as_deref(), Some("a.=2a.>"));
        let verbatim = |prefix| KeyMapping::Verbatim.pattern(prefix);
        assert_eq!(verbatim("a.b").as_deref(), Some("a.>"));
        assert_eq!(verbatim("a.*.b"), None);
        assert_eq!(verbatim("a..b"), None);
    }
}
