//! Durable sets and random gets on the file backend, against redb used directly.
//!
//! Both sides do the same work on a file of their own, in alternating slices: validate, encode and
//! make durable a value that was never written before, by as many callers. Ours are tasks, the
//! peer's are threads, which is how redb is used without anything in between.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use benches::{
    Failure, by_hand,
    disk::CountingFile,
    measure::{alternate, at_once, median, percentile},
    program::Program,
    redb_by_hand::Redb,
    session::{self, Session},
};
use state_runtime::{backends::file::FileBackend, store::StateStore};
use tokio::{runtime::Runtime, task::JoinSet};

const PEER: &str = "redb, one transaction a set";

/// How many sessions are set and read: every one of the keys is there before anything is measured.
const KEYS: u64 = 10_000;

const CACHE_SIZE: usize = 256 << 20;

/// One slice of sets.
struct Slice {
    sets: usize,
    elapsed: Duration,
    latencies: Vec<Duration>,
    syncs: u64,
}

impl Slice {
    fn a_second(&self) -> f64 {
        count(self.sets as u64) / self.elapsed.as_secs_f64()
    }
}

/// The two sides.
struct Sides {
    runtime: Runtime,
    store: StateStore<FileBackend>,
    file: CountingFile,
    redb: Redb,
    /// Makes every value another one.
    written: Arc<AtomicU64>,
}

fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let sides = Sides::open(folder.path())?;
    let mut program = Program::start("file");
    for callers in [1, 64, 512] {
        sides.compare_sets(&mut program, callers)?;
    }
    sides.compare_gets(&mut program);
    program.finish()?;
    Ok(())
}

impl Sides {
    fn open(folder: &Path) -> Result<Self, Failure> {
        let runtime = Runtime::new()?;
        let file = CountingFile::create(&folder.join("state"))?;
        let backend = FileBackend::builder(folder)
            .with_storage(Arc::new(file.clone()))
            .with_cache_size(CACHE_SIZE);
        let store = StateStore::new(runtime.block_on(backend.open())?)?;
        let redb = Redb::create(folder, CACHE_SIZE)?;
        let sides = Self { runtime, store, file, redb, written: Arc::default() };
        sides.fill()?;
        Ok(sides)
    }

    /// Writes every session once, on both sides.
    fn fill(&self) -> Result<(), Failure> {
        let sessions: Vec<Session> = (0..KEYS).map(session::sample).collect();
        let plain: Vec<_> = sessions.iter().map(Into::into).collect();
        self.redb.set_all(&plain)?;
        self.runtime.block_on(async {
            for chunk in sessions.chunks(1_000) {
                self.store.set_all(chunk).await?;
            }
            Ok(())
        })
    }

    fn compare_sets(&self, program: &mut Program, callers: usize) -> Result<(), Failure> {
        let effort = program.effort();
        let slice = effort.choose(
            Duration::from_millis(20),
            Duration::from_millis(500),
            Duration::from_secs(1),
        );
        let pairs = effort.choose(1, 6, 20);
        println!("   sets by {callers} callers");
        let mut ours = Vec::with_capacity(pairs);
        let mut peers = Vec::with_capacity(pairs);
        for pair in 0..pairs {
            let (our, peer) = alternate(
                pair,
                || self.runtime.block_on(self.our_sets(callers, slice)),
                || self.redb_sets(callers, slice),
            );
            ours.push(our?);
            peers.push(peer?);
        }
        report_sets(program, callers, ours, peers);
        Ok(())
    }

