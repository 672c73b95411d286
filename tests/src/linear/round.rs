//! A round: several clients that make random calls at once, and the check of what they were told.

use core::{
    fmt,
    ops::AddAssign,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use state_runtime::{
    backend::{Batch, Capability, Cas},
    store::StateStore,
};
use tokio::{
    task::{AbortHandle, JoinHandle},
    time::{Instant, sleep},
};

use super::{
    check::Event,
    client::{Board, Client, Outcome, Request},
    disturbance::{Callers, Surroundings, Written},
    generator::{Intent, Kind, intent, registers, rng},
    recorder::{Recorder, judge},
    register::{Call, Write},
};

/// How many clients share a store, each with a task of its own.
const SHARING: usize = 2;

/// Longer than a call may ever take, and than a backend may need until it works again.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a client pauses after a call that was not applied.
const PAUSE: Duration = Duration::from_millis(5);

/// What came of a round whose answers are all explained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Calls that were answered.
    pub answered: usize,
    /// Writes of which it is not known whether they took effect.
    pub unknown: usize,
    /// Calls that certainly took no effect, and reads without an answer.
    pub left_out: usize,
    /// Those of both kinds that no client has given up by itself.
    pub disturbed: usize,
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.answered += other.answered;
        self.unknown += other.unknown;
        self.left_out += other.left_out;
        self.disturbed += other.disturbed;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, unknown, left_out, disturbed } = self;
        write!(f, "{answered} answered, {unknown} of unknown outcome, {left_out} left out")?;
        write!(f, ", {disturbed} of these disturbed")
    }
}

/// Lets the clients of `stores` make `calls` calls at once, which `seed` decides, and checks that one
/// order of them explains all answers.
///
/// # Errors
///
/// None does, or a call fails in a way that it may not. The text names the seed.
pub async fn round<B: Cas + Batch>(
    stores: &[StateStore<B>],
    surroundings: &Surroundings<'_>,
    seed: u64,
    calls: usize,
) -> Result<Summary, String> {
    // Several rounds share a server, and none may find what another one left.
    static ROUNDS: AtomicUsize = AtomicUsize::new(0);
    let prefix = format!("{seed:x}r{}", ROUNDS.fetch_add(1, SeqCst));
    let is_patient = surroundings.callers == Callers::Patient;
    let written = surroundings.written;
    let round = Arc::new(Round { prefix, seed, calls, is_patient, written, ..Round::default() });
    let clients = (0..stores.len() * SHARING).map(|client| {
        let (round, store) = (Arc::clone(&round), stores[client % stores.len()].clone());
        tokio::spawn(async move { round.play(client, &store).await })
    });
    let clients: Vec<_> = clients.collect();
    let at_work: Vec<_> = clients.iter().map(JoinHandle::abort_handle).collect();
    // Clients that panicked make no calls, and nobody waits for these.
    let made = || {
        if at_work.iter().all(AbortHandle::is_finished) { usize::MAX } else { round.made() }
    };
    let clients = join_all(clients);
    let disturbed = surroundings.disturb(rng(seed, usize::MAX), calls, made);
    let (ended, ()) = tokio::join!(clients, disturbed);
    surroundings.calm();
    let failed = |what: String| format!("seed {seed:#x}: {what}");
    if let Some(Err(error)) = ended.into_iter().find(Result::is_err) {
        return Err(failed(format!("a client panicked: {error}")));
    }
    let Some(last) = stores.first() else { return Ok(Summary::default()) };
    round.look(last).await;
    let round = Arc::into_inner(round).ok_or_else(|| failed("a client goes on".to_owned()))?;
    round.judge().map_err(failed)
}

#[derive(Debug, Default)]
struct Round {
    prefix: String,
    seed: u64,
    calls: usize,
    is_patient: bool,
    written: Written,
    tickets: AtomicUsize,
    left_out: AtomicUsize,
    disturbed: AtomicUsize,
    board: Board,
    recorder: Recorder,
    faults: Mutex<Vec<String>>,
}

impl Round {
    fn made(&self) -> usize {
        self.tickets.load(SeqCst)
    }

    fn client<'r, B: Cas + Batch>(&'r self, store: &'r StateStore<B>) -> Client<'r, B> {
        Client { store, prefix: &self.prefix, board: &self.board, written: self.written }
    }

