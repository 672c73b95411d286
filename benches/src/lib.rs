//! What the benchmark programs share: the measuring, the report, and the same work by hand.
//!
//! Every figure that is compared comes from alternating slices of one run; see [`measure`].

pub mod by_hand;
pub mod disk;
pub mod measure;
pub mod program;
pub mod redb_by_hand;
pub mod report;
pub mod session;
