// A former key of one value is the present key of another.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "edge:{from}:{to}", formerly = "edge:{to}:{from}", persistent)]
pub struct Edge {
    #[garde(skip)]
    pub from: u64,
    #[garde(skip)]
    pub to: u64,
    #[garde(skip)]
    pub weight: u32,
}
