//! The operations that read.

use core::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};
use sha1::{Digest, Sha1};

use super::{
    error,
    node::{Effect, Lane},
    router::Router,
    script::{READ, RENEW},
};
use crate::{
    backend::{
        Clock, Entry, Expiry, GetOptions, Result, Revision, SystemClock, Timestamp,
        rules::{check_ttl, renewal_is_due},
    },
    key::Key,
};

/// How many keys one command reads. The server serves nobody else meanwhile.
const MOST_KEYS: usize = 1024;
/// From how many keys on a read must not stand before small ones.
const MANY_KEYS: usize = 32;

/// The revision of a value: its digest. So nothing has to be stored beside it.
pub(super) fn revision(value: &[u8]) -> Revision {
    Revision::from_bytes(&Sha1::digest(value))
}

pub(super) async fn get(router: &Router, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
    if options.renew.is_none() && !options.want.expiry {
        return entry(router.value(key.as_str()).await?, options);
    }
    // In a box, so that the future of a plain read is the smaller for it.
    Box::pin(get_expiring(router, key.as_str(), options)).await
}

async fn get_expiring(router: &Router, key: &str, options: GetOptions) -> Result<Option<Entry>> {
    let renewed = match options.renew {
        Some(ttl) if !options.want.expiry => ttl,
        _ => {
            let command = with_expiry(key, options)?;
            let value = router.perform(Lane::Small, Effect::Read, &[key], &command).await?;
            return entry_with_expiry(value, options);
        }
    };
    let commands = vec![(key, get_command(key)), (key, left_command(key))];
    let replies = router.read_each(Lane::Small, commands).await?;
    let [value, left] = <[Value; 2]>::try_from(replies).map_err(|_| error::strange())?;
    let found = entry(router.reply(value)?, options)?;
    if found.is_some() && is_due(&router.reply(left)?, renewed)? {
        let command = renew(key, renewed)?;
        router.perform(Lane::Small, Effect::Read, &[key], &command).await?;
    }
    Ok(found)
}

pub(super) async fn get_many(
    router: &Router,
    requests: &[(Key, GetOptions)],
) -> Result<Vec<Option<Entry>>> {
    let lane = if requests.len() < MANY_KEYS { Lane::Small } else { Lane::Bulk };
    let mut entries = Vec::with_capacity(requests.len());
    for requests in requests.chunks(MOST_KEYS) {
        let plain =
            |(_, options): &(Key, GetOptions)| options.renew.is_none() && !options.want.expiry;
        if requests.iter().all(plain) {
            let keys: Vec<_> = requests.iter().map(|(key, _)| key.as_str()).collect();
            let values = router.values(lane, &keys).await?;
            for (value, (_, options)) in values.into_iter().zip(requests) {
                entries.push(entry(router.reply(value)?, *options)?);
            }
        } else {
            get_each(router, lane, requests, &mut entries).await?;
        }
    }
    Ok(entries)
}

/// Reads entries of which the expiry matters: all at once, and then renews those that are due.
async fn get_each(
    router: &Router,
    lane: Lane,
    requests: &[(Key, GetOptions)],
    entries: &mut Vec<Option<Entry>>,
) -> Result<()> {
    let mut commands = Vec::with_capacity(requests.len() * 2);
    for (key, options) in requests {
        let key = key.as_str();
        if options.want.expiry {
            commands.push((key, with_expiry(key, *options)?));
        } else {
            commands.push((key, get_command(key)));
            if options.renew.is_some() {
                commands.push((key, left_command(key)));
            }
        }
    }
    let mut replies = router.read_each(lane, commands).await?.into_iter();
    let mut next = || router.reply(replies.next().ok_or_else(error::strange)?);
    let mut due = Vec::new();
    for (key, options) in requests {
        let value = next()?;
        let found = if options.want.expiry {
            entry_with_expiry(value, *options)?
        } else {
            let found = entry(value, *options)?;
            if let Some(ttl) = options.renew
                && is_due(&next()?, ttl)?
            {
                due.push((key.as_str(), renew(key.as_str(), ttl)?));
            }
            found
        };
        entries.push(found);
    }
    if !due.is_empty() {
        for renewed in router.read_each(lane, due).await? {
            router.reply(renewed)?;
        }
    }
    Ok(())
}

