//! The Dapr backend: against recorded answers of a sidecar, and against real sidecars.

mod closing;
mod connecting;
mod large;
mod outcomes;
mod recorded;
mod requests;
mod sidecars;
