//! Many callers at once: nothing is lost, and every race has one winner.

use core::future::Future;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::{
    batches::{write, write_if},
    case,
};
use crate::{
    backend::{
        AddOptions, Backend, BackendError, Condition, ErrorKind, GetOptions, RemoveOptions, Result,
        SetOptions, Want,
    },
    conformance::{
        case::{Case, Checked, Failure},
        trial::{Trial, adding, ensure, holds, lost, same, wanting},
    },
    key::Key,
};

/// Enough for several threads to be in each other's way.
const TASKS: usize = 8;
/// How often each of them does it.
const ROUNDS: usize = 25;

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(writers_of_different_keys_do_not_disturb_each_other),
        case!(a_value_is_never_a_mixture),
        case!(no_increment_by_compare_and_swap_is_lost, Cas),
        case!(one_of_many_creates, Cas),
        case!(one_of_many_removes_a_revision, Cas),
        case!(one_of_many_replaces_a_revision, Cas),
        case!(no_addition_is_lost, Cas),
        case!(additions_stay_within_their_bounds, Cas),
        case!(batches_are_not_interleaved, Batch),
        case!(one_of_many_batches_wins, Batch, Cas),
        case!(transfers_by_batch_keep_the_total, Batch, Cas),
    ]
}

/// Runs `TASKS` tasks at once and collects what they return.
async fn together<B: Backend, T: Send + 'static, Running>(
    t: &Trial<B>,
    task: impl Fn(Arc<B>, usize) -> Running,
) -> Checked<Vec<T>>
where
    Running: Future<Output = Result<T>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        tasks.spawn(task(Arc::clone(&t.backend), number));
    }
    let mut results = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        results.push(joined.map_err(|_| Failure::new("a task panicked"))??);
    }
    Ok(results)
}

/// Whether a racing write won; losing is no error.
fn won<T>(result: Result<T>) -> Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if lost(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn winners(results: &[bool]) -> usize {
    results.iter().filter(|won| **won).count()
}

/// Reads an integer and its revision.
async fn read<B: Backend>(backend: &B, key: &Key) -> Result<(i64, Condition)> {
    let Some(entry) = backend.get(key, wanting(Want::REVISION)).await? else {
        return Ok((0, Condition::IfAbsent));
    };
    let number = core::str::from_utf8(&entry.value).ok().and_then(|text| text.parse().ok());
    match (number, entry.revision) {
        (Some(number), Some(revision)) => Ok((number, Condition::IfRevision(revision))),
        _ => Err(BackendError::new(
            ErrorKind::Corrupted,
            "a counter came back without its number or revision",
        )),
    }
}

async fn put_if<B: Backend>(
    backend: &B,
    key: &Key,
    value: String,
    condition: Condition,
) -> Result<bool> {
    let options = SetOptions { condition, ..SetOptions::default() };
    won(backend.set(key, value.into(), options).await)
}

async fn writers_of_different_keys_do_not_disturb_each_other<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = t.keys(TASKS * ROUNDS);
    together(t, |backend, number| {
        let mine: Vec<_> = keys.iter().skip(number * ROUNDS).take(ROUNDS).cloned().collect();
        async move {
            for key in &mine {
                backend.set(key, key.as_str().to_owned().into(), SetOptions::default()).await?;
            }
            Ok(())
        }
    })
    .await?;
    for key in &keys {
        holds(t.value(key).await?.as_ref(), key.as_str())?;
    }
    Ok(())
}

async fn a_value_is_never_a_mixture<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, vec![0; 2000]).await?;
    together(t, |backend, number| {
        let key = key.clone();
        let value = vec![u8::try_from(number).unwrap_or_default(); 1000 + number * 100];
        async move {
            for _ in 0..ROUNDS {
                backend.set(&key, value.clone().into(), SetOptions::default()).await?;
                let entry = backend.get(&key, GetOptions::default()).await?;
                let whole = entry.is_some_and(|entry| {
                    entry.value.first().is_some_and(|first| entry.value.iter().all(|b| b == first))
                });
                if !whole {
                    return Ok(false);
                }
            }
            Ok(true)
        }
    })
    .await
    .and_then(|whole| ensure(whole.into_iter().all(|whole| whole), "a read saw half a write"))
}

async fn no_increment_by_compare_and_swap_is_lost<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    together(t, |backend, _| {
        let key = key.clone();
        async move {
            for _ in 0..ROUNDS {
                loop {
                    let (number, condition) = read(&*backend, &key).await?;
                    // Lets others in between, on a runtime with one thread too.
                    tokio::task::yield_now().await;
                    if put_if(&*backend, &key, (number + 1).to_string(), condition).await? {
                        break;
                    }
                }
            }
            Ok(())
        }
    })
    .await?;
    holds(t.value(&key).await?.as_ref(), (TASKS * ROUNDS).to_string())
}

