//! A TCP proxy that stands between a client and a server and fails exactly when it is told to.
//!
//! It lets everything pass until a [`Fault`] is armed, and then counts bytes. So a test can first
//! record what an operation sends and receives, and then cut at every single byte of it.
//!
//! ```no_run
//! use tests::proxy::{Action, Direction, Fault, Proxy};
//!
//! # async fn example() {
//! let proxy = Proxy::start("127.0.0.1:6379").await;
//! // Connect a client to `proxy.address()`, and then:
//! proxy.arm(Fault::new(Direction::ToClient, 3, Action::Reset));
//! // The next reply ends after three bytes.
//! # }
//! ```

mod accept;
mod relay;
mod script;

use std::{
    hash::BuildHasher as _,
    net::{Ipv4Addr, SocketAddr},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::Instant,
};

use self::relay::{Shared, relay};
pub use self::script::{Action, Chunk, Direction, Fault, Recording, Traffic};

/// Below the ports that the system gives to outgoing connections, so that nobody takes the port while
/// the proxy refuses connections.
const PORTS: Range<u16> = 21_000..32_000;

/// How long the proxy waits for its own port when it accepts connections again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A proxy on a loopback port. It ends, with all its connections, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    upstream: String,
    address: SocketAddr,
    listening: Mutex<Option<Listening>>,
    connections: Arc<Mutex<JoinSet<()>>>,
}

/// The task that accepts connections. It ends when this is dropped.
#[derive(Debug)]
struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Proxy {
    /// Starts a proxy in front of the server at `upstream`, which is `host:port`.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub async fn start(upstream: impl Into<String>) -> Self {
        let random = std::hash::RandomState::new().hash_one(());
        let len = PORTS.end - PORTS.start;
        let first = u16::try_from(random % u64::from(len)).unwrap_or_default();
        for step in 0..len {
            let port = PORTS.start + (first + step) % len;
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                let proxy = Self {
                    shared: Shared::new(),
                    upstream: upstream.into(),
                    address: (Ipv4Addr::LOCALHOST, port).into(),
                    listening: Mutex::default(),
                    connections: Arc::default(),
                };
                proxy.listen(listener);
                return proxy;
            }
        }
        panic!("there is no free port for a proxy");
    }

    /// Where clients connect to: `127.0.0.1:<port>`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Lets a fault happen when its byte arrives, counted from now on.
    pub fn arm(&self, fault: Fault) {
        self.shared.script().arm(fault);
    }

    /// Lets a fault happen on the connection on which `mark` reaches the server next, counted from the
    /// end of the mark: so a fault can hit one operation among many.
    ///
    /// # Panics
    ///
    /// If the mark is empty.
    pub fn arm_after(&self, mark: impl Into<Vec<u8>>, fault: Fault) {
        let mark = mark.into();
        assert!(!mark.is_empty(), "an empty mark is everywhere");
        self.shared.script().arm_after(mark, fault);
    }

    /// Forgets the faults that have not happened yet.
    pub fn disarm(&self) {
        self.shared.script().disarm();
    }

    /// From now on everything waits that comes from clients, on new connections too, until
    /// [`release`](Self::release).
    pub fn stall(&self) {
        self.shared.script().is_stalled = true;
    }

    /// Lets everything go on that is held.
    pub fn release(&self) {
        self.shared.script().is_stalled = false;
        self.shared.released.send_replace(());
    }

    /// Resets all connections. They have ended when this returns; new ones are accepted.
    pub async fn sever(&self) {
        let mut connections = {
            // Under the lock under which connections begin: none is waited for that does not hear it.
            let mut connections = lock(&self.connections);
            self.shared.severed.send_replace(());
            core::mem::take(&mut *connections)
        };
        while connections.join_next().await.is_some() {}
    }

    /// Resets all connections and refuses new ones, as a server that is down does.
    pub async fn refuse(&self) {
        let listening = lock(&self.listening).take();
        if let Some(mut listening) = listening {
            listening.0.abort();
            // The port is free once the task is gone; how it ended says nothing.
            let _ = (&mut listening.0).await;
        }
        self.sever().await;
    }

    /// Accepts connections again.
    ///
    /// # Panics
    ///
    /// If somebody else has taken the port and keeps it.
    pub async fn accept(&self) {
        if lock(&self.listening).is_some() {
            return;
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => return self.listen(listener),
                Err(error) => {
                    assert!(Instant::now() < deadline, "cannot have the port back: {error}");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    }

    /// How many connections there are just now.
    #[must_use]
    pub fn open(&self) -> usize {
        let mut connections = lock(&self.connections);
        while connections.try_join_next().is_some() {}
        connections.len()
    }

    /// What has passed so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.shared.script().traffic
    }

    /// Starts to record what passes.
    pub fn record(&self) {
        self.shared.script().start_recording();
    }

    /// Ends the recording, and returns it.
    #[must_use]
    pub fn recorded(&self) -> Recording {
        self.shared.script().stop_recording()
    }

    fn listen(&self, listener: TcpListener) {
        let (shared, connections) = (Arc::clone(&self.shared), Arc::clone(&self.connections));
        let upstream = self.upstream.clone();
        let task = tokio::spawn(async move {
            while let Some(client) = accept::next(&shared.failed, || listener.accept()).await {
                let number = {
                    let mut script = shared.script();
                    script.traffic.connections += 1;
                    script.traffic.connections - 1
                };
                let mut connections = lock(&connections);
                while connections.try_join_next().is_some() {}
                let (severed, upstream) = (shared.severed.subscribe(), upstream.clone());
                connections.spawn(relay(Arc::clone(&shared), number, client, upstream, severed));
            }
        });
        *lock(&self.listening) = Some(Listening(task));
    }
}

/// A proxy that could not do its part proves nothing, so the test fails.
impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(problem) = self.shared.failed.get()
            && !std::thread::panicking()
        {
            panic!("the proxy at {} accepts no connections: {problem}", self.address);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
