//! One lasting connection to one server, which is replaced when it is lost.
//!
//! A link is up or down, and a command learns at once which: there is no queue for a server that
//! does not answer. While it is up, commands go to one multiplexed connection; when that is lost,
//! all that wait for an answer are told so, and a task in the background connects again. What was
//! sent on the old connection is never sent on the new one.

use core::{fmt, future::Future, pin::Pin, time::Duration};
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use redis::{Cmd, Pipeline, Value, aio::MultiplexedConnection};
use tokio::{sync::Notify, task::JoinHandle, time::sleep};

use super::{
    config::Address,
    dial::{Connected, Dialer, Task, ping},
    error,
    pulse::{Pulse, Verdict, Watch},
};
use crate::backend::{BackendError, ErrorKind, Result};

/// The first wait after a failed attempt to connect; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The longest wait between two attempts.
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// A connection whose server takes no writes is replaced no more often than this: it may be a
/// replica on purpose, and reads go on.
const REPLACE_PAUSE: Duration = Duration::from_secs(2);

/// Finds the server that a link leads to: it may have moved since the last time.
pub(super) type Locate = Arc<dyn Fn() -> Located + Send + Sync>;
type Located = Pin<Box<dyn Future<Output = Result<Address>> + Send>>;

/// A server that stays where it is.
pub(super) fn fixed(address: Address) -> Locate {
    Arc::new(move || {
        let address = address.clone();
        Box::pin(async move { Ok(address) })
    })
}

