// A float in a key.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "price:{amount}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub amount: f64,
    #[garde(skip)]
    pub currency: String,
}
