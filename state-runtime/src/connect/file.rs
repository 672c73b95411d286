//! `file:` opens a `FileBackend`.

use super::url::Url;
use crate::{
    backend::AnyBackend,
    backends::{FileBackend, file::FileBackendBuilder},
    error::{InvalidUrl, Result},
};

pub(super) async fn open(url: Url) -> Result<AnyBackend> {
    Ok(AnyBackend::new(builder(url)?.open().await?))
}

fn builder(mut url: Url) -> Result<FileBackendBuilder, InvalidUrl> {
    let mut builder = FileBackend::builder(&url.path);
    let options = &mut url.options;
    if let Some(bytes) = options.size("cache_size")? {
        builder = builder.with_cache_size(bytes);
    }
    if options.flag("integrity_check")?.unwrap_or(false) {
        builder = builder.with_integrity_check();
    }
    url.options.finish(url.scheme)?;
    Ok(builder)
}
