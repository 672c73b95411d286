//! Clients that are no backends: they look at what a server holds, and put things there.

pub mod http;
pub mod resp;
