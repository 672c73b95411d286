//! `$fence`: the token that a fenced value was written with, and what is left of a removed one.
//!
//! `{"$fence":17,"text":"…"}` is a value, `{"$fence":17,"$removed":true}` the mark of a removed one: it
//! keeps the token, so that a late writer is refused after a removal too.

use serde::Deserialize;

/// The token that is stored with a value; 0 where there is none, as a foreign writer leaves it. One that
/// cannot be read is the greatest: nobody overwrites what nobody understands.
pub(crate) fn stored_fence(bytes: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct Probe {
        #[serde(rename = "$fence", default)]
        fence: Option<u64>,
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return 0;
    }
    serde_json::from_slice::<Probe>(bytes).map_or(u64::MAX, |probe| probe.fence.unwrap_or(0))
}

/// Whether it is the mark of a removed value.
pub(crate) fn is_removed(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        #[serde(rename = "$removed", default)]
        removed: bool,
    }
    // Most values are told apart without parsing.
    memchr::memmem::find(bytes, br#""$removed""#).is_some()
        && serde_json::from_slice::<Probe>(bytes).is_ok_and(|probe| probe.removed)
}

/// The stored form of a value that is written with a token: `object`, and `$fence` in front.
pub(crate) fn with_fence(token: u64, object: &[u8]) -> Vec<u8> {
    let members = object.get(1..).unwrap_or_default();
    let separator = if members == b"}" { "" } else { "," };
    let mut fenced = format!("{{\"$fence\":{token}{separator}").into_bytes();
    fenced.extend_from_slice(members);
    fenced
}

/// What stays of a removed value.
pub(crate) fn removed(token: u64) -> Vec<u8> {
    format!("{{\"$fence\":{token},\"$removed\":true}}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_put_in_front_and_found_again() {
        assert_eq!(with_fence(7, br#"{"a":1}"#), br#"{"$fence":7,"a":1}"#);
        assert_eq!(with_fence(7, b"{}"), br#"{"$fence":7}"#);
        assert_eq!(stored_fence(&with_fence(7, br#"{"a":1}"#)), 7);
        assert_eq!(stored_fence(&removed(9)), 9);
        assert_eq!([stored_fence(b"{}"), stored_fence(b"[1]"), stored_fence(b"41")], [0, 0, 0]);
        for unclear in [r#"{"$fence":"7"}"#, r#"{"$fence":-1}"#, "{", r#"{"$fence":1,"$fence":2}"#]
        {
            assert_eq!(stored_fence(unclear.as_bytes()), u64::MAX, "{unclear}");
        }
    }

    #[test]
    fn only_the_mark_of_a_removed_value_is_one() {
        assert!(is_removed(&removed(9)));
        assert!(is_removed(br#" { "$removed" : true, "$fence": 1 }"#));
        for value in [r#"{"$fence":9}"#, r#"{"text":"\"$removed\""}"#, r#"{"$removed":false}"#] {
            assert!(!is_removed(value.as_bytes()), "{value}");
        }
    }
}
