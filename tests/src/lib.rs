//! What the behaviour tests share; each file of `tests` is one behaviour.

pub mod cases;
pub mod compile;
pub mod disk;
pub mod examples;
pub mod fakes;
pub mod fencing;
pub mod ledger;
pub mod linear;
pub mod outcomes;
pub mod proxy;
pub mod raw;

pub use servers;

/// Every snippet of the README and of the pages compiles, or does not where it says so.
#[cfg(doctest)]
pub mod pages {
    #[doc = include_str!("../../README.md")]
    pub mod readme {}
    #[doc = include_str!("../../docs/dapr.md")]
    pub mod dapr {}
    #[doc = include_str!("../../docs/errors.md")]
    pub mod errors {}
    #[doc = include_str!("../../docs/file.md")]
    pub mod file {}
    #[doc = include_str!("../../docs/memory.md")]
    pub mod memory {}
    #[doc = include_str!("../../docs/nats.md")]
    pub mod nats {}
    #[doc = include_str!("../../docs/patterns-fencing.md")]
    pub mod patterns_fencing {}
    #[doc = include_str!("../../docs/patterns-lock.md")]
    pub mod patterns_lock {}
    #[doc = include_str!("../../docs/redis.md")]
    pub mod redis {}
}