    /// Makes one call after the other until all are made, or one fails as it may not.
    async fn play<B: Cas + Batch>(&self, number: usize, store: &StateStore<B>) {
        let client = self.client(store);
        let commits = store.capabilities().contains(Capability::Batch);
        loop {
            let ticket = self.tickets.fetch_add(1, SeqCst);
            if ticket >= self.calls {
                return;
            }
            let intent = intent(self.seed, ticket);
            let request = match intent.kind {
                Kind::Replace | Kind::RemoveIf | Kind::CommitReplace => {
                    self.about_what_was_seen(intent)
                }
                _ => Some(plain(intent)),
            };
            // Where nothing was seen yet, somebody has to look.
            let mut request =
                request.unwrap_or_else(|| plain(Intent { kind: Kind::GetVersioned, ..intent }));
            if let (Call::Commit(write), false) = (request.call, commits) {
                request.call = write.alone();
            }
            let patience = intent.patience.filter(|_| !self.is_patient);
            self.insist(&client, number, &request, patience).await;
        }
    }

    fn about_what_was_seen(&self, intent: Intent) -> Option<Request> {
        let (seen, revision) = self.board.pick(intent.register, intent.pick)?;
        let call = match intent.kind {
            Kind::Replace => Call::Replace { seen, new: intent.number },
            Kind::CommitReplace => Call::Commit(Write::Replace { seen, new: intent.number }),
            _ => Call::RemoveIf { seen },
        };
        Some(Request { call, seen: Some(revision), ..plain(intent) })
    }

    /// Makes a call again and again until it may have been applied.
    async fn insist<B: Cas + Batch>(
        &self,
        client: &Client<'_, B>,
        number: usize,
        request: &Request,
        patience: Option<Duration>,
    ) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let began = self.recorder.now();
            let outcome = client.make(request, patience.unwrap_or(PATIENCE)).await;
            let (register, call) = (request.register, request.call);
            let event = Event { client: number, began, call, answer: None };
            let outcome = match outcome {
                Some(outcome) => outcome,
                None if patience.is_some() => Outcome::Unknown,
                None => return self.fault(format!("{call}: it did not return")),
            };
            match outcome {
                Outcome::Answered(answer) => {
                    let answer = Some((self.recorder.now(), answer));
                    return self.recorder.record(register, Event { answer, ..event });
                }
                Outcome::Wrong(error) => return self.fault(format!("{call}: {error}")),
                Outcome::Unknown | Outcome::NotApplied if patience.is_none() => {
                    self.disturbed.fetch_add(1, SeqCst);
                }
                Outcome::Unknown | Outcome::NotApplied => {}
            }
            if outcome == Outcome::Unknown && call.is_write() {
                return self.recorder.record(register, event);
            }
            self.left_out.fetch_add(1, SeqCst);
            if Instant::now() > deadline {
                return self.fault(format!("{call}: it does not work again"));
            }
            if patience.is_some() {
                return;
            }
            sleep(PAUSE).await;
        }
    }

    /// Reads every register in the end, when nobody writes any more.
    async fn look<B: Cas + Batch>(&self, store: &StateStore<B>) {
        let client = self.client(store);
        for register in 0..registers(self.calls) {
            let intent = Intent { register, kind: Kind::Get, ..intent(self.seed, 0) };
            self.insist(&client, usize::MAX, &plain(intent), None).await;
        }
    }

    fn fault(&self, fault: String) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    fn judge(self) -> Result<Summary, String> {
        let mut faults = self.faults.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut summary = Summary {
            left_out: self.left_out.into_inner(),
            disturbed: self.disturbed.into_inner(),
            ..Summary::default()
        };
        for (register, history) in self.recorder.into_histories() {
            let answered = history.iter().filter(|event| event.answer.is_some()).count();
            summary.answered += answered;
            summary.unknown += history.len() - answered;
            faults.extend(judge(register, &history).err());
        }
        if faults.is_empty() { Ok(summary) } else { Err(faults.join("\n")) }
    }
}

/// What is asked for where nothing has to be known before.
fn plain(intent: Intent) -> Request {
    let Intent { register, kind, way, number, .. } = intent;
    let call = match kind {
        Kind::Get | Kind::GetVersioned | Kind::Replace | Kind::RemoveIf | Kind::CommitReplace => {
            Call::Get
        }
        Kind::GetMany => Call::GetMany,
        Kind::Exists => Call::Exists,
        Kind::CommitSet => Call::Commit(Write::Set(number)),
        Kind::CommitCreate => Call::Commit(Write::Create(number)),
        Kind::Take => Call::Take,
        Kind::Set => Call::Set(number),
        Kind::Create => Call::Create(number),
        Kind::Update => Call::Update(number),
        Kind::Upsert => Call::Upsert(number),
        Kind::Add => Call::Add(number),
        Kind::Remove => Call::Remove,
    };
    let versioned = match kind {
        Kind::Get => false,
        Kind::GetVersioned => true,
        _ => intent.pick.is_multiple_of(2),
    };
    Request { register, call, way, seen: None, versioned }
}