async fn one_of_many_creates<B: Backend>(t: &Trial<B>) -> Checked {
    for key in t.keys(ROUNDS) {
        let results = together(t, |backend, number| {
            let key = key.clone();
            async move { put_if(&*backend, &key, number.to_string(), Condition::IfAbsent).await }
        });
        same(winners(&results.await?), 1, "creators of one entry")?;
    }
    Ok(())
}

async fn one_of_many_removes_a_revision<B: Backend>(t: &Trial<B>) -> Checked {
    for key in t.keys(ROUNDS) {
        let read = t.put_revision(&key, "1").await?;
        let results = together(t, |backend, _| {
            let (key, condition) = (key.clone(), Condition::IfRevision(read.clone()));
            async move { won(backend.remove(&key, RemoveOptions { condition }).await) }
        });
        same(winners(&results.await?), 1, "removers of one revision")?;
    }
    Ok(())
}

async fn one_of_many_replaces_a_revision<B: Backend>(t: &Trial<B>) -> Checked {
    for key in t.keys(ROUNDS) {
        let read = t.put_revision(&key, "start").await?;
        let results = together(t, |backend, number| {
            let (key, condition) = (key.clone(), Condition::IfRevision(read.clone()));
            async move { put_if(&*backend, &key, number.to_string(), condition).await }
        });
        same(winners(&results.await?), 1, "replacers of one revision")?;
    }
    Ok(())
}

async fn no_addition_is_lost<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    together(t, |backend, _| {
        let key = key.clone();
        async move {
            for _ in 0..ROUNDS {
                while !won(backend.add(&key, adding(3)).await)? {
                    tokio::task::yield_now().await;
                }
            }
            Ok(())
        }
    })
    .await?;
    holds(t.value(&key).await?.as_ref(), (TASKS * ROUNDS * 3).to_string())
}

async fn additions_stay_within_their_bounds<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    let options = AddOptions { delta: 1, min: 0, max: 10, ttl: None };
    let counts = together(t, |backend, _| {
        let key = key.clone();
        async move {
            let mut added = 0_usize;
            loop {
                match backend.add(&key, options).await {
                    Ok(_) => added += 1,
                    Err(error) if lost(&error) => tokio::task::yield_now().await,
                    Err(error) if error.kind() == ErrorKind::OutOfRange => {
                        return Ok(added);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    });
    same(counts.await?.into_iter().sum(), 10, "additions that fit between 0 and 10")?;
    holds(t.value(&key).await?.as_ref(), "10")
}

async fn batches_are_not_interleaved<B: Backend>(t: &Trial<B>) -> Checked {
    let (a, b) = (t.key("a"), t.key("b"));
    for _ in 0..ROUNDS {
        together(t, |backend, number| {
            let mut batch = vec![write(&a, number.to_string()), write(&b, number.to_string())];
            if number % 2 == 0 {
                batch.reverse();
            }
            async move {
                while !won(backend.apply(batch.clone()).await)? {
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
        })
        .await?;
        let (a, b) = (t.value(&a).await?, t.value(&b).await?);
        ensure(a.is_some() && a == b, "two batches were applied in different orders")?;
    }
    Ok(())
}

async fn one_of_many_batches_wins<B: Backend>(t: &Trial<B>) -> Checked {
    for round in 0..ROUNDS {
        let (a, b) = (t.key(&format!("{round}:a")), t.key(&format!("{round}:b")));
        let results = together(t, |backend, number| {
            let create = |key| write_if(key, number.to_string(), Condition::IfAbsent);
            let mut batch = vec![create(&a), create(&b)];
            if number % 2 == 0 {
                batch.reverse();
            }
            async move { won(backend.apply(batch).await) }
        });
        same(winners(&results.await?), 1, "batches that create the same entries")?;
        same(t.value(&a).await?, t.value(&b).await?, "what the winner wrote")?;
    }
    Ok(())
}

async fn transfers_by_batch_keep_the_total<B: Backend>(t: &Trial<B>) -> Checked {
    let accounts = t.keys(4);
    for key in &accounts {
        t.put(key, "100").await?;
    }
    together(t, |backend, number| {
        let mut from = accounts.clone();
        from.rotate_left(number % accounts.len());
        async move {
            let [from, to, ..] = &*from else { return Ok(()) };
            for _ in 0..ROUNDS {
                loop {
                    let (less, left) = read(&*backend, from).await?;
                    tokio::task::yield_now().await;
                    let (more, right) = read(&*backend, to).await?;
                    tokio::task::yield_now().await;
                    let batch = vec![
                        write_if(from, (less - 1).to_string(), left),
                        write_if(to, (more + 1).to_string(), right),
                    ];
                    if won(backend.apply(batch).await)? {
                        break;
                    }
                }
            }
            Ok(())
        }
    })
    .await?;
    let mut total = 0;
    for key in &accounts {
        total += read(&*t.backend, key).await?.0;
    }
    same(total, 400, "the total of all accounts")
}
