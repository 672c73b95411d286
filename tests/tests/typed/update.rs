//! `update`: no change of any writer is lost, and none is written that may not be.

use std::time::Duration;

use futures_util::future::join_all;
use state_runtime::{
    StateError,
    prelude::*,
    store::{Access, Lifetime},
};

use crate::{Stores, plant, stored};

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
#[state(key = "{{people}}:member:{id}", persistent, formerly = "{{people}}:user:{id}")]
#[garde(allow_unvalidated)]
struct Member {
    id: u32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "hint:{id}", persistent, on_invalid = "discard")]
#[garde(allow_unvalidated)]
struct Hint {
    id: u32,
    text: String,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "visit:{id}", ttl = "1h", sliding)]
#[garde(allow_unvalidated)]
struct Visit {
    id: u32,
    page: u32,
}

fn cart(user: &str, items: &[&str]) -> Cart {
    Cart { user: user.into(), items: items.iter().map(ToString::to_string).collect() }
}

pub(crate) async fn all(stores: &Stores) {
    let [store, _] = stores;
    no_increment_of_several_instances_is_lost(stores).await;
    a_value_that_is_not_there_cannot_be_updated(store).await;
    a_change_that_breaks_a_rule_is_not_written(store).await;
    a_closure_that_fails_changes_nothing(store).await;
    a_closure_cannot_move_a_value_to_another_key(store).await;
    a_closure_can_insert_change_remove_and_leave(store).await;
    an_update_needs_the_rights_to_read_and_write_and_a_removal_one_more(store).await;
    an_invalid_value_is_an_error_or_set_aside_as_its_type_says(store).await;
    a_replacement_takes_the_place_of_what_was_read_only(stores).await;
    a_read_that_renews_is_no_error_where_a_writer_is_faster(stores).await;
}

async fn no_increment_of_several_instances_is_lost(stores: &Stores) {
    let zero = || Tally { name: "all".into(), count: 0 };
    let callers = stores.iter().cycle().take(16).map(async |store| {
        for _ in 0..10 {
            let count = |tally: &mut Tally| tally.count += 1;
            store.update_or_insert_with(Tally::key("all"), zero, count).await.unwrap();
        }
    });
    join_all(callers).await;
    for store in stores {
        assert_eq!(store.get(Tally::key("all")).await.unwrap().unwrap().count, 160);
    }
}

async fn a_value_that_is_not_there_cannot_be_updated(store: &StateStore) {
    let error = store.update(Cart::key("nobody"), |_| ()).await.unwrap_err();
    assert!(matches!(&error, StateError::NotFound { key, .. } if key.as_str() == "cart:nobody"));
    assert!(!store.exists(Cart::key("nobody")).await.unwrap());
}

async fn a_change_that_breaks_a_rule_is_not_written(store: &StateStore) {
    let full = cart("full", &["a", "b", "c"]);
    store.set(&full).await.unwrap();
    let error = store.update(Cart::key("full"), |cart| cart.items.push("d".into())).await;
    assert!(matches!(error, Err(StateError::Invalid { .. })), "{error:?}");
    assert_eq!(store.get(Cart::key("full")).await.unwrap(), Some(full));
}

async fn a_closure_that_fails_changes_nothing(store: &StateStore) {
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
    let before = cart("fails", &["a"]);
    store.set(&before).await.unwrap();
    let refused = store.try_update(Cart::key("fails"), |cart| {
        cart.items.clear();
        Err(Mine::No)
    });
    assert!(matches!(refused.await, Err(Mine::No)));
    assert!(matches!(store.try_update(Cart::key("nobody"), |_| Ok(())).await, Err(Mine::State)));
    let refused = store.update(Cart::key("fails"), |cart| {
        cart.items.clear();
        Err(StateError::Closed)
    });
    assert!(matches!(refused.await, Err(StateError::Closed)));
    assert_eq!(store.get(Cart::key("fails")).await.unwrap(), Some(before));
    let changed = store.try_update(Cart::key("fails"), |cart| {
        cart.items.push("b".into());
        Ok::<_, Mine>(())
    });
    assert_eq!(changed.await.unwrap(), cart("fails", &["a", "b"]));
    assert_eq!(store.get(Cart::key("fails")).await.unwrap(), Some(cart("fails", &["a", "b"])));
}

async fn a_closure_cannot_move_a_value_to_another_key(store: &StateStore) {
    let before = cart("stays", &["a"]);
    store.set(&before).await.unwrap();
    let moved = store.update(Cart::key("stays"), |cart| cart.user = "eve".into());
    let error = moved.await.unwrap_err();
    assert!(matches!(error, StateError::InvalidKey { .. }), "{error:?}");
    assert!(error.to_string().contains("changed a key field"), "{error}");
    assert_eq!(store.get(Cart::key("stays")).await.unwrap(), Some(before));
    assert_eq!(store.get(Cart::key("eve")).await.unwrap(), None);
}

