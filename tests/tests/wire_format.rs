//! What `docs/wire-format.json` says is what is written and read, so that clients in other languages
//! can be tested against it.

use std::{
    fmt::Debug,
    fs,
    path::Path,
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Deserialize;
use state_runtime::{
    backend::{AnyBackend, Backend as _, GetOptions, ScanRequest, SetOptions, Want},
    key::{Key, KeyReader, KeyWriter},
    prelude::*,
    schema::Writable,
    store::StoredIn,
};
use tests::servers::{dapr, nats, redis};

#[derive(Deserialize)]
struct Vectors {
    keys: Vec<KeyVector>,
    not_keys: Vec<String>,
    values: Vec<ValueVector>,
}

#[derive(Deserialize)]
struct KeyVector {
    scope: Option<String>,
    pieces: Vec<Piece>,
    key: String,
    /// What the key is called in a bucket of NATS.
    nats: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Piece {
    Literal(String),
    Segment(String),
}

#[derive(Deserialize)]
struct ValueVector {
    r#type: String,
    stored: String,
    also_read: Vec<String>,
    refused: Vec<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    stored: String,
    error: String,
}

static VECTORS: LazyLock<Vectors> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/wire-format.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
});

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
#[serde(rename_all = "camelCase")]
struct Session {
    #[garde(skip)]
    id: String,
    #[garde(length(min = 1))]
    user_id: String,
    #[garde(skip)]
    cart: Vec<String>,
    #[garde(skip)]
    note: Option<String>,
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "counter:{id}", persistent)]
struct Counter {
    #[garde(skip)]
    id: String,
    #[state(value)]
    #[garde(skip)]
    count: u64,
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "measure:{id}", persistent)]
struct Measure {
    #[garde(skip)]
    id: String,
    #[state(value)]
    #[garde(skip)]
    metres: f64,
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "text:{id}", persistent)]
struct Text {
    #[garde(skip)]
    id: String,
    #[state(value)]
    #[garde(skip)]
    text: String,
}

mod v1 {
    use state_runtime::prelude::*;

    #[derive(Debug, StateKey, Validate)]
    #[state(key = "profile:{id}", persistent, superseded)]
    pub(crate) struct Profile {
        #[garde(skip)]
        pub(crate) id: String,
        #[garde(skip)]
        pub(crate) name: String,
    }
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "profile:{id}", persistent, version = 2, upgrade_from = v1::Profile)]
struct Profile {
    #[garde(skip)]
    id: String,
    #[garde(skip)]
    first: String,
    #[garde(skip)]
    last: String,
}

impl TryFrom<v1::Profile> for Profile {
    type Error = &'static str;

    fn try_from(old: v1::Profile) -> Result<Self, Self::Error> {
        let (first, last) = old.name.split_once(' ').ok_or("one name")?;
        Ok(Self { id: old.id, first: first.into(), last: last.into() })
    }
}

/// What lives for an hour, in a session of its own key.
#[derive(Debug, StateKey, Validate)]
#[state(key = "visit:{id}", ttl = "1h")]
struct Visit {
    #[garde(skip)]
    id: String,
    #[garde(skip)]
    page: String,
}

#[derive(Debug, StateKey, Validate)]
#[state(key = "settings", persistent)]
struct Settings {
    #[garde(skip)]
    dark: bool,
}

#[test]
fn keys_are_written_as_the_vectors_say() {
    for vector in &VECTORS.keys {
        let mut writer = KeyWriter::new();
        if let Some(scope) = &vector.scope {
            writer.literal("/");
            writer.part("scope", scope);
            writer.literal("/");
        }
        for piece in &vector.pieces {
            match piece {
                Piece::Literal(text) => writer.literal(text),
                Piece::Segment(text) => writer.part("field", text),
            }
        }
        assert_eq!(writer.finish().unwrap().as_str(), vector.key);
    }
}

#[test]
fn keys_are_read_back_as_the_vectors_say() {
    for vector in VECTORS.keys.iter().filter(|vector| vector.scope.is_none()) {
        let mut reader = KeyReader::new("vector", &vector.key);
        for piece in &vector.pieces {
            match piece {
                Piece::Literal(text) => reader.literal(text).unwrap(),
                Piece::Segment(text) => {
                    assert_eq!(reader.part::<String>("field").unwrap(), *text, "{}", vector.key);
                }
            }
        }
        reader.finish().unwrap();
    }
    for text in &VECTORS.not_keys {
        let mut reader = KeyReader::new("user:{name}", text);
        let read = reader.literal("user:").and_then(|()| reader.part::<String>("name"));
        assert!(read.is_err() || reader.finish().is_err(), "`{text}` is read");
    }
}

#[tokio::test]
async fn a_scope_stands_in_front_of_every_key_of_its_store() {
    let vector = VECTORS.keys.iter().find(|vector| vector.key.ends_with("settings")).unwrap();
    let store = StateStore::connect("memory:").await.unwrap();
    let scoped = store.scoped(vector.scope.as_deref().unwrap()).unwrap();
    scoped.set(&Settings { dark: true }).await.unwrap();
    let all = ScanRequest { prefix: String::new(), cursor: None, limit: 10, want: Want::VALUE };
    let page = store.backend().scan(all).await.unwrap();
    let keys: Vec<_> = page.entries.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, [vector.key.as_str()]);
}

