//! `update`: no change of any writer is lost, and none is written that may not be.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use state_runtime::{
    StateError,
    backend::{Backend, GetOptions, ManualClock, SetOptions},
    backends::{FileBackend, MemoryBackend},
    key::Key,
    prelude::*,
    store::{Access, TimeToLive},
};
use tests::fakes::Counting;

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "cart:{user}", ttl = "1d")]
struct Cart {
    #[garde(length(min = 1))]
    user: String,
    #[garde(length(max = 3))]
    items: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "tally:{name}", persistent)]
struct Tally {
    #[garde(skip)]
    name: String,
    #[state(value)]
    #[garde(skip)]
    count: u64,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "member:{id}", persistent, formerly = "user:{id}")]
struct Member {
    #[garde(skip)]
    id: u32,
    #[garde(skip)]
    name: String,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "hint:{id}", persistent, on_invalid = "discard")]
struct Hint {
    #[garde(skip)]
    id: u32,
    #[garde(skip)]
    text: String,
}

fn cart(items: &[&str]) -> Cart {
    Cart { user: "ada".into(), items: items.iter().map(ToString::to_string).collect() }
}

fn tally(count: u64) -> Tally {
    Tally { name: "all".into(), count }
}

fn store() -> StateStore<MemoryBackend> {
    StateStore::new(MemoryBackend::new()).unwrap()
}

async fn increment<B: state_runtime::backend::Cas>(
    store: &StateStore<B>,
) -> Result<(), StateError> {
    let zero = || tally(0);
    let count = |tally: &mut Tally| tally.count += 1;
    store.update_or_insert_with(Tally::key("all"), zero, count).await.map(drop)
}

