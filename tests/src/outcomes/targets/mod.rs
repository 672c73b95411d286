//! The backends that are checked, each in front of its server.

mod dapr;
mod nats;
mod redis;

pub use self::{
    dapr::{Behind, Dapr},
    nats::Nats,
    redis::{Cluster, Redis, Sentinel, announce},
};
