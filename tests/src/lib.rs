//! What the behaviour tests share; each file of `tests` is one behaviour.

pub mod cases;
pub mod compile;
pub mod disk;
pub mod fakes;
pub mod ledger;

pub use servers;

/// Every snippet of the README compiles, or does not where it says so.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}
