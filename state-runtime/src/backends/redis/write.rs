//! The operations that write.

use bytes::Bytes;
use redis::{Cmd, Value};

use super::{
    error,
    node::{Effect, Lane},
    read::{millis, revision},
    router::Router,
    script::{ADD, WRITE, hex},
};
use crate::{
    backend::{
        AddOptions, BackendError, BatchOp, Condition, ErrorKind, RemoveOptions, Result, Revision,
        SetOptions, TtlChange, rules::check_batch,
    },
    key::Key,
};

/// The most writes of one batch: the server takes about a million arguments, and the script has
/// four for each.
const MOST_WRITES: usize = 1 << 17;

pub(super) async fn set(
    router: &Router,
    key: &Key,
    value: &Bytes,
    options: &SetOptions,
) -> Result<Option<Revision>> {
    let command = match &options.condition {
        Condition::IfRevision(_) => {
            let part = Part::set(key, value, options)?;
            // In a box, so that the future of a plain write is the smaller for it.
            Box::pin(guarded(router, &[part])).await?;
            return Ok(part_revision(value, options));
        }
        Condition::Always => set_command(key.as_str(), value, options)?,
        Condition::IfAbsent => {
            let mut command = set_command(key.as_str(), value, options)?;
            command.arg("NX");
            command
        }
    };
    let lane = Lane::of(value.len());
    match router.perform(lane, Effect::Write, &[key.as_str()], &command).await? {
        Value::Okay => Ok(part_revision(value, options)),
        Value::Nil => Err(BackendError::conflict(0)),
        _ => Err(error::strange_write()),
    }
}

pub(super) async fn remove(router: &Router, key: &Key, options: &RemoveOptions) -> Result<()> {
    let (name, effect) = match &options.condition {
        Condition::Always => ("DEL", Effect::Write),
        Condition::IfAbsent => ("EXISTS", Effect::Read),
        Condition::IfRevision(_) => return guarded(router, &[Part::remove(key, options)]).await,
    };
    let mut command = Cmd::with_capacity(2, 6 + key.as_str().len());
    command.arg(name).arg(key.as_str());
    match router.perform(Lane::Small, effect, &[key.as_str()], &command).await? {
        Value::Int(1) if options.condition == Condition::IfAbsent => Err(BackendError::conflict(0)),
        Value::Int(_) => Ok(()),
        _ => Err(error::strange_write()),
    }
}

pub(super) async fn apply(router: &Router, batch: &[BatchOp]) -> Result<Vec<Option<Revision>>> {
    check_batch(batch)?;
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    if batch.len() > MOST_WRITES {
        return Err(BackendError::new(
            ErrorKind::TooLarge { size: batch.len(), limit: MOST_WRITES },
            "the batch has more writes than the server takes at once; split it",
        ));
    }
    let parts: Vec<_> = batch
        .iter()
        .map(|op| match op {
            BatchOp::Set { key, value, options } => Part::set(key, value, options),
            BatchOp::Remove { key, options } => Ok(Part::remove(key, options)),
        })
        .collect::<Result<_>>()?;
    guarded(router, &parts).await?;
    Ok(batch
        .iter()
        .map(|op| match op {
            BatchOp::Set { value, options, .. } => part_revision(value, options),
            BatchOp::Remove { .. } => None,
        })
        .collect())
}

pub(super) async fn touch(router: &Router, key: &Key, ttl: TtlChange) -> Result<bool> {
    let key = key.as_str();
    let mut command = Cmd::with_capacity(3, 16 + key.len());
    match ttl {
        TtlChange::After(ttl) => command.arg("PEXPIRE").arg(key).arg(millis(ttl)?),
        TtlChange::Keep => return is_there(router, key).await,
        TtlChange::Clear => return clear(router, key).await,
    };
    match router.perform(Lane::Small, Effect::Write, &[key], &command).await? {
        Value::Int(count) => Ok(count > 0),
        _ => Err(error::strange_write()),
    }
}

/// `PERSIST` does not tell an entry without an expiry from none at all, so that is asked then.
async fn clear(router: &Router, key: &str) -> Result<bool> {
    let mut command = Cmd::with_capacity(2, 8 + key.len());
    command.arg("PERSIST").arg(key);
    match router.perform(Lane::Small, Effect::Write, &[key], &command).await? {
        Value::Int(1) => Ok(true),
        Value::Int(_) => is_there(router, key).await,
        _ => Err(error::strange_write()),
    }
}

async fn is_there(router: &Router, key: &str) -> Result<bool> {
    let mut command = Cmd::with_capacity(2, 8 + key.len());
    command.arg("EXISTS").arg(key);
    match router.perform(Lane::Small, Effect::Read, &[key], &command).await? {
        Value::Int(count) => Ok(count > 0),
        _ => Err(error::strange()),
    }
}

