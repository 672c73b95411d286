//! `rename_all`: the names of variants in another case, as serde writes them.

/// The cases, by the names that serde has for them.
pub(super) const CASES: [&str; 8] = [
    "lowercase",
    "UPPERCASE",
    "PascalCase",
    "camelCase",
    "snake_case",
    "SCREAMING_SNAKE_CASE",
    "kebab-case",
    "SCREAMING-KEBAB-CASE",
];

/// A variant's name in a case; `None` if there is no such case.
pub(super) fn rename(variant: &str, case: &str) -> Option<String> {
    Some(match case {
        "lowercase" => variant.to_lowercase(),
        "UPPERCASE" => variant.to_uppercase(),
        "PascalCase" => variant.to_owned(),
        "camelCase" => {
            let mut chars = variant.chars();
            chars.next().map(|first| first.to_lowercase().chain(chars).collect())?
        }
        "snake_case" => words(variant, '_'),
        "SCREAMING_SNAKE_CASE" => words(variant, '_').to_uppercase(),
        "kebab-case" => words(variant, '-'),
        "SCREAMING-KEBAB-CASE" => words(variant, '-').to_uppercase(),
        _ => return None,
    })
}

fn words(variant: &str, separator: char) -> String {
    let mut words = String::new();
    for (index, c) in variant.char_indices() {
        if index > 0 && c.is_uppercase() {
            words.push(separator);
        }
        words.extend(c.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_a_form() {
        let forms = CASES.map(|case| rename("InProgress", case).unwrap_or_default());
        assert_eq!(
            forms,
            [
                "inprogress",
                "INPROGRESS",
                "InProgress",
                "inProgress",
                "in_progress",
                "IN_PROGRESS",
                "in-progress",
                "IN-PROGRESS"
            ]
        );
        assert_eq!(rename("InProgress", "Kebab"), None);
    }
}
