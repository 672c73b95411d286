//! How often a typed operation allocates, against what its work needs by hand.
//!
//! Allocations are counted, not timed: the counts are exact, and the same on every machine.

use allocation_counter::measure;
use benches::{
    by_hand,
    measure::at_once,
    session::{self, Session},
};
use state_runtime::{backends::MemoryBackend, store::StateStore};

fn allocations(work: impl FnOnce()) -> u64 {
    measure(work).count_total
}

fn store() -> StateStore<MemoryBackend> {
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    at_once(store.set(&session::sample(7))).unwrap().unwrap();
    store
}

#[test]
fn a_typed_get_on_memory_allocates_what_decoding_needs_and_once_for_the_key() {
    let store = store();
    let bytes = session::encoded(7);
    let get = |key| at_once(store.get(key)).unwrap().unwrap().unwrap();
    assert_eq!(get(Session::key(session::id(7))), session::sample(7));

    let id = session::id(7);
    let decoding = allocations(|| drop(by_hand::decode(id, &bytes).unwrap()));
    let key = Session::key(session::id(7));
    let getting = allocations(|| drop(get(key)));
    assert!(decoding > 0);
    assert!(
        getting <= decoding + 1,
        "a typed get allocated {getting} times, where decoding takes {decoding}"
    );
}

#[test]
fn a_typed_set_on_memory_allocates_for_the_key_and_the_stored_bytes() {
    let store = store();
    let session = session::sample(7);
    at_once(store.set(&session)).unwrap().unwrap();

    let setting = allocations(|| at_once(store.set(&session)).unwrap().unwrap());
    assert!(setting <= 2, "a typed set allocated {setting} times");
}

#[test]
fn a_key_is_read_with_one_allocation_a_text_field() {
    let encoded = by_hand::encode_key(&session::id(7));

    let reading = allocations(|| drop(encoded.parse::<session::SessionKey>().unwrap()));
    assert_eq!(reading, 1);
}
