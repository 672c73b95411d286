//! Keys: every key that the typed store can build is held, and told apart from every other.

use super::case;
use crate::{
    backend::Backend,
    conformance::{
        case::{Case, Checked},
        trial::{Trial, absent, holds},
    },
    key::{Key, MAX_KEY_LEN},
};

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(a_key_of_the_greatest_length_is_held),
        case!(the_last_byte_of_a_long_key_counts),
        case!(delimiters_are_told_apart),
        case!(case_counts),
        case!(braces_are_held),
        case!(escapes_are_told_apart),
        case!(an_escape_is_not_the_character_it_stands_for),
        case!(wildcards_of_other_languages_are_plain_characters),
        case!(numbers_are_texts),
        case!(a_key_can_be_the_beginning_of_another),
        case!(removing_a_key_leaves_those_that_begin_with_it),
        case!(scoped_keys_are_held),
        case!(reserved_keys_are_held),
    ]
}

/// Writes something else under every key, then reads all of it.
async fn are_apart<B: Backend>(t: &Trial<B>, keys: &[Key]) -> Checked {
    for (i, key) in keys.iter().enumerate() {
        t.put(key, i.to_string()).await?;
    }
    for (i, key) in keys.iter().enumerate() {
        holds(t.value(key).await?.as_ref(), i.to_string())?;
    }
    for key in keys {
        t.delete(key).await?;
        absent(t.value(key).await?.as_ref())?;
    }
    Ok(())
}

async fn names_are_apart<B: Backend>(t: &Trial<B>, names: &[&str]) -> Checked {
    let keys: Vec<_> = names.iter().map(|name| t.key(name)).collect();
    are_apart(t, &keys).await
}

/// A key of the greatest length, with `last` at its end.
fn longest<B: Backend>(t: &Trial<B>, last: char) -> Key {
    let room = MAX_KEY_LEN.saturating_sub(t.prefix.len() + 1);
    t.key(&format!("{}{last}", "x".repeat(room)))
}

async fn a_key_of_the_greatest_length_is_held<B: Backend>(t: &Trial<B>) -> Checked {
    are_apart(t, &[longest(t, 'x')]).await
}

async fn the_last_byte_of_a_long_key_counts<B: Backend>(t: &Trial<B>) -> Checked {
    are_apart(t, &[longest(t, 'x'), longest(t, 'y'), longest(t, '_')]).await
}

async fn delimiters_are_told_apart<B: Backend>(t: &Trial<B>) -> Checked {
    names_are_apart(t, &["a:b:c", "a/b/c", "a.b.c", "a:b/c", "a/b:c", "a.b:c", "a_b_c", "a-b-c"])
        .await
}

async fn case_counts<B: Backend>(t: &Trial<B>) -> Checked {
    names_are_apart(t, &["abc", "ABC", "Abc", "aBc", "abC"]).await
}

async fn braces_are_held<B: Backend>(t: &Trial<B>) -> Checked {
    names_are_apart(t, &["{tag}:a", "{tag}:b", "tag:a", "{tag:a", "tag}:a", "{}:a", "{{tag}}:a"])
        .await
}

async fn escapes_are_told_apart<B: Backend>(t: &Trial<B>) -> Checked {
    names_are_apart(t, &["=C3=A9", "=C3=A8", "=2A", "=00", "=0A", "=20", "=3D", "=3D2A", "=FF"])
        .await
}

async fn an_escape_is_not_the_character_it_stands_for<B: Backend>(t: &Trial<B>) -> Checked {
    names_are_apart(t, &["a=3Ab", "a:b", "a=2Fb", "a/b", "a=2Eb", "a.b", "a=7Bb", "a{b"]).await
}

async fn wildcards_of_other_languages_are_plain_characters<B: Backend>(t: &Trial<B>) -> Checked {
    names_are_apart(t, &["a_c", "abc", "a.c", "a-c", "a:c", "a=2Ac", "a=3Fc", "a=25c"]).await
}

async fn numbers_are_texts<B: Backend>(t: &Trial<B>) -> Checked {
    names_are_apart(t, &["1", "01", "10", "-1", "1.0", "0x1", "1e0", "18446744073709551616"]).await
}

async fn a_key_can_be_the_beginning_of_another<B: Backend>(t: &Trial<B>) -> Checked {
    names_are_apart(t, &["a", "a:b", "a:b:c", "a/b", "a/b/c", "ab", "a.b"]).await
}

async fn removing_a_key_leaves_those_that_begin_with_it<B: Backend>(t: &Trial<B>) -> Checked {
    let (short, long, path) = (t.key("a"), t.key("a:b"), t.key("a/b"));
    for key in [&short, &long, &path] {
        t.put(key, "1").await?;
    }
    t.delete(&short).await?;
    absent(t.value(&short).await?.as_ref())?;
    holds(t.value(&long).await?.as_ref(), "1")?;
    holds(t.value(&path).await?.as_ref(), "1")
}

async fn scoped_keys_are_held<B: Backend>(t: &Trial<B>) -> Checked {
    let scoped = |scope: &str| Key::from_stored(format!("/{scope}/{}value", t.prefix));
    are_apart(t, &[scoped("acme"), scoped("ACME"), scoped("a=2Fb"), t.key("value")]).await
}

async fn reserved_keys_are_held<B: Backend>(t: &Trial<B>) -> Checked {
    let reserved = Key::from_stored(format!("={}value", t.prefix));
    are_apart(t, &[reserved, t.key("value")]).await
}
