//! Programs that must not compile, and what their authors are told.
//!
//! A case is a source file with an expectation beside it: `no_key.rs` and `no_key.expected`. Set
//! `UPDATE_EXPECTATIONS=1` to write the expectations anew, then read them.

mod compiler;
mod diagnostic;
mod suite;

pub use self::{
    compiler::{Compiler, Outcome},
    diagnostic::Diagnostic,
    suite::{Mode, check_case, check_folder},
};
