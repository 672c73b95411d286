//! Reading an encoded key back.

use core::fmt;

use super::{KeyError, KeyPart, MAX_KEY_LEN, PartError, Segment, escape};

/// Reads the literals and segments of one encoded key, in order.
///
/// A text is accepted only if writing what was read gives the same text again.
///
/// ```
/// use state_runtime::key::KeyReader;
///
/// let mut reader = KeyReader::new("order:{id}", "order:7");
/// reader.literal("order:")?;
/// let id: u32 = reader.part("id")?;
/// reader.finish()?;
/// assert_eq!(id, 7);
/// # Ok::<(), state_runtime::key::KeyError>(())
/// ```
#[derive(Clone)]
pub struct KeyReader<'t> {
    format: &'static str,
    rest: &'t str,
    len: usize,
}

impl<'t> KeyReader<'t> {
    /// Starts to read `text`, a key of `format`, which only errors name.
    #[must_use]
    pub const fn new(format: &'static str, text: &'t str) -> Self {
        Self { format, rest: text, len: text.len() }
    }

    /// Reads text of the key format.
    ///
    /// # Errors
    ///
    /// [`KeyError::Format`] where the key goes on with something else.
    pub fn literal(&mut self, text: &str) -> Result<(), KeyError> {
        self.rest = self.rest.strip_prefix(text).ok_or(self.mismatch())?;
        Ok(())
    }

    /// Reads the segment of a key field.
    ///
    /// # Errors
    ///
    /// [`KeyError::Format`] where there is none, [`KeyError::Part`] where it is not the canonical
    /// text of a `P`.
    pub fn part<P: KeyPart>(&mut self, field: &'static str) -> Result<P, KeyError> {
        let (segment, rest) = escape::split_segment(self.rest);
        if segment.is_empty() {
            return Err(self.mismatch());
        }
        self.rest = rest;
        canonical(segment).map_err(|reason| KeyError::Part { field, reason })
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// [`KeyError::Format`] where the key goes on, [`KeyError::TooLong`] over [`MAX_KEY_LEN`] bytes.
    pub fn finish(self) -> Result<(), KeyError> {
        if !self.rest.is_empty() {
            return Err(self.mismatch());
        }
        // No writer gives such a key, so reading one would not be the inverse of writing.
        if self.len > MAX_KEY_LEN { Err(KeyError::TooLong { limit: MAX_KEY_LEN }) } else { Ok(()) }
    }

    /// Reads what the format ends with, and ends; for generated code.
    #[doc(hidden)]
    pub fn end(&mut self, literal: &str) -> Result<(), KeyError> {
        self.literal(literal)?;
        self.clone().finish()
    }

    const fn mismatch(&self) -> KeyError {
        KeyError::Format { expected: self.format }
    }
}

/// Hides the text, which may hold a secret.
impl fmt::Debug for KeyReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyReader").field("format", &self.format).finish_non_exhaustive()
    }
}

fn canonical<P: KeyPart>(segment: &str) -> Result<P, PartError> {
    let plain = escape::unescape(segment)?;
    let part = P::parse(&plain)?;
    // `parse` of most types is lenient (`+7`, `007`); writing the result again is not. Escaping it
    // once more could tell nothing new: only the one canonical escape was read.
    if Segment::is(&plain, |text| part.write(text)) {
        Ok(part)
    } else {
        Err(PartError::NotCanonical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<P: KeyPart>(text: &str) -> Result<P, KeyError> {
        let mut reader = KeyReader::new("n:{n}", text);
        reader.literal("n:")?;
        let part = reader.part("n")?;
        reader.finish()?;
        Ok(part)
    }

    #[test]
    fn only_the_canonical_text_is_read() {
        assert_eq!(read::<u32>("n:7"), Ok(7));
        for wrong in ["n:007", "n:=2B7", "n:-0", "n:=37"] {
            assert!(
                matches!(read::<i32>(wrong), Err(KeyError::Part { field: "n", .. })),
                "{wrong}"
            );
        }
        for wrong in ["n:", "n", "m:7", "n:7:8", "n:7 "] {
            assert!(matches!(read::<i32>(wrong), Err(KeyError::Format { .. })), "{wrong}");
        }
    }
}
