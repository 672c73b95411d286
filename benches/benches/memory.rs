//! Typed get and set on the memory backend, against the same map used by hand.

use std::{hint::black_box, io, iter::Cycle, ops::Range, time::Duration};

use benches::{
    by_hand::{self, Map},
    measure::at_once,
    program::Program,
    session::{self, ExpiringSession, Session},
};
use state_runtime::{backends::MemoryBackend, store::StateStore};

const PEER: &str = "map + serde_json + garde";

/// How many sessions there are.
const HOT: u64 = 1_000;

const TTL: Duration = Duration::from_secs(30 * 60);

fn main() -> io::Result<()> {
    let store = StateStore::new(MemoryBackend::new()).map_err(io::Error::other)?;
    let mut program = Program::start("memory");
    let ids: Vec<String> = (0..HOT).map(session::id).collect();
    let sessions: Vec<Session> = (0..HOT).map(session::sample).collect();
    let plain: Vec<by_hand::Session> = sessions.iter().map(Into::into).collect();
    let expiring: Vec<ExpiringSession> = sessions.iter().cloned().map(Into::into).collect();

    let map = Map::new();
    let (mut ours, mut theirs) = (order(), order());
    program.compare(
        "memory_set",
        PEER,
        || at_once(store.set(pick(&sessions, &mut ours))),
        || map.set(pick(&plain, &mut theirs)),
    );
    program.compare(
        "memory_get",
        PEER,
        || at_once(store.get(Session::key(pick(&ids, &mut ours).as_str()))),
        || map.get(pick(&ids, &mut theirs).clone()),
    );

    let map = Map::new();
    program.compare(
        "memory_set_expiring",
        PEER,
        || at_once(store.set(pick(&expiring, &mut ours))),
        || map.set_for(pick(&plain, &mut theirs), TTL),
    );
    program.compare(
        "memory_get_expiring",
        PEER,
        || at_once(store.get(ExpiringSession::key(pick(&ids, &mut ours).as_str()))),
        || map.get_live(pick(&ids, &mut theirs).clone()),
    );
    program.finish()
}

fn order() -> Cycle<Range<usize>> {
    (0..usize::MAX).cycle()
}

/// Goes through all in an order that no prefetcher guesses.
fn pick<'a, T>(all: &'a [T], order: &mut Cycle<Range<usize>>) -> &'a T {
    let step = order.next().unwrap_or_default();
    black_box(&all[step.wrapping_mul(617) % all.len()])
}
