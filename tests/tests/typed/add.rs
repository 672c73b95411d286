//! `add`: counters that many writers change, within their range.

use futures_util::future::join_all;
use state_runtime::{StateError, prelude::*, store::Access};

use crate::{Stores, plant, stored};

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "hits:{page}", ttl = "1h")]
struct Hits {
    #[garde(length(min = 1))]
    page: String,
    #[state(value)]
    #[garde(range(min = -5, max = 1_000_000))]
    count: i64,
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "byte:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Byte {
    id: u32,
    #[state(value)]
    value: u8,
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "whole:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Whole {
    id: u32,
    #[state(value)]
    value: u64,
}

/// Only running the rule tells what is allowed.
#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "even:{id}", ttl = "1h")]
#[garde(allow_unvalidated)]
struct Even {
    id: u32,
    #[state(value)]
    #[garde(custom(is_even))]
    value: i32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde passes a reference")]
fn is_even(value: &i32, (): &()) -> garde::Result {
    if value % 2 == 0 { Ok(()) } else { Err(garde::Error::new("not even")) }
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "{{score}}:now:{id}", persistent, formerly = "{{score}}:points:{id}")]
#[garde(allow_unvalidated)]
struct Score {
    id: u32,
    #[state(value)]
    value: i16,
}

pub(crate) async fn all(stores: &Stores) {
    let [store, _] = stores;
    no_addition_of_several_instances_is_lost(stores).await;
    sums_are_returned_and_stored_as_plain_numbers(store).await;
    a_sum_outside_of_the_rules_leaves_the_counter_as_it_was(store).await;
    the_range_of_a_type_is_a_rule_too(store).await;
    rules_that_are_more_than_a_range_are_run(store).await;
    what_is_no_integer_is_left_alone(store).await;
    adding_needs_the_rights_to_read_and_write_and_a_valid_key(store).await;
}

async fn no_addition_of_several_instances_is_lost(stores: &Stores) {
    let callers = stores.iter().cycle().take(16).map(async |store| {
        for _ in 0..10 {
            store.add(Hits::key("many"), 1).await.unwrap();
            store.add(Even::key(9_u32), 2).await.unwrap();
        }
    });
    join_all(callers).await;
    for store in stores {
        assert_eq!(store.get(Hits::key("many")).await.unwrap().unwrap().count, 160);
        assert_eq!(store.get(Even::key(9_u32)).await.unwrap().unwrap().value, 320);
    }
}

async fn sums_are_returned_and_stored_as_plain_numbers(store: &StateStore) {
    assert_eq!(store.add(Hits::key("home"), 1).await.unwrap(), 1);
    assert_eq!(store.add(Hits::key("home"), -4).await.unwrap(), -3);
    assert_eq!(stored(store, "hits:home").await.as_deref(), Some("-3"));
    assert_eq!(store.get(Hits::key("home")).await.unwrap().unwrap().count, -3);
}

async fn a_sum_outside_of_the_rules_leaves_the_counter_as_it_was(store: &StateStore) {
    for (start, delta) in [(1_000_000, 1), (-5, -1), (0, i64::MAX), (0, i64::MIN)] {
        store.set(&Hits { page: "home".into(), count: start }).await.unwrap();
        let error = store.add(Hits::key("home"), delta).await.unwrap_err();
        assert!(
            matches!(&error, StateError::OutOfRange { key, .. } if key.as_str() == "hits:home"),
            "{error:?}"
        );
        assert_eq!(store.get(Hits::key("home")).await.unwrap().unwrap().count, start);
    }
    let error = store.add(Hits::key("new"), -6).await.unwrap_err();
    assert!(matches!(error, StateError::OutOfRange { .. }), "{error:?}");
    assert!(!store.exists(Hits::key("new")).await.unwrap(), "nothing was created");
}

async fn the_range_of_a_type_is_a_rule_too(store: &StateStore) {
    assert_eq!(store.add(Byte::key(1_u32), 255).await.unwrap(), 255);
    assert!(matches!(store.add(Byte::key(1_u32), 1).await, Err(StateError::OutOfRange { .. })));
    assert!(matches!(store.add(Byte::key(1_u32), -256).await, Err(StateError::OutOfRange { .. })));
    assert_eq!(store.add(Byte::key(1_u32), -255).await.unwrap(), 0);
    assert_eq!(store.add(Whole::key(1_u32), u64::MAX).await.unwrap(), u64::MAX);
    assert_eq!(store.get(Whole::key(1_u32)).await.unwrap().unwrap().value, u64::MAX);
    let error = store.add(Whole::key(1_u32), i128::MAX).await.unwrap_err();
    assert!(matches!(error, StateError::OutOfRange { .. }), "{error:?}");
}

async fn rules_that_are_more_than_a_range_are_run(store: &StateStore) {
    assert_eq!(store.add(Even::key(1_u32), 2).await.unwrap(), 2);
    let error = store.add(Even::key(1_u32), 1).await.unwrap_err();
    assert!(matches!(error, StateError::Invalid { .. }), "{error:?}");
    let error = store.add(Even::key(1_u32), i64::MAX).await.unwrap_err();
    assert!(matches!(error, StateError::OutOfRange { .. }), "{error:?}");
    assert_eq!(store.get(Even::key(1_u32)).await.unwrap().unwrap().value, 2);
}

pub(crate) async fn a_counter_moves_from_its_former_key(store: &StateStore) {
    plant(store, "{score}:points:1", "40").await;
    assert_eq!(store.add(Score::key(1_u32), 2).await.unwrap(), 42);
    assert_eq!(stored(store, "{score}:points:1").await, None);
    assert_eq!(store.get(Score::key(1_u32)).await.unwrap().unwrap().value, 42);
}

async fn what_is_no_integer_is_left_alone(store: &StateStore) {
    for torn in ["\"7\"", "{}", "1.5", "x"] {
        plant(store, "hits:torn", torn).await;
        let error = store.add(Hits::key("torn"), 1).await.unwrap_err();
        assert!(matches!(error, StateError::Decode { .. }), "{torn}: {error:?}");
        assert_eq!(stored(store, "hits:torn").await.as_deref(), Some(torn));
    }
}

async fn adding_needs_the_rights_to_read_and_write_and_a_valid_key(store: &StateStore) {
    for access in [Access::READ, Access::WRITE] {
        let denied = store.restricted(access).add(Hits::key("home"), 1).await;
        assert!(matches!(denied, Err(StateError::Denied { .. })), "{denied:?}");
    }
    let error = store.add(Hits::key(""), 1).await.unwrap_err();
    assert!(matches!(error, StateError::InvalidKey { .. }), "{error:?}");
}
