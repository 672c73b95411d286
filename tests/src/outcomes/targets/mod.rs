//! The backends that are checked, each in front of its server.

mod dapr;
mod redis;

pub use self::{
    dapr::{Behind, Dapr},
    redis::{Cluster, Redis, Sentinel},
};
