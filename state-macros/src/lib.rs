//! The derive macros of `state-runtime`.
