//! What came of all cases.

use core::fmt;

use serde::Serialize;

use super::case::{Case, Verdict};
use crate::backend::{Backend, Capabilities};

/// What came of all cases.
///
/// Prints as one line of a table, and in the alternate form (`{:#}`) with every failure and every
/// skipped case. It serialises, for comparing backends with each other.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The name of the backend.
    pub backend: String,
    /// The names of the capabilities that it declares.
    pub capabilities: Vec<String>,
    /// The cases that it passed.
    pub passed: Vec<String>,
    /// The cases that it failed.
    pub failed: Vec<Failed>,
    /// The cases that ask for more than it declares.
    pub skipped: Vec<Skipped>,
}

/// A case that failed.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Failed {
    /// The theme and name of the case.
    pub case: String,
    /// What was seen instead.
    pub message: String,
}

/// A case that asks for more than the backend declares.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Skipped {
    /// The theme and name of the case.
    pub case: String,
    /// The names of the capabilities that the backend lacks.
    pub missing: Vec<String>,
}

impl Report {
    pub(super) fn new(backend: &str, capabilities: Capabilities) -> Self {
        Self {
            backend: backend.to_owned(),
            capabilities: names(capabilities),
            passed: Vec::new(),
            failed: Vec::new(),
            skipped: Vec::new(),
        }
    }

    pub(super) fn add<B: Backend>(&mut self, case: &Case<B>, verdict: Verdict) {
        let case = format!("{}::{}", case.theme(), case.name());
        match verdict {
            Verdict::Passed => self.passed.push(case),
            Verdict::Failed(message) => self.failed.push(Failed { case, message }),
            Verdict::Skipped(missing) => {
                self.skipped.push(Skipped { case, missing: names(missing) });
            }
        }
    }

    /// Whether no case failed.
    #[must_use]
    pub fn is_conforming(&self) -> bool {
        self.failed.is_empty()
    }
}

fn names(capabilities: Capabilities) -> Vec<String> {
    capabilities.iter().map(|capability| capability.name().to_owned()).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, passed, failed, skipped, .. } = self;
        let (passed, failures, skips) = (passed.len(), failed.len(), skipped.len());
        write!(f, "{backend:<12} {passed:>4} passed {failures:>4} failed {skips:>4} skipped")?;
        if f.alternate() {
            for Failed { case, message } in failed {
                write!(f, "\n  failed   {case}: {message}")?;
            }
            for Skipped { case, missing } in skipped {
                write!(f, "\n  skipped  {case}: no {}", missing.join(", no "))?;
            }
        }
        Ok(())
    }
}
