//! The escape of segments: `=XX` for every byte outside `A-Z a-z 0-9 _ -`.

use alloc::borrow::Cow;

use super::PartError;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Whether a byte stands for itself in a segment.
pub(super) const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The three characters that stand for a byte that is not plain.
pub(super) fn escape(byte: u8) -> [char; 3] {
    let digit = |nibble: u8| char::from(HEX[usize::from(nibble & 0xF)]);
    ['=', digit(byte >> 4), digit(byte)]
}

/// Reads a segment back; borrows where nothing was escaped, which is the common case.
pub(super) fn unescape(segment: &str) -> Result<Cow<'_, str>, PartError> {
    let bytes = segment.as_bytes();
    if bytes.iter().copied().all(is_plain) {
        return Ok(Cow::Borrowed(segment));
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        rest = match tail {
            _ if is_plain(*first) => {
                plain.push(*first);
                tail
            }
            [high, low, tail @ ..] if *first == b'=' => {
                let byte = nibble(*high)? << 4 | nibble(*low)?;
                if is_plain(byte) {
                    return Err(PartError::Escape);
                }
                plain.push(byte);
                tail
            }
            _ => return Err(PartError::Escape),
        };
    }
    String::from_utf8(plain).map(Cow::Owned).map_err(|_| PartError::Escape)
}

fn nibble(digit: u8) -> Result<u8, PartError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(PartError::Escape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(unescape("aZ09_-"), Ok(Cow::Borrowed("aZ09_-"))));
    }

    #[test]
    fn only_the_canonical_escape_is_read() {
        assert_eq!(unescape("=C3=A9").as_deref(), Ok("é"));
        for wrong in ["=", "=4", "=c3=a9", "=41", "=2D", "=C3", "a:b", "é", "=GG"] {
            assert_eq!(unescape(wrong), Err(PartError::Escape), "{wrong}");
        }
    }
}