    async fn our_sets(&self, callers: usize, slice: Duration) -> Result<Slice, Failure> {
        let syncs = self.file.syncs();
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for _ in 0..callers {
            let (store, written) = (self.store.clone(), Arc::clone(&self.written));
            tasks.spawn(async move {
                let mut latencies = Vec::new();
                while start.elapsed() < slice {
                    let session = next(&written);
                    let begun = Instant::now();
                    store.set(&session).await?;
                    latencies.push(begun.elapsed());
                }
                Ok::<_, Failure>(latencies)
            });
        }
        let mut latencies = Vec::new();
        while let Some(caller) = tasks.join_next().await {
            latencies.append(&mut caller??);
        }
        let elapsed = start.elapsed();
        let syncs = self.file.syncs() - syncs;
        Ok(Slice { sets: latencies.len(), elapsed, latencies, syncs })
    }

    fn redb_sets(&self, callers: usize, slice: Duration) -> Result<Slice, Failure> {
        let syncs = self.redb.file().syncs();
        let start = Instant::now();
        let caller = || {
            let mut latencies = Vec::new();
            while start.elapsed() < slice {
                let session = by_hand::Session::from(&next(&self.written));
                let begun = Instant::now();
                self.redb.set(&session)?;
                latencies.push(begun.elapsed());
            }
            Ok::<_, Failure>(latencies)
        };
        let latencies: Result<Vec<_>, Failure> = thread::scope(|scope| {
            let threads: Vec<_> = (0..callers).map(|_| scope.spawn(caller)).collect();
            let ended = threads.into_iter().map(thread::ScopedJoinHandle::join);
            ended.map(|ended| ended.unwrap_or_else(|_| Err("a caller panicked".into()))).collect()
        });
        let latencies = latencies?.concat();
        let elapsed = start.elapsed();
        let syncs = self.redb.file().syncs() - syncs;
        Ok(Slice { sets: latencies.len(), elapsed, latencies, syncs })
    }

    fn compare_gets(&self, program: &mut Program) {
        let (mut ours, mut theirs) = (0, 0);
        program.compare(
            "file_get",
            "redb, one read transaction a get",
            || at_once(self.store.get(Session::key(random_id(&mut ours)))),
            || self.redb.get(random_id(&mut theirs)),
        );
    }
}

/// A session with a number that no other has, under a key that is there already.
fn next(written: &AtomicU64) -> Session {
    let number = written.fetch_add(1, Ordering::Relaxed);
    Session { session_id: random_id(&mut { number }), ..session::sample(KEYS + number) }
}

/// The ids of all sessions, in an order that has nothing to do with that of their keys.
fn random_id(step: &mut u64) -> String {
    *step += 1;
    session::id(step.wrapping_mul(6_151) % KEYS)
}

fn report_sets(program: &mut Program, callers: usize, ours: Vec<Slice>, peers: Vec<Slice>) {
    let report = program.report();
    let name = |what: &str| format!("file_{what}_{callers}");

    let rates = |slices: &[Slice]| median(slices.iter().map(Slice::a_second));
    let ratios = ours.iter().zip(&peers).map(|(ours, peer)| ours.a_second() / peer.a_second());
    report.compared(name("set"), (rates(&ours), rates(&peers)), "sets/s", PEER, median(ratios));

    let syncs = |slices: &[Slice]| {
        let syncs: u64 = slices.iter().map(|slice| slice.syncs).sum();
        let sets: usize = slices.iter().map(|slice| slice.sets).sum();
        count(syncs) / count(sets as u64)
    };
    let (our_syncs, peer_syncs) = (syncs(&ours), syncs(&peers));
    let values = (our_syncs, peer_syncs);
    report.compared(name("fsyncs_per_set"), values, "fsyncs", PEER, peer_syncs / our_syncs);

    let (mut ours, mut peers) = (latencies(ours), latencies(peers));
    for (what, share) in [("set_p50", 0.5), ("set_p99", 0.99)] {
        let [our, peer] = [&mut ours, &mut peers].map(|all| milliseconds(percentile(all, share)));
        report.compared(name(what), (our, peer), "ms", PEER, peer / our);
    }
}

fn latencies(slices: Vec<Slice>) -> Vec<Duration> {
    slices.into_iter().flat_map(|slice| slice.latencies).collect()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "no benchmark counts to 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}
