//! `InvalidUrl`: why a URL opens no backend.

use core::fmt;
use std::borrow::Cow;

/// Why a URL opens no backend, and what would.
///
/// It tells the names of schemes and options. It holds neither a user name nor a password nor a
/// token, and of a URL that cannot be taken apart nothing at all.
///
/// ```
/// use state_runtime::{StateError, connect};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = connect::backend("memory:?max_entrys=10").await.unwrap_err();
/// let StateError::InvalidUrl(reason) = error else { panic!() };
/// assert_eq!(
///     reason.message(),
///     "unknown option `max_entrys` of `memory:`; did you mean `max_entries`? \
///      its options are `max_bytes` and `max_entries`"
/// );
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidUrl {
    message: Cow<'static, str>,
    missing_feature: Option<&'static str>,
}

impl InvalidUrl {
    /// `message` says what is wrong and what to write instead.
    pub(crate) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), missing_feature: None }
    }

    /// The URL is for a backend that was not compiled in.
    pub(crate) const fn with_missing_feature(mut self, feature: &'static str) -> Self {
        self.missing_feature = Some(feature);
        self
    }

    /// The sentence for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The feature of this crate that is switched off and that the URL needs.
    #[must_use]
    pub const fn missing_feature(&self) -> Option<&'static str> {
        self.missing_feature
    }
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for InvalidUrl {}