async fn increments_from_many_tasks<B>(store: &StateStore<B>, tasks: usize, each: usize)
where
    B: state_runtime::backend::Cas,
{
    let tasks = (0..tasks).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..each {
                increment(&store).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_of_many_callers_is_lost() {
    let store = store();
    increments_from_many_tasks(&store, 64, 50).await;
    assert_eq!(store.get(Tally::key("all")).await.unwrap(), Some(tally(3_200)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_of_two_stores_over_one_backend_is_lost() {
    let backend = Arc::new(MemoryBackend::new());
    let one = StateStore::new(Arc::clone(&backend)).unwrap();
    let other = StateStore::new(backend).unwrap();
    let both = (increments_from_many_tasks(&one, 8, 50), increments_from_many_tasks(&other, 8, 50));
    tokio::join!(both.0, both.1);
    assert_eq!(one.get(Tally::key("all")).await.unwrap(), Some(tally(800)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_on_disk_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileBackend::open(folder.path().join("state")).await.unwrap();
    let store = StateStore::new(file).unwrap();
    increments_from_many_tasks(&store, 16, 10).await;
    assert_eq!(store.get(Tally::key("all")).await.unwrap(), Some(tally(160)));
}

#[tokio::test]
async fn an_update_costs_two_calls_to_the_backend() {
    let backend = Arc::new(Counting::default());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    store.set(&tally(1)).await.unwrap();
    backend.calls();
    store.update(Tally::key("all"), |tally| tally.count += 1).await.unwrap();
    assert_eq!(backend.calls(), 2, "one read and one write");
}

#[tokio::test]
async fn the_closure_runs_again_when_somebody_else_was_faster() {
    let backend = Arc::new(MemoryBackend::new());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    store.set(&tally(1)).await.unwrap();
    let runs = AtomicUsize::new(0);
    let updated = store
        .update(Tally::key("all"), |tally| {
            if runs.fetch_add(1, SeqCst) == 0 {
                let key = Key::from_stored("tally:all");
                let rival = backend.set(&key, "10".into(), SetOptions::default());
                futures_util::FutureExt::now_or_never(rival).unwrap().unwrap();
            }
            tally.count += 1;
        })
        .await
        .unwrap();
    assert_eq!((updated.count, runs.into_inner()), (11, 2));
}

#[tokio::test]
async fn a_value_that_is_not_there_cannot_be_updated() {
    let error = store().update(Cart::key("ada"), |_| ()).await.unwrap_err();
    assert!(matches!(&error, StateError::NotFound { key, .. } if key.as_str() == "cart:ada"));
}

#[tokio::test]
async fn a_change_that_breaks_a_rule_is_not_written() {
    let store = store();
    store.set(&cart(&["a", "b", "c"])).await.unwrap();
    let error = store.update(Cart::key("ada"), |cart| cart.items.push("d".into())).await;
    assert!(matches!(error, Err(StateError::Invalid { .. })), "{error:?}");
    assert_eq!(store.get(Cart::key("ada")).await.unwrap(), Some(cart(&["a", "b", "c"])));
}

#[tokio::test]
async fn a_closure_that_fails_changes_nothing() {
    #[derive(Debug)]
    enum Mine {
        No,
        State,
    }
    impl From<StateError> for Mine {
        fn from(_: StateError) -> Self {
            Self::State
        }
    }
    let store = store();
    store.set(&cart(&["a"])).await.unwrap();
    let refused = store.try_update(Cart::key("ada"), |cart| {
        cart.items.clear();
        Err(Mine::No)
    });
    assert!(matches!(refused.await, Err(Mine::No)));
    assert!(matches!(store.try_update(Cart::key("bo"), |_| Ok(())).await, Err(Mine::State)));
    let refused = store.update(Cart::key("ada"), |cart| {
        cart.items.clear();
        Err(StateError::Closed)
    });
    assert!(matches!(refused.await, Err(StateError::Closed)));
    assert_eq!(store.get(Cart::key("ada")).await.unwrap(), Some(cart(&["a"])));
}

#[tokio::test]
async fn a_closure_cannot_move_a_value_to_another_key() {
    let store = store();
    store.set(&cart(&["a"])).await.unwrap();
    let error = store.update(Cart::key("ada"), |cart| cart.user = "eve".into()).await.unwrap_err();
    assert!(matches!(error, StateError::InvalidKey { .. }), "{error:?}");
    assert!(error.to_string().contains("changed a key field"), "{error}");
    assert_eq!(store.get(Cart::key("ada")).await.unwrap(), Some(cart(&["a"])));
    assert_eq!(store.get(Cart::key("eve")).await.unwrap(), None);
}

#[tokio::test]
async fn a_closure_can_insert_change_remove_and_leave() {
    let store = store();
    let key = || Cart::key("ada");
    assert_eq!(store.update_option(key(), |_| ()).await.unwrap(), None);
    assert!(!store.exists(key()).await.unwrap(), "leaving nothing writes nothing");
    let inserted = store.update_option(key(), |it| *it = Some(cart(&["a"]))).await.unwrap();
    assert_eq!(inserted, Some(cart(&["a"])));
    let changed = store.update_option(key(), |it| {
        if let Some(cart) = it {
            cart.items.push("b".into());
        }
    });
    assert_eq!(changed.await.unwrap(), Some(cart(&["a", "b"])));
    assert_eq!(store.get(key()).await.unwrap(), Some(cart(&["a", "b"])));
    assert_eq!(store.update_option(key(), |it| *it = None).await.unwrap(), None);
    assert!(!store.exists(key()).await.unwrap());
}

#[tokio::test]
async fn an_update_needs_the_rights_to_read_and_write_and_a_removal_one_more() {
    let store = store();
    store.set(&cart(&["a"])).await.unwrap();
    for access in [Access::READ, Access::WRITE] {
        let denied = store.restricted(access).update(Cart::key("ada"), |_| ()).await;
        assert!(matches!(denied, Err(StateError::Denied { .. })), "{access:?}: {denied:?}");
    }
    let worker = store.restricted(Access::READ.with(Access::WRITE));
    worker.update(Cart::key("ada"), |_| ()).await.unwrap();
    let denied = worker.update_option(Cart::key("ada"), |it| *it = None).await;
    assert!(matches!(denied, Err(StateError::Denied { .. })), "{denied:?}");
    assert!(store.exists(Cart::key("ada")).await.unwrap());
}

#[tokio::test]
async fn an_update_starts_the_lifetime_anew() {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    let store = StateStore::new(backend).unwrap();
    store.set(&cart(&[])).await.unwrap();
    clock.advance(Duration::from_secs(23 * 3_600));
    store.update(Cart::key("ada"), |_| ()).await.unwrap();
    let day = Duration::from_secs(24 * 3_600);
    assert_eq!(store.ttl(Cart::key("ada")).await.unwrap(), Some(TimeToLive::Left(day)));
}

#[tokio::test]
async fn an_update_moves_a_value_from_its_former_key() {
    let backend = Arc::new(MemoryBackend::new());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    let former = Key::from_stored("user:7");
    backend.set(&former, r#"{"name":"Ada"}"#.into(), SetOptions::default()).await.unwrap();
    let moved = store.update(Member::key(7_u32), |member| member.name.push('!')).await.unwrap();
    assert_eq!(moved.name, "Ada!");
    assert_eq!(backend.get(&former, GetOptions::default()).await.unwrap(), None);
    assert_eq!(store.get(Member::key(7_u32)).await.unwrap(), Some(moved));
    backend.set(&former, r#"{"name":"Old"}"#.into(), SetOptions::default()).await.unwrap();
    store.update_option(Member::key(7_u32), |member| *member = None).await.unwrap();
    assert_eq!(
        store.get(Member::key(7_u32)).await.unwrap(),
        None,
        "no former value comes to light"
    );
}

#[tokio::test]
async fn an_invalid_value_is_an_error_or_set_aside_as_its_type_says() {
    let backend = Arc::new(MemoryBackend::new());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    for key in ["tally:all", "hint:1"] {
        backend.set(&Key::from_stored(key), "{".into(), SetOptions::default()).await.unwrap();
    }
    let error = store.update(Tally::key("all"), |_| ()).await.unwrap_err();
    assert!(matches!(error, StateError::Decode { .. }), "{error:?}");
    let new = || Hint { id: 1, text: "new".into() };
    let hint = store.update_or_insert_with(Hint::key(1_u32), new, |_| ()).await.unwrap();
    assert_eq!(hint, new());
}
