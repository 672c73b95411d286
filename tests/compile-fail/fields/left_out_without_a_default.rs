// Members that are not always written, and nothing to read in their place.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
#[garde(allow_unvalidated)]
pub struct Session {
    pub id: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cart: Vec<u64>,
    #[serde(skip_serializing)]
    pub draft: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}
