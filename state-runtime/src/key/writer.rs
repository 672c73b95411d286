//! Building an encoded key.

use core::fmt::{self, Write as _};

use super::{Key, KeyError, KeyPart, MAX_KEY_LEN, PartError, Segment, escape, part::Sink};

/// Enough for nearly every key, so that building one allocates once.
const TYPICAL_LEN: usize = 64;

/// Builds one [`Key`] from literals and typed segments.
///
/// The first mistake is kept and told by [`finish`](Self::finish), so that generated code can write
/// one part after the other. Writing stops at the length limit, however long a field is.
pub struct KeyWriter {
    text: String,
    public: Option<usize>,
    error: Option<KeyError>,
}

impl KeyWriter {
    /// Starts an empty key.
    #[must_use]
    pub fn new() -> Self {
        Self { text: String::with_capacity(TYPICAL_LEN), public: None, error: None }
    }

    /// Appends text of the key format as it is.
    pub fn literal(&mut self, text: &str) {
        if self.error.is_none() {
            self.append(text);
        }
    }

    /// Appends the segment of a key field.
    pub fn part<P: KeyPart + ?Sized>(&mut self, field: &'static str, part: &P) {
        if self.error.is_some() {
            return;
        }
        let start = self.text.len();
        let mut segment = Segment { sink: Sink::Key(self), refused: false };
        part.write(&mut segment);
        let refused = segment.refused;
        if self.error.is_none() {
            if refused {
                self.error = Some(KeyError::Part { field, reason: PartError::Unwritable });
            } else if self.text.len() == start {
                self.error = Some(KeyError::Empty { field });
            }
        }
    }

    /// Appends the segment of a key field that is never shown to people.
    pub fn secret<P: KeyPart + ?Sized>(&mut self, field: &'static str, part: &P) {
        self.hide();
        self.part(field, part);
    }

    /// What follows is not shown to people.
    pub(crate) fn hide(&mut self) {
        self.public.get_or_insert(self.text.len());
    }

    /// Makes `finish` tell this mistake, unless there was one before.
    pub(crate) fn fail(&mut self, error: KeyError) {
        self.error.get_or_insert(error);
    }

    /// The finished key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`] for an empty field, [`KeyError::TooLong`] over [`MAX_KEY_LEN`] bytes,
    /// [`KeyError::Part`] for a value that has no canonical text.
    pub fn finish(self) -> Result<Key, KeyError> {
        self.finish_or_partial().map_err(|(error, _)| error)
    }

    /// The finished key, or what is wrong with it beside the key as far as it could be written,
    /// for a message that shows it.
    pub(crate) fn finish_or_partial(self) -> Result<Key, (KeyError, Key)> {
        let public = self.public.unwrap_or(self.text.len());
        let key = Key { text: self.text, public };
        match self.error {
            None => Ok(key),
            Some(error) => Err((error, key)),
        }
    }

    /// Appends the plain text of a field, escaped.
    pub(super) fn escaped(&mut self, plain: &str) {
        // Most fields are one plain run. Runs end at ASCII characters, so between characters.
        let mut rest = plain;
        while !rest.is_empty() {
            let (as_is, tail) = rest.split_at(escape::plain_run(rest));
            self.literal(as_is);
            let run = tail.bytes().take_while(|&byte| !escape::is_plain(byte)).count();
            let (special, tail) = tail.split_at(run);
            for byte in special.bytes() {
                self.append_escape(byte);
            }
            if self.error.is_some() {
                return;
            }
            rest = tail;
        }
    }

    fn append(&mut self, text: &str) {
        if self.text.len() + text.len() > MAX_KEY_LEN {
            self.error = Some(KeyError::TooLong { limit: MAX_KEY_LEN });
        } else {
            self.text.push_str(text);
        }
    }

    fn append_escape(&mut self, byte: u8) {
        let escape = escape::escape(byte);
        if self.error.is_some() {
            return;
        }
        if self.text.len() + escape.len() > MAX_KEY_LEN {
            self.error = Some(KeyError::TooLong { limit: MAX_KEY_LEN });
        } else {
            self.text.extend(escape);
        }
    }
}

/// Prints the key as far as it is written, secrets hidden.
impl fmt::Debug for KeyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = self.public.unwrap_or(self.text.len());
        let key = Key { text: self.text.clone(), public };
        f.debug_struct("KeyWriter").field("key", &key).field("error", &self.error).finish()
    }
}

impl Default for KeyWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl Segment<'_> {
    /// Whether `write` gives the text `plain`, found out without writing it.
    pub(super) fn is(plain: &str, write: impl FnOnce(&mut Segment<'_>)) -> bool {
        let mut segment = Segment { sink: Sink::Expected(Some(plain)), refused: false };
        write(&mut segment);
        matches!(segment.sink, Sink::Expected(Some(""))) && !segment.refused
    }

    /// Appends plain text; it is escaped on the way.
    pub fn push_str(&mut self, plain: &str) {
        match &mut self.sink {
            Sink::Key(writer) => writer.escaped(plain),
            Sink::Expected(rest) => *rest = rest.and_then(|rest| rest.strip_prefix(plain)),
        }
    }

    /// Appends what `Display` prints, for types whose `Display` and `FromStr` are inverses.
    /// A `Display` that fails refuses the value.
    pub fn push_display(&mut self, value: &dyn fmt::Display) {
        // Writing into a segment cannot fail, so this is the `Display` itself.
        if write!(self, "{value}").is_err() {
            self.refuse();
        }
    }

    /// Refuses a value that has no canonical text: the key fails with [`PartError::Unwritable`].
    pub fn refuse(&mut self) {
        self.refused = true;
    }
}

impl fmt::Write for Segment<'_> {
    fn write_str(&mut self, plain: &str) -> fmt::Result {
        self.push_str(plain);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(field: &str) -> Result<Key, KeyError> {
        let mut writer = KeyWriter::new();
        writer.literal("session:");
        writer.part("id", field);
        writer.finish()
    }

    #[test]
    fn everything_but_plain_characters_is_escaped() {
        assert_eq!(encode("aZ09_-").unwrap().as_str(), "session:aZ09_-");
        assert_eq!(encode("a:b/c.d=é*").unwrap().as_str(), "session:a=3Ab=2Fc=2Ed=3D=C3=A9=2A");
    }

    #[test]
    fn an_empty_field_is_an_error_that_names_it() {
        assert_eq!(encode(""), Err(KeyError::Empty { field: "id" }));
    }

    #[test]
    fn the_length_limit_counts_encoded_bytes() {
        let room = MAX_KEY_LEN - "session:".len();
        assert!(encode(&"x".repeat(room)).is_ok());
        assert_eq!(encode(&"x".repeat(room + 1)), Err(KeyError::TooLong { limit: MAX_KEY_LEN }));
        assert_eq!(encode(&":".repeat(room / 2)), Err(KeyError::TooLong { limit: MAX_KEY_LEN }));
    }

    #[test]
    fn what_follows_a_secret_is_not_shown_either() {
        let mut writer = KeyWriter::new();
        writer.literal("a:");
        writer.part("x", "1");
        writer.literal(":");
        writer.secret("y", "2");
        writer.literal(":");
        writer.part("z", "3");
        let key = writer.finish().unwrap();
        assert_eq!(key.to_string(), "a:1:***");
        assert_eq!(format!("{key:?}"), "Key(a:1:***)");
        assert_eq!(key.as_str(), "a:1:2:3");
    }
}
