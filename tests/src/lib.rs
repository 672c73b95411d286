//! What the behaviour tests share: how much they run, and fakes for faults that no real backend
//! produces on demand.

pub mod cases;
pub mod fakes;