/// Why there is no reply to a command.
#[derive(Debug)]
pub(super) enum Fault {
    /// It was not sent.
    Unsent(BackendError),
    /// It may have been sent. The words say what happened to the connection.
    Lost(&'static str),
}

/// A link. It ends when this is dropped, and what waits for an answer learns of it.
pub(super) struct Link {
    shared: Arc<Shared>,
    keeper: JoinHandle<()>,
}

struct Shared {
    dialer: Arc<Dialer>,
    locate: Locate,
    state: RwLock<State>,
    pulse: Pulse,
    /// The connection should be replaced, though it works.
    suspected: Notify,
}

enum State {
    Up { address: Address, handle: MultiplexedConnection, number: u64 },
    Down { address: Option<Address>, since: Instant, kind: ErrorKind, cause: String },
    Closed,
}

impl State {
    /// A connection with a number that no other has.
    fn up(address: Address, handle: MultiplexedConnection) -> Self {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
        Self::Up { address, handle, number: CONNECTIONS.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Link {
    /// Connects, and from then on keeps connected.
    pub(super) async fn open(dialer: Arc<Dialer>, locate: Locate) -> Result<Self> {
        let (address, connected) = connect(&dialer, &locate).await?;
        let handle = connected.handle;
        let state = RwLock::new(State::up(address, handle));
        let (pulse, suspected) = (Pulse::default(), Notify::new());
        let shared = Arc::new(Shared { dialer, locate, state, pulse, suspected });
        let keeper = tokio::spawn(keep(Arc::clone(&shared), connected.task));
        Ok(Self { shared, keeper })
    }

    /// Sends one command. An error reply of the server is a reply.
    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, Fault> {
        let mut handle = self.shared.handle().map_err(Fault::Unsent)?;
        let number = self.shared.pulse.send();
        let reply = handle.send_packed_command(command).await;
        self.answered(number, reply)
    }

    /// Sends several commands at once. Each has a reply of its own, which may be an error.
    pub(super) async fn send_all(&self, commands: &Pipeline) -> Result<Vec<Value>, Fault> {
        let mut handle = self.shared.handle().map_err(Fault::Unsent)?;
        let number = self.shared.pulse.send();
        let replies = handle.send_packed_commands(commands, 0, commands.len()).await;
        self.answered(number, replies)
    }

    fn answered<T>(&self, number: u64, reply: redis::RedisResult<T>) -> Result<T, Fault> {
        match reply {
            Ok(reply) => {
                self.shared.pulse.answer(number);
                Ok(reply)
            }
            Err(error) => Err(Fault::Lost(error::of_transport(&error))),
        }
    }

    /// Whether commands would be sent just now; why not, otherwise.
    pub(super) fn check(&self) -> Result<()> {
        self.shared.handle().map(drop)
    }

    /// The number of the present connection, which no other ever has.
    pub(super) fn connection(&self) -> Result<u64> {
        self.shared.connected(|_, number| number)
    }

    /// To be told when the server takes no writes: another may have become the master, so the
    /// connection is made anew, where `locate` then says.
    pub(super) fn suspect(&self) {
        self.shared.suspected.notify_one();
    }

    /// Where it leads, or led when it was up last.
    pub(super) fn address(&self) -> Option<Address> {
        self.shared.address()
    }

    /// Ends the link. What waits for an answer is told that there will be none.
    pub(super) fn close(&self) {
        self.shared.set(State::Closed);
        self.keeper.abort();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.shared.read() {
            State::Up { .. } => "up",
            State::Down { .. } => "down",
            State::Closed => "closed",
        };
        let address = self.address().map(|address| address.to_string());
        f.debug_struct("Link")
            .field("address", &address)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn handle(&self) -> Result<MultiplexedConnection> {
        self.connected(|handle, _| handle.clone())
    }

    /// Something of the connection; why there is none, otherwise.
    fn connected<T>(&self, take: impl FnOnce(&MultiplexedConnection, u64) -> T) -> Result<T> {
        match &*self.read() {
            State::Up { handle, number, .. } => Ok(take(handle, *number)),
            State::Down { address, since, kind, cause } => {
                let down = since.elapsed().as_millis();
                let message = format!("no connection for {down} ms: {cause}");
                let error = BackendError::new(*kind, message);
                Err(match address {
                    Some(address) => error.about(address),
                    None => error,
                })
            }
            State::Closed => Err(BackendError::closed()),
        }
    }

    fn address(&self) -> Option<Address> {
        match &*self.read() {
            State::Up { address, .. } => Some(address.clone()),
            State::Down { address, .. } => address.clone(),
            State::Closed => None,
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters another state, unless the link was closed meanwhile: that one is final.
    fn set(&self, next: State) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*state, State::Closed) {
            *state = next;
        }
    }

    fn down(&self, kind: ErrorKind, cause: &str) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let (address, since) = match &*state {
            State::Up { address, .. } => (Some(address.clone()), Instant::now()),
            State::Down { address, since, .. } => (address.clone(), *since),
            State::Closed => return,
        };
        *state = State::Down { address, since, kind, cause: cause.to_owned() };
    }
}

async fn connect(dialer: &Dialer, locate: &Locate) -> Result<(Address, Connected)> {
    let address = locate().await?;
    let connected = dialer.dial(&address).await?;
    Ok((address, connected))
}

/// Replaces the connection whenever that is needed, for ever: it is ended from outside.
async fn keep(shared: Arc<Shared>, mut task: Task) {
    // The connection before the present one, when that was replaced although it worked: it gets
    // some time to deliver the answers that are due.
    let mut retired: Option<(Instant, Task)> = None;
    let mut replaced: Option<Instant> = None;
    let mut watch = Watch::new(shared.dialer.config.response_timeout, Instant::now());
    loop {
        tokio::select! {
            () = task.ended() => {
                task = reconnect(&shared, "the connection was lost").await;
                watch = Watch::new(shared.dialer.config.response_timeout, Instant::now());
            }
            () = shared.suspected.notified(),
                if replaced.is_none_or(|last| last.elapsed() >= REPLACE_PAUSE) =>
            {
                replaced = Some(Instant::now());
                if let Ok((address, Connected { handle, task: next })) =
                    connect(&shared.dialer, &shared.locate).await
                {
                    shared.set(State::up(address, handle));
                    retired = Some((Instant::now(), core::mem::replace(&mut task, next)));
                }
            }
            () = sleep(watch.interval()) => match watch.look(&shared.pulse, Instant::now()) {
                Verdict::Alive => {}
                Verdict::Ask => ask(&shared),
                Verdict::Dead => {
                    drop(task);
                    task = reconnect(&shared, "the server did not answer in time").await;
                    watch = Watch::new(shared.dialer.config.response_timeout, Instant::now());
                }
            },
        }
        let limit = shared.dialer.config.response_timeout;
        retired = retired.filter(|(since, _)| since.elapsed() < limit);
    }
}

/// Asks the server for a sign of life. Nobody waits for it: the pulse shows whether it came.
fn ask(shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        if let Ok(mut handle) = shared.handle() {
            let number = shared.pulse.send();
            if handle.send_packed_command(&ping()).await.is_ok() {
                shared.pulse.answer(number);
            }
        }
    });
}

/// Tries until there is a connection again. The first attempt is made at once.
async fn reconnect(shared: &Shared, cause: &'static str) -> Task {
    shared.down(ErrorKind::Unavailable, cause);
    tracing::warn!(address = ?shared.address(), cause, "lost the connection to a server");
    let mut pause = FIRST_PAUSE;
    loop {
        match connect(&shared.dialer, &shared.locate).await {
            Ok((address, Connected { handle, task })) => {
                tracing::info!(%address, "connected to a server again");
                // Nothing that was sent before will be answered on this connection.
                shared.pulse.answer(shared.pulse.send());
                shared.set(State::up(address, handle));
                return task;
            }
            Err(error) => shared.down(error.kind(), error.message()),
        }
        sleep(jittered(pause)).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

/// Between half of `pause` and all of it, so that many clients do not come back at one moment.
fn jittered(pause: Duration) -> Duration {
    use core::hash::BuildHasher;
    let random = std::hash::RandomState::new().hash_one(()) % 512;
    pause / 2 + pause * u32::try_from(random).unwrap_or_default() / 1024
}
