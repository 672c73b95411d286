// A mistake in a type whose prefixes are used: it is one error.

use state_runtime::{backend::AnyBackend, prelude::*, store::Scan};

#[derive(StateKey, Validate)]
#[state(key = "order:{order}:shelf:{shelf}:line:{line}")]
pub struct Line {
    #[garde(skip)]
    pub order: u64,
    #[garde(skip)]
    pub shelf: String,
    #[garde(skip)]
    pub line: u64,
    #[garde(skip)]
    pub article: String,
}

pub fn of_order(store: &StateStore) -> Scan<Line, AnyBackend> {
    store.scan().within(Line::prefix(7))
}

pub fn of_shelf(store: &StateStore) -> Scan<Line, AnyBackend> {
    store.scan().within(Line::prefix_through_shelf(7, "left"))
}
