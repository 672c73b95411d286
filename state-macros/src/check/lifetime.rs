//! `ttl`, `persistent`, `sliding` and `max_size`.

use syn::DeriveInput;

use crate::{context::Context, model::Lifetime, syntax::StructAttrs, units};

/// How long values live: exactly one of `ttl` and `persistent`.
pub(super) fn check(attrs: &StructAttrs, input: &DeriveInput, cx: &Context) -> Option<Lifetime> {
    if attrs.incomplete && attrs.ttl.is_none() {
        return attrs.persistent.as_ref().map(|_| Lifetime::Persistent);
    }
    check_sliding(attrs, cx);
    match (&attrs.ttl, &attrs.persistent) {
        (Some(_), Some(persistent)) => {
            cx.error(persistent, "`ttl` and `persistent` contradict each other; keep one");
            None
        }
        (None, None) if attrs.sliding.is_some() => None,
        (None, None) => {
            cx.error(
                &input.ident,
                "say how long the state lives: add `ttl = \"30m\"` or `persistent` to `#[state(…)]`",
            );
            None
        }
        (None, Some(_)) => Some(Lifetime::Persistent),
        (Some(text), None) => match units::duration(&text.value()) {
            Ok(millis) => Some(Lifetime::Expiring { millis, sliding: attrs.sliding.is_some() }),
            Err(message) => {
                cx.error(text, message);
                None
            }
        },
    }
}

/// A read can only renew a TTL that is there.
fn check_sliding(attrs: &StructAttrs, cx: &Context) {
    if let (Some(sliding), None) = (&attrs.sliding, &attrs.ttl) {
        let remedy = match attrs.persistent {
            Some(_) => "remove it, or write `ttl = \"30m\"` in place of `persistent`",
            None => "add `ttl = \"30m\"`",
        };
        cx.error(
            sliding,
            format!("`sliding` renews a ttl on each read, and there is none; {remedy}"),
        );
    }
}

pub(super) fn max_size(attrs: &StructAttrs, cx: &Context) -> Option<u64> {
    let text = attrs.max_size.as_ref()?;
    match units::size(&text.value()) {
        Ok(bytes) => Some(bytes),
        Err(message) => {
            cx.error(text, message);
            None
        }
    }
}
