//! dapr
