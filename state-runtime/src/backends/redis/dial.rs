//! Making one connection: name resolution, TLS, login.

use core::future::Future;
use std::{io, sync::Arc};

use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind as DriverKind, Pipeline, ProtocolVersion, PushInfo,
    RedisConnectionInfo, RedisError, RedisResult, Value, aio::MultiplexedConnection,
    aio::SendError,
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Notify,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{
    config::{Address, Credentials, RedisConfig, Servers},
    error, tls,
};
use crate::backend::{BackendError, ErrorKind, Result};

/// How many commands may wait in a connection's channel before callers wait for a place.
const CHANNEL: usize = 1024;

/// Takes what a server says unasked, without blocking.
type Hear = Box<dyn Fn(PushInfo) + Send + Sync>;

/// What is the same for all connections to the servers of one backend.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) config: RedisConfig,
    tls: Option<Tls>,
}

struct Tls(TlsConnector);

impl core::fmt::Debug for Tls {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Tls")
    }
}

/// A connection, and the task that reads and writes for it. Dropping the task closes it, whoever
/// still holds a handle: what waits for an answer then learns that there will be none.
pub(super) struct Connected {
    pub(super) handle: Handle,
    pub(super) task: Task,
}

/// The way to send on a connection. A clone leads to the same one.
///
/// The client alone does not always tell of the end: a command that is put into its channel at the
/// very moment in which the reader of the channel ends stays there for as long as anybody has a
/// handle, and who waits for the answer has one. So the end is told apart from the channel.
#[derive(Clone)]
pub(super) struct Handle {
    connection: MultiplexedConnection,
    ended: Arc<Notify>,
}

impl Handle {
    /// Sends one command. An error reply of the server is a reply.
    pub(super) async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        // From here on no end is missed, and after one the channel takes no commands.
        let ended = self.ended.notified();
        tokio::select! {
            biased;
            reply = self.connection.send_packed_command(command) => reply,
            () = ended => Err(gone()),
        }
    }

    /// Sends several commands at once. Each has a reply of its own, which may be an error.
    pub(super) async fn send_all(&mut self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let ended = self.ended.notified();
        tokio::select! {
            biased;
            replies = self.connection.send_packed_commands(commands, 0, commands.len()) => replies,
            () = ended => Err(gone()),
        }
    }
}

fn gone() -> RedisError {
    io::Error::from(io::ErrorKind::BrokenPipe).into()
}

/// Tells of the end of a connection when it is dropped, which is after the connection itself.
struct End(Arc<Notify>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.notify_waiters();
    }
}

/// A task that ends when this is dropped.
pub(super) struct Task(JoinHandle<()>);

impl Task {
    pub(super) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }

    /// Until it ends by itself.
    pub(super) async fn ended(&mut self) {
        // It is aborted by nobody else, and if it panicked it is over as well.
        drop((&mut self.0).await);
    }

    /// Ends it now.
    pub(super) fn end(&self) {
        self.0.abort();
    }
}

impl core::fmt::Debug for Task {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Task")
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.end();
    }
}

impl Dialer {
    pub(super) fn new(config: RedisConfig) -> Result<Self> {
        config.check()?;
        let tls = config.tls.as_ref().map(tls::connector).transpose()?.map(Tls);
        Ok(Self { config, tls })
    }

    /// A connection for commands and their replies.
    pub(super) async fn dial(&self, address: &Address) -> Result<Connected> {
        self.within(address, self.open(address, None)).await
    }

    /// A connection of its own on which the server also speaks unasked. `hear` is called with what
    /// it says, in between with nothing else to read, and once more when the connection is lost.
    pub(super) async fn dial_for_pushes(
        &self,
        address: &Address,
        hear: impl Fn(PushInfo) + Send + Sync + 'static,
    ) -> Result<Connected> {
        self.within(address, self.open(address, Some(Box::new(hear)))).await
    }

    async fn within<T>(
        &self,
        address: &Address,
        connecting: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let limit = self.config.connect_timeout;
        let connected = timeout(limit, connecting).await.unwrap_or_else(|_| {
            Err(error::unavailable(format_args!("no connection within {limit:?}")))
        });
        connected.map_err(|error| error.about(address))
    }

