//! Behaviour tests across the whole framework; each file of `tests` is one behaviour. Here is what
//! they share.

pub mod disk;
pub mod ledger;
