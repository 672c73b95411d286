//! What holds on Redis and on NATS alike.

use serde_json::{Value, json};
use state_runtime::{StateError, error::Phase, value::DecodeKind};

use crate::{
    pair::Pair,
    types::{Anything, CartItem, Count, Members, Reading, Session},
};

macro_rules! on_both_servers {
    ($($case:ident)*) => {
        mod on_redis {
            $(#[tokio::test]
            async fn $case() {
                if let Some(pair) = super::Pair::on_redis(stringify!($case)).await {
                    super::$case(&pair).await;
                }
            })*
        }
        mod on_nats {
            $(#[tokio::test]
            async fn $case() {
                if let Some(pair) = super::Pair::on_nats(stringify!($case)).await {
                    super::$case(&pair).await;
                }
            })*
        }
    };
}

on_both_servers! {
    an_object_is_read_by_the_side_that_did_not_write_it
    numbers_are_read_however_javascript_writes_them
    integers_beyond_2_to_the_53_lose_digits_in_javascript_alone
    null_false_zero_and_the_empty_text_are_values
    text_of_any_script_stays_the_same
    a_lone_surrogate_is_a_decode_error
    javascript_puts_integer_like_members_first_and_nothing_is_lost
    what_is_missing_is_undefined_there_and_none_here
    what_either_side_removes_is_gone_for_both
    rules_catch_what_typescript_wrote_wrongly
}

fn session(session_id: String) -> Session {
    let cart = vec![CartItem { sku: "tea".to_owned(), quantity: 2 }];
    Session { session_id, user_id: "ada".to_owned(), cart }
}

async fn an_object_is_read_by_the_side_that_did_not_write_it(pair: &Pair) {
    const STORED: &str = r#"{"userId":"ada","cart":[{"sku":"tea","quantity":2}]}"#;
    let (from_us, from_them) = (pair.name("ours"), pair.name("theirs"));

    pair.ours.set(&session(from_us.clone())).await.unwrap();
    let read = pair.theirs.get(&format!("session.{from_us}")).unwrap();
    assert_eq!(read.as_deref(), Some(STORED));

    pair.theirs.set(&format!("session.{from_them}"), STORED).unwrap();
    let read = pair.ours.get(Session::key(from_them.as_str())).await.unwrap();
    assert_eq!(read, Some(session(from_them)));

    let (ours, theirs) = (pair.name("ours"), pair.name("theirs"));
    let both = (Session::key(ours.as_str()), Session::key(theirs.as_str()));
    let both = pair.ours.get_many(both).await.unwrap();
    assert_eq!(both, (Some(session(ours)), Some(session(theirs))));
}

