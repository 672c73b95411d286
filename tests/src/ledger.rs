//! Writers whose stored state tells how far they came, to check what a crash left.
//!
//! Writer `w` carries out steps 1, 2, 3, … one after the other. Each is one atomic operation that
//! leaves two entries in a state which the number of the step alone decides. So a state read back
//! is right exactly if it is that of the last step that was acknowledged, or of the one after it,
//! which may have been on its way.

use bytes::Bytes;
use state_runtime::{
    backend::{AddOptions, Backend, BatchOp, GetOptions, RemoveOptions, Result, SetOptions},
    key::Key,
};

/// How many writers there are.
pub const WRITERS: usize = 6;

fn main_key(writer: usize) -> Key {
    Key::from_stored(format!("main:{writer}"))
}

fn side_key(writer: usize) -> Key {
    Key::from_stored(format!("side:{writer}"))
}

fn set(key: Key, step: u64) -> BatchOp {
    BatchOp::Set { key, value: number(step), options: SetOptions::default() }
}

/// Steps are told apart by number and by length, so that records move between pages.
fn number(step: u64) -> Bytes {
    let padding = usize::try_from(step % 7).unwrap_or_default() * 150;
    Bytes::from(format!("{step}{}", " ".repeat(padding)))
}

fn parse(value: &[u8]) -> Option<u64> {
    core::str::from_utf8(value).ok()?.trim_end().parse().ok()
}

/// The second entry after `step`: every third step writes it, and the second one after removes it.
const fn side_after(step: u64) -> Option<u64> {
    match step {
        0 | 1 => None,
        _ if step % 3 == 2 => None,
        _ => Some(step - step % 3),
    }
}

/// Carries out `step` of `writer`.
///
/// # Errors
///
/// Those of the backend.
pub async fn carry_out<B: Backend>(backend: &B, writer: usize, step: u64) -> Result<()> {
    let (main, side) = (main_key(writer), side_key(writer));
    match step % 3 {
        0 => {
            backend.apply(vec![set(main, step), set(side, step)]).await?;
        }
        2 => {
            let remove = BatchOp::Remove { key: side, options: RemoveOptions::default() };
            backend.apply(vec![remove, set(main, step)]).await?;
        }
        _ => {
            let one = AddOptions { delta: 1, min: 0, max: i128::MAX, ttl: None };
            backend.add(&main, one).await?;
        }
    }
    Ok(())
}

/// The step that `writer` came to.
///
/// # Errors
///
/// What is stored is no state that any step leaves.
pub async fn step_of<B: Backend>(backend: &B, writer: usize) -> Result<u64, String> {
    let keys = [main_key(writer), side_key(writer)];
    let found = backend.get_many(&keys.map(|key| (key, GetOptions::default()))).await;
    let found = found.map_err(|error| format!("reading failed: {error}"))?;
    let mut numbers = found.iter().map(|entry| match entry {
        None => Ok(None),
        Some(entry) => parse(&entry.value).map(Some).ok_or("a value is damaged".to_owned()),
    });
    let step = numbers.next().transpose()?.flatten().unwrap_or(0);
    let side = numbers.next().transpose()?.flatten();
    if side == side_after(step) {
        Ok(step)
    } else {
        Err(format!("writer {writer} is at step {step}, but its second entry is {side:?}"))
    }
}

/// Checks every writer against the last step that it was told is done.
///
/// # Errors
///
/// Something acknowledged is missing, or something is there in part.
pub async fn check<B: Backend>(backend: &B, acknowledged: &[u64]) -> Result<(), String> {
    for (writer, acknowledged) in acknowledged.iter().enumerate() {
        let step = step_of(backend, writer).await?;
        if step != *acknowledged && step != acknowledged + 1 {
            return Err(format!(
                "writer {writer} was told of step {acknowledged} and is at step {step}"
            ));
        }
    }
    Ok(())
}
