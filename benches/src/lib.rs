//! What the benchmark programs share: the measuring, the report, and the same work by hand.
//!
//! Every figure that is compared comes from alternating slices of one run; see [`measure`] and,
//! for what waits for a server, [`concurrent`].

pub mod by_hand;
pub mod concurrent;
pub mod disk;
pub mod loss;
pub mod measure;
pub mod nats_by_hand;
pub mod places;
pub mod program;
pub mod redb_by_hand;
pub mod redis_by_hand;
pub mod redis_shared_by_hand;
pub mod report;
pub mod session;
pub mod sessions;
pub mod updates;

use std::error::Error;

/// What can go wrong; its kind does not matter to a benchmark.
pub type Failure = Box<dyn Error + Send + Sync>;
