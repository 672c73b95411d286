//! State on Redis that many writers share: updates, a scan and a watch, against the same by hand.
//!
//! By hand, an update is a loop of `GET` and a script that writes if the value is still the one that was
//! read; a scan is `SCAN` and `MGET`; a watch is client-side tracking and a `GET`. Values are decoded
//! and checked on both sides, which have one connection each to the same server.

use std::{future::Future, time::Instant};

use benches::{
    Failure,
    concurrent::{compare, rate},
    measure::{Comparison, alternate, median},
    program::Program,
    redis_shared_by_hand::{Redis, Watched},
    session::{self, Sample as _, Session},
    sessions::{Numbers, fill},
    updates::{Changes, Chosen},
};
use servers::redis::{Flavour, Server};
use state_runtime::{
    backends::{RedisBackend, RedisConfig},
    store::StateStore,
};
use tokio::runtime::Runtime;

const CALLERS: [usize; 3] = [1, 16, 64];

/// How many keys a page of a scan has, on both sides.
const PAGE: usize = 256;

/// How many sessions are written at once to fill the server.
const CHUNK: usize = 1_000;

const ENDED: &str = "the watch has ended";

/// The two sides.
struct Sides {
    runtime: Runtime,
    server: Server,
    store: StateStore<RedisBackend>,
    redis: Redis,
    numbers: Numbers,
}

fn main() -> Result<(), Failure> {
    let mut sides = Sides::start()?;
    let mut program = Program::start("shared");
    for (name, chosen) in [("update", Chosen::Spread), ("update_contended", Chosen::One)] {
        for callers in CALLERS {
            sides.compare_updates(&mut program, name, callers, chosen)?;
        }
    }
    sides.compare_watches(&mut program)?;
    sides.compare_scans(&mut program)?;
    program.finish()?;
    Ok(())
}

impl Sides {
    fn start() -> Result<Self, Failure> {
        let runtime = Runtime::new()?;
        runtime.block_on(Self::connect()).map(|(server, store, redis)| Self {
            runtime,
            server,
            store,
            redis,
            numbers: Numbers::default(),
        })
    }

    async fn connect() -> Result<(Server, StateStore<RedisBackend>, Redis), Failure> {
        let server = Server::builder(Flavour::Redis7).arg("--appendonly", "no").start().await;
        let backend = RedisBackend::connect(RedisConfig::new(server.address())).await?;
        let mut store = StateStore::new(backend)?;
        fill(&mut store).await?;
        let redis = Redis::connect(&server.url()).await?;
        Ok((server, store, redis))
    }

    fn compare_updates(
        &self,
        program: &mut Program,
        name: &str,
        callers: usize,
        chosen: Chosen,
    ) -> Result<(), Failure> {
        println!("   {name} by {callers} callers");
        let (runtime, numbers) = (&self.runtime, &self.numbers);
        let compared = compare(
            program.effort(),
            |slice| {
                let caller = || Changes::new(&self.store, numbers, chosen);
                runtime.block_on(rate(callers, slice, caller))
            },
            |slice| {
                let caller = || Changes::new(&self.redis, numbers, chosen);
                runtime.block_on(rate(callers, slice, caller))
            },
        )?;
        let peer = "redis + serde_json + garde, GET and a script in a loop";
        program.report().rates(format!("{name}_{callers}"), compared, "updates/s", peer);
        Ok(())
    }

    /// The time from before a set until the watcher has the new value, decoded and checked.
    fn compare_watches(&self, program: &mut Program) -> Result<(), Failure> {
        println!("   watching a session");
        let pairs = program.effort().choose(2, 200, 2_000);
        let mut samples = Vec::with_capacity(pairs);
        self.runtime.block_on(async {
            let mut ours = self.store.watch(Session::key(session::id(0)));
            ours.next().await.ok_or(ENDED)??;
            let mut peer = Watched::connect(&self.server.url(), session::id(1)).await?;
            for pair in 0..pairs {
                let of_ours = async {
                    let (session, start) = self.change(0).await?;
                    while ours.next().await.ok_or(ENDED)??.as_ref() != Some(&session) {}
                    Ok::<_, Failure>(start.elapsed())
                };
                let of_peer = async {
                    let (session, start) = self.change(1).await?;
                    while peer.next().await?.user_id != session.user_id {}
                    Ok::<_, Failure>(start.elapsed())
                };
                let (ours, peer) = if pair.is_multiple_of(2) {
                    let ours = of_ours.await?;
                    (ours, of_peer.await?)
                } else {
                    let peer = of_peer.await?;
                    (of_ours.await?, peer)
                };
                samples.push((ours.as_secs_f64() * 1e6, peer.as_secs_f64() * 1e6));
            }
            Ok::<_, Failure>(())
        })?;
        let ours = median(samples.iter().map(|(ours, _)| *ours));
        let peers = median(samples.iter().map(|(_, peer)| *peer));
        let ratio = median(samples.iter().map(|(ours, peer)| peer / ours));
        let peer = "redis + serde_json + garde, tracking and GET";
        program.report().compared("watch_latency", (ours, peers), "µs", peer, ratio);
        Ok(())
    }

    /// Gives a session a new value, the same way for both sides: it is the watching that is compared.
    async fn change(&self, id: u64) -> Result<(Session, Instant), Failure> {
        let mut session = session::sample(id);
        session.renew(id, self.numbers.next());
        let start = Instant::now();
        self.store.set(&session).await?;
        Ok((session, start))
    }

    fn compare_scans(&mut self, program: &mut Program) -> Result<(), Failure> {
        let entries = program.effort().choose(2_000_u64, 100_000, 100_000);
        println!("   writing {entries} sessions");
        self.runtime.block_on(async {
            for start in (0..entries).step_by(CHUNK) {
                let chunk: Vec<_> = (start..).take(CHUNK).map(session::sample).collect();
                self.store.set_all(&chunk).await?;
            }
            Ok::<_, Failure>(())
        })?;
        println!("   scanning {entries} sessions");
        let pairs = program.effort().choose(1, 4, 12);
        let mut samples = Vec::with_capacity(pairs);
        for pair in 0..pairs {
            let (ours, peer) = alternate(
                pair,
                || self.runtime.block_on(timed(entries, scan(&self.store))),
                || self.runtime.block_on(timed(entries, self.redis.scan(PAGE))),
            );
            samples.push((ours?, peer?));
        }
        program.report().rates(
            "scan_100k",
            Comparison {
                ours: median(samples.iter().map(|(ours, _)| *ours)),
                peer: median(samples.iter().map(|(_, peer)| *peer)),
                ratio: median(samples.iter().map(|(ours, peer)| ours / peer)),
            },
            "entries/s",
            "redis + serde_json + garde, SCAN and MGET",
        );
        Ok(())
    }
}

/// Reads every session through the store, and tells how many there are.
async fn scan(store: &StateStore<RedisBackend>) -> Result<u32, Failure> {
    let (mut sessions, mut found) = (store.scan::<Session>(), 0);
    while let Some(session) = sessions.next().await {
        session?;
        found += 1;
    }
    Ok(found)
}

/// How many entries a second a scan finds.
async fn timed(
    entries: u64,
    scan: impl Future<Output = Result<u32, Failure>>,
) -> Result<f64, Failure> {
    let start = Instant::now();
    let found = scan.await?;
    // Nobody writes meanwhile, and one that is found twice does not make up for another.
    if u64::from(found) < entries {
        return Err("a scan has missed entries".into());
    }
    Ok(f64::from(found) / start.elapsed().as_secs_f64())
}
