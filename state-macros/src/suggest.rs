//! "Did you mean": the known name that is nearest to a mistyped one.

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
        .map(|name| (distance(typed, name), name))
        .filter(|(edits, name)| *edits <= name.chars().count().max(3) / 3)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

/// How many characters have to be inserted, removed, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(from != to);
            let mut best = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
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