async fn a_closure_can_insert_change_remove_and_leave(store: &StateStore) {
    let key = || Cart::key("option");
    assert_eq!(store.update_option(key(), |_| ()).await.unwrap(), None);
    assert!(!store.exists(key()).await.unwrap(), "leaving nothing writes nothing");
    let inserted = store.update_option(key(), |it| *it = Some(cart("option", &["a"]))).await;
    assert_eq!(inserted.unwrap(), Some(cart("option", &["a"])));
    let changed = store.update_option(key(), |it| {
        if let Some(cart) = it {
            cart.items.push("b".into());
        }
    });
    assert_eq!(changed.await.unwrap(), Some(cart("option", &["a", "b"])));
    assert_eq!(store.get(key()).await.unwrap(), Some(cart("option", &["a", "b"])));
    assert_eq!(store.update_option(key(), |it| *it = None).await.unwrap(), None);
    assert!(!store.exists(key()).await.unwrap());
}

async fn an_update_needs_the_rights_to_read_and_write_and_a_removal_one_more(store: &StateStore) {
    store.set(&cart("rights", &["a"])).await.unwrap();
    let key = || Cart::key("rights");
    for access in [Access::READ, Access::WRITE] {
        let denied = store.restricted(access).update(key(), |_| ()).await;
        assert!(matches!(denied, Err(StateError::Denied { .. })), "{access:?}: {denied:?}");
    }
    let worker = store.restricted(Access::READ.with(Access::WRITE));
    worker.update(key(), |_| ()).await.unwrap();
    let denied = worker.update_option(key(), |it| *it = None).await;
    assert!(matches!(denied, Err(StateError::Denied { .. })), "{denied:?}");
    assert!(store.exists(key()).await.unwrap());
}

pub(crate) async fn an_update_moves_a_value_from_its_former_key(store: &StateStore) {
    plant(store, "{people}:user:7", r#"{"name":"Ada"}"#).await;
    let moved = store.update(Member::key(7_u32), |member| member.name.push('!')).await.unwrap();
    assert_eq!(moved.name, "Ada!");
    assert_eq!(stored(store, "{people}:user:7").await, None);
    assert_eq!(store.get(Member::key(7_u32)).await.unwrap(), Some(moved));
    plant(store, "{people}:user:7", r#"{"name":"Old"}"#).await;
    store.update_option(Member::key(7_u32), |member| *member = None).await.unwrap();
    let left = store.get(Member::key(7_u32)).await.unwrap();
    assert_eq!(left, None, "no former value comes to light");
}

async fn an_invalid_value_is_an_error_or_set_aside_as_its_type_says(store: &StateStore) {
    plant(store, "tally:torn", "{").await;
    plant(store, "hint:1", "{").await;
    let error = store.update(Tally::key("torn"), |_| ()).await.unwrap_err();
    assert!(matches!(error, StateError::Decode { .. }), "{error:?}");
    assert_eq!(stored(store, "tally:torn").await.as_deref(), Some("{"));
    let new = || Hint { id: 1, text: "new".into() };
    let hint = store.update_or_insert_with(Hint::key(1_u32), new, |_| ()).await.unwrap();
    assert_eq!(hint, new());
}

async fn a_replacement_takes_the_place_of_what_was_read_only(stores: &Stores) {
    let [store, other] = stores;
    let key = || Cart::key("replaced");
    assert_eq!(store.get_versioned(key()).await.unwrap(), None);
    store.set(&cart("replaced", &["a"])).await.unwrap();
    let read = store.get_versioned(key()).await.unwrap().unwrap();
    // The revision travels as text, through a form or a header, to another instance.
    let travelled = read.revision.to_string().parse().unwrap();
    let next = other.replace(&cart("replaced", &["b"]), &travelled).await.unwrap();
    let error = store.replace(&cart("replaced", &["c"]), &travelled).await.unwrap_err();
    assert!(matches!(error, StateError::Conflict { .. }), "{error:?}");
    let next = store.replace(&cart("replaced", &["d"]), &next).await.unwrap();
    store.remove(key()).await.unwrap();
    let error = store.replace(&cart("replaced", &["e"]), &next).await.unwrap_err();
    assert!(matches!(error, StateError::Conflict { .. }), "{error:?}");
    assert_eq!(store.get(key()).await.unwrap(), None);
}

/// Each read finds the lifetime short, and renews it if nobody writes in between.
async fn a_read_that_renews_is_no_error_where_a_writer_is_faster([store, other]: &Stores) {
    let visit = |page: u32| Visit { id: 1, page };
    let short = other.with_lifetime(Lifetime::For(Duration::from_secs(1_200)));
    short.set(&visit(0)).await.unwrap();
    let writer = async {
        for page in 1..=30 {
            short.set(&visit(page)).await.unwrap();
        }
    };
    let readers = (0..4).map(async |_| {
        let mut last = 0;
        for _ in 0..20 {
            let page = store.get(Visit::key(1_u32)).await.unwrap().unwrap().page;
            assert!(page >= last, "a renewal has brought back page {page}, after {last}");
            last = page;
        }
    });
    tokio::join!(writer, join_all(readers));
    assert_eq!(store.get(Visit::key(1_u32)).await.unwrap(), Some(visit(30)));
}
