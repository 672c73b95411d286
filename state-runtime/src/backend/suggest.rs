//! "Did you mean": the known name that is nearest to a mistyped one.

/// ``; did you mean `name`?`` or, without a near name, nothing.
pub(crate) fn did_you_mean<'n>(typed: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let typed = typed.to_ascii_lowercase();
    let near = known
        .into_iter()
        .map(|name| (strsim::osa_distance(&typed, &name.to_ascii_lowercase()), name))
        .filter(|(edits, name)| *edits <= name.len().max(3) / 3)
        .min_by_key(|(edits, _)| *edits);
    near.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}
