//! The backends that come with the crate, each behind a feature of its name.
//!
//! A backend knows the floors `backend` and `key` and nothing else; no backend imports another.

#[cfg(feature = "dapr")]
pub mod dapr;
#[cfg(feature = "file")]
pub mod file;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "nats")]
pub mod nats;
#[cfg(feature = "redis")]
pub mod redis;

#[cfg(feature = "dapr")]
pub use self::dapr::{DaprBackend, DaprConfig};
#[cfg(feature = "file")]
pub use self::file::FileBackend;
#[cfg(feature = "memory")]
pub use self::memory::MemoryBackend;
#[cfg(feature = "nats")]
pub use self::nats::{NatsBackend, NatsConfig};
#[cfg(feature = "redis")]
pub use self::redis::{RedisBackend, RedisConfig};
