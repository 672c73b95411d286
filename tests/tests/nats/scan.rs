//! Scans of a bucket that others write to all the time: they end, and list what stays once.

use super::*;
use async_nats::jetstream::stream::{Config, StorageType};
use state_runtime::{
    StateError,
    backend::{RemoveOptions, ScanRequest},
    prelude::*,
};
use tokio::time::timeout;

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "item:{number}", persistent)]
#[garde(allow_unvalidated)]
struct Item {
    number: u32,
    count: u64,
}

/// Longer than any of these scans takes on a busy machine.
const LONG: Duration = Duration::from_secs(120);

/// More pages than any of these scans needs.
const MOST_PAGES: usize = 200;

fn request(prefix: &str, limit: usize) -> ScanRequest {
    ScanRequest { prefix: prefix.to_owned(), cursor: None, limit, want: Want::VALUE }
}

/// The keys of all pages of a scan, sorted; `meanwhile` comes between them, with their number.
async fn listed(
    backend: &NatsBackend,
    prefix: &str,
    limit: usize,
    mut meanwhile: impl AsyncFnMut(usize) -> TestResult,
) -> core::result::Result<Vec<String>, Box<dyn Error>> {
    let (mut request, mut found) = (request(prefix, limit), Vec::new());
    for number in 0..MOST_PAGES {
        let page = backend.scan(request.clone()).await?;
        found.extend(page.entries.into_iter().map(|(key, _)| key.into_string()));
        request.cursor = page.next;
        if request.cursor.is_none() {
            found.sort_unstable();
            return Ok(found);
        }
        meanwhile(number).await?;
    }
    Err(format!("the scan does not end: it has {} entries", found.len()).into())
}

/// A bucket on a server, as any client may have made it.
async fn bucket(
    server: &Server,
    name: &str,
    history: i64,
) -> core::result::Result<NatsBackend, Box<dyn Error>> {
    let settings = Config { max_messages_per_subject: history, ..plain(name) };
    raw(server).await?.create_stream(settings).await?;
    Ok(NatsBackend::connect(config(server, name)).await?)
}

fn items(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("item:{number:05}")).collect()
}

async fn write_all(backend: &NatsBackend, names: &[String], value: &str) -> TestResult {
    for name in names {
        put(backend, name, value).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_scan_ends_and_lists_each_once_although_all_are_rewritten_after_each_page() -> TestResult
{
    let names = items(40);
    for (history, label) in [(1, "rewritten"), (5, "rewritten-five")] {
        for version in Version::ALL {
            let backend = bucket(Server::shared(version).await, label, history).await?;
            write_all(&backend, &names, "old").await?;
            let rewrite = async |_| write_all(&backend, &names, "new").await;
            let found = listed(&backend, "item:", 4, rewrite).await?;
            assert_eq!(found, names, "{version} with a history of {history}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_rewritten_now_and_then_is_listed_once() -> TestResult {
    let names = items(40);
    for version in Version::ALL {
        let backend = bucket(Server::shared(version).await, "now-and-then", 1).await?;
        write_all(&backend, &names, "old").await?;
        let mut hot = names.iter().cycle();
        let rewrite =
            async |_| write_all(&backend, &[hot.next().cloned().unwrap_or_default()], "new").await;
        assert_eq!(listed(&backend, "item:", 4, rewrite).await?, names, "{version}");
    }
    Ok(())
}

#[tokio::test]
async fn what_comes_and_goes_all_the_time_keeps_no_scan_from_its_end() -> TestResult {
    let names = items(20);
    for version in Version::ALL {
        let backend = bucket(Server::shared(version).await, "come-and-go", 1).await?;
        write_all(&backend, &names, "old").await?;
        let others = async |page: usize| {
            write_all(&backend, &names, "new").await?;
            for number in 0..8 {
                put(&backend, &format!("item:{page:05}-{number}"), "1").await?;
                let last = page.saturating_sub(1);
                let last = key(&format!("item:{last:05}-{number}"));
                backend.remove(&last, RemoveOptions::default()).await?;
            }
            Ok(())
        };
        let mut found = listed(&backend, "item:", 3, others).await?;
        found.retain(|name| names.contains(name));
        assert_eq!(found, names, "{version}");
    }
    Ok(())
}

/// A page that is asked for twice is the same twice, with what was rewritten in between.
#[tokio::test]
async fn a_page_can_be_asked_for_again() -> TestResult {
    let names = items(40);
    let backend = bucket(Server::shared(Version::V2_15).await, "asked_twice", 1).await?;
    write_all(&backend, &names, "old").await?;
    let mut request = request("item:", 4);
    let mut found = Vec::new();
    for _ in 0..MOST_PAGES {
        let given_up = backend.scan(request.clone()).await?;
        write_all(&backend, &names, "new").await?;
        let page = backend.scan(request.clone()).await?;
        drop(given_up);
        found.extend(page.entries.into_iter().map(|(key, _)| key.into_string()));
        request.cursor = page.next;
        if request.cursor.is_none() {
            break;
        }
    }
    assert!(request.cursor.is_none(), "it does not end");
    found.sort_unstable();
    assert_eq!(found, names);
    Ok(())
}

/// The server tells so many names in one answer.
const AT_A_TIME: usize = 100_000;

/// How many are on their way to it at once.
const TOGETHER: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn more_names_than_the_server_tells_at_once_are_gone_through() -> TestResult {
    let names = items(300);
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let settings = Config { storage: StorageType::Memory, ..plain("many") };
        let jetstream = raw(server).await?;
        jetstream.create_stream(settings).await?;
        let backend = NatsBackend::connect(config(server, "many")).await?;
        write_all(&backend, &names, "old").await?;
        let meanwhile = async |page| {
            if page < 3 {
                write_all(&backend, &names, "new").await?;
            }
            if page > 0 {
                return Ok(());
            }
            // In the same subtree, and before the others in the order of the names.
            for first in (0..AT_A_TIME).step_by(TOGETHER) {
                let mut stored = Vec::with_capacity(TOGETHER);
                for number in first..first + TOGETHER {
                    let subject = format!("$KV.many.item.-{number}");
                    stored.push(jetstream.publish(subject, "".into()).await?);
                }
                // A server that is handed more than it can take drops what it has not acknowledged.
                for acknowledged in stored {
                    acknowledged.await?;
                }
            }
            Ok(())
        };
        let found = listed(&backend, "item:0", 4, meanwhile).await?;
        assert!(found == names, "{version}: {} names were listed", found.len());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_counted_once_whatever_others_write() -> TestResult {
    for version in Version::ALL {
        let backend =
            NatsBackend::connect(config(Server::shared(version).await, "counted")).await?;
        let store = StateStore::new(backend)?;
        for number in 0..600 {
            store.set(&Item { number, count: 0 }).await?;
        }
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    for round in 0.. {
                        for number in (0..600).skip(writer).step_by(4) {
                            store.set(&Item { number, count: round }).await?;
                        }
                    }
                    Ok::<_, StateError>(())
                })
            })
            .collect();
        for _ in 0..5 {
            let count = timeout(LONG, store.count::<Item>().into_future()).await?;
            assert_eq!(count?, 600, "{version}");
            let mut found = timeout(LONG, store.scan::<Item>().all()).await??;
            found.sort_unstable_by_key(|item| item.number);
            assert!(found.iter().map(|item| item.number).eq(0..600), "{version}");
        }
        for writer in writers {
            assert!(!writer.is_finished(), "a writer has failed");
            writer.abort();
        }
    }
    Ok(())
}
