//! `SessionId`: what a browser shows to prove that a session is its own.

use core::{fmt, str::FromStr};

use crate::{
    error::Result,
    key::{KeyPart, PartError, Segment},
    patterns::random,
};

/// The id of a session: 128 random bits, written as 32 lower-case hexadecimal digits.
///
/// Whoever knows it is the user, so `Debug` hides it. [`as_str`](Self::as_str) is for the cookie.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(Box<str>);

impl SessionId {
    const LEN: usize = 32;

    /// One that nobody has and nobody can guess.
    pub(super) fn random() -> Result<Self> {
        random::hex().map(|text| Self(text.into()))
    }

    /// The text for the cookie.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(***)")
    }
}

/// Reads what [`as_str`](Self::as_str) gives, and nothing else.
impl FromStr for SessionId {
    type Err = PartError;

    fn from_str(text: &str) -> Result<Self, PartError> {
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() == Self::LEN && digits {
            Ok(Self(text.into()))
        } else {
            Err(PartError::expected("the id of a session"))
        }
    }
}

impl KeyPart for SessionId {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.push_str(&self.0);
    }

    fn parse(text: &str) -> Result<Self, PartError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_is_hidden_and_unlike_any_other() -> Result<()> {
        let (one, other) = (SessionId::random()?, SessionId::random()?);
        assert_ne!(one, other);
        assert!(one.as_str().parse::<SessionId>().is_ok_and(|read| read == one));
        assert!(!format!("{one:?}").contains(one.as_str()));
        for text in ["", "0", &"0".repeat(31), &"0".repeat(33), &"A".repeat(32), &"é".repeat(16)] {
            assert!(text.parse::<SessionId>().is_err(), "{text}");
        }
        Ok(())
    }
}
