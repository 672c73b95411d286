// Two instances of one generic type.

use state_runtime::prelude::*;

use serde::{Serialize, de::DeserializeOwned};

#[derive(StateKey, Validate)]
#[state(key = "cache:{id}", persistent)]
pub struct Cache<T: Serialize + DeserializeOwned + Send + Sync + 'static> {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub entry: T,
}

state_runtime::assert_disjoint!(Cache<u8>, Cache<String>);
