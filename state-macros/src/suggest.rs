//! "Did you mean": the known name that is nearest to a mistyped one.

use strsim::osa_distance;

/// ``; did you mean `name`?`` or, without a near name, nothing.
pub(crate) fn did_you_mean<'n>(typed: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    match nearest(typed, known) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}

/// The known name with the fewest edits, if they are few for its length.
pub(crate) fn nearest<'n>(
    typed: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    known
        .into_iter()
        .map(|name| (osa_distance(typed, name), name))
        .filter(|(edits, name)| *edits <= name.chars().count().max(3) / 3)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let known = ["ttl", "persistent", "version", "key"];
        assert_eq!(nearest("persistant", known), Some("persistent"));
        assert_eq!(nearest("tlt", known), Some("ttl"));
        assert_eq!(nearest("kye", known), Some("key"));
        assert_eq!(did_you_mean("verison", known), "; did you mean `version`?");
    }

    #[test]
    fn a_distant_name_is_not_suggested() {
        assert_eq!(nearest("colour", ["ttl", "persistent"]), None);
        assert_eq!(did_you_mean("x", ["key"]), "");
    }
}
