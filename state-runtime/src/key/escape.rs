//! The escape of segments: `=XX` for every byte outside `A-Z a-z 0-9 _ -`.

use alloc::borrow::Cow;

use super::PartError;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Whether a byte stands for itself in a segment.
pub(super) const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// How many bytes at the start of `text` stand for themselves in a segment.
pub(super) fn plain_run(text: &str) -> usize {
    // Most segments are one such run. Without a way out between the bytes of a chunk, the compiler
    // looks at all of them at once.
    let (chunks, _) = text.as_bytes().as_chunks::<16>();
    let all_plain = |chunk: &&[u8; 16]| chunk.iter().fold(true, |all, &byte| all & is_plain(byte));
    let run = 16 * chunks.iter().take_while(all_plain).count();
    run + text.bytes().skip(run).take_while(|&byte| is_plain(byte)).count()
}

/// The segment at the start of `text`, escaped as it is, and what follows it.
pub(super) fn split_segment(text: &str) -> (&str, &str) {
    let run = plain_run(text);
    let in_segment = |byte: &u8| is_plain(*byte) || *byte == b'=';
    text.split_at(run + text.bytes().skip(run).take_while(in_segment).count())
}

/// The three characters that stand for a byte that is not plain.
pub(super) fn escape(byte: u8) -> [char; 3] {
    let digit = |nibble: u8| char::from(HEX[usize::from(nibble & 0xF)]);
    ['=', digit(byte >> 4), digit(byte)]
}

/// Reads a segment back; borrows where nothing was escaped, which is the common case.
pub(super) fn unescape(segment: &str) -> Result<Cow<'_, str>, PartError> {
    let bytes = segment.as_bytes();
    if plain_run(segment) == bytes.len() {
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
    fn a_run_ends_at_the_first_byte_that_is_not_plain() {
        for len in 0..70 {
            let run = "x".repeat(len);
            assert_eq!(plain_run(&run), len);
            for stop in [":", "=41", "é", "\u{7f}", "@", "[", "`", "{", "/"] {
                assert_eq!(plain_run(&format!("{run}{stop}xyz")), len, "{len} before {stop}");
            }
            let segment = format!("{run}=3A{run}");
            assert_eq!(split_segment(&format!("{segment}:x")), (segment.as_str(), ":x"));
        }
    }

    #[test]
    fn only_the_canonical_escape_is_read() {
        assert_eq!(unescape("=C3=A9").as_deref(), Ok("é"));
        for wrong in ["=", "=4", "=c3=a9", "=41", "=2D", "=C3", "a:b", "é", "=GG"] {
            assert_eq!(unescape(wrong), Err(PartError::Escape), "{wrong}");
        }
    }
}