async fn numbers_are_read_however_javascript_writes_them(pair: &Pair) {
    let name = pair.name("number");
    let key = format!("reading.{name}");
    // What is written in Rust, and what JavaScript makes of it.
    for (value, text) in [
        (1.0, "1"),
        (0.1, "0.1"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (123_456_789_012_345_680_000.0, "123456789012345680000"),
        (f64::MAX, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
    ] {
        let reading = Reading { name: name.clone(), value };
        pair.ours.set(&reading).await.unwrap();
        assert_eq!(pair.theirs.get(&key).unwrap().as_deref(), Some(text));
        pair.theirs.copy(&key, &key).unwrap();
        let read = pair.ours.get(Reading::key(name.as_str())).await.unwrap();
        assert_eq!(read, Some(reading), "{text}");
    }

    let key = format!("count.{name}");
    pair.theirs.set(&key, "41.0").unwrap();
    let read = pair.ours.get(Count::key(name.as_str())).await.unwrap();
    assert_eq!(read.map(|count| count.value), Some(41));
    for no_integer in ["1e21", "0.5"] {
        pair.theirs.set(&key, no_integer).unwrap();
        let error = pair.ours.get(Count::key(name.as_str())).await.unwrap_err();
        let StateError::Decode { kind: DecodeKind::WrongType(_), .. } = error else {
            panic!("{no_integer}: {error:?}");
        };
    }
}

async fn integers_beyond_2_to_the_53_lose_digits_in_javascript_alone(pair: &Pair) {
    let (name, copy) = (pair.name("exact"), pair.name("copy"));
    let exact = Count { name: name.clone(), value: 9_007_199_254_740_993 };
    pair.ours.set(&exact).await.unwrap();
    let rounded = pair.theirs.get(&format!("count.{name}")).unwrap();
    assert_eq!(rounded.as_deref(), Some("9007199254740992"));
    assert_eq!(pair.ours.get(Count::key(name.as_str())).await.unwrap(), Some(exact));

    pair.theirs.copy(&format!("count.{name}"), &format!("count.{copy}")).unwrap();
    let read = pair.ours.get(Count::key(copy.as_str())).await.unwrap();
    assert_eq!(read, Some(Count { name: copy, value: 9_007_199_254_740_992 }));
}

async fn null_false_zero_and_the_empty_text_are_values(pair: &Pair) {
    let name = pair.name("falsy");
    let key = format!("any.{name}");
    for value in [Value::Null, json!(false), json!(0), json!(""), json!([]), json!({})] {
        pair.theirs.set(&key, &value.to_string()).unwrap();
        let read = pair.ours.get(Anything::key(name.as_str())).await.unwrap();
        let expected = Anything { name: name.clone(), value };
        assert_eq!(read.as_ref(), Some(&expected));

        pair.theirs.set(&key, r#""something else""#).unwrap();
        pair.ours.set(&expected).await.unwrap();
        assert_eq!(pair.theirs.get(&key).unwrap(), Some(expected.value.to_string()));
    }
}

async fn text_of_any_script_stays_the_same(pair: &Pair) {
    let name = pair.name("text");
    let key = format!("any.{name}");
    let value = json!({"Zoë": "naïve 😀 日本語 \u{2028} \u{0} \u{7f} \\ \" </script>"});
    let expected = Anything { name: name.clone(), value };
    pair.ours.set(&expected).await.unwrap();
    pair.theirs.copy(&key, &key).unwrap();
    assert_eq!(pair.ours.get(Anything::key(name.as_str())).await.unwrap(), Some(expected));
}

async fn a_lone_surrogate_is_a_decode_error(pair: &Pair) {
    let name = pair.name("broken");
    let key = format!("any.{name}");
    for broken in [r#""\ud800""#, r#"{"text":"a\udc00b"}"#, r#"{"\ud83d":1}"#] {
        pair.theirs.set(&key, broken).unwrap();
        let error = pair.ours.get(Anything::key(name.as_str())).await.unwrap_err();
        assert!(
            matches!(error, StateError::Decode { kind: DecodeKind::Syntax, .. }),
            "{broken}: {error:?}"
        );
    }
    let whole = Anything { name: name.clone(), value: json!("😀") };
    pair.ours.set(&whole).await.unwrap();
    assert_eq!(pair.theirs.get(&key).unwrap().as_deref(), Some(r#""😀""#));
}

async fn javascript_puts_integer_like_members_first_and_nothing_is_lost(pair: &Pair) {
    let name = pair.name("members");
    let key = format!("members.{name}");
    let members = Members { name: name.clone(), b: 1, ten: 2, two: 3 };
    pair.ours.set(&members).await.unwrap();
    let read = pair.theirs.get(&key).unwrap();
    assert_eq!(read.as_deref(), Some(r#"{"2":3,"10":2,"b":1}"#));
    pair.theirs.copy(&key, &key).unwrap();
    assert_eq!(pair.ours.get(Members::key(name.as_str())).await.unwrap(), Some(members));
}

async fn what_is_missing_is_undefined_there_and_none_here(pair: &Pair) {
    let name = pair.name("missing");
    assert_eq!(pair.theirs.get(&format!("session.{name}")).unwrap(), None);
    assert_eq!(pair.ours.get(Session::key(name.as_str())).await.unwrap(), None);
    assert!(!pair.ours.exists(Session::key(name.as_str())).await.unwrap());
}

async fn what_either_side_removes_is_gone_for_both(pair: &Pair) {
    let name = pair.name("removed");
    let (key, session) = (format!("session.{name}"), session(name.clone()));

    pair.ours.create(&session).await.unwrap();
    pair.theirs.remove(&key).unwrap();
    assert_eq!(pair.ours.get(Session::key(name.as_str())).await.unwrap(), None);

    // What the removal leaves behind, if anything, is in nobody's way.
    pair.ours.create(&session).await.unwrap();
    pair.ours.remove(Session::key(name.as_str())).await.unwrap();
    assert_eq!(pair.theirs.get(&key).unwrap(), None);

    pair.theirs.remove(&key).unwrap();
    pair.ours.remove(Session::key(name.as_str())).await.unwrap();
    pair.theirs.set(&key, r#"{"userId":"bob","cart":[]}"#).unwrap();
    let taken = pair.ours.take(Session::key(name.as_str())).await.unwrap();
    assert_eq!(taken.map(|session| session.user_id).as_deref(), Some("bob"));
    assert_eq!(pair.theirs.get(&key).unwrap(), None);
}

async fn rules_catch_what_typescript_wrote_wrongly(pair: &Pair) {
    let name = pair.name("wrong");
    let key = format!("session.{name}");
    let read = async || pair.ours.get(Session::key(name.as_str())).await.unwrap_err();

    for (broken, path) in [
        (r#"{"userId":"","cart":[]}"#, "user_id"),
        (r#"{"userId":"canary","cart":[{"sku":"tea","quantity":100}]}"#, "cart[0].quantity"),
    ] {
        pair.theirs.set(&key, broken).unwrap();
        let error = read().await;
        let text = format!("{error} {error:?}");
        let StateError::Invalid { phase: Phase::Read, .. } = error else { panic!("{error:?}") };
        assert!(text.contains(path) && !text.contains("canary"), "{text}");
    }
    for wrong_type in [
        r#"{"userId":7,"cart":[]}"#,
        r#"{"userId":"canary","cart":"none"}"#,
        r#"{"userId":"canary"}"#,
        "null",
        r#""canary""#,
    ] {
        pair.theirs.set(&key, wrong_type).unwrap();
        let error = read().await;
        assert!(matches!(error, StateError::Decode { .. }), "{wrong_type}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}
