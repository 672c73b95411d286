//! The Dapr backend: against recorded answers of a sidecar, and against real sidecars.

mod connecting;
mod outcomes;
mod recorded;
mod requests;
mod sidecars;
