//! Which slot of a cluster a key belongs to.

/// How many slots there are.
pub(super) const SLOTS: u16 = 16_384;

/// The slot of `key`: its checksum, or that of its hash tag if it has one.
pub(super) fn slot(key: &[u8]) -> u16 {
    checksum(tag(key).unwrap_or(key)) % SLOTS
}

/// What stands between the first `{` and the first `}` behind it, unless that is nothing.
fn tag(key: &[u8]) -> Option<&[u8]> {
    let open = memchr::memchr(b'{', key)?;
    let rest = key.get(open + 1..)?;
    let tag = rest.get(..memchr::memchr(b'}', rest)?)?;
    (!tag.is_empty()).then_some(tag)
}

/// CRC-16 with the polynomial 0x1021, from zero, as the cluster specification has it (XMODEM).
fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let index = usize::from((crc >> 8) ^ u16::from(*byte));
        (crc << 8) ^ TABLE.get(index).copied().unwrap_or_default()
    })
}

static TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        assert_eq!(checksum(b"123456789"), 0x31C3);
        assert_eq!(checksum(b""), 0);
    }

    #[test]
    fn a_key_is_where_a_server_says_it_is() {
        // Answers of `CLUSTER KEYSLOT`.
        for (key, expected) in [("foo", 12_182), ("session:abc123", 11_692), ("", 0)] {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn keys_with_one_tag_share_a_slot() {
        assert_eq!(slot(b"{user:7}:cart"), slot(b"user:7"));
        assert_eq!(slot(b"cart:{user:7}=fence"), slot(b"user:7"));
        assert_eq!(slot(b"a{b}{c}"), slot(b"b"));
        assert_eq!(slot(b"a{{b}}c"), slot(b"{b"));
    }

    #[test]
    fn what_is_no_tag_counts_in_full() {
        for key in ["a{}b", "a{", "a}", "a}b{c", "{}{b}"] {
            assert_eq!(slot(key.as_bytes()), checksum(key.as_bytes()) % SLOTS, "{key}");
        }
    }
}
