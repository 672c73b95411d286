//! What patterns promise, on every backend that can keep it, and with several processes on one.

mod cached;
mod callers;
mod idempotency;
mod rate_limiter;
mod sessions;
