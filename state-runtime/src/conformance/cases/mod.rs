//! All cases, by theme.

mod batches;
mod concurrency;
mod conditions;
mod counters;
mod expiry;
mod keys;
mod life;
mod reads;
mod renewal;
mod revisions;
mod scans;
mod sharing;
mod throttles;
mod touch;
mod ttl;
mod values;
mod watches;

use super::case::Case;
use crate::backend::Backend;

/// All cases, in the order in which they are run.
#[must_use]
pub fn cases<B: Backend>() -> Vec<Case<B>> {
    [
        values::cases(),
        reads::cases(),
        keys::cases(),
        conditions::cases(),
        revisions::cases(),
        expiry::cases(),
        ttl::cases(),
        renewal::cases(),
        touch::cases(),
        counters::cases(),
        throttles::cases(),
        batches::cases(),
        concurrency::cases(),
        scans::cases(),
        watches::cases(),
        sharing::cases(),
        life::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A case of the module that it stands in: the name of its function and what it needs.
macro_rules! case {
    ($function:ident $(, $need:ident)*) => {
        $crate::conformance::case::Case::new(
            stringify!($function),
            module_path!(),
            $crate::backend::Capabilities::NONE$(.with($crate::backend::Capability::$need))*,
            |trial| Box::pin(async move { $function(&trial).await }),
        )
    };
}
use case;
