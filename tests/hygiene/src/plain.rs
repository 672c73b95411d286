//! A session, a counter and a singleton, as anyone would write them.

use renamed::prelude::*;

/// What a visitor has in the cart.
#[derive(Debug, Clone, PartialEq, Eq, StateKey, Validate)]
#[state(crate = renamed, key = "session:{session_id}", ttl = "30m", sliding)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Session {
    /// What the cookie says.
    #[garde(length(min = 1, max = 64))]
    pub session_id: String,
    /// Who the visitor is.
    #[garde(length(min = 1))]
    pub user_id: String,
    /// The items in the cart.
    #[garde(length(max = 100), inner(length(min = 1)))]
    pub cart: Vec<String>,
}

/// How often something has happened.
#[derive(Debug, Clone, StateKey, Validate)]
#[state(crate = renamed, key = "counter:{name}:{year}", persistent)]
#[non_exhaustive]
pub struct Counter {
    /// What is counted.
    #[garde(ascii)]
    pub name: String,
    /// The year it is counted in.
    #[garde(range(min = 2000, max = 3000))]
    pub year: u16,
    /// How often.
    #[state(value)]
    #[garde(range(max = 1_000_000))]
    pub count: i64,
}

/// One value for the whole program.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "settings", persistent)]
#[non_exhaustive]
pub struct Settings {
    /// The colours of the pages.
    #[garde(length(min = 1))]
    pub theme: String,
}

/// A password that is to be set anew.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "reset:{token}", ttl = "10m", max_size = "1KiB")]
#[non_exhaustive]
pub struct Reset {
    /// What the mail says.
    #[state(secret)]
    #[garde(length(min = 16))]
    pub token: String,
    /// Whose password it is.
    #[garde(skip)]
    pub user: u64,
}

/// A key alone, with nothing stored under it but that it is there.
#[derive(Debug, StateKey, Validate)]
#[state(crate = renamed, key = "seen/{page}", ttl = "1d")]
#[non_exhaustive]
pub struct Seen {
    /// The page.
    #[garde(skip)]
    pub page: u32,
}

renamed::assert_disjoint!(Session, Counter, Settings, Reset, Seen);
