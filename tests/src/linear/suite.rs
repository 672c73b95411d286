//! What every backend is put through: rounds that it has to pass, and bugs that have to be found.

use std::{env, hash::BuildHasher as _};

use state_runtime::{
    backend::{AnyBackend, Backend},
    store::StateStore,
};

use super::{Broken, Bug, Callers, Summary, Surroundings, round};

/// Names the seed of the first round, to repeat what failed.
const SEED: &str = "STATE_TEST_SEED";

/// How many calls are made in a round.
const CALLS: usize = 640;

/// How many calls are made in a round with a bug: it shows often.
const FEW: usize = 240;

/// In how many rounds a bug has to be found. Most are in the first one.
const MOST: u64 = 40;

/// The seed that the environment names, else a random one.
fn seed() -> u64 {
    let named = env::var(SEED).ok();
    let number = named.as_deref().map(|text| text.trim_start_matches("0x"));
    let number = number.and_then(|text| u64::from_str_radix(text, 16).ok());
    // Few digits are enough to be different from time to time.
    number.unwrap_or_else(|| std::hash::RandomState::new().hash_one(()) >> 32)
}

/// Runs `rounds` rounds, while the surroundings make trouble, and checks each of them. There is one
/// backend for each connection; they hold the same entries.
///
/// # Panics
///
/// If a round is not linearizable. The message says how to repeat it.
pub async fn is_linearizable(
    name: &str,
    backends: &[AnyBackend],
    surroundings: &Surroundings<'_>,
    rounds: u64,
) -> Summary {
    let stores = stores(backends, None);
    let first = seed();
    let mut sum = Summary::default();
    for seed in first..first.saturating_add(rounds) {
        match round(&stores, surroundings, seed, CALLS).await {
            Ok(summary) => sum += summary,
            Err(why) => panic!("{name} is not linearizable; {SEED}={seed:x} repeats it\n{why}"),
        }
    }
    println!("{name}: {sum}");
    sum
}

/// Breaks the backends in every way that shows all the time, and checks that each is found, and that
/// nothing is where there is no bug.
///
/// # Panics
///
/// If a bug is not found, or something is found where there is none.
pub async fn finds_bugs(name: &str, backends: &[AnyBackend]) {
    let calm = Surroundings { callers: Callers::Patient, ..Surroundings::none() };
    let honest = round(&stores(backends, None), &calm, 0, FEW).await;
    if let Err(why) = honest {
        panic!("{name} is not linearizable: {why}");
    }
    find(name, backends, &calm, &Bug::ALWAYS).await;
}

/// Breaks the backends in every way that shows only while the surroundings make trouble, and checks
/// that each is found.
///
/// # Panics
///
/// If a bug is not found.
pub async fn finds_lies(name: &str, backends: &[AnyBackend], surroundings: &Surroundings<'_>) {
    find(name, backends, surroundings, &Bug::WHEN_DISTURBED).await;
}

async fn find(name: &str, backends: &[AnyBackend], surroundings: &Surroundings<'_>, bugs: &[Bug]) {
    let capabilities = backends.first().map(Backend::capabilities).unwrap_or_default();
    for &bug in bugs.iter().filter(|bug| bug.can_be_in(capabilities)) {
        let mut found = None;
        for seed in 0..MOST {
            // A fresh one each time, so that the bug shows in the same calls.
            found = round(&stores(backends, Some(bug)), surroundings, seed, FEW).await.err();
            if found.is_some() {
                println!("{name}: {bug:?} is found in round {}", seed + 1);
                break;
            }
        }
        let found = found.unwrap_or_else(|| panic!("{name}: {bug:?} is not found"));
        assert!(found.contains("no order"), "{name}: {bug:?} is found by something else: {found}");
    }
}

/// A store for each connection, with a bug or without.
fn stores(backends: &[AnyBackend], bug: Option<Bug>) -> Vec<StateStore<Broken>> {
    let broken = backends.iter().map(|backend| Broken::new(backend.clone(), bug));
    let stores = broken.map(|broken| StateStore::new(broken).expect("no type shares a key"));
    stores.collect()
}
