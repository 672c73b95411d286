//! No error, no `Debug` form and no trace line holds a piece of a stored value or a secret.
//!
//! A canary is planted wherever a value can be, every error is provoked, and everything that a
//! program could log of it is searched.

use std::{
    collections::{BTreeMap, HashSet},
    error::Error,
    fmt,
    io::{self, Write},
    mem,
    sync::{Mutex, OnceLock},
    time::Duration,
};

use serde::{Deserialize, Serialize, Serializer};
use state_runtime::{
    StateError,
    backend::{AnyBackend, Backend, BatchOp, Entry, SetOptions},
    backends::MemoryBackend,
    key::Key,
    prelude::*,
    store::Access,
};
use tests::fakes::Waiting;

const CANARY: &str = "canary4711";

#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
enum Kind {
    Known(#[garde(range(max = 9))] u32),
}

#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Item {
    #[garde(length(max = 3))]
    label: String,
    #[garde(dive)]
    kind: Kind,
}

#[derive(Debug, Clone, StateKey, Validate)]
#[state(key = "vault:{owner}:{token}", persistent, max_size = "1KiB")]
#[serde(deny_unknown_fields)]
struct Vault {
    #[garde(length(max = 20))]
    owner: String,
    #[state(secret)]
    #[garde(length(max = 20))]
    token: String,
    #[garde(length(max = 3))]
    text: String,
    #[garde(dive)]
    items: BTreeMap<String, Item>,
    #[garde(skip)]
    #[serde(serialize_with = "fail_if_asked")]
    fails: bool,
}

/// A flattened map can bring members of any name.
#[derive(Debug, Clone, StateKey, Validate)]
#[state(key = "open:{id}", persistent)]
struct Open {
    #[garde(skip)]
    id: u32,
    #[garde(skip)]
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

/// A map whose keys garde takes for indices.
#[derive(Debug, Clone, StateKey, Validate)]
#[state(key = "accounts:{id}", persistent)]
struct Accounts {
    #[garde(skip)]
    id: u32,
    #[garde(dive)]
    holders: BTreeMap<usize, Item>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn fail_if_asked<S: Serializer>(fails: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    if *fails {
        return Err(serde::ser::Error::custom(CANARY));
    }
    serializer.serialize_bool(false)
}

fn vault() -> Vault {
    Vault {
        owner: "ada".into(),
        token: CANARY.into(),
        text: "x".into(),
        items: BTreeMap::new(),
        fails: false,
    }
}

fn key() -> VaultKey {
    Vault::key("ada", CANARY)
}

/// What the program traced, of every level.
static TRACED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Trace;

impl Write for Trace {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        TRACED.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn trace() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(|| Trace)
            .init();
    });
}

/// Everything that can be printed of an error: it and each of its sources, in both forms.
fn printed(error: &StateError) -> String {
    let mut text = vec![format!("{error}\n{error:?}\n{error:#?}")];
    let mut source = error.source();
    while let Some(error) = source {
        text.push(format!("{error}\n{error:?}"));
        source = error.source();
    }
    text.join("\n")
}

/// Checks an error and notes its variant.
struct Seen(HashSet<mem::Discriminant<StateError>>);

impl Seen {
    #[track_caller]
    fn check<T: fmt::Debug>(&mut self, what: &str, result: Result<T, StateError>) {
        let error = result.expect_err(what);
        let text = printed(&error);
        assert!(!text.contains(CANARY), "{what}: {text}");
        self.0.insert(mem::discriminant(&error));
    }
}

