//! The operations of the typed store on one entry and on many, over the memory backend.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use state_runtime::{
    StateError,
    backend::{Backend, GetOptions, ManualClock, SetOptions},
    backends::MemoryBackend,
    key::Key,
    prelude::*,
    store::{Access, TimeToLive},
};

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "session:{id}", ttl = "30m")]
#[serde(rename_all = "camelCase")]
struct Session {
    #[garde(length(min = 1, max = 8))]
    id: String,
    #[garde(length(min = 1))]
    user_id: String,
    #[garde(skip)]
    notes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "counter:{name}", persistent, max_size = "8B")]
struct Counter {
    #[garde(ascii)]
    name: String,
    #[state(value)]
    #[garde(range(max = 1_000_000_000))]
    count: i64,
}

/// Shares its prefix with `Counter`, not its keys.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "counter:{name}:limit", persistent)]
struct Limit {
    #[garde(skip)]
    name: String,
    #[state(value)]
    #[garde(skip)]
    limit: u32,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "login:{id}", ttl = "1m", sliding)]
struct Login {
    #[garde(skip)]
    id: u32,
    #[garde(skip)]
    user: String,
}

fn session(id: &str) -> Session {
    Session { id: id.into(), user_id: "ada".into(), notes: BTreeMap::new() }
}

fn counter(name: &str, count: i64) -> Counter {
    Counter { name: name.into(), count }
}

fn store() -> StateStore<MemoryBackend> {
    StateStore::new(MemoryBackend::new()).unwrap()
}

/// What the backend holds under a key.
async fn raw(store: &StateStore<MemoryBackend>, key: &str) -> Option<String> {
    let entry =
        store.backend().get(&Key::from_stored(key), GetOptions::default()).await.unwrap()?;
    Some(String::from_utf8(entry.value.to_vec()).unwrap())
}

/// Writes as another program would.
async fn plant(store: &StateStore<MemoryBackend>, key: &str, value: &str) {
    let value = value.to_owned().into();
    store.backend().set(&Key::from_stored(key), value, SetOptions::default()).await.unwrap();
}

#[tokio::test]
async fn the_stored_form_is_plain_json_of_the_value_fields() {
    let store = store();
    store.set(&session("a")).await.unwrap();
    store.set(&counter("hits", 41)).await.unwrap();
    assert_eq!(raw(&store, "session:a").await.unwrap(), r#"{"userId":"ada","notes":{}}"#);
    assert_eq!(raw(&store, "counter:hits").await.unwrap(), "41");
}

#[tokio::test]
async fn what_another_program_wrote_is_read_typed() {
    let store = store();
    plant(&store, "session:b", r#" { "notes": {"x":"y"}, "userId": "bob" } "#).await;
    let found = store.get(Session::key("b")).await.unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.user_id.as_str()), ("b", "bob"));
    assert_eq!(found.notes["x"], "y");
}

#[tokio::test]
async fn an_invalid_value_is_not_written() {
    let store = store();
    store.set(&session("a")).await.unwrap();
    let invalid = Session { user_id: String::new(), ..session("a") };
    let error = store.set(&invalid).await.unwrap_err();
    assert!(matches!(error, StateError::Invalid { phase: state_runtime::error::Phase::Write, .. }));
    assert_eq!(
        error.to_string(),
        "the value for `session:a` breaks a rule and was not written: user_id: length is lower than 1"
    );
    assert_eq!(store.get(Session::key("a")).await.unwrap(), Some(session("a")));
}