pub(super) async fn add(router: &Router, key: &Key, options: &AddOptions) -> Result<i128> {
    let key = key.as_str();
    let mut command = ADD.call(1, 4, key.len() + 160);
    command.arg(key).arg(options.delta).arg(options.min).arg(options.max);
    match options.ttl {
        Some(ttl) => command.arg(millis(ttl)?),
        None => command.arg(""),
    };
    match router.perform(Lane::Small, Effect::Write, &[key], &command).await? {
        Value::BulkString(sum) => str::from_utf8(&sum)
            .ok()
            .and_then(|sum| sum.parse().ok())
            .ok_or_else(error::strange_write),
        Value::Int(1) => {
            Err(BackendError::new(ErrorKind::OutOfRange, "the sum would leave its bounds"))
        }
        Value::Int(2) => {
            Err(BackendError::new(ErrorKind::NotAnInteger, "the stored value is not an integer"))
        }
        _ => Err(error::strange_write()),
    }
}

/// One write of the script, as its arguments.
struct Part<'a> {
    key: &'a str,
    condition: Guard<'a>,
    change: Change,
    value: &'a [u8],
}

enum Guard<'a> {
    None,
    Absent,
    Digest(&'a Revision),
}

enum Change {
    Set,
    SetKeep,
    SetFor(u64),
    Remove,
}

impl<'a> Part<'a> {
    fn set(key: &'a Key, value: &'a Bytes, options: &'a SetOptions) -> Result<Self> {
        let change = match options.ttl {
            TtlChange::Clear => Change::Set,
            TtlChange::Keep => Change::SetKeep,
            TtlChange::After(ttl) => Change::SetFor(millis(ttl)?),
        };
        Ok(Self { key: key.as_str(), condition: Guard::of(&options.condition), change, value })
    }

    fn remove(key: &'a Key, options: &'a RemoveOptions) -> Self {
        let condition = Guard::of(&options.condition);
        // A removal under the condition that there is nothing is a mere check; removing changes
        // nothing then.
        Self { key: key.as_str(), condition, change: Change::Remove, value: b"" }
    }

    fn write(&self, command: &mut Cmd) {
        match &self.condition {
            Guard::None => command.arg("any"),
            Guard::Absent => command.arg("absent"),
            Guard::Digest(revision) => command.arg(hex(revision.as_bytes()).as_slice()),
        };
        match self.change {
            Change::Set => command.arg(""),
            Change::SetKeep => command.arg("keep"),
            Change::SetFor(millis) => command.arg(millis),
            Change::Remove => command.arg("remove"),
        };
        command.arg(self.value);
    }
}

impl<'a> Guard<'a> {
    const fn of(condition: &'a Condition) -> Self {
        match condition {
            Condition::Always => Self::None,
            Condition::IfAbsent => Self::Absent,
            Condition::IfRevision(revision) => Self::Digest(revision),
        }
    }
}

/// Runs the script that checks all conditions before its first write.
async fn guarded(router: &Router, parts: &[Part<'_>]) -> Result<()> {
    let keys: Vec<_> = parts.iter().map(|part| part.key).collect();
    let size: usize = parts.iter().map(|part| part.key.len() + part.value.len() + 60).sum();
    let mut command = WRITE.call(parts.len(), parts.len() * 3, size);
    for key in &keys {
        command.arg(*key);
    }
    for part in parts {
        part.write(&mut command);
    }
    match router.perform(Lane::of(size), Effect::Write, &keys, &command).await? {
        Value::Int(0) => Ok(()),
        Value::Int(number) => match usize::try_from(number - 1) {
            Ok(index) if index < parts.len() => Err(BackendError::conflict(index)),
            _ => Err(error::strange_write()),
        },
        _ => Err(error::strange_write()),
    }
}

fn set_command(key: &str, value: &[u8], options: &SetOptions) -> Result<Cmd> {
    let mut command = Cmd::with_capacity(6, 32 + key.len() + value.len());
    command.arg("SET").arg(key).arg(value);
    match options.ttl {
        TtlChange::Clear => {}
        // A new entry lives for ever anyhow.
        TtlChange::Keep if options.condition == Condition::IfAbsent => {}
        TtlChange::Keep => {
            command.arg("KEEPTTL");
        }
        TtlChange::After(ttl) => {
            command.arg("PX").arg(millis(ttl)?);
        }
    }
    Ok(command)
}

fn part_revision(value: &[u8], options: &SetOptions) -> Option<Revision> {
    options.want_revision.then(|| revision(value))
}
