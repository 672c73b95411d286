//! What the derives generate must compile without a warning in the strictest of crates, whatever
//! its author has called things.
//!
//! There is little to run here: that this crate builds is the test. Where a wrong name could compile
//! and mean something else, a test says what it has to mean.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![deny(missing_docs, missing_debug_implementations, unreachable_pub, unnameable_types)]
#![deny(rust_2018_idioms, future_incompatible, keyword_idents, let_underscore, nonstandard_style)]
#![deny(elided_lifetimes_in_paths, explicit_outlives_requirements, single_use_lifetimes)]
#![deny(absolute_paths_not_starting_with_crate, ambiguous_negative_literals, meta_variable_misuse)]
#![deny(trivial_casts, trivial_numeric_casts, unit_bindings)]
#![deny(unused_import_braces, unused_lifetimes, unused_macro_rules, unused_qualifications)]
#![deny(unused_results, variant_size_differences)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![deny(clippy::as_conversions, clippy::arithmetic_side_effects, clippy::absolute_paths)]
#![deny(clippy::std_instead_of_core, clippy::std_instead_of_alloc, clippy::alloc_instead_of_core)]
#![deny(clippy::missing_docs_in_private_items, clippy::str_to_string)]

pub mod attributes;
pub mod generated;
pub mod generic;
pub mod names;
pub mod parts;
pub mod plain;
pub mod shadowed;
pub mod visibility;
