//! `FencingToken`: the number by which state tells the present holder of a lock from former ones.

use core::{cmp::Ordering, fmt, hash, marker::PhantomData};

/// The number of one holder of a lock of type `L`: greater than that of every holder before.
///
/// It is handed out by [`LockGuard::token`](crate::patterns::LockGuard::token).
pub struct FencingToken<L>(u64, PhantomData<fn() -> L>);

impl<L> FencingToken<L> {
    /// A token that came here as a number, from the process that holds the lock.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number, PhantomData)
    }

    /// The number, for another process or for a resource that is not in this store.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<L> Copy for FencingToken<L> {}

impl<L> Clone for FencingToken<L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> PartialEq for FencingToken<L> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<L> Eq for FencingToken<L> {}

impl<L> PartialOrd for FencingToken<L> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<L> Ord for FencingToken<L> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<L> hash::Hash for FencingToken<L> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<L> fmt::Debug for FencingToken<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FencingToken").field(&self.0).finish()
    }
}

impl<L> fmt::Display for FencingToken<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