    async fn open(&self, address: &Address, pushes: Option<Hear>) -> Result<Connected> {
        let stream = TcpStream::connect((address.host.as_str(), address.port))
            .await
            .map_err(|error| error::of_connecting(&error))?;
        stream.set_nodelay(true).map_err(|error| error::of_connecting(&error))?;
        match &self.tls {
            None => self.log_in(stream, pushes).await,
            Some(Tls(connector)) => {
                let name = ServerName::try_from(address.host.clone()).map_err(|_| {
                    BackendError::new(ErrorKind::Other, "TLS needs a host name or an IP address")
                })?;
                let stream = connector
                    .connect(name, stream)
                    .await
                    .map_err(|error| error::of_connecting(&error))?;
                self.log_in(stream, pushes).await
            }
        }
    }

    /// The login is sent here and not by the client, whose error for it does not tell a wrong
    /// password from a server that has no room. Only with pushes the client insists.
    async fn log_in<S>(&self, stream: S, pushes: Option<Hear>) -> Result<Connected>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let credentials = &self.config.credentials;
        let mut info = RedisConnectionInfo::default().set_skip_set_lib_name();
        let mut options = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(CHANNEL);
        let with_pushes = pushes.is_some();
        if let Some(pushes) = pushes {
            info = info.set_protocol(ProtocolVersion::RESP3);
            if let Some(username) = &credentials.username {
                info = info.set_username(username);
            }
            if let Some(password) = &credentials.password {
                info = info.set_password(password);
            }
            options = options.set_push_sender(move |push| -> Result<(), SendError> {
                pushes(push);
                Ok(())
            });
        }
        let (connection, driver) = MultiplexedConnection::new_with_config(&info, stream, options)
            .await
            .map_err(|error| refused(&error))?;
        let ended = Arc::new(Notify::new());
        let end = End(Arc::clone(&ended));
        let task = Task::spawn(async move {
            let _end = end;
            driver.await;
        });
        let mut connected = Connected { handle: Handle { connection, ended }, task };
        let login = if with_pushes { None } else { Some(credentials) };
        self.introduce(&mut connected.handle, login).await?;
        Ok(connected)
    }

    /// Everything that makes a connection ready, in one round trip. The last command is answered
    /// only by a server that is ready to serve. A user who may not set a name or `PING` is connected
    /// all the same; one who may not `SELECT` would work in another database.
    async fn introduce(&self, handle: &mut Handle, login: Option<&Credentials>) -> Result<()> {
        let mut commands = Pipeline::new();
        // How many of the commands must not be refused, and stand before those that may be.
        let mut needed = 0;
        if let Some(Credentials { username, password: Some(password) }) = login {
            needed += 1;
            let auth = commands.cmd("AUTH");
            if let Some(username) = username {
                auth.arg(username);
            }
            auth.arg(password);
        }
        if self.config.database != 0 {
            needed += 1;
            commands.cmd("SELECT").arg(self.config.database);
        }
        if let Some(name) = &self.config.client_name {
            commands.cmd("CLIENT").arg("SETNAME").arg(name);
        }
        // Behind sentinels the server may have been the master until just now.
        let must_be_master = matches!(self.config.servers, Servers::Sentinel { .. });
        commands.cmd(if must_be_master { "ROLE" } else { "PING" });
        let replies = handle
            .send_all(&commands)
            .await
            .map_err(|error| error::unavailable(error::of_transport(&error)))?;
        let refused = replies.iter().enumerate().find_map(|(i, reply)| {
            let optional = i >= needed && !must_be_master;
            server_error(reply).filter(|_| !(optional && is_forbidden(reply)))
        });
        match (refused, replies.last()) {
            (Some(error), _) => Err(error),
            (None, Some(role)) if must_be_master && !is_master(role) => {
                Err(error::unavailable("the server is no master; there may be none just now"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether an answer to `ROLE` is that of a master.
fn is_master(role: &Value) -> bool {
    let Value::Array(parts) = role else { return false };
    matches!(parts.first(), Some(Value::BulkString(name)) if name == b"master")
}

/// Whether the user who logged in lacks the right to a command.
fn is_forbidden(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.code() == "NOPERM")
}

/// The first refusal counts: those after it are its consequences.
fn server_error(reply: &Value) -> Option<BackendError> {
    match reply {
        Value::ServerError(error) => Some(error::of_reply(error)),
        _ => None,
    }
}

/// Why the client itself could not log in.
fn refused(error: &RedisError) -> BackendError {
    match error.kind() {
        DriverKind::AuthenticationFailed => {
            BackendError::new(ErrorKind::Denied, "the server refused the login")
        }
        DriverKind::RESP3NotSupported => BackendError::new(
            ErrorKind::Other,
            "the server does not speak version 3 of its protocol",
        ),
        _ => error::unavailable(error::of_transport(error)),
    }
}

/// A command that changes nothing and that every server answers.
pub(super) fn ping() -> Cmd {
    redis::cmd("PING")
}
