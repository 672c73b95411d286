//! What the clients do: drawn from a seed, so that the same calls can be made once more.

use core::time::Duration;

use fastrand::Rng;

/// How many registers are in use at a time. Few, so that the clients meet.
const REGISTERS: usize = 2;

/// How many calls are made before other registers are used. Few, so that the calls whose outcome is
/// not known are few for each register, and every order of them can be tried.
const CALLS: usize = 80;

/// Numbers that a 64-bit float cannot hold all of, and of which many can be added.
const NUMBERS: core::ops::Range<i64> = 1 << 40..1 << 55;

/// One of how many calls is given up by its caller before it is answered.
const ABANDONED: u32 = 24;

/// How long such a caller waits, in microseconds.
const WAITING: core::ops::Range<u64> = 0..2_000;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Get,
    GetVersioned,
    GetMany,
    Exists,
    Take,
    Set,
    Create,
    Replace,
    Update,
    Upsert,
    Add,
    Remove,
    RemoveIf,
    CommitSet,
    CommitCreate,
    CommitReplace,
}

/// One of several kinds, as often as it stands here.
const KINDS: [Kind; 32] = [
    Kind::Get,
    Kind::Get,
    Kind::Get,
    Kind::GetVersioned,
    Kind::GetVersioned,
    Kind::GetVersioned,
    Kind::GetMany,
    Kind::GetMany,
    Kind::Exists,
    Kind::Exists,
    Kind::Take,
    Kind::Set,
    Kind::Set,
    Kind::Create,
    Kind::Create,
    Kind::Create,
    Kind::Replace,
    Kind::Replace,
    Kind::Replace,
    Kind::Update,
    Kind::Update,
    Kind::Update,
    Kind::Upsert,
    Kind::Add,
    Kind::Add,
    Kind::Add,
    Kind::Remove,
    Kind::RemoveIf,
    Kind::CommitSet,
    Kind::CommitCreate,
    Kind::CommitReplace,
    Kind::CommitReplace,
];

/// Whether the typed store is called or the backend beneath it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Typed,
    Untyped,
}

/// What one call is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Intent {
    pub(super) register: usize,
    pub(super) kind: Kind,
    pub(super) way: Way,
    /// Nobody else writes it.
    pub(super) number: i64,
    /// Which of the revisions that are known, where one is needed.
    pub(super) pick: usize,
    /// How long its caller waits for the answer, if not as long as it takes.
    pub(super) patience: Option<Duration>,
}

/// Call number `ticket` of the round with this seed.
pub(super) fn intent(seed: u64, ticket: usize) -> Intent {
    let mut rng = rng(seed, ticket);
    Intent {
        register: ticket / CALLS * REGISTERS + rng.usize(..REGISTERS),
        kind: KINDS.get(rng.usize(..KINDS.len())).copied().unwrap_or(Kind::Get),
        way: if rng.bool() { Way::Typed } else { Way::Untyped },
        number: rng.i64(NUMBERS),
        pick: rng.usize(..),
        patience: (rng.u32(..ABANDONED) == 0).then(|| Duration::from_micros(rng.u64(WAITING))),
    }
}

/// How many registers a round of so many calls uses.
pub(super) const fn registers(calls: usize) -> usize {
    calls.div_ceil(CALLS) * REGISTERS
}

/// The random numbers that belong to a place in a round.
pub(super) fn rng(seed: u64, place: usize) -> Rng {
    let mut seeds = Rng::with_seed(seed);
    Rng::with_seed(seeds.u64(..) ^ (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_seed_stands_for_the_same_calls_and_another_one_for_others() {
        let calls = |seed| (0..200).map(|ticket| intent(seed, ticket)).collect::<Vec<_>>();
        assert_eq!(calls(7), calls(7));
        assert_ne!(calls(7), calls(8));
    }

    #[test]
    fn every_number_is_another_one_and_every_kind_comes() {
        let calls: Vec<_> = (0..2_000).map(|ticket| intent(1, ticket)).collect();
        let numbers: HashSet<_> = calls.iter().map(|call| call.number).collect();
        assert_eq!(numbers.len(), calls.len());
        assert!(KINDS.iter().all(|kind| calls.iter().any(|call| call.kind == *kind)));
        assert!(calls.iter().any(|call| call.patience.is_some()));
    }
}
