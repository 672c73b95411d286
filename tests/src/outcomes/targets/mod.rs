//! The backends that are checked, each in front of its server.

mod dapr;
mod redis;

pub use self::{
    dapr::Dapr,
    redis::{Cluster, Redis, Sentinel},
};
