//! A server for tests, which says what it is told to and nothing else.

use core::{
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{io, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::timeout,
};

use super::{
    config::{Address, RedisConfig},
    dial::Dialer,
    link::Locate,
};

/// Longer than anything takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What `future` gives, which has to be soon.
pub(super) async fn soon<T>(future: impl Future<Output = T>) -> io::Result<T> {
    timeout(PATIENCE, future).await.map_err(|_| io::ErrorKind::TimedOut.into())
}

/// Where connections arrive.
pub(super) struct Fake(TcpListener);

/// The server's end of one connection.
pub(super) struct Peer(BufReader<TcpStream>);

impl Fake {
    pub(super) async fn start() -> io::Result<Self> {
        Ok(Self(TcpListener::bind("127.0.0.1:0").await?))
    }

    pub(super) fn address(&self) -> io::Result<Address> {
        let address = self.0.local_addr()?;
        Ok(Address { host: address.ip().to_string(), port: address.port() })
    }

    /// One that dials, and takes a connection for dead after `limit`.
    pub(super) fn dialer(limit: Duration) -> crate::backend::Result<Arc<Dialer>> {
        let config = RedisConfig::new("127.0.0.1").with_connect_timeout(PATIENCE);
        Ok(Arc::new(Dialer::new(config.with_response_timeout(limit))?))
    }

    /// Finds this server once. From then on it tells that it was asked, and never finds it.
    pub(super) fn found_once(&self) -> io::Result<(Locate, Arc<Notify>)> {
        let (address, asked) = (self.address()?, Arc::new(Notify::new()));
        let (found, asking) = (AtomicBool::new(false), Arc::clone(&asked));
        let locate: Locate = Arc::new(move || {
            let address = address.clone();
            if !found.swap(true, Ordering::SeqCst) {
                return Box::pin(async move { Ok(address) });
            }
            asking.notify_one();
            Box::pin(core::future::pending())
        });
        Ok((locate, asked))
    }

    /// The next connection, which is let in.
    pub(super) async fn accept(&self) -> io::Result<Peer> {
        let mut peer = Peer(BufReader::new(self.0.accept().await?.0));
        assert_eq!(peer.command().await?, ["PING"], "that is the whole login");
        peer.say("+PONG").await?;
        Ok(peer)
    }
}

impl Peer {
    /// The next command that the client sends.
    pub(super) async fn command(&mut self) -> io::Result<Vec<String>> {
        let count = self.number('*').await?;
        let mut words = Vec::new();
        for _ in 0..count {
            let mut word = vec![0; self.number('$').await? + 2];
            self.0.read_exact(&mut word).await?;
            words.push(String::from_utf8_lossy(&word).trim_end_matches("\r\n").to_owned());
        }
        Ok(words)
    }

    /// The next command that is not a question whether the server is alive; those are answered.
    pub(super) async fn errand(&mut self) -> io::Result<Vec<String>> {
        loop {
            let command = self.command().await?;
            if command != ["PING"] {
                return Ok(command);
            }
            self.say("+PONG").await?;
        }
    }

    /// Sends one line.
    pub(super) async fn say(&mut self, line: &str) -> io::Result<()> {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).await
    }

    /// Until the client is gone.
    pub(super) async fn left(&mut self) {
        while self.command().await.is_ok() {}
    }

    async fn number(&mut self, sign: char) -> io::Result<usize> {
        let mut line = String::new();
        self.0.read_line(&mut line).await?;
        let number = line.trim_end().strip_prefix(sign).and_then(|digits| digits.parse().ok());
        number.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
