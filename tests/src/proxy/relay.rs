//! One connection through the proxy: two pumps, and how it ends.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
};

use super::script::{Action, Direction, Script};

/// What all connections of a proxy share.
#[derive(Debug)]
pub(super) struct Shared {
    script: Mutex<Script>,
    /// Changes when all connections are to end.
    pub(super) severed: watch::Sender<()>,
    /// Changes when what is held may go on.
    pub(super) released: watch::Sender<()>,
    /// Why no connection is accepted any more.
    pub(super) failed: OnceLock<String>,
}

impl Shared {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::default(),
            severed: watch::Sender::new(()),
            released: watch::Sender::new(()),
            failed: OnceLock::new(),
        })
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a connection ends before both sides have closed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Reset,
    Close,
}

/// Carries bytes between `client` and `upstream` until one of them, or a fault, ends it.
pub(super) async fn relay(
    shared: Arc<Shared>,
    connection: usize,
    mut client: TcpStream,
    upstream: String,
    mut severed: watch::Receiver<()>,
) {
    let connected = tokio::select! {
        connected = TcpStream::connect(upstream) => connected.ok(),
        _ = severed.changed() => None,
    };
    let Some(mut server) = connected else { return reset(client) };
    // Bytes go on when they arrive, in the portions in which they arrive. Both calls fail only where
    // the peer has gone already.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let cut = {
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        let up = pump(&shared, connection, Direction::ToServer, from_client, to_server);
        let down = pump(&shared, connection, Direction::ToClient, from_server, to_client);
        tokio::select! {
            end = async { tokio::try_join!(up, down) } => end.err().unwrap_or(Cut::Close),
            _ = severed.changed() => Cut::Reset,
        }
    };
    if cut == Cut::Reset {
        reset(client);
        reset(server);
    }
}

fn reset(stream: TcpStream) {
    // It fails only where the connection has ended already.
    let _ = stream.set_zero_linger();
    drop(stream);
}

/// Carries bytes one way. It is done when their source has closed its half.
async fn pump(
    shared: &Shared,
    connection: usize,
    direction: Direction,
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
) -> Result<(), Cut> {
    let mut released = shared.released.subscribe();
    let mut buffer = vec![0; 64 * 1024];
    let mut swallows = false;
    loop {
        let len = from.read(&mut buffer).await.map_err(|_| Cut::Reset)?;
        if len == 0 {
            // Fails only where the other side has gone, which its own pump notices.
            let _ = to.shutdown().await;
            return Ok(());
        }
        let mut rest = buffer.get(..len).unwrap_or_default();
        while !swallows && !rest.is_empty() {
            released.mark_unchanged();
            let decision = shared.script().decide(connection, direction, rest);
            let (passing, waiting) = rest.split_at(decision.pass);
            rest = waiting;
            to.write_all(passing).await.map_err(|_| Cut::Reset)?;
            match decision.then {
                None => {}
                Some(Action::Reset) => return Err(Cut::Reset),
                Some(Action::Close) => return Err(Cut::Close),
                Some(Action::Swallow) => swallows = true,
                // It only ends with the proxy itself, which takes this task with it.
                Some(Action::Hold) => released.changed().await.map_err(|_| Cut::Reset)?,
                Some(Action::Delay(time)) => tokio::time::sleep(time).await,
            }
        }
    }
}
