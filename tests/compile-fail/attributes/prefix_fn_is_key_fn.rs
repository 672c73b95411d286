// One name for the function that makes a key and for the one that makes a prefix.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "order:{order}:line:{line}", persistent, key_fn = prefix)]
pub struct Line {
    #[garde(skip)]
    pub order: u64,
    #[garde(skip)]
    pub line: u64,
    #[garde(skip)]
    pub article: String,
}

pub fn key() -> LineKey {
    Line::prefix(1, 2)
}