pub(super) async fn exists(router: &Router, key: &Key) -> Result<bool> {
    let mut command = Cmd::with_capacity(2, 6 + key.as_str().len());
    command.arg("EXISTS").arg(key.as_str());
    match router.perform(Lane::Small, Effect::Read, &[key.as_str()], &command).await? {
        Value::Int(count) => Ok(count > 0),
        _ => Err(error::strange()),
    }
}

pub(super) async fn expiry(router: &Router, key: &Key) -> Result<Option<Expiry>> {
    let key = key.as_str();
    let left = router.perform(Lane::Small, Effect::Read, &[key], &left_command(key)).await?;
    expiry_of(&left)
}

fn get_command(key: &str) -> Cmd {
    let mut command = Cmd::with_capacity(2, 3 + key.len());
    command.arg("GET").arg(key);
    command
}

fn left_command(key: &str) -> Cmd {
    let mut command = Cmd::with_capacity(2, 4 + key.len());
    command.arg("PTTL").arg(key);
    command
}

pub(super) fn with_expiry(key: &str, options: GetOptions) -> Result<Cmd> {
    let (ttl, least) = options.renew.map(renewal).transpose()?.unwrap_or_default();
    let mut command = READ.call(1, 2, key.len() + 32);
    command.arg(key).arg(ttl).arg(least);
    Ok(command)
}

fn renew(key: &str, ttl: Duration) -> Result<Cmd> {
    let (ttl, least) = renewal(ttl)?;
    let mut command = RENEW.call(1, 2, key.len() + 32);
    command.arg(key).arg(ttl).arg(least);
    Ok(command)
}

/// The new expiry, and the time left from which on it is not needed: seven eighths.
fn renewal(ttl: Duration) -> Result<(u64, u64)> {
    Ok((millis(ttl)?, millis_up(ttl / 8 * 7)))
}

fn is_due(left: &Value, ttl: Duration) -> Result<bool> {
    check_ttl(ttl)?;
    let Value::Int(left) = left else { return Err(error::strange()) };
    let left = u64::try_from(*left).ok().map(Timestamp::from_millis);
    Ok(left.is_some_and(|left| renewal_is_due(left, Timestamp::default(), ttl)))
}

/// A time to live in the unit of the server, rounded up: an entry never expires early.
pub(super) fn millis(ttl: Duration) -> Result<u64> {
    check_ttl(ttl)?;
    Ok(millis_up(ttl))
}

fn millis_up(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

pub(super) fn entry(value: Value, options: GetOptions) -> Result<Option<Entry>> {
    let value = match value {
        Value::Nil => return Ok(None),
        Value::BulkString(bytes) => Bytes::from(bytes),
        _ => return Err(error::strange()),
    };
    let revision = options.want.revision.then(|| revision(&value));
    Ok(Some(Entry { revision, ..Entry::new(value) }))
}

pub(super) fn entry_with_expiry(value: Value, options: GetOptions) -> Result<Option<Entry>> {
    let (value, left) = match value {
        Value::Nil => return Ok(None),
        Value::Array(parts) => <[Value; 2]>::try_from(parts).map_err(|_| error::strange())?.into(),
        _ => return Err(error::strange()),
    };
    let expiry = expiry_of(&left)?.ok_or_else(error::strange)?;
    Ok(entry(value, options)?.map(|entry| Entry { expiry, ..entry }))
}

/// What `PTTL` says: the time left, -1 for ever, -2 without an entry.
fn expiry_of(left: &Value) -> Result<Option<Expiry>> {
    match left {
        Value::Int(-2) => Ok(None),
        Value::Int(-1) => Ok(Some(Expiry::Never)),
        Value::Int(left) => {
            let left = u64::try_from(*left).map_err(|_| error::strange())?;
            Ok(Some(Expiry::At(SystemClock.now().after(Duration::from_millis(left)))))
        }
        _ => Err(error::strange()),
    }
}
