//! A backend of one's own: three methods are enough.
//!
//! The tests run it through the conformance suite, as you should with yours.

mod backend;

use state_runtime::{
    backend::{Backend, BackendError, GetOptions, SetOptions},
    key::Key,
};

use crate::backend::MapBackend;

#[tokio::main]
async fn main() -> Result<(), BackendError> {
    let backend = MapBackend::default();
    let key = Key::from_stored("greeting:en");
    backend.set(&key, "\"hello\"".into(), SetOptions::default()).await?;
    let entry = backend.get(&key, GetOptions::default()).await?;
    println!("{backend:?} holds {entry:?}");
    Ok(())
}
