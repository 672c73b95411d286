//! What holds on every backend. Each check has a scope of its own.

use std::time::Duration;

use state_runtime::{
    StateError,
    backend::AnyBackend,
    prelude::*,
    store::{Changed, WatchAll},
};
use tokio::time::timeout;

use crate::{
    TestResult,
    types::{Line, Member, Order, Seat, line, member, plant, seat},
};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Field values that mean something to some backend.
const ODD: [&str; 8] = ["7", "70", "7:8", "7*", "7?", "7.>", "é/7", "[7]\\"];

pub(crate) async fn all(store: &StateStore) -> TestResult {
    prefixes_divide_the_keys(&store.scoped("divide")?).await?;
    pages_go_on_to_the_end(&store.scoped("pages")?).await?;
    former_keys_are_within(&store.scoped("former")?, "/former/").await?;
    invalid_values_are_told_apart(&store.scoped("invalid")?, "/invalid/").await?;
    all_is_removed_and_nothing_else(&store.scoped("remove")?, "/remove/").await?;
    all_is_watched(&store.scoped("watch")?, "/watch/").await?;
    Ok(())
}

fn sorted(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by(|a, b| (&a.shop, &a.order, a.line).cmp(&(&b.shop, &b.order, b.line)));
    lines
}

async fn prefixes_divide_the_keys(store: &StateStore) -> TestResult {
    for shop in ODD {
        for order in ODD {
            store.set(&line(shop, order, 1)).await?;
        }
        let order = Order { shop: shop.to_owned(), order: "7".to_owned(), paid: true };
        store.set(&order).await?;
    }
    assert_eq!(store.count::<Line>().await?, 64);
    for shop in ODD {
        let expected = sorted(ODD.map(|order| line(shop, order, 1)).to_vec());
        let found = store.scan().within(Line::prefix(shop)).all().await?;
        assert_eq!(sorted(found), expected, "{shop}");
        assert_eq!(store.count().within(Line::prefix(shop)).await?, 8, "{shop}");
        for order in ODD {
            let prefix = Line::prefix_through_order(shop, order);
            let keys = store.keys().within(prefix.clone()).all().await?;
            assert_eq!(keys, [Line::key(shop, order, 1)], "{prefix}");
        }
    }
    assert_eq!(store.count().within(Line::prefix("none")).await?, 0);
    assert_eq!(store.count().within(Order::prefix("7")).await?, 1);
    Ok(())
}

async fn pages_go_on_to_the_end(store: &StateStore) -> TestResult {
    let lines: Vec<_> = (0..700).map(|number| line("a", "b", number)).collect();
    for chunk in lines.chunks(100) {
        futures_util::future::try_join_all(chunk.iter().map(|line| store.set(line))).await?;
    }
    store.set(&line("a", "c", 1)).await?;
    let prefix = || Line::prefix_through_order("a", "b");
    assert_eq!(sorted(store.scan().within(prefix()).all().await?), lines);
    let mut keys = store.keys().within(prefix()).all().await?;
    keys.sort();
    assert_eq!(keys, lines.iter().map(StateKey::state_key).collect::<Vec<_>>());
    assert_eq!(store.count().within(prefix()).await?, 700);
    Ok(())
}

