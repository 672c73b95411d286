//! `Sessions`: nobody guesses an id, nothing is lost or doubled when it changes.

use std::{sync::Arc, time::Duration};

use state_runtime::{
    StateError,
    backend::{Batch, Cas, ManualClock, Scan, Ttl},
    backends::{FileBackend, MemoryBackend},
    patterns::{SessionId, Sessions},
    prelude::*,
};
use tests::servers::{dapr, nats, redis};

/// The braces keep all sessions on one node of a Redis Cluster, where a batch can change two.
#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "{{session}}:{id}", ttl = "30m", sliding)]
struct Session {
    #[state(secret)]
    #[garde(skip)]
    id: SessionId,
    #[garde(length(max = 20))]
    user: String,
    #[garde(skip)]
    visits: u32,
}

fn guest(id: SessionId) -> Session {
    Session { id, user: "guest".to_owned(), visits: 0 }
}

fn sessions<B: Cas + Ttl + Batch>(store: &StateStore<B>) -> Sessions<Session, B> {
    Sessions::new(store, Session::key).unwrap()
}

#[tokio::test]
async fn an_id_that_nobody_was_given_is_never_taken_over() {
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    let sessions = sessions(&store);
    let chosen = "0123456789abcdef0123456789abcdef";
    let session = sessions.load_or_create(Some(chosen), guest).await.unwrap();
    assert_ne!(session.id.as_str(), chosen);
    for cookie in [chosen, "", "../../etc/passwd", "a:b*", &"0".repeat(5000)] {
        assert!(sessions.load(cookie).await.unwrap().is_none(), "{cookie}");
        assert!(sessions.rotate(cookie).await.unwrap().is_none(), "{cookie}");
        sessions.destroy(cookie).await.unwrap();
    }
    let again = sessions.load_or_create(Some(session.id.as_str()), guest).await.unwrap();
    assert_eq!(again, session);
    assert_eq!(store.scan::<Session>().all().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_lives_while_it_is_used_and_no_longer() {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    let store = StateStore::new(backend).unwrap();
    let sessions = sessions(&store);
    let session = sessions.create(guest).await.unwrap();
    for _ in 0..10 {
        clock.advance(Duration::from_secs(20 * 60));
        assert!(sessions.load(session.id.as_str()).await.unwrap().is_some());
    }
    clock.advance(Duration::from_secs(30 * 60));
    assert!(sessions.load(session.id.as_str()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_closure_that_does_not_use_its_id_is_refused() {
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    let fixed: SessionId = "0".repeat(32).parse().unwrap();
    let refused = sessions(&store).create(|_| guest(fixed)).await;
    assert!(matches!(refused, Err(StateError::InvalidSettings { .. })), "{refused:?}");
    assert_eq!(store.scan::<Session>().all().await.unwrap(), []);
}

#[tokio::test]
async fn no_error_and_no_debug_form_shows_an_id() {
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    let sessions = sessions(&store);
    let session = sessions.create(guest).await.unwrap();
    let key = session.state_key();
    let change = |session: &mut Session| session.user = "x".repeat(21);
    let error = store.update(key.clone(), change).await.unwrap_err();
    for shown in [format!("{error} {error:?}"), format!("{key:?}"), format!("{session:?}")] {
        assert!(!shown.contains(session.id.as_str()), "{shown}");
    }
}

/// Changes the id again and again while others write to the session.
async fn check<B: Cas + Ttl + Batch>(store: StateStore<B>) {
    let sessions = sessions(&store);
    let mut session = sessions.create(guest).await.unwrap();
    let mut acknowledged = 0;
    for _ in 0..5 {
        let writers: Vec<_> = (0..3)
            .map(|_| {
                let (store, key) = (store.clone(), session.state_key());
                tokio::spawn(async move {
                    let mut done = 0;
                    for _ in 0..10 {
                        match store.update(key.clone(), |session| session.visits += 1).await {
                            Ok(_) => done += 1,
                            Err(StateError::NotFound { .. }) => break,
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                    done
                })
            })
            .collect();
        // Two at once: one of them moves it, the other finds none.
        let old = session.id.clone();
        let rivals = [sessions.clone(), sessions.clone()].map(|sessions| {
            let old = old.clone();
            tokio::spawn(async move { sessions.rotate(old.as_str()).await.unwrap() })
        });
        let mut moved = Vec::new();
        for rival in rivals {
            moved.extend(rival.await.unwrap());
        }
        assert_eq!(moved.len(), 1, "{moved:?}");
        session = moved.remove(0);
        for writer in writers {
            acknowledged += writer.await.unwrap();
        }
        assert!(sessions.load(old.as_str()).await.unwrap().is_none(), "the old id still works");
        let stored = sessions.load(session.id.as_str()).await.unwrap().unwrap();
        assert_eq!(stored.visits, acknowledged, "what was acknowledged is lost or doubled");
        session = stored;
    }
    sessions.destroy(session.id.as_str()).await.unwrap();
    assert!(sessions.load(session.id.as_str()).await.unwrap().is_none());
}

/// That nothing is left, where it can be listed.
async fn check_all<B: Cas + Ttl + Batch + Scan>(store: StateStore<B>) {
    check(store.clone()).await;
    assert_eq!(store.scan::<Session>().all().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_loses_and_doubles_nothing_in_memory_and_in_a_file() {
    check_all(StateStore::new(MemoryBackend::new()).unwrap()).await;
    let folder = tempfile::tempdir().unwrap();
    check_all(StateStore::new(FileBackend::open(folder.path()).await.unwrap()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_loses_and_doubles_nothing_on_redis() {
    let server = redis::Server::start(redis::Flavour::Redis7).await;
    check_all(StateStore::connect(&server.url()).await.unwrap()).await;
    let cluster = redis::Cluster::start(redis::Flavour::Redis8, 3).await;
    check_all(StateStore::connect(&cluster.url()).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_loses_and_doubles_nothing_on_nats() {
    let server = nats::Server::start(nats::Version::V2_15).await;
    check_all(StateStore::connect(&format!("{}/sessions", server.url())).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_loses_and_doubles_nothing_on_dapr() {
    if dapr::is_left_out() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sidecar = dapr::Sidecar::start(dapr::Component::sqlite(folder.path())).await;
    check(StateStore::connect(&sidecar.url()).await.unwrap()).await;
}

#[tokio::test]
async fn a_backend_without_batches_is_refused_at_once() {
    let server = nats::Server::start(nats::Version::V2_11).await;
    let store = StateStore::connect(&format!("{}/sessions", server.url())).await.unwrap();
    let refused = Sessions::<Session>::new(&store, Session::key).unwrap_err();
    assert!(matches!(refused, StateError::Unsupported { .. }), "{refused:?}");
}