#[tokio::test]
async fn a_stored_value_that_breaks_a_rule_is_not_returned() {
    let store = store();
    plant(&store, "session:a", r#"{"userId":"","notes":{}}"#).await;
    let error = store.get(Session::key("a")).await.unwrap_err();
    assert!(matches!(error, StateError::Invalid { phase: state_runtime::error::Phase::Read, .. }));
    assert!(store.exists(Session::key("a")).await.unwrap());
}

#[tokio::test]
async fn a_decode_error_names_the_place_and_the_reason() {
    let store = store();
    let cases = [
        (r#"{"userId":7,"notes":{}}"#, "userId: an integer does not fit the field's type"),
        (r#"{"userId":"a"}"#, "the value: member `notes` is missing"),
        (r#"{"userId":"a","notes":{"secret":1}}"#, "notes[*]: an integer does not fit"),
        (r#"{"userId":"a","notes":[]}"#, "notes: an array does not fit the field's type"),
        (r#"["a",{}]"#, "the value: an array does not fit the field's type"),
        (r#"{"userId":"a","notes":{}} x"#, "the value: text follows after the stored value"),
        (r#"{"userId":"a","#, "the stored text ends too early"),
        ("nonsense", "the value: the stored text is not JSON"),
        ("", "the value: the stored text ends too early"),
        (r#"{"userId":"\ud800","notes":{}}"#, "the stored text is not JSON"),
    ];
    for (stored, expected) in cases {
        plant(&store, "session:a", stored).await;
        let error = store.get(Session::key("a")).await.unwrap_err();
        assert!(matches!(error, StateError::Decode { .. }), "{stored}: {error:?}");
        assert!(error.to_string().contains(expected), "{stored}: {error}");
    }
}

#[tokio::test]
async fn a_broken_key_rule_is_told_before_anything_is_sent() {
    let store = store();
    store.close(Duration::ZERO).await.unwrap();
    // The store is closed: whatever gets as far as the backend is `Closed`.
    for id in ["", "much-too-long"] {
        let error = store.get(Session::key(id)).await.unwrap_err();
        assert!(matches!(error, StateError::InvalidKey { .. }), "{error:?}");
    }
    assert!(matches!(store.get(Session::key("a")).await, Err(StateError::Closed)));
}

#[tokio::test]
async fn a_value_over_its_size_is_refused_on_both_ways() {
    let store = store();
    let error = store.set(&counter("a", 999_999_999)).await.unwrap_err();
    assert!(matches!(error, StateError::TooLarge { size: 9, limit: 8, .. }), "{error:?}");
    plant(&store, "counter:a", "123456789").await;
    let error = store.get(Counter::key("a")).await.unwrap_err();
    assert!(matches!(error, StateError::TooLarge { size: 9, limit: 8, .. }), "{error:?}");
}

#[tokio::test]
async fn create_refuses_what_exists() {
    let store = store();
    store.create(&counter("a", 1)).await.unwrap();
    let error = store.create(&counter("a", 2)).await.unwrap_err();
    assert!(matches!(error, StateError::AlreadyExists { .. }), "{error:?}");
    assert_eq!(store.get(Counter::key("a")).await.unwrap(), Some(counter("a", 1)));
}

#[tokio::test]
async fn take_returns_a_value_once() {
    let store = store();
    store.set(&counter("a", 1)).await.unwrap();
    let takers: Vec<_> = (0..32)
        .map(|_| {
            tokio::spawn({
                let store = store.clone();
                async move { store.take(Counter::key("a")).await }
            })
        })
        .collect();
    let mut taken = 0;
    for taker in takers {
        taken += usize::from(taker.await.unwrap().unwrap().is_some());
    }
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn an_expired_value_is_absent_and_touch_renews_one() {
    let clock = Arc::new(ManualClock::default());
    let store =
        StateStore::new(MemoryBackend::builder().with_clock(Arc::clone(&clock)).build()).unwrap();
    let minutes = |n: u64| Duration::from_secs(n * 60);
    store.set(&session("a")).await.unwrap();
    store.set(&counter("a", 1)).await.unwrap();
    let left = store.ttl(Session::key("a")).await.unwrap();
    assert_eq!(left, Some(TimeToLive::Left(minutes(30))));
    assert_eq!(store.ttl(Counter::key("a")).await.unwrap(), Some(TimeToLive::Forever));
    clock.advance(minutes(20));
    assert!(store.touch(Session::key("a")).await.unwrap());
    clock.advance(minutes(20));
    assert_eq!(store.ttl(Session::key("a")).await.unwrap(), Some(TimeToLive::Left(minutes(10))));
    clock.advance(minutes(10));
    assert_eq!(store.get(Session::key("a")).await.unwrap(), None);
    assert_eq!(store.ttl(Session::key("a")).await.unwrap(), None);
    assert!(!store.exists(Session::key("a")).await.unwrap());
    assert!(!store.touch(Session::key("a")).await.unwrap());
}

#[tokio::test]
async fn every_read_renews_a_sliding_lifetime() {
    let clock = Arc::new(ManualClock::default());
    let store =
        StateStore::new(MemoryBackend::builder().with_clock(Arc::clone(&clock)).build()).unwrap();
    let login = Login { id: 1, user: "ada".into() };
    store.set(&login).await.unwrap();
    let key = || Login::key(1u32);
    for _ in 0..2 {
        clock.advance(Duration::from_secs(50));
        assert_eq!(store.get(key()).await.unwrap().as_ref(), Some(&login));
        clock.advance(Duration::from_secs(50));
        assert_eq!(store.get_many((key(),)).await.unwrap().0.as_ref(), Some(&login));
        clock.advance(Duration::from_secs(50));
        assert_eq!(store.get_all([key()]).await.unwrap(), [Some(login.clone())]);
    }
    clock.advance(Duration::from_secs(60));
    assert_eq!(store.get(key()).await.unwrap(), None);
}

#[tokio::test]
async fn remove_is_no_error_where_nothing_is() {
    let store = store();
    store.set(&counter("a", 1)).await.unwrap();
    store.remove(Counter::key("a")).await.unwrap();
    store.remove(Counter::key("a")).await.unwrap();
    assert_eq!(store.get(Counter::key("a")).await.unwrap(), None);
}

#[tokio::test]
async fn get_many_and_get_all_keep_the_order_of_their_keys() {
    let store = store();
    store.set(&session("a")).await.unwrap();
    store.set(&counter("x", 1)).await.unwrap();
    let (one, two, three) = store
        .get_many((Counter::key("x"), Session::key("a"), Counter::key("missing")))
        .await
        .unwrap();
    assert_eq!((one, two, three), (Some(counter("x", 1)), Some(session("a")), None));
    let keys = ["missing", "x", "x"].map(Counter::key);
    let all = store.get_all(keys).await.unwrap();
    assert_eq!(all, [None, Some(counter("x", 1)), Some(counter("x", 1))]);
    assert_eq!(store.get_all(Vec::<CounterKey>::new()).await.unwrap(), []);
}

#[tokio::test]
async fn get_many_fails_on_its_first_invalid_value() {
    let store = store();
    store.set(&session("a")).await.unwrap();
    plant(&store, "counter:x", "\"no number\"").await;
    let error = store.get_many((Session::key("a"), Counter::key("x"))).await.unwrap_err();
    assert_eq!(error.key().unwrap().as_str(), "counter:x");
}

#[tokio::test]
async fn set_all_writes_all_or_nothing() {
    let store = store();
    let error = store.set_all(&[counter("a", 1), counter("b", i64::MAX)]).await.unwrap_err();
    assert!(matches!(error, StateError::Invalid { .. }), "{error:?}");
    assert_eq!(store.get(Counter::key("a")).await.unwrap(), None);
    let error = store.set_all(&[counter("a", 1), counter("a", 2)]).await.unwrap_err();
    assert!(matches!(error, StateError::InvalidKey { .. }), "{error:?}");
    store.set_all(&[counter("a", 1), counter("b", 2)]).await.unwrap();
    assert_eq!(store.get(Counter::key("b")).await.unwrap(), Some(counter("b", 2)));
    store.set_all::<Counter, _>([]).await.unwrap();
}

#[tokio::test]
async fn scan_finds_the_values_of_its_type_alone() {
    let store = store();
    for i in 0..700 {
        store.set(&counter(&format!("n{i}"), i)).await.unwrap();
        store.set(&Limit { name: format!("n{i}"), limit: 9 }).await.unwrap();
    }
    plant(&store, "counter:", "1").await;
    plant(&store, "counter:=41", "1").await;
    let mut found = Vec::new();
    let mut scan = store.scan::<Counter>();
    while let Some(value) = scan.next().await {
        found.push(value.unwrap().count);
    }
    found.sort_unstable();
    assert_eq!(found, (0..700).collect::<Vec<_>>());
}

#[tokio::test]
async fn scan_tells_an_invalid_value_and_goes_on() {
    let store = store();
    for name in ["a", "b", "c"] {
        store.set(&counter(name, 1)).await.unwrap();
    }
    plant(&store, "counter:b", "null").await;
    let (mut valid, mut invalid) = (0, Vec::new());
    let mut scan = store.scan::<Counter>();
    while let Some(value) = scan.next().await {
        match value {
            Ok(_) => valid += 1,
            Err(error) => invalid.push(error.key().unwrap().to_string()),
        }
    }
    assert_eq!((valid, invalid), (2, vec!["counter:b".to_owned()]));
}

#[tokio::test]
async fn scopes_keep_their_keys_apart() {
    let store = store();
    let acme = store.scoped("acme").unwrap();
    let other = store.scoped("a/b").unwrap();
    acme.set(&counter("x", 1)).await.unwrap();
    other.set(&counter("x", 2)).await.unwrap();
    assert_eq!(raw(&store, "/acme/counter:x").await.unwrap(), "1");
    assert_eq!(raw(&store, "/a=2Fb/counter:x").await.unwrap(), "2");
    assert_eq!(store.get(Counter::key("x")).await.unwrap(), None);
    let mut scan = acme.scan::<Counter>();
    assert_eq!(scan.next().await.unwrap().unwrap(), counter("x", 1));
    assert!(scan.next().await.is_none());
    assert!(matches!(acme.scoped("again"), Err(StateError::InvalidKey { .. })));
    assert!(matches!(store.scoped(""), Err(StateError::InvalidKey { .. })));
}

#[tokio::test]
async fn each_right_is_switched_off_on_its_own() {
    let store = store();
    store.set(&counter("a", 1)).await.unwrap();
    let denied = |result: Result<(), StateError>| match result {
        Ok(()) => false,
        Err(StateError::Denied { .. }) => true,
        Err(other) => panic!("{other}"),
    };
    for without in [Access::READ, Access::WRITE, Access::REMOVE] {
        let store = store.restricted(Access::ALL.without(without));
        let (read, write) = (without == Access::READ, without == Access::WRITE);
        assert_eq!(denied(store.get(Counter::key("a")).await.map(drop)), read);
        assert_eq!(denied(store.get_many((Counter::key("a"),)).await.map(drop)), read);
        assert_eq!(denied(store.get_all([Counter::key("a")]).await.map(drop)), read);
        assert_eq!(denied(store.exists(Counter::key("a")).await.map(drop)), read);
        assert_eq!(denied(store.ttl(Counter::key("a")).await.map(drop)), read);
        let scanned = store.scan::<Counter>().next().await.map_or(Ok(()), |item| item.map(drop));
        assert_eq!(denied(scanned), read);
        assert_eq!(denied(store.set(&counter("a", 1)).await), write);
        assert_eq!(denied(store.set_all(&[counter("a", 1)]).await), write);
        assert_eq!(denied(store.touch(Session::key("a")).await.map(drop)), write);
        let remove = without == Access::REMOVE;
        assert_eq!(denied(store.take(Counter::key("b")).await.map(drop)), read || remove);
        assert_eq!(denied(store.remove(Counter::key("b")).await), remove);
    }
    // A right that was given up cannot be taken back.
    let store = store.restricted(Access::READ).restricted(Access::ALL);
    assert!(denied(store.set(&counter("a", 1)).await));
}
