//! A URL opens the backend that it names, and one that does not says why without giving anything
//! away.

use std::error::Error;

use proptest::prelude::*;
use state_runtime::{
    StateError,
    backend::{AnyBackend, Backend as _, ErrorKind, SetOptions},
    backends::FileBackend,
    connect,
    error::Operation,
    key::Key,
    prelude::*,
};
use tests::cases::cases;

const CANARY: &str = "canary4711";

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "note:{id}", persistent)]
struct Note {
    #[garde(skip)]
    id: u32,
    #[garde(length(max = 20))]
    text: String,
}

/// All that a program could log of an error.
fn told(error: &StateError) -> String {
    let mut told = vec![format!("{error}\n{error:?}\n{error:#?}")];
    let mut cause = error.source();
    while let Some(error) = cause {
        told.push(format!("{error}\n{error:?}"));
        cause = error.source();
    }
    told.join("\n")
}

async fn refusal(url: &str) -> StateError {
    match connect::backend(url).await {
        Ok(backend) => panic!("{url} opens {backend:?}"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_store_is_opened_by_its_url() {
    let store = StateStore::connect("memory:").await.unwrap();
    let note = Note { id: 1, text: "hello".into() };
    store.set(&note).await.unwrap();
    assert_eq!(store.get(Note::key(1)).await.unwrap(), Some(note));
    assert_eq!(store.backend().name(), "memory");
}

#[tokio::test]
async fn a_file_url_opens_the_folder_that_a_path_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my state");
    let key = Key::from_stored("a");
    let backend = FileBackend::open(&path).await.unwrap();
    backend.set(&key, "1".into(), SetOptions::default()).await.unwrap();
    backend.close().await.unwrap();

    let shown = path.to_str().unwrap().replace(' ', "%20");
    for url in [
        format!("file:{shown}"),
        format!("file://{shown}?cache_size=8MiB"),
        format!("file://localhost{shown}?integrity_check=true"),
    ] {
        let backend = connect::backend(&url).await.unwrap();
        let found = backend.get(&key, state_runtime::backend::GetOptions::default()).await;
        assert_eq!(found.unwrap().unwrap().value, "1", "{url}");
        backend.close().await.unwrap();
    }
}

#[tokio::test]
async fn the_options_of_the_memory_backend_are_those_of_its_builder() {
    let key = |name: &str| Key::from_stored(name);
    let set = async |backend: &AnyBackend, name, value: &'static str| {
        backend
            .set(&key(name), value.into(), SetOptions::default())
            .await
            .map(drop)
            .map_err(|it| it.kind())
    };
    let backend = connect::backend("memory:?max_entries=1&max_bytes=1KiB").await.unwrap();
    assert_eq!(set(&backend, "a", "1").await, Ok(()));
    assert_eq!(set(&backend, "b", "2").await, Err(ErrorKind::ReadOnly));
    let long = "x".repeat(1024).leak();
    let too_large = ErrorKind::TooLarge { size: 1025, limit: 1024 };
    assert_eq!(set(&backend, "a", long).await, Err(too_large));
}

#[tokio::test]
async fn what_the_backend_says_when_it_is_opened_is_the_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("other"), "").unwrap();
    let url = format!("file:{}", folder.path().display());
    let error = refusal(&url).await;
    assert!(
        matches!(&error, StateError::Backend { operation: Operation::Backend, source, .. }
            if source.kind() == ErrorKind::Foreign),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_invalid_url_is_an_error_of_its_own_that_no_retry_mends() {
    for url in ["", "postgres://h", "memory:?colour=red", "memory:?max_entries=many", "file:"] {
        let error = refusal(url).await;
        assert!(matches!(error, StateError::InvalidUrl(_)), "{url}: {error:?}");
        assert!(!error.is_retryable());
        assert!(error.to_string().starts_with("invalid URL of a backend: "), "{error}");
    }
}

/// Wherever a secret can stand, and wherever a character that was not encoded can carry it.
fn urls_with(secret: &str) -> Vec<String> {
    [
        "redis://user:{}@127.0.0.1:1",
        "redis://{}:pw@127.0.0.1:1",
        "redis://:{}@127.0.0.1:1/0?colour=red",
        "redis://user:{}@127.0.0.1:1/0?connect_timeout=x",
        "rediss://user:{}@127.0.0.1:1/db",
        "rediss://user:pw{}@127.0.0.1:1?ca_certificate=/does/not/exist",
        "redis+cluster://user:{}@127.0.0.1:1,127.0.0.1:1",
        "redis+sentinel://user:{}@127.0.0.1:1",
        "redis+sentinel://127.0.0.1:1/m?sentinel_username=u&sentinel_password={}&x",
        "redis+sentinel://127.0.0.1:1/m?sentinel_username=u&sentinel_password={}&database=x",
        "nats://{}@127.0.0.1:1/bucket",
        "nats://user:{}@127.0.0.1:1,127.0.0.1:1/bucket?create=x",
        "tls+nats://user:{}@127.0.0.1:1/bucket",
        "dapr://{}@127.0.0.1:1/store",
        "dapr://127.0.0.1:1/store?token={}",
        "dapr://127.0.0.1:1/store?token={}&colour=red&token={}",
        "dapr://127.0.0.1:1?token={}",
        "redis://{}@127.0.0.1:1",
        "redis://{}:@127.0.0.1:1",
        "redis://127.0.0.1:1?password={}",
        "redis+cluster://user:{}@127.0.0.1:1,user:{}@127.0.0.1:2",
        "redis+sentinel://127.0.0.1:1/m?sentinel_username={}",
        "redis://user:{}@::1",
        " redis://user:{}@127.0.0.1:1",
        "nats://{}:@127.0.0.1:1",
        "nats://127.0.0.1:1?token={}",
        "nats://user:{}@127.0.0.1:1?nkey={}",
        "nats://user:{}@127.0.0.1:1?ca_certificate=/x",
        "redsi://user:{}@127.0.0.1:1",
        "://user:{}@127.0.0.1:1",
        "user:{}@127.0.0.1:1",
        "redis:user:{}@127.0.0.1:1",
        "redis:/user:{}@127.0.0.1:1",
        "redis://user:{}@",
        "redis://user:{}@host:port",
        "memory:user:{}@",
        "{}",
        "{}:",
    ]
    .iter()
    .map(|url| url.replace("{}", secret))
    .collect()
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

#[tokio::test]
async fn no_error_tells_a_secret_of_the_url() {
    for secret in [CANARY.to_owned(), encoded(CANARY), format!("%63{}", &CANARY[1..])] {
        for url in urls_with(&secret) {
            let told = told(&refusal(&url).await);
            assert!(!told.contains(CANARY), "{url}: {told}");
            assert!(!told.contains(&secret), "{url}: {told}");
        }
    }
}

/// Taking a URL apart must not depend on a server that answers, so everything here is refused
/// before anything is connected to.
fn check_refused(url: &str, secret: &str) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(connect::backend(url));
    let Err(error) = outcome else {
        return Err(TestCaseError::fail(format!("{url} is accepted")));
    };
    let told = told(&error);
    for piece in secret.split(|c: char| !c.is_alphanumeric()).filter(|piece| piece.len() > 3) {
        prop_assert!(!told.contains(piece), "{url}: {told}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(256, 20_000)))]

    /// The address is one that cannot be: no server is asked.
    #[test]
    fn a_password_of_any_characters_is_not_told(
        password in "[a-zA-Z0-9:/?#@&=%+ ,;\\[\\]é\u{0}]{0,6}canary[a-zA-Z0-9:/?#@&=%+ ,;\\[\\]é\u{0}]{0,6}4711",
        scheme in "redis|rediss|redis\\+cluster|redis\\+sentinel|nats|tls\\+nats|dapr|redsi|x",
        rest in "(/[a-z0-9/]{0,5})?(\\?[a-z_]{0,5}=[a-z]{0,3})?",
    ) {
        let url = format!("{scheme}://user:{password}@h:0{rest}");
        check_refused(&url, &password)?;
    }

    /// The option without a name that ends it is unknown to every backend, so none is opened.
    #[test]
    fn no_text_makes_it_panic(
        text in "(memory|file|redis|nats|dapr|tls\\+nats|redis\\+sentinel)?:?(//)?[a-z0-9:/?#@&=%+ ,\\[\\]é\u{0}]{0,30}",
    ) {
        check_refused(&format!("{text}?="), "")?;
    }
}
