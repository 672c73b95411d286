//! State that PURISTA's TypeScript stores and ours share, on one and the same server.
//!
//! Both sides really run: theirs on node. Where node is not installed, nothing is tested here, and
//! a line on standard error says so.

mod nats;
mod pair;
mod redis;
mod shared;
mod types;
