//! Key formats, parsed at compile time, and whether two of them overlap.

use super::namespace::same;

/// One piece of a key format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// Text that every key of the format has, delimiters included.
    Literal(&'static str),
    /// The segment of a key field.
    Field {
        /// The name of the field.
        name: &'static str,
        /// Whether it is marked `#[state(secret)]`.
        secret: bool,
    },
}

/// A parsed key format. Literals and fields alternate; a format starts with a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFormat {
    text: &'static str,
    tokens: &'static [Token],
}

impl KeyFormat {
    /// For generated code: `text` as it stands in the attribute, and its pieces.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(text: &'static str, tokens: &'static [Token]) -> Self {
        Self { text, tokens }
    }

    /// The format as it is written in `#[state(key = "…")]`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.text
    }

    /// The pieces, in order.
    #[must_use]
    pub const fn tokens(&self) -> &'static [Token] {
        self.tokens
    }

    /// The literal that every key of the format starts with; the whole key of a singleton.
    #[must_use]
    pub const fn prefix(&self) -> &'static str {
        match self.tokens {
            [Token::Literal(text), ..] => text,
            _ => "",
        }
    }

    /// Whether some field is marked `#[state(secret)]`.
    #[must_use]
    pub const fn has_secrets(&self) -> bool {
        let mut i = 0;
        while i < self.tokens.len() {
            if let Token::Field { secret: true, .. } = self.tokens[i] {
                return true;
            }
            i += 1;
        }
        false
    }

    /// Whether every key of one format is a key of the other: the literals are the same and the
    /// fields stand in the same places, whatever their names.
    #[must_use]
    pub const fn same_shape(&self, other: &Self) -> bool {
        if self.tokens.len() != other.tokens.len() {
            return false;
        }
        let mut i = 0;
        while i < self.tokens.len() {
            match (self.tokens[i], other.tokens[i]) {
                (Token::Literal(a), Token::Literal(b)) if same(a, b) => {}
                (Token::Field { .. }, Token::Field { .. }) => {}
                _ => return false,
            }
            i += 1;
        }
        true
    }

    /// Whether some text is a key of both formats, whatever the types of their fields.
    ///
    /// ```
    /// use state_runtime::schema::{KeyFormat, Token};
    ///
    /// const ID: Token = Token::Field { name: "id", secret: false };
    /// const USER: KeyFormat = KeyFormat::new("user:{id}", &[Token::Literal("user:"), ID]);
    /// const ADMIN: KeyFormat = KeyFormat::new("user:admin", &[Token::Literal("user:admin")]);
    /// const CART: KeyFormat =
    ///     KeyFormat::new("user:{id}:cart", &[Token::Literal("user:"), ID, Token::Literal(":cart")]);
    /// assert!(USER.overlaps(&ADMIN));
    /// assert!(!USER.overlaps(&CART));
    /// ```
    #[must_use]
    pub const fn overlaps(&self, other: &Self) -> bool {
        let mut left = Cursor::new(self.tokens);
        let mut right = Cursor::new(other.tokens);
        loop {
            match (left.peek(), right.peek()) {
                (Piece::End, Piece::End) => return true,
                (Piece::Byte(a), Piece::Byte(b)) if a == b => {
                    left.step();
                    right.step();
                }
                (Piece::Field, Piece::Field) => {
                    left.step();
                    right.step();
                }
                // A field can be any run of segment characters, but not an empty one.
                (Piece::Field, Piece::Byte(byte)) if is_segment(byte) => {
                    left.step();
                    right.skip_run();
                }
                (Piece::Byte(byte), Piece::Field) if is_segment(byte) => {
                    right.step();
                    left.skip_run();
                }
                _ => return false,
            }
        }
    }
}

const fn is_segment(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

#[derive(Clone, Copy)]
enum Piece {
    Byte(u8),
    Field,
    End,
}

/// A position in a format, byte by byte through its literals.
struct Cursor {
    tokens: &'static [Token],
    token: usize,
    byte: usize,
}

impl Cursor {
    const fn new(tokens: &'static [Token]) -> Self {
        Self { tokens, token: 0, byte: 0 }
    }

    const fn peek(&self) -> Piece {
        if self.token >= self.tokens.len() {
            return Piece::End;
        }
        match self.tokens[self.token] {
            Token::Literal(text) => Piece::Byte(text.as_bytes()[self.byte]),
            Token::Field { .. } => Piece::Field,
        }
    }

    const fn step(&mut self) {
        self.byte += 1;
        if let Token::Literal(text) = self.tokens[self.token]
            && self.byte < text.len()
        {
            return;
        }
        self.token += 1;
        self.byte = 0;
    }

    /// Skips the rest of a literal segment. A format never puts a field beside a literal segment
    /// character, so the run ends at a delimiter or at the end.
    const fn skip_run(&mut self) {
        while let Piece::Byte(byte) = self.peek()
            && is_segment(byte)
        {
            self.step();
        }
    }
}
