//! Prefixes as the glob patterns of `SCAN`.

/// A pattern that matches what starts with `prefix`, byte for byte.
pub(super) fn starting_with(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for char in prefix.chars() {
        if matches!(char, '*' | '?' | '[' | ']' | '\\' | '^') {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern.push('*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_of_a_key_stays_as_it_is() {
        assert_eq!(starting_with("/acme/user:{a}.b=2F-_"), "/acme/user:{a}.b=2F-_*");
        assert_eq!(starting_with(""), "*");
    }

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(starting_with(r"a*?[^b]\é"), r"a\*\?\[\^b\]\\é*");
    }
}
