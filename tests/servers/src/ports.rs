//! Free ports of the loopback interface.

use std::{
    hash::BuildHasher as _,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
};

/// Below the ports that the system gives to outgoing connections: a client that keeps trying to
/// reach a dead server there could otherwise end up connected to itself.
const RANGE: Range<u16> = 10_000..21_000;

/// How far above its own port a node of a Redis cluster listens to the other nodes.
pub(super) const CLUSTER_BUS: u16 = 10_000;

/// A port that nobody listens on, nor on the one that is `CLUSTER_BUS` above it.
///
/// Somebody else may take it before the server does; then the server says so and gets another.
pub(super) fn free() -> u16 {
    // Test programs run at once: each begins somewhere else and never gives a port out twice in a row.
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
        let random = std::hash::RandomState::new().hash_one(std::process::id());
        AtomicU16::new(u16::try_from(random % u64::from(u16::MAX)).unwrap_or_default())
    });
    RANGE
        .map(|_| RANGE.start + NEXT.fetch_add(1, Ordering::Relaxed) % (RANGE.end - RANGE.start))
        .find(|&port| is_free(port) && is_free(port + CLUSTER_BUS))
        .expect("there is a free port")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_not_given_out() {
        let first = free();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert!(!is_free(first));
        let others: Vec<_> = (0..50).map(|_| free()).collect();
        assert!(!others.contains(&first));
        drop(taken);
        assert!(is_free(first));
    }
}
