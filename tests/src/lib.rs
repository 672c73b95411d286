//! What the behaviour tests share: fakes for faults that no real backend produces on demand.

pub mod fakes;
