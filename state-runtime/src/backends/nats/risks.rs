//! In which ways a bucket could lose acknowledged state, by its settings and its server.

use super::bucket::{Bucket, Version};
use crate::backend::{Risk, RiskKind};

/// What is to be feared of a bucket.
pub(super) fn of(bucket: &Bucket) -> Vec<Risk> {
    let config = &bucket.config;
    let mut risks = Vec::new();
    let mut fear = |name, reason| risks.push(Risk::new(name, reason));
    if config.storage == "memory" {
        fear(
            RiskKind::MemoryStorage,
            "the bucket is kept in the memory of the servers; create one with file storage",
        );
    }
    if config.max_age > 0 {
        fear(
            RiskKind::MaxAge,
            "the bucket removes every entry after a fixed time; set its maximum age to 0",
        );
    }
    if config.discard == "old" && (config.max_bytes > 0 || config.max_msgs > 0) {
        fear(
            RiskKind::DiscardOld,
            "the bucket removes entries when it is full; let it discard new messages instead",
        );
    }
    if config.persist_mode == "async" {
        fear(
            RiskKind::AsynchronousWrites,
            "the bucket acknowledges writes before it has stored them; set its `persist_mode` to \
             `default`",
        );
    }
    if !config.sources.is_empty() {
        fear(
            RiskKind::Sources,
            "the bucket takes in the messages of other streams, which overwrite entries; remove its \
             sources",
        );
    }
    if config.num_replicas == 1 {
        fear(
            RiskKind::SingleReplica,
            "the bucket is on one server, which brings it to its disk every two minutes unless \
             `sync_interval` says otherwise; create it with 3 replicas, or set \
             `sync_interval: always` and accept this risk",
        );
    }
    if swaps_wrongly(bucket.version, bucket.clustered) {
        fear(
            RiskKind::ServerVersion,
            "conditional writes of this version of the server are known to fail; upgrade it",
        );
    }
    risks
}

/// Whether this version lets two writers both win, as told in the issues of the server: clusters
/// before 2.9.21, and 2.10.19.
fn swaps_wrongly(version: Version, clustered: bool) -> bool {
    version == Version(2, 10, 19) || (clustered && version < Version(2, 9, 21))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_faults_are_told() {
        assert!(swaps_wrongly(Version(2, 10, 19), false));
        assert!(swaps_wrongly(Version(2, 9, 10), true));
        assert!(!swaps_wrongly(Version(2, 9, 10), false));
        assert!(!swaps_wrongly(Version(2, 9, 21), true));
    }
}
