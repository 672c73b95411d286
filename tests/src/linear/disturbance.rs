//! What goes wrong while the clients are at work: connections that break, servers that stand still.

use core::time::Duration;

use fastrand::Rng;
use tokio::time::sleep;

use crate::{
    proxy::{Action, Direction, Fault, Proxy},
    servers::Instance,
};

/// How many things go wrong in a round.
const COUNT: usize = 8;

/// How far a byte can be away at which a connection breaks: a few exchanges.
const BYTES: core::ops::Range<u64> = 0..3_000;

/// The way to the servers, and the servers themselves.
#[derive(Debug)]
pub struct Surroundings<'s> {
    /// Everything that the clients send goes through these.
    pub proxies: Vec<Proxy>,
    /// What stands still at times.
    pub servers: Vec<&'s Instance>,
    /// How long a client waits for an answer.
    pub limit: Duration,
    /// Whether callers wait for their answers.
    pub callers: Callers,
    /// What the revision is worth that a write is answered with.
    pub written: Written,
}

/// What the revision is worth that a write is answered with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Written {
    /// It holds until the next write.
    #[default]
    Holds,
    /// It may never hold, because the backend has to read it after the write and the way to the server
    /// can break in between. So only what was read is used for conditions.
    MayNotHold,
}

/// Whether callers wait for their answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// All of them do.
    Patient,
    /// Some give up: their futures are dropped while something is on its way.
    Impatient,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disturbance {
    /// All connections of a proxy break at once.
    Sever(usize),
    /// A connection of a proxy breaks at a byte, so that what was sent may have arrived.
    Cut(usize, Fault),
    /// A server stands still for so long.
    Pause(usize, Duration),
}

impl Surroundings<'_> {
    /// Nothing that could go wrong, but for callers that give up.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            proxies: Vec::new(),
            servers: Vec::new(),
            limit: Duration::from_secs(5),
            callers: Callers::Impatient,
            written: Written::Holds,
        }
    }

    /// What goes wrong in a round, each with the number of the call at which it does. A server
    /// stands still for longer than a client waits at least once.
    fn schedule(&self, rng: &mut Rng, calls: usize) -> Vec<(usize, Disturbance)> {
        if self.proxies.is_empty() || self.servers.is_empty() {
            return Vec::new();
        }
        let step = calls / (COUNT + 1);
        let disturbances = (0..COUNT).map(|number| {
            let proxy = rng.usize(..self.proxies.len());
            let disturbance = match (number, rng.u32(..4)) {
                (2, _) => Disturbance::Pause(rng.usize(..self.servers.len()), self.limit * 2),
                (_, 0) => Disturbance::Pause(rng.usize(..self.servers.len()), self.limit / 2),
                (_, 1) => Disturbance::Sever(proxy),
                (_, side) => {
                    let side = if side == 2 { Direction::ToClient } else { Direction::ToServer };
                    let action = if rng.bool() { Action::Reset } else { Action::Close };
                    Disturbance::Cut(proxy, Fault::new(side, rng.u64(BYTES), action))
                }
            };
            (step * (number + 1) + rng.usize(..step.max(1)), disturbance)
        });
        disturbances.collect()
    }

    /// Lets things go wrong while a round of `calls` goes on; `made` tells how many were made.
    pub(super) async fn disturb(&self, mut rng: Rng, calls: usize, made: impl Fn() -> usize) {
        for (at, disturbance) in self.schedule(&mut rng, calls) {
            while made() < at {
                sleep(Duration::from_millis(1)).await;
            }
            match disturbance {
                Disturbance::Sever(proxy) => self.proxies[proxy].sever().await,
                Disturbance::Cut(proxy, fault) => self.proxies[proxy].arm(fault),
                Disturbance::Pause(server, time) => {
                    self.servers[server].pause();
                    sleep(time).await;
                    self.servers[server].resume();
                }
            }
        }
    }

    /// Lets nothing go wrong any more.
    pub(super) fn calm(&self) {
        self.proxies.iter().for_each(Proxy::disarm);
    }
}
