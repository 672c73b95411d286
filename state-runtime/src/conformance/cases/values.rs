//! Values: what was written is read, byte for byte.

use bytes::Bytes;

use super::case;
use crate::{
    backend::Backend,
    conformance::{
        case::{Case, Checked},
        trial::{Trial, absent, holds},
    },
};

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(a_missing_key_is_absent),
        case!(a_value_is_read_back),
        case!(an_empty_value_is_a_value),
        case!(a_nul_byte_is_kept),
        case!(every_byte_is_kept),
        case!(text_that_is_no_json_is_kept),
        case!(bytes_that_are_no_text_are_kept),
        case!(line_ends_and_spaces_are_kept),
        case!(a_large_value_is_kept),
        case!(a_set_replaces_the_value),
        case!(a_shorter_value_replaces_a_longer_one),
        case!(an_empty_value_replaces_another),
        case!(a_value_that_was_read_does_not_change),
        case!(a_removed_entry_is_absent),
        case!(removing_an_absent_entry_is_fine),
        case!(a_removed_key_can_be_written_again),
        case!(a_remove_touches_no_other_entry),
        case!(many_entries_are_kept_apart),
    ]
}

async fn comes_back<B: Backend>(t: &Trial<B>, value: &'static [u8]) -> Checked {
    let key = t.key("value");
    t.put(&key, value).await?;
    holds(t.value(&key).await?.as_ref(), value)
}

async fn a_missing_key_is_absent<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    absent(t.value(&key).await?.as_ref())?;
    // Whoever remembers that there was nothing has to forget it.
    t.put(&key, "1").await?;
    holds(t.value(&key).await?.as_ref(), "1")
}

async fn a_value_is_read_back<B: Backend>(t: &Trial<B>) -> Checked {
    comes_back(t, br#"{"userId":"u-1","cart":[{"sku":"x","count":2}]}"#).await
}

async fn an_empty_value_is_a_value<B: Backend>(t: &Trial<B>) -> Checked {
    comes_back(t, b"").await
}

async fn a_nul_byte_is_kept<B: Backend>(t: &Trial<B>) -> Checked {
    comes_back(t, b"\0before\0after\0").await
}

async fn every_byte_is_kept<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let value: Vec<u8> = (0..=u8::MAX).chain((0..=u8::MAX).rev()).collect();
    t.put(&key, value.clone()).await?;
    holds(t.value(&key).await?.as_ref(), value)
}

async fn text_that_is_no_json_is_kept<B: Backend>(t: &Trial<B>) -> Checked {
    comes_back(t, b"{\"open\": [").await
}

async fn bytes_that_are_no_text_are_kept<B: Backend>(t: &Trial<B>) -> Checked {
    comes_back(t, b"\xff\xfe\xc3\x28\xed\xa0\x80").await
}

async fn line_ends_and_spaces_are_kept<B: Backend>(t: &Trial<B>) -> Checked {
    comes_back(t, b" \r\n\tfirst\n\nsecond\r\n ").await
}

async fn a_large_value_is_kept<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    // A period that no power of two divides: a block that is lost or moved shows.
    let value: Bytes = (0_u8..251).cycle().take(t.max_value).collect();
    t.put(&key, value.clone()).await?;
    holds(t.value(&key).await?.as_ref(), value)
}

async fn a_set_replaces_the_value<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "first").await?;
    holds(t.value(&key).await?.as_ref(), "first")?;
    t.put(&key, "other").await?;
    holds(t.value(&key).await?.as_ref(), "other")
}

async fn a_shorter_value_replaces_a_longer_one<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "a rather long value").await?;
    holds(t.value(&key).await?.as_ref(), "a rather long value")?;
    t.put(&key, "short").await?;
    holds(t.value(&key).await?.as_ref(), "short")
}

async fn an_empty_value_replaces_another<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "something").await?;
    holds(t.value(&key).await?.as_ref(), "something")?;
    t.put(&key, "").await?;
    holds(t.value(&key).await?.as_ref(), "")
}

async fn a_value_that_was_read_does_not_change<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "first").await?;
    let read = t.value(&key).await?;
    t.put(&key, "other").await?;
    t.delete(&key).await?;
    holds(read.as_ref(), "first")
}

async fn a_removed_entry_is_absent<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "first").await?;
    holds(t.value(&key).await?.as_ref(), "first")?;
    t.delete(&key).await?;
    absent(t.value(&key).await?.as_ref())
}

async fn removing_an_absent_entry_is_fine<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.delete(&key).await?;
    t.put(&key, "first").await?;
    t.delete(&key).await?;
    t.delete(&key).await?;
    absent(t.value(&key).await?.as_ref())
}

async fn a_removed_key_can_be_written_again<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "first").await?;
    t.delete(&key).await?;
    absent(t.value(&key).await?.as_ref())?;
    t.put(&key, "second").await?;
    holds(t.value(&key).await?.as_ref(), "second")
}

async fn a_remove_touches_no_other_entry<B: Backend>(t: &Trial<B>) -> Checked {
    let (gone, kept) = (t.key("a"), t.key("b"));
    t.put(&gone, "1").await?;
    t.put(&kept, "2").await?;
    t.delete(&gone).await?;
    holds(t.value(&kept).await?.as_ref(), "2")
}

async fn many_entries_are_kept_apart<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = t.keys(300);
    for (i, key) in keys.iter().enumerate() {
        t.put(key, i.to_string()).await?;
    }
    for (i, key) in keys.iter().enumerate() {
        holds(t.value(key).await?.as_ref(), i.to_string())?;
    }
    Ok(())
}
