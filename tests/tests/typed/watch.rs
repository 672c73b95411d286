//! `watch`: the present value first, then what it becomes.

use std::time::Duration;

use state_runtime::{
    StateError,
    backend::AnyBackend,
    prelude::*,
    schema::TypedKey,
    store::{Lifetime, Watch},
};
use tokio::time::timeout;

use crate::{Stores, plant};

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "job:{id}", ttl = "1h")]
struct Job {
    #[garde(skip)]
    id: u32,
    #[garde(range(max = 100))]
    percent: u8,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "{{crew}}:sailor:{id}", persistent, formerly = "{{crew}}:hand:{id}")]
#[garde(allow_unvalidated)]
struct Sailor {
    id: u32,
    name: String,
}

/// Longer than anything takes on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

async fn next<K: TypedKey>(
    watch: &mut Watch<K, AnyBackend>,
) -> Result<Option<K::Value>, StateError> {
    let told = timeout(PATIENCE, watch.next()).await.expect("nothing was told");
    told.expect("the watch ended")
}

pub(crate) async fn all(stores: &Stores) {
    let [store, _] = stores;
    it_tells_what_a_value_becomes(stores).await;
    a_write_that_changes_nothing_is_not_told(stores).await;
    an_invalid_value_is_told_and_the_watch_goes_on(stores).await;
    it_ends_with_the_store(store).await;
}

/// What another instance writes, too.
async fn it_tells_what_a_value_becomes([store, other]: &Stores) {
    let job = |percent| Job { id: 1, percent };
    let mut watch = store.watch(Job::key(1_u32));
    assert_eq!(next(&mut watch).await.unwrap(), None);
    other.set(&job(10)).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), Some(job(10)));
    for percent in 11..=50 {
        other.set(&job(percent)).await.unwrap();
    }
    let mut last = 10;
    while last != 50 {
        let now = next(&mut watch).await.unwrap().unwrap().percent;
        assert!(now > last, "{now} after {last}");
        last = now;
    }
    other.remove(Job::key(1_u32)).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), None);
    store.set(&job(60)).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), Some(job(60)));
    other.with_lifetime(Lifetime::For(Duration::from_secs(1))).set(&job(70)).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), Some(job(70)));
    assert_eq!(next(&mut watch).await.unwrap(), None, "the expiry is told");
}

async fn a_write_that_changes_nothing_is_not_told([store, other]: &Stores) {
    let job = |percent| Job { id: 2, percent };
    store.set(&job(10)).await.unwrap();
    let mut watch = store.watch(Job::key(2_u32));
    assert_eq!(next(&mut watch).await.unwrap(), Some(job(10)));
    other.set(&job(10)).await.unwrap();
    other.set(&job(20)).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), Some(job(20)));
}

async fn an_invalid_value_is_told_and_the_watch_goes_on([store, other]: &Stores) {
    let mut watch = store.watch(Job::key(3_u32));
    assert_eq!(next(&mut watch).await.unwrap(), None);
    for (stored, invalid) in [(r#"{"percent":101}"#, true), ("{", false)] {
        plant(other, "job:3", stored).await;
        let error = next(&mut watch).await.unwrap_err();
        assert_eq!(matches!(error, StateError::Invalid { .. }), invalid, "{error:?}");
        assert_eq!(matches!(error, StateError::Decode { .. }), !invalid, "{error:?}");
    }
    other.set(&Job { id: 3, percent: 20 }).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), Some(Job { id: 3, percent: 20 }));
}

pub(crate) async fn it_sees_the_former_key_too([store, other]: &Stores) {
    let mut watch = store.watch(Sailor::key(7_u32));
    assert_eq!(next(&mut watch).await.unwrap(), None);
    plant(other, "{crew}:hand:7", r#"{"name":"A"}"#).await;
    let sailor = |name: &str| Some(Sailor { id: 7, name: name.into() });
    assert_eq!(next(&mut watch).await.unwrap(), sailor("A"));
    other.update(Sailor::key(7_u32), |sailor| sailor.name = "B".into()).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap(), sailor("B"));
}

/// The last case: nothing works on this store afterwards.
async fn it_ends_with_the_store(store: &StateStore) {
    let mut watch = store.watch(Job::key(4_u32));
    assert_eq!(next(&mut watch).await.unwrap(), None);
    let closing = store.close(PATIENCE);
    let (closed, told) = tokio::join!(closing, timeout(PATIENCE, watch.next()));
    closed.unwrap();
    assert!(told.expect("nothing was told").is_none(), "the watch ends with the store");
    assert!(watch.next().await.is_none());
}
