//! Whether a backend is linearizable: each call seems to take effect at one moment between its
//! beginning and its answer, whatever the other clients do, and whatever breaks meanwhile.
//!
//! In a [`round()`], several clients make random calls at the same few registers, through the typed store
//! and through the backend beneath it, while connections break and servers stand still. What they
//! were told is then [checked](check): one order of all calls has to explain every answer.
//!
//! - A write of unknown outcome may have taken effect at any moment since it began, or never.
//! - A call that certainly was not applied is left out, and so is a read without an answer.
//!
//! Linearizability is a property of each register by itself: if every one has it, all of them
//! together do. So each is checked alone, and its history is kept short.

mod broken;
pub mod check;
mod client;
mod disturbance;
mod generator;
mod recorder;
mod register;
mod round;
mod suite;

pub use self::{
    broken::{Broken, Bug},
    disturbance::{Callers, Surroundings, Written},
    register::{Answer, Call, Register, Write},
    round::{Summary, round},
    suite::{finds_bugs, finds_lies, is_linearizable},
};
