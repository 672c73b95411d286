//! The backends that are checked, each in front of its server.

mod redis;

pub use self::redis::{Cluster, Redis, Sentinel};
