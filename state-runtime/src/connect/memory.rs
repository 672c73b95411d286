//! `memory:` opens a `MemoryBackend`.

use super::url::Url;
use crate::{
    backend::AnyBackend,
    backends::{MemoryBackend, memory::MemoryBuilder},
    error::{InvalidUrl, Result},
};

pub(super) fn open(url: Url) -> Result<AnyBackend> {
    Ok(AnyBackend::new(builder(url)?.build()))
}

fn builder(mut url: Url) -> Result<MemoryBuilder, InvalidUrl> {
    let mut builder = MemoryBackend::builder();
    let options = &mut url.options;
    if let Some(entries) = options.number("max_entries")? {
        builder = builder.with_max_entries(entries);
    }
    if let Some(bytes) = options.size("max_bytes")? {
        builder = builder.with_max_bytes(bytes);
    }
    url.options.finish(url.scheme)?;
    Ok(builder)
}
