//! Many values in one command.

use redis::{Arg, Cmd, Pipeline, Value};

use super::link::{Fault, Link};

/// The command that reads all of `keys`.
pub(super) fn command(keys: &[&str]) -> Cmd {
    let size = keys.iter().map(|key| key.len()).sum::<usize>();
    let mut command = Cmd::with_capacity(keys.len() + 1, size + 4);
    command.arg("MGET");
    for key in keys {
        command.arg(*key);
    }
    command
}

/// Sends an `MGET`. There is a string, nil or an error reply for each key.
///
/// `MGET` answers nil where there is something else than a string, and with a single error if one
/// of the keys is forbidden. Each key is to have an answer of its own, and what is there must not
/// look absent. So nils are counted by `EXISTS`, and only what that finds, or what was refused as a
/// whole, is read one by one: absent keys cost another small command, present ones nothing.
pub(super) async fn all(link: &Link, command: &Cmd) -> Result<Vec<Value>, Fault> {
    let keys: Vec<&[u8]> = keys(command).collect();
    match link.send(command).await? {
        Value::Array(mut values) if values.len() == keys.len() => {
            let mut missing: Vec<_> = values
                .iter_mut()
                .zip(&keys)
                .filter(|(value, _)| matches!(value, Value::Nil))
                .collect();
            if !missing.is_empty() && !absent(link, missing.iter().map(|(_, key)| **key)).await? {
                let found = one_by_one(link, missing.iter().map(|(_, key)| **key)).await?;
                for ((value, _), found) in missing.iter_mut().zip(found) {
                    **value = found;
                }
            }
            Ok(values)
        }
        _ => one_by_one(link, keys.into_iter()).await,
    }
}

/// The keys of a command that has nothing else.
pub(super) fn keys(command: &Cmd) -> impl Iterator<Item = &[u8]> {
    command.args_iter().skip(1).filter_map(|argument| match argument {
        Arg::Simple(key) => Some(key),
        _ => None,
    })
}

/// Whether there is certainly nothing under any of the keys.
async fn absent<'k>(link: &Link, keys: impl Iterator<Item = &'k [u8]>) -> Result<bool, Fault> {
    let mut exists = redis::cmd("EXISTS");
    for key in keys {
        exists.arg(key);
    }
    Ok(matches!(link.send(&exists).await?, Value::Int(0)))
}

async fn one_by_one<'k>(
    link: &Link,
    keys: impl Iterator<Item = &'k [u8]>,
) -> Result<Vec<Value>, Fault> {
    let mut gets = Pipeline::new();
    for key in keys {
        gets.cmd("GET").arg(key);
    }
    link.send_all(&gets).await
}
