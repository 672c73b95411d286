//! Broken rules, told without a piece of the value.

use core::fmt;

use super::{
    FieldPath,
    error::Step,
    names::{self, Names},
};
use crate::schema::{Namespace, StateKey, TypedKey};

/// How many violations a message shows. A list may break its rules a thousand times.
const SHOWN: usize = 8;

/// What is said of a rule whose own words may quote the value.
const DEPENDENT: &str = "breaks a rule that depends on the rest of the value";

/// The rules that a value or a key breaks: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report(Box<[Violation]>);

/// One rule that is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    path: FieldPath,
    message: Box<str>,
}

impl Violation {
    /// The field that breaks the rule.
    #[must_use]
    pub const fn path(&self) -> &FieldPath {
        &self.path
    }

    /// What the rule says, as `garde` or the author of a custom rule words it.
    ///
    /// A rule of garde's own that mentions `self` (`range(max = self.limit)`) quotes the value; on a
    /// field of the state type itself it is worded generally. What a custom rule says, or a rule
    /// further inside the value, is repeated as it is: those must not quote what they look at.
    #[must_use]
    pub const fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl Report {
    /// The rules of `value`'s type that it breaks.
    pub(super) fn of<T: StateKey>(value: &T, report: &garde::Report) -> Self {
        let mut names = Names::of(|names| value.serialize_stored(names));
        names.found.extend(T::NAMESPACE.fields);
        Self::new(&T::NAMESPACE, report, &names.found, !names.numbered)
    }

    /// The rules of the key fields that a key breaks.
    pub(crate) fn of_key<K: TypedKey>(report: &garde::Report) -> Self {
        let namespace = K::Value::NAMESPACE;
        Self::new(&namespace, report, namespace.fields, true)
    }

    /// With `indices`, numbers in a path are indices; otherwise one may be the key of a map.
    fn new(
        namespace: &Namespace,
        report: &garde::Report,
        declared: &[&'static str],
        indices: bool,
    ) -> Self {
        let violation = |(path, error): &(garde::Path, garde::Error)| {
            let components = components(path);
            let field = components.first().map_or("", |(_, text)| text);
            let quotes = namespace.dependent.contains(&field);
            Violation {
                path: shown(&components, declared, indices),
                message: if quotes { DEPENDENT } else { error.message() }.into(),
            }
        };
        Self(report.iter().map(violation).collect())
    }

    /// The rules that are not met.
    #[must_use]
    pub const fn violations(&self) -> &[Violation] {
        &self.0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, violation) in self.0.iter().take(SHOWN).enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{violation}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// The kinds and texts of a path's steps, from the value as a whole to the part that is meant.
fn components(path: &garde::Path) -> Vec<(String, String)> {
    // They can be had through its `Serialize` implementation alone.
    serde_json::to_value(path).and_then(serde_json::from_value).unwrap_or_default()
}

/// A path of garde, which does not tell the names of fields from the keys of maps.
fn shown(components: &[(String, String)], declared: &[&'static str], indices: bool) -> FieldPath {
    let step = |(kind, text): &(String, String)| match (kind.as_str(), text.parse()) {
        ("none", _) => None,
        ("index", Ok(index)) if indices => Some(Step::Index(index)),
        _ => Some(names::find(declared, text).map_or(Step::Hidden, Step::Field)),
    };
    let steps: Vec<Step> = components.iter().filter_map(step).collect();
    FieldPath::new(&steps)
}
