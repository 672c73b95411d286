//! What the behaviour tests share; each file of `tests` is one behaviour.

pub mod cases;
pub mod disk;
pub mod fakes;
pub mod ledger;
