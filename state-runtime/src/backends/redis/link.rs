//! One lasting connection to one server, which is replaced when it is lost.
//!
//! A link is up or down, and a command learns at once which: there is no queue for a server that
//! does not answer. While it is up, commands go to one multiplexed connection; when that is lost,
//! all that wait for an answer are told so, and a task in the background connects again. What was
//! sent on the old connection is never sent on the new one.

use core::{
    fmt,
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
};
use std::{
    io,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Instant,
};

use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::{sync::Notify, task::JoinHandle};

use super::{
    config::Address,
    dial::{Connected, Dialer, Handle},
    error, keeper,
};
use crate::backend::{BackendError, ErrorKind, Result};

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

/// What the link shares with its keeper.
pub(super) struct Shared {
    pub(super) dialer: Arc<Dialer>,
    locate: Locate,
    state: RwLock<State>,
    /// The connection should be replaced, though it works.
    pub(super) suspected: Notify,
}

enum State {
    Up { address: Address, handle: Handle, number: u64 },
    Down { address: Option<Address>, since: Instant, kind: ErrorKind, cause: String },
    Closed,
}

impl State {
    /// A connection with a number that no other has.
    fn up(address: Address, handle: Handle) -> Self {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
        Self::Up { address, handle, number: CONNECTIONS.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Link {
    /// Connects, and from then on keeps connected.
    pub(super) async fn open(dialer: Arc<Dialer>, locate: Locate) -> Result<Self> {
        let (address, connected) = connect(&dialer, &locate).await?;
        let state = RwLock::new(State::up(address, connected.handle.clone()));
        let shared = Arc::new(Shared { dialer, locate, state, suspected: Notify::new() });
        let keeper = tokio::spawn(keeper::keep(Arc::clone(&shared), connected));
        Ok(Self { shared, keeper })
    }

    /// Sends one command. An error reply of the server is a reply.
    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, Fault> {
        let mut handle = self.shared.handle().map_err(Fault::Unsent)?;
        self.answered(handle.try_send(command).await)
    }

    /// Sends several commands at once. Each has a reply of its own, which may be an error.
    pub(super) async fn send_all(&self, commands: &Pipeline) -> Result<Vec<Value>, Fault> {
        let mut handle = self.shared.handle().map_err(Fault::Unsent)?;
        self.answered(handle.try_send_all(commands).await)
    }

    fn answered<T>(&self, reply: Option<RedisResult<T>>) -> Result<T, Fault> {
        match reply {
            Some(Ok(reply)) => Ok(reply),
            Some(Err(error)) => Err(Fault::Lost(error::of_transport(&error))),
            None => Err(Fault::Unsent(self.shared.over())),
        }
    }

    /// Whether commands would be sent just now; why not, otherwise.
    pub(super) fn check(&self) -> Result<()> {
        self.shared.connected(|_, _| ())
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

    /// Ends the link. What waits for an answer is told at once that there will be none.
    pub(super) fn close(&self) {
        self.shared.close();
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
    fn handle(&self) -> Result<Handle> {
        self.connected(|handle, _| handle.clone())
    }

    /// Something of the connection; why there is none, otherwise.
    fn connected<T>(&self, take: impl FnOnce(&Handle, u64) -> T) -> Result<T> {
        match &*self.read() {
            State::Up { handle, number, .. } => Ok(take(handle, *number)),
            State::Down { since, kind, cause, .. } => {
                let down = since.elapsed().as_millis();
                Err(BackendError::new(*kind, format!("no connection for {down} ms: {cause}")))
            }
            State::Closed => Err(BackendError::closed()),
        }
    }

    /// Why nothing was sent on a connection that was over already.
    fn over(&self) -> BackendError {
        match self.connected(|_, _| ()) {
            Err(error) => error,
            // The keeper has not seen it yet, or there is another connection by now.
            Ok(()) => about(error::unavailable(keeper::LOST), self.address().as_ref()),
        }
    }

    pub(super) fn address(&self) -> Option<Address> {
        match &*self.read() {
            State::Up { address, .. } => Some(address.clone()),
            State::Down { address, .. } => address.clone(),
            State::Closed => None,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection to where the server is now.
    pub(super) async fn connect(&self) -> Result<(Address, Connected)> {
        connect(&self.dialer, &self.locate).await
    }

    /// Has commands sent on this connection from now on, unless the link was closed meanwhile.
    pub(super) fn up(&self, address: Address, handle: Handle) {
        let mut state = self.write();
        if !matches!(*state, State::Closed) {
            *state = State::up(address, handle);
        }
    }

    /// Has commands fail because the connection ended, unless the link was closed meanwhile.
    pub(super) fn lost(&self, cause: &'static str) {
        self.down(&about(error::unavailable(cause), self.address().as_ref()));
    }

    /// Has commands fail with an error that names the server, unless the link was closed meanwhile.
    pub(super) fn down(&self, error: &BackendError) {
        let (kind, cause) = (error.kind(), error.message().to_owned());
        let mut state = self.write();
        let (address, since) = match &*state {
            State::Up { address, .. } => (Some(address.clone()), Instant::now()),
            State::Down { address, since, .. } => (address.clone(), *since),
            State::Closed => return,
        };
        *state = State::Down { address, since, kind, cause };
    }

    fn close(&self) {
        let former = core::mem::replace(&mut *self.write(), State::Closed);
        if let State::Up { handle, .. } = former {
            handle.hang_up(io::ErrorKind::BrokenPipe);
        }
    }
}

fn about(error: BackendError, address: Option<&Address>) -> BackendError {
    match address {
        Some(address) => error.about(address),
        None => error,
    }
}

async fn connect(dialer: &Dialer, locate: &Locate) -> Result<(Address, Connected)> {
    let address = locate().await?;
    let connected = dialer.dial(&address).await?;
    Ok((address, connected))
}