async fn former_keys_are_within(store: &StateStore, scope: &str) -> TestResult {
    for (key, value) in [
        ("hall:7:seat:1", r#"{"guest":"former"}"#),
        ("hall:70:seat:1", r#"{"guest":"elsewhere"}"#),
        ("hall:7:seat:2", r#"{"guest":"hidden"}"#),
        ("seat:7:2", r#"{"guest":"present"}"#),
        ("user:1.acme", r#"{"name":"former"}"#),
        ("user:1.acmes", r#"{"name":"elsewhere"}"#),
        ("user:2.acme", r#"{"name":"hidden"}"#),
        ("member:acme:2", r#"{"name":"present"}"#),
    ] {
        plant(store, &format!("{scope}{key}"), value).await?;
    }
    let mut seats = store.scan().within(Seat::prefix("7")).all().await?;
    seats.sort_by_key(|seat| seat.row);
    assert_eq!(seats, [seat("7", 1, "former"), seat("7", 2, "present")]);
    assert_eq!(store.count().within(Seat::prefix("7")).await?, 2);
    let mut members = store.scan().within(Member::prefix("acme")).all().await?;
    members.sort_by_key(|member| member.id);
    assert_eq!(members, [member("acme", 1, "former"), member("acme", 2, "present")]);
    let mut keys = store.keys().within(Member::prefix("acme")).all().await?;
    keys.sort();
    assert_eq!(keys, [Member::key("acme", 1), Member::key("acme", 2)]);
    assert_eq!(store.count::<Member>().await?, 3);
    // What was hidden does not come to light, and what is elsewhere stays.
    assert_eq!(store.remove_all().within(Member::prefix("acme")).await?, 2);
    assert_eq!(store.scan::<Member>().all().await?, [member("acmes", 1, "elsewhere")]);
    assert_eq!(store.remove_all().within(Seat::prefix("7")).await?, 2);
    assert_eq!(store.scan::<Seat>().all().await?, [seat("70", 1, "elsewhere")]);
    Ok(())
}

async fn invalid_values_are_told_apart(store: &StateStore, scope: &str) -> TestResult {
    store.set(&line("a", "b", 1)).await?;
    plant(store, &format!("{scope}line:a/order.b:2"), r#"{"count":101}"#).await?;
    plant(store, &format!("{scope}line:a/order.b:3"), "{").await?;
    // No keys of the type.
    for foreign in ["line:a/order.b:03", "line:a/order.b:x", "line:a/order.b:3:4", "line:a/order.b"]
    {
        plant(store, &format!("{scope}{foreign}"), "{}").await?;
    }
    let (valid, invalid) = store.scan::<Line>().partition().await?;
    assert_eq!(valid, [line("a", "b", 1)]);
    let mut keys: Vec<_> =
        invalid.iter().filter_map(StateError::key).map(ToString::to_string).collect();
    keys.sort();
    assert_eq!(keys, [2, 3].map(|number| format!("{scope}line:a/order.b:{number}")));
    assert!(store.scan::<Line>().all().await.is_err());
    assert_eq!(store.count::<Line>().await?, 3);
    assert_eq!(store.keys::<Line>().all().await?.len(), 3);
    Ok(())
}

async fn all_is_removed_and_nothing_else(store: &StateStore, scope: &str) -> TestResult {
    for number in 0..600 {
        store.set(&line("a", "7", number)).await?;
    }
    plant(store, &format!("{scope}line:a/order.7:600"), "not JSON").await?;
    plant(store, &format!("{scope}line:a/order.7:x"), "foreign").await?;
    store.set(&line("a", "70", 1)).await?;
    let mut told = Vec::new();
    let removing = store.remove_all().within(Line::prefix_through_order("a", "7"));
    let removed = removing.on_progress(|removed| told.push(removed)).await?;
    assert_eq!(removed, 601);
    assert!(told.len() > 1 && told.is_sorted(), "{told:?}");
    assert_eq!(told.last(), Some(&601));
    assert_eq!(store.scan::<Line>().all().await?, [line("a", "70", 1)]);
    let order = store.get(Order::key("a", "7")).await?;
    assert_eq!(order, None, "there was none");
    assert_eq!(store.remove_all::<Line>().await?, 1);
    assert_eq!(store.remove_all::<Line>().await?, 0);
    Ok(())
}

/// Waits until a value is told, whatever is told before it.
async fn until(
    lines: &mut WatchAll<Line, AnyBackend>,
    (number, count): (u32, Option<u8>),
) -> TestResult {
    loop {
        let told = timeout(PATIENCE, lines.next()).await?.ok_or("the watch ended")??;
        let Changed { key, value } = told;
        assert_eq!(key.order, "7", "it is not under the prefix");
        if (key.line, value.map(|line| line.count)) == (number, count) {
            return Ok(());
        }
    }
}

async fn all_is_watched(store: &StateStore, scope: &str) -> TestResult {
    for number in 0..3 {
        store.set(&line("a", "7", number)).await?;
        store.set(&line("a", "70", number)).await?;
    }
    let mut lines = store.watch_all().within(Line::prefix_through_order("a", "7"));
    let mut first = Vec::new();
    for _ in 0..3 {
        let told = timeout(PATIENCE, lines.next()).await?.ok_or("the watch ended")??;
        first.extend(told.value);
    }
    assert_eq!(sorted(first), [0, 1, 2].map(|number| line("a", "7", number)));
    store.set(&Line { count: 5, ..line("a", "7", 1) }).await?;
    until(&mut lines, (1, Some(5))).await?;
    store.set(&Line { count: 6, ..line("a", "70", 1) }).await?;
    store.set(&line("a", "7", 9)).await?;
    until(&mut lines, (9, Some(1))).await?;
    store.remove(Line::key("a", "7", 2)).await?;
    until(&mut lines, (2, None)).await?;
    plant(store, &format!("{scope}line:a/order.7:9"), r#"{"count":101}"#).await?;
    let error = timeout(PATIENCE, lines.next()).await?.ok_or("the watch ended")?.unwrap_err();
    assert!(matches!(error, StateError::Invalid { .. }), "{error:?}");
    let key = error.key().map(ToString::to_string);
    assert_eq!(key, Some(format!("{scope}line:a/order.7:9")));
    store.remove_all().within(Line::prefix_through_order("a", "7")).await?;
    let mut gone = Vec::new();
    while gone.len() < 3 {
        let told = timeout(PATIENCE, lines.next()).await?.ok_or("the watch ended")??;
        assert_eq!(told.value, None);
        gone.push(told.key.line);
    }
    gone.sort_unstable();
    assert_eq!(gone, [0, 1, 9]);
    // Expiry, by the clock of the server. It is shortened once the value was seen.
    let lasting = |seconds| state_runtime::store::Lifetime::For(Duration::from_secs(seconds));
    store.with_lifetime(lasting(600)).set(&line("a", "7", 4)).await?;
    until(&mut lines, (4, Some(1))).await?;
    store.with_lifetime(lasting(1)).set(&line("a", "7", 4)).await?;
    until(&mut lines, (4, None)).await?;
    Ok(())
}
