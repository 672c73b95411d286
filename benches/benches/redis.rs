//! Typed get and set on Redis by concurrent callers, against the same work by hand and PURISTA's.
//!
//! Both sides use the same server, which keeps nothing on the disk, the same keys and values of the
//! same size; each has one connection. The server runs on the same machine, so the callers and the
//! server take turns on its processors.

use std::time::Duration;

use benches::{
    Failure,
    by_hand::encode_key,
    concurrent::{Work, compare, rate},
    program::Program,
    redis_by_hand::Redis,
    session::{self, Session},
    sessions::{Gets, Numbers, Sessions as _, Sets, fill},
};
use servers::{
    purista::Peer,
    redis::{Flavour, Server},
};
use state_runtime::{
    backends::{RedisBackend, RedisConfig},
    store::StateStore,
};
use tokio::runtime::Runtime;

const PEER: &str = "redis + serde_json + garde";

const CALLERS: [usize; 4] = [1, 8, 64, 512];

/// The two sides.
struct Sides {
    runtime: Runtime,
    server: Server,
    store: StateStore<RedisBackend>,
    redis: Redis,
    numbers: Numbers,
}

fn main() -> Result<(), Failure> {
    let sides = Sides::start()?;
    let mut program = Program::start("redis");
    for callers in CALLERS {
        sides.compare_gets(&mut program, callers)?;
    }
    for callers in CALLERS {
        sides.compare_sets(&mut program, callers)?;
    }
    sides.compare_many(&mut program)?;
    sides.compare_purista(&mut program)?;
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
        let mut redis = Redis::connect(&server.url()).await?;
        fill(&mut redis).await?;
        Ok((server, StateStore::new(backend)?, redis))
    }

    fn rate<W: Work>(
        &self,
        callers: usize,
        slice: Duration,
        caller: impl FnMut() -> W,
    ) -> Result<f64, Failure> {
        self.runtime.block_on(rate(callers, slice, caller))
    }

    fn compare_gets(&self, program: &mut Program, callers: usize) -> Result<(), Failure> {
        println!("   gets by {callers} callers");
        let compared = compare(
            program.effort(),
            |slice| self.rate(callers, slice, || Gets::new(&self.store, &self.numbers)),
            |slice| self.rate(callers, slice, || Gets::new(&self.redis, &self.numbers)),
        )?;
        program.report().rates(format!("redis_get_{callers}"), compared, "gets/s", PEER);
        Ok(())
    }

    fn compare_sets(&self, program: &mut Program, callers: usize) -> Result<(), Failure> {
        println!("   sets by {callers} callers");
        let compared = compare(
            program.effort(),
            |slice| self.rate(callers, slice, || Sets::new(&self.store, &self.numbers)),
            |slice| self.rate(callers, slice, || Sets::new(&self.redis, &self.numbers)),
        )?;
        program.report().rates(format!("redis_set_{callers}"), compared, "sets/s", PEER);
        Ok(())
    }

    /// One caller that wants ten sessions each time.
    fn compare_many(&self, program: &mut Program) -> Result<(), Failure> {
        println!("   ten sessions at once");
        let compared = compare(
            program.effort(),
            |slice| {
                let caller = || TogetherByTen { store: self.store.clone(), ids: self.ten_ids() };
                self.rate(1, slice, caller)
            },
            |slice| {
                let caller = || OneByOne { redis: self.redis.clone(), ids: self.ten_ids() };
                self.rate(1, slice, caller)
            },
        )?;
        let peer = "10 gets with redis + serde_json + garde";
        program.report().rates("redis_get_many_10", compared, "calls/s", peer);
        Ok(())
    }

    fn ten_ids(&self) -> Ids {
        std::array::from_fn(|_| session::id(self.numbers.next_key()))
    }

    /// The store that services written in TypeScript share with ours.
    fn compare_purista(&self, program: &mut Program) -> Result<(), Failure> {
        const CALLERS: usize = 64;
        let Some(peer) = Peer::redis(&self.server.address()) else {
            println!("redis_get_64_purista: left out, node is not installed");
            return Ok(());
        };
        println!("   gets by {CALLERS} callers of PURISTA's store");
        let names: Vec<_> = (0..1_000).map(|key| encode_key(&session::id(key))).collect();
        let compared = compare(
            program.effort(),
            |slice| self.rate(CALLERS, slice, || Gets::new(&self.store, &self.numbers)),
            |slice| Ok(peer.gets_a_second(&names, CALLERS, slice)),
        )?;
        let peer = "PURISTA's Redis store + zod, on node";
        program.report().rates("redis_get_64_purista", compared, "gets/s", peer);
        Ok(())
    }
}

type Ids = [String; 10];

/// A caller that gets ten sessions in one call.
struct TogetherByTen {
    store: StateStore<RedisBackend>,
    ids: Ids,
}

impl Work for TogetherByTen {
    async fn once(&mut self) -> Result<(), Failure> {
        let found = self.store.get_all(self.ids.iter().map(|id| Session::key(id.as_str()))).await?;
        if found.iter().all(Option::is_some) { Ok(()) } else { Err("a session is missing".into()) }
    }
}

/// A caller that gets ten sessions one after the other.
struct OneByOne {
    redis: Redis,
    ids: Ids,
}

impl Work for OneByOne {
    async fn once(&mut self) -> Result<(), Failure> {
        for id in &self.ids {
            self.redis.get(id.clone()).await?.ok_or("a session is missing")?;
        }
        Ok(())
    }
}
