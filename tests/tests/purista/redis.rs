//! What concerns Redis alone.

use state_runtime::store::TimeToLive;

use crate::{
    pair::{Pair, until},
    types::Code,
};

#[tokio::test]
async fn what_has_expired_here_is_undefined_there() {
    let Some(pair) = Pair::on_redis("expired").await else { return };
    let name = pair.name("code");
    let code = Code { name: name.clone(), digits: "4711".to_owned() };
    pair.ours.set(&code).await.unwrap();
    until(async || pair.ours.get(Code::key(name.as_str())).await.unwrap().is_none()).await;
    assert_eq!(pair.theirs.get(&format!("code.{name}")).unwrap(), None);
}

#[tokio::test]
async fn what_typescript_writes_has_no_lifetime() {
    let Some(pair) = Pair::on_redis("endless").await else { return };
    let name = pair.name("code");
    let code = Code { name: name.clone(), digits: "4711".to_owned() };
    pair.ours.set(&code).await.unwrap();
    pair.theirs.set(&format!("code.{name}"), r#"{"digits":"1147"}"#).unwrap();
    let left = pair.ours.ttl(Code::key(name.as_str())).await.unwrap();
    assert_eq!(left, Some(TimeToLive::Forever));

    assert!(pair.ours.touch(Code::key(name.as_str())).await.unwrap());
    let left = pair.ours.ttl(Code::key(name.as_str())).await.unwrap();
    assert!(matches!(left, Some(TimeToLive::Left(_)) | None), "{left:?}");
}
