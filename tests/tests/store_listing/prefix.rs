//! `Line::prefix(…)`: what it prints, hides and refuses.

use state_runtime::{StateError, prelude::*, schema::Prefix};

use crate::{
    TestResult, memory,
    types::{Line, Reset, plant},
};

/// The type of a key field that the struct is generic over.
#[derive(Debug, StateKey, Validate)]
#[state(key = "page:{site}:{number}", persistent, prefix_fn = of_site)]
#[garde(allow_unvalidated)]
struct Page<S: Clone + Send + Sync + 'static, N: Clone + Send + Sync + 'static> {
    site: S,
    number: N,
    text: String,
}

impl<S: Clone + Send + Sync + 'static, N: Clone + Send + Sync + 'static> Page<S, N> {
    /// Another thing of that name.
    const fn prefix() -> &'static str {
        "page"
    }
}

fn refusal<T>(outcome: Result<T, StateError>) -> String {
    match outcome {
        Err(error @ StateError::InvalidKey { .. }) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("the prefix was taken"),
    }
}

#[test]
fn a_prefix_ends_where_the_next_field_begins() {
    assert_eq!(Line::prefix("a").to_string(), "line:a/order.");
    assert_eq!(Line::prefix_through_order("a", "b").to_string(), "line:a/order.b:");
    let odd = Line::prefix_through_order("a:b", "7*é");
    assert_eq!(odd.to_string(), "line:a=3Ab/order.7=2A=C3=A9:");
    assert_eq!(format!("{:?}", odd.clone()), "Prefix(line:a=3Ab/order.7=2A=C3=A9:)");
}

#[test]
fn a_function_of_the_author_keeps_its_name() {
    let prefix: Prefix<Page<u32, u64>> = Page::of_site(7);
    assert_eq!(prefix.to_string(), "page:7:");
    assert_eq!(Page::<u32, u64>::prefix(), "page");
}

#[tokio::test]
async fn a_secret_field_is_never_shown() -> TestResult {
    let prefix = || Reset::prefix("hunter2");
    assert_eq!(prefix().to_string(), "reset:***");
    assert_eq!(format!("{:?}", prefix()), "Prefix(reset:***)");
    let store = memory();
    plant(&store, "reset:hunter2:1", r#"{"digits":10}"#).await?;
    let counting = format!("{:?}", store.count().within(prefix()));
    let removing = format!("{:?}", store.remove_all().within(prefix()));
    let (_, invalid) = store.scan().within(prefix()).partition().await?;
    let watched = store.watch_all().within(prefix()).next().await.ok_or("nothing was told")?;
    let long = Reset::prefix("hunter2".repeat(200));
    let refused = refusal(store.count().within(long.clone()).await);
    for shown in [counting, removing, format!("{invalid:?} {}", invalid[0]), format!("{watched:?}")]
    {
        assert!(shown.contains("reset:***") && !shown.contains("hunter2"), "{shown}");
    }
    for shown in [refused, format!("{long} {long:?}")] {
        assert!(shown.contains("reset:") && !shown.contains("hunter2"), "{shown}");
    }
    Ok(())
}

#[tokio::test]
async fn a_prefix_that_no_key_can_have_is_refused_where_it_is_used() {
    let store = memory();
    let empty = Line::prefix("");
    assert_eq!(empty.to_string(), "line:…");
    let expected = "invalid key `line:`: key field `shop` is empty; give it at least one character";
    assert_eq!(refusal(store.scan().within(empty.clone()).all().await), expected);
    assert_eq!(refusal(store.keys().within(empty.clone()).all().await), expected);
    assert_eq!(refusal(store.count().within(empty.clone()).await), expected);
    assert_eq!(refusal(store.remove_all().within(empty.clone()).await), expected);
    let mut watch = store.watch_all().within(empty);
    assert_eq!(refusal(watch.next().await.expect("a refusal")), expected);
    assert!(watch.next().await.is_none());

    let second = Line::prefix_through_order("a", "");
    let told = refusal(store.count().within(second).await);
    assert!(told.starts_with("invalid key `line:a/order.`: key field `order` is empty"), "{told}");
    let scoped = store.scoped(&"s".repeat(600)).expect("a scope");
    let told = refusal(scoped.count().within(Line::prefix("x".repeat(600))).await);
    assert!(told.contains("longer than 1024 bytes"), "{told}");
}
