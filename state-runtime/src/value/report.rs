//! Broken rules, told without a piece of the value.

use core::fmt;

use super::{
    FieldPath,
    error::Step,
    names::{self, Names},
};
use crate::schema::{StateKey, TypedKey};

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
        Self::new(report, &names.found, !names.numbered)
    }

    /// The rules of the key fields that a key breaks.
    pub(crate) fn of_key<K: TypedKey>(report: &garde::Report) -> Self {
        Self::new(report, K::Value::NAMESPACE.fields, true)
    }

    /// With `indices`, numbers in a path are indices; otherwise one may be the key of a map.
    fn new(report: &garde::Report, declared: &[&'static str], indices: bool) -> Self {
        let violation = |(path, error): &(garde::Path, garde::Error)| Violation {
            path: shown(path, declared, indices),
            message: error.message().into(),
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
        for (i, violation) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{violation}")?;
        }
        Ok(())
    }
}

/// A path of garde, which does not tell the names of fields from the keys of maps.
fn shown(path: &garde::Path, declared: &[&'static str], indices: bool) -> FieldPath {
    // Its components can be had through its `Serialize` implementation alone.
    let components = serde_json::to_value(path)
        .and_then(serde_json::from_value::<Vec<(String, String)>>)
        .unwrap_or_default();
    let step = |(kind, text): (String, String)| match (kind.as_str(), text.parse()) {
        ("none", _) => None,
        ("index", Ok(index)) if indices => Some(Step::Index(index)),
        _ => Some(names::find(declared, &text).map_or(Step::Hidden, Step::Field)),
    };
    let steps: Vec<Step> = components.into_iter().filter_map(step).collect();
    FieldPath::new(&steps)
}
