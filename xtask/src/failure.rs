//! `Failure`: why a task could not be done, in words for the person who started it.

use std::fmt;

/// What went wrong and, where there is one, the remedy.
#[derive(Debug)]
pub(crate) struct Failure(Option<String>);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(Some(message.into()))
    }

    /// The task failed and has already printed why.
    pub(crate) const fn told() -> Self {
        Self(None)
    }

    pub(crate) const fn already_told(&self) -> bool {
        self.0.is_none()
    }

    /// Turns an error of the system into a failure that says what was being done.
    pub(crate) fn while_doing<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |error| Self::new(format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("failed"))
    }
}

impl std::error::Error for Failure {}