async fn plant(store: &StateStore<MemoryBackend>, value: &str) {
    let key = Key::from_stored(format!("vault:ada:{CANARY}"));
    store.backend().set(&key, value.to_owned().into(), SetOptions::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_error_and_no_trace_holds_a_value() {
    trace();
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    let mut seen = Seen(HashSet::new());

    seen.check("empty key", store.get(Vault::key("", CANARY)).await);
    seen.check("key rule", store.get(Vault::key("ada", CANARY.repeat(9))).await);
    seen.check("secret too long", store.get(Vault::key("a", CANARY.repeat(900))).await);
    seen.check("long text", store.set(&Vault { text: CANARY.into(), ..vault() }).await);
    let item = Item { label: CANARY.into(), kind: Kind::Known(99) };
    let items = BTreeMap::from([(CANARY.to_owned(), item)]);
    seen.check("map key", store.set(&Vault { items, ..vault() }).await);
    let item = Item { label: "long".into(), kind: Kind::Known(1) };
    let holders = BTreeMap::from([(4711_4711, item)]);
    let error = store.set(&Accounts { id: 1, holders }).await.unwrap_err();
    assert!(!printed(&error).contains("4711"), "{error}");
    assert!(error.to_string().contains("holders[*].label"), "{error}");
    seen.check("serializer", store.set(&Vault { fails: true, ..vault() }).await);
    let rest = BTreeMap::from([(format!("${CANARY}"), CANARY.to_owned())]);
    seen.check("reserved member", store.set(&Open { id: 1, rest }).await);

    let stored = [
        format!(r#""{CANARY}""#),
        format!("[{CANARY}"),
        CANARY.to_owned(),
        format!(r#"{{"text":"{CANARY}"#),
        format!(r#"{{"{CANARY}":1}}"#),
        format!(r#"{{"text":["{CANARY}"],"items":{{}},"fails":false}}"#),
        format!(r#"{{"text":"{CANARY}","items":{{}},"fails":"{CANARY}"}}"#),
        format!(r#"{{"text":"{CANARY}","items":{{"{CANARY}":1}},"fails":false}}"#),
        format!(
            r#"{{"text":"x","items":{{"{CANARY}":{{"label":"a","{CANARY}":1}}}},"fails":false}}"#
        ),
        format!(
            r#"{{"text":"x","items":{{"{CANARY}":{{"label":"a","kind":"{CANARY}"}}}},"fails":false}}"#
        ),
        format!(
            r#"{{"text":"x","items":{{"a":{{"label":"a","kind":{{"{CANARY}":1}}}}}},"fails":false}}"#
        ),
        format!(
            r#"{{"text":"x","items":{{"{CANARY}":{{"label":"{CANARY}","kind":{{"Known":99}}}}}},"fails":false}}"#
        ),
        format!(r#"{{"text":"{CANARY}","text":"{CANARY}","items":{{}},"fails":false}}"#),
        format!(r#"{{"text":"x","items":{{}},"fails":false}} {CANARY}"#),
        format!(r#"{{"text":"x","$v":"{CANARY}"}}"#),
        format!(r#"{{"text":"{CANARY}","$v":9}}"#),
        format!(r#"{{"text":"{}"}}"#, CANARY.repeat(200)),
    ];
    for value in &stored {
        plant(&store, value).await;
        seen.check(value, store.get(key()).await);
        seen.check(value, store.get_all([key()]).await);
        seen.check(value, store.take(key()).await);
        let scanned = store.scan::<Vault>().next().await.unwrap();
        seen.check(value, scanned);
    }

    seen.check("exists", store.create(&vault()).await);
    seen.check("twice", store.set_all(&[vault(), vault()]).await);
    seen.check("denied", store.restricted(Access::NONE).set(&vault()).await);

    let slow = StateStore::new(Waiting::new()).unwrap();
    seen.check("timeout", slow.get(key()).await);
    seen.check("indeterminate", slow.set(&vault()).await);
    let busy = StateStore::builder(Waiting::new()).max_in_flight(1).build().unwrap();
    let value = vault();
    let (first, second) = tokio::join!(busy.set(&value), busy.set(&value));
    seen.check("busy", first);
    seen.check("busy", second);
    let erased = StateStore::new(AnyBackend::new(Waiting::new())).unwrap();
    seen.check("unsupported", erased.create(&vault()).await);
    store.close(Duration::from_secs(1)).await.unwrap();
    seen.check("closed", store.set(&vault()).await);
    assert!(seen.0.len() >= 11, "only {} kinds of error were provoked", seen.0.len());

    let traced = String::from_utf8(TRACED.lock().unwrap().clone()).unwrap();
    assert!(traced.contains("a backend call took too long"), "the trace is empty: {traced}");
    assert!(!traced.contains(CANARY), "{traced}");
}

#[test]
fn no_debug_form_holds_a_value() {
    let bytes = state_runtime::bytes::Bytes::from(format!(r#""{CANARY}""#));
    let set = BatchOp::Set {
        key: Key::from_stored(format!("vault:{CANARY}")),
        value: bytes.clone(),
        options: SetOptions::default(),
    };
    for text in [
        format!("{:?}", key()),
        format!("{:#?}", Entry::new(bytes)),
        format!("{set:?}"),
        format!("{:?}", Key::from_stored(CANARY)),
        Key::from_stored(CANARY).to_string(),
    ] {
        assert!(!text.contains(CANARY), "{text}");
    }
    // The other way round: what is meant to hold the key does.
    assert!(key().to_string().contains(CANARY));
}
