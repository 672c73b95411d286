//! The backends that come with the crate, each behind a feature of its name.
//!
//! A backend knows the floors `backend` and `key` and nothing else; no backend imports another.

#[cfg(feature = "file")]
pub mod file;
