//! Reading otherwise than one value: several entries, and whether there is one.

use core::time::Duration;

use super::case;
use crate::{
    backend::{Backend, Expiry, GetOptions, Want},
    conformance::{
        case::{Case, Checked},
        trial::{Trial, ensure, same, wanting},
    },
    key::Key,
};

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(exists_tells_whether_there_is_an_entry),
        case!(an_empty_value_exists),
        case!(expiry_of_a_plain_entry_is_never),
        case!(expiry_of_an_absent_entry_is_none),
        case!(get_many_keeps_the_order_of_the_keys),
        case!(get_many_marks_what_is_absent),
        case!(get_many_answers_a_key_as_often_as_it_is_asked),
        case!(get_many_of_nothing_is_nothing),
        case!(get_many_of_one_is_get),
        case!(get_many_reads_hundreds),
        case!(get_many_returns_revisions_when_asked, Cas),
        case!(get_many_returns_expiries_when_asked, Ttl),
        case!(get_many_heeds_the_options_of_each_key, Ttl),
    ]
}

async fn many<B: Backend>(t: &Trial<B>, keys: &[Key]) -> Checked<Vec<Option<String>>> {
    let entries = t.read_many(keys, GetOptions::default()).await?;
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    Ok(entries.into_iter().map(|entry| entry.map(|entry| text(&entry.value))).collect())
}

async fn exists_tells_whether_there_is_an_entry<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    ensure(!t.exists(&key).await?, "exists says yes before the first write")?;
    t.put(&key, "1").await?;
    ensure(t.exists(&key).await?, "exists says no after a write")?;
    t.delete(&key).await?;
    ensure(!t.exists(&key).await?, "exists says yes after a remove")
}

async fn an_empty_value_exists<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "").await?;
    ensure(t.exists(&key).await?, "exists says no to an empty value")
}

async fn expiry_of_a_plain_entry_is_never<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    same(t.expiry(&key).await?, Some(Expiry::Never), "expiry of an entry without TTL")
}

async fn expiry_of_an_absent_entry_is_none<B: Backend>(t: &Trial<B>) -> Checked {
    same(t.expiry(&t.key("never-written")).await?, None, "expiry of an absent entry")
}

async fn get_many_keeps_the_order_of_the_keys<B: Backend>(t: &Trial<B>) -> Checked {
    let [a, b, c] = ["a", "b", "c"].map(|name| t.key(name));
    for (key, value) in [(&b, "2"), (&c, "3"), (&a, "1")] {
        t.put(key, value).await?;
    }
    let expected = ["3", "1", "2"].map(|value| Some(value.to_owned()));
    same(many(t, &[c, a, b]).await?, expected.to_vec(), "get_many")
}

async fn get_many_marks_what_is_absent<B: Backend>(t: &Trial<B>) -> Checked {
    let (there, gone) = (t.key("there"), t.key("gone"));
    t.put(&there, "1").await?;
    let keys = [gone.clone(), there.clone(), gone, there];
    let one = Some("1".to_owned());
    same(many(t, &keys).await?, vec![None, one.clone(), None, one], "get_many")
}

async fn get_many_answers_a_key_as_often_as_it_is_asked<B: Backend>(t: &Trial<B>) -> Checked {
    let (a, b) = (t.key("a"), t.key("b"));
    t.put(&a, "1").await?;
    let (one, expected) = (Some("1".to_owned()), "get_many of a key that stands there twice");
    let keys = [a.clone(), b.clone(), a.clone(), a, b];
    same(many(t, &keys).await?, vec![one.clone(), None, one.clone(), one, None], expected)
}

async fn get_many_of_nothing_is_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    same(many(t, &[]).await?, Vec::new(), "get_many of no key")
}

async fn get_many_of_one_is_get<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    same(many(t, &[key]).await?, vec![Some("1".to_owned())], "get_many of one key")
}

async fn get_many_reads_hundreds<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = t.keys(300);
    for (i, key) in keys.iter().enumerate().filter(|(i, _)| i % 3 != 0) {
        t.put(key, i.to_string()).await?;
    }
    let expected = (0..keys.len()).map(|i| (i % 3 != 0).then(|| i.to_string()));
    same(many(t, &keys).await?, expected.collect(), "get_many of hundreds of keys")
}

async fn get_many_returns_revisions_when_asked<B: Backend>(t: &Trial<B>) -> Checked {
    let (a, b) = (t.key("a"), t.key("b"));
    let revision = t.put_revision(&a, "1").await?;
    let entries = t.read_many(&[b, a], wanting(Want::REVISION)).await?;
    let found = entries.into_iter().map(|entry| entry.and_then(|entry| entry.revision));
    same(found.collect(), vec![None, Some(revision)], "the revisions that get_many tells")
}

async fn get_many_returns_expiries_when_asked<B: Backend>(t: &Trial<B>) -> Checked {
    let (a, b) = (t.key("a"), t.key("b"));
    t.put(&a, "1").await?;
    t.put_for(&b, "2", Duration::from_secs(3600)).await?;
    let entries = t.read_many(&[a, b.clone()], wanting(Want::EXPIRY)).await?;
    let found: Vec<_> = entries.into_iter().flatten().map(|entry| entry.expiry).collect();
    same(found.first(), Some(&Expiry::Never), "the expiry of the first of two")?;
    t.near(found.get(1).copied(), t.expiry(&b).await?)
}

async fn get_many_heeds_the_options_of_each_key<B: Backend>(t: &Trial<B>) -> Checked {
    let (hour, now) = (Duration::from_secs(3600), t.time.now());
    let (plain, renewed) = (t.key("plain"), t.key("renewed"));
    t.put_for(&plain, "1", hour).await?;
    t.put_for(&renewed, "2", hour).await?;
    let renew = GetOptions { renew: Some(hour * 10), want: Want::EXPIRY };
    let requests = [(renewed.clone(), renew), (plain.clone(), GetOptions::default())];
    let found: Vec<_> = t.get_many(&requests).await?.into_iter().flatten().collect();
    t.expires_after(&renewed, now, hour * 10).await?;
    t.expires_after(&plain, now, hour).await?;
    let told = found.first().map(|entry| entry.expiry);
    t.near(told, t.expiry(&renewed).await?)
}
