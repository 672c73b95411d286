//! What the behaviour tests share.

pub mod disk;
pub mod ledger;