/// Checks one value of the type `T`: the stored form is read, written back as the same bytes, and
/// the other forms are read as the same value or refused.
async fn check<T>(store: &StateStore, key: T::Key, vector: &ValueVector)
where
    T: Writable + PartialEq + Debug,
    T::Lifetime: StoredIn<AnyBackend>,
    T::Versioning: StoredIn<AnyBackend>,
{
    let encoded = Key::from_stored(key.to_string());
    let plant = async |stored: &str| {
        let value = stored.to_owned().into();
        store.backend().set(&encoded, value, SetOptions::default()).await.unwrap();
    };
    let text = &vector.stored;
    plant(text).await;
    let value: T =
        store.get(key.clone()).await.unwrap_or_else(|it| panic!("{text}: {it}")).unwrap();

    store.remove(key.clone()).await.unwrap();
    store.set(&value).await.unwrap();
    let entry = store.backend().get(&encoded, GetOptions::default()).await.unwrap().unwrap();
    assert_eq!(str::from_utf8(&entry.value).unwrap(), text);

    for other in &vector.also_read {
        plant(other).await;
        let read = store.get(key.clone()).await.unwrap_or_else(|it| panic!("{other}: {it}"));
        assert_eq!(read.as_ref(), Some(&value), "{other}");
    }
    for Refusal { stored, error } in &vector.refused {
        plant(stored).await;
        let refusal = store.get(key.clone()).await.expect_err(stored);
        assert!(format!("{refusal:?}").starts_with(error), "{stored}: {refusal:?}");
    }
}

/// Every value on one backend.
async fn check_values(url: &str) {
    let store = StateStore::connect(url).await.unwrap();
    for vector in &VECTORS.values {
        match vector.r#type.as_str() {
            "session" => check::<Session>(&store, Session::key("v"), vector).await,
            "counter" => check::<Counter>(&store, Counter::key("v"), vector).await,
            "measure" => check::<Measure>(&store, Measure::key("v"), vector).await,
            "text" => check::<Text>(&store, Text::key("v"), vector).await,
            "profile" => check::<Profile>(&store, Profile::key("v"), vector).await,
            other => panic!("there is no type `{other}`"),
        }
    }
}

#[tokio::test]
async fn values_are_written_and_read_as_the_vectors_say() {
    check_values("memory:").await;
}

fn visit() -> Visit {
    Visit { id: "ada:1".into(), page: "/tea".into() }
}

fn millis_from_now(at: u64) -> i128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    i128::from(at) - i128::try_from(now).unwrap()
}

/// A few seconds less than an hour at least, for a machine that is busy.
fn is_an_hour(millis: i128) -> bool {
    (3_540_000..=3_600_000).contains(&millis)
}

#[tokio::test]
async fn redis_holds_the_value_as_a_string_at_the_key() {
    let server = redis::Server::start(redis::Flavour::Redis7).await;
    check_values(&server.url()).await;
    let store = StateStore::connect(&server.url()).await.unwrap();
    for vector in &VECTORS.keys {
        let key = Key::from_stored(&*vector.key);
        store.backend().set(&key, "1".into(), SetOptions::default()).await.unwrap();
        let found: String = server.command(&["GET", &vector.key]).await.unwrap();
        assert_eq!(found, "1", "{}", vector.key);
    }
    store.set(&visit()).await.unwrap();
    let found: String = server.command(&["GET", "visit:ada=3A1"]).await.unwrap();
    assert_eq!(found, r#"{"page":"/tea"}"#);
    let left: i64 = server.command(&["PTTL", "visit:ada=3A1"]).await.unwrap();
    assert!(is_an_hour(left.into()), "{left}");
}

#[tokio::test]
async fn nats_holds_the_value_as_the_last_message_of_the_key() {
    let server = nats::Server::start(nats::Version::V2_11).await;
    let url = format!("{}/wire", server.url());
    check_values(&url).await;
    let store = StateStore::connect(&url).await.unwrap();
    let client = async_nats::connect(server.address()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let bucket = jetstream.get_key_value("wire").await.unwrap();
    for vector in &VECTORS.keys {
        let key = Key::from_stored(&*vector.key);
        store.backend().set(&key, "1".into(), SetOptions::default()).await.unwrap();
        let found = bucket.get(&*vector.nats).await.unwrap();
        assert_eq!(found.as_deref(), Some(b"1".as_slice()), "{}", vector.key);
    }
    store.set(&visit()).await.unwrap();
    let stream = jetstream.get_stream("KV_wire").await.unwrap();
    let subject = "$KV.wire.visit.ada=3A1";
    let message = stream.get_last_raw_message_by_subject(subject).await.unwrap();
    assert_eq!(message.payload, r#"{"page":"/tea"}"#);
    let expires = message.headers.get("State-Expires").unwrap().as_str();
    assert!(is_an_hour(millis_from_now(expires.parse().unwrap())), "{expires}");
}

#[tokio::test]
async fn dapr_holds_the_value_as_a_string_with_a_first_line() {
    if dapr::is_left_out() {
        return;
    }
    let server = redis::Server::start(redis::Flavour::Redis7).await;
    let component = dapr::Component::redis(&server).with("keyPrefix", "none");
    let sidecar = dapr::Sidecar::start(component).await;
    check_values(&sidecar.url()).await;
    let store = StateStore::connect(&sidecar.url()).await.unwrap();
    store.set(&visit()).await.unwrap();
    let stored: String = server.command(&["HGET", "visit:ada=3A1", "data"]).await.unwrap();
    let stored: String = serde_json::from_str(&stored).unwrap();
    let (line, value) = stored.split_once('\n').unwrap();
    assert_eq!(value, r#"{"page":"/tea"}"#);
    let expires = line.strip_prefix("$state expires=").unwrap();
    assert!(is_an_hour(millis_from_now(expires.parse().unwrap())), "{line}");
}
