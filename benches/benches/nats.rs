//! Typed get and set in a bucket of NATS by concurrent callers, against the same work by hand.
//!
//! Both sides use the same server with the disk as NATS uses it by default: an acknowledged put is
//! in the system's cache, not yet on the disk. Each side has one connection and a bucket of its own
//! with the same settings.

use std::time::Duration;

use benches::{
    Failure,
    concurrent::{Work, compare, rate},
    nats_by_hand::Nats,
    program::Program,
    sessions::{Gets, Numbers, Sets, fill},
};
use servers::nats::{Server, Version};
use state_runtime::{
    backends::{NatsBackend, NatsConfig},
    store::StateStore,
};
use tokio::runtime::Runtime;

const PEER: &str = "async-nats + serde_json + garde";

const CALLERS: [usize; 2] = [1, 64];

/// The two sides.
struct Sides {
    runtime: Runtime,
    /// Ends when it is dropped.
    _server: Server,
    store: StateStore<NatsBackend>,
    nats: Nats,
    numbers: Numbers,
}

fn main() -> Result<(), Failure> {
    let sides = Sides::start()?;
    let mut program = Program::start("nats");
    for callers in CALLERS {
        sides.compare_puts(&mut program, callers)?;
    }
    for callers in CALLERS {
        sides.compare_gets(&mut program, callers)?;
    }
    program.finish()?;
    Ok(())
}

impl Sides {
    fn start() -> Result<Self, Failure> {
        let runtime = Runtime::new()?;
        runtime.block_on(Self::connect()).map(|(server, store, nats)| Self {
            runtime,
            _server: server,
            store,
            nats,
            numbers: Numbers::default(),
        })
    }

    async fn connect() -> Result<(Server, StateStore<NatsBackend>, Nats), Failure> {
        let server = Server::start(Version::V2_15).await;
        let config = NatsConfig::new(server.address()).with_bucket("typed");
        let mut store = StateStore::new(NatsBackend::connect(config).await?)?;
        let mut nats = Nats::create(&server.address(), "by-hand").await?;
        fill(&mut store).await?;
        fill(&mut nats).await?;
        Ok((server, store, nats))
    }

    fn rate<W: Work>(
        &self,
        callers: usize,
        slice: Duration,
        caller: impl FnMut() -> W,
    ) -> Result<f64, Failure> {
        self.runtime.block_on(rate(callers, slice, caller))
    }

    fn compare_puts(&self, program: &mut Program, callers: usize) -> Result<(), Failure> {
        println!("   puts by {callers} callers");
        let compared = compare(
            program.effort(),
            |slice| self.rate(callers, slice, || Sets::new(&self.store, &self.numbers)),
            |slice| self.rate(callers, slice, || Sets::new(&self.nats, &self.numbers)),
        )?;
        program.report().rates(format!("nats_put_{callers}"), compared, "puts/s", PEER);
        Ok(())
    }

    fn compare_gets(&self, program: &mut Program, callers: usize) -> Result<(), Failure> {
        println!("   gets by {callers} callers");
        let compared = compare(
            program.effort(),
            |slice| self.rate(callers, slice, || Gets::new(&self.store, &self.numbers)),
            |slice| self.rate(callers, slice, || Gets::new(&self.nats, &self.numbers)),
        )?;
        program.report().rates(format!("nats_get_{callers}"), compared, "gets/s", PEER);
        Ok(())
    }
}
