//! The protocol of Redis, as little of it as looking takes.

use std::io;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// There is nothing.
    Nil,
    /// A number.
    Number(i64),
    /// Bytes, or one of the protocol's own words.
    Bytes(Vec<u8>),
    /// Several replies.
    List(Vec<Reply>),
    /// The server refused.
    Error(String),
}

impl Reply {
    /// The bytes, if it is bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        if let Self::Bytes(bytes) = self { bytes } else { &[] }
    }
}

/// One connection, over which one command at a time is sent.
#[derive(Debug)]
pub struct Connection(BufStream<TcpStream>);

impl Connection {
    /// Connects to `host:port`.
    ///
    /// # Errors
    ///
    /// Nobody listens there.
    pub async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufStream::new(stream)))
    }

    /// Sends a command and waits for its reply. After an error the connection is of no use.
    ///
    /// # Errors
    ///
    /// The connection broke, or what came is not the protocol.
    pub async fn call(&mut self, command: &[&[u8]]) -> io::Result<Reply> {
        let mut request = format!("*{}\r\n", command.len()).into_bytes();
        for argument in command {
            request.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
            request.extend_from_slice(argument);
            request.extend_from_slice(b"\r\n");
        }
        self.0.write_all(&request).await?;
        self.0.flush().await?;
        self.reply().await
    }

    async fn reply(&mut self) -> io::Result<Reply> {
        let mut line = String::new();
        self.0.read_line(&mut line).await?;
        let text = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let kind = text.bytes().next().ok_or(io::ErrorKind::InvalidData)?;
        let rest = text.get(1..).unwrap_or_default();
        match kind {
            b'+' => Ok(Reply::Bytes(rest.into())),
            b'-' => Ok(Reply::Error(rest.into())),
            b':' => Ok(Reply::Number(number(rest)?)),
            b'$' => self.bytes(number(rest)?).await,
            b'*' => self.list(number(rest)?).await,
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    async fn bytes(&mut self, len: i64) -> io::Result<Reply> {
        let Ok(len) = usize::try_from(len) else { return Ok(Reply::Nil) };
        let mut bytes = vec![0; len + 2];
        self.0.read_exact(&mut bytes).await?;
        bytes.truncate(len);
        Ok(Reply::Bytes(bytes))
    }

    async fn list(&mut self, len: i64) -> io::Result<Reply> {
        let Ok(len) = usize::try_from(len) else { return Ok(Reply::Nil) };
        let mut list = Vec::with_capacity(len);
        for _ in 0..len {
            list.push(Box::pin(self.reply()).await?);
        }
        Ok(Reply::List(list))
    }
}

/// Answers every command that comes to `listener` by what `answer` says: a server of one trick.
pub async fn serve(
    listener: TcpListener,
    answer: impl Fn(&[&[u8]]) -> Reply + Clone + Send + Sync + 'static,
) {
    loop {
        // An error is one of the connection that was about to be accepted.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let answer = answer.clone();
        tokio::spawn(async move {
            let mut connection = Connection(BufStream::new(stream));
            while let Ok(Reply::List(command)) = connection.reply().await {
                let words: Vec<_> = command.iter().map(Reply::bytes).collect();
                let reply = encode(&answer(&words));
                if connection.0.write_all(&reply).await.is_err()
                    || connection.0.flush().await.is_err()
                {
                    break;
                }
            }
        });
    }
}

fn encode(reply: &Reply) -> Vec<u8> {
    match reply {
        Reply::Nil => b"$-1\r\n".to_vec(),
        Reply::Number(number) => format!(":{number}\r\n").into_bytes(),
        Reply::Error(message) => format!("-{message}\r\n").into_bytes(),
        Reply::Bytes(bytes) => {
            let mut encoded = format!("${}\r\n", bytes.len()).into_bytes();
            encoded.extend_from_slice(bytes);
            encoded.extend_from_slice(b"\r\n");
            encoded
        }
        Reply::List(list) => {
            let mut encoded = format!("*{}\r\n", list.len()).into_bytes();
            encoded.extend(list.iter().flat_map(encode));
            encoded
        }
    }
}

fn number(text: &str) -> io::Result<i64> {
    text.parse().map_err(|_| io::ErrorKind::InvalidData.into())
}

/// A client that connects when it has to, for commands that may be sent twice.
#[derive(Debug)]
pub struct Client {
    address: String,
    connection: Mutex<Option<Connection>>,
}

impl Client {
    /// A client of the server at `host:port`, which need not run yet.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), connection: Mutex::default() }
    }

    /// Sends a command and waits for its reply. A connection that turns out to be broken is made anew,
    /// once.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refused.
    pub async fn call(&self, command: &[&[u8]]) -> io::Result<Reply> {
        let mut slot = self.connection.lock().await;
        if let Some(mut connection) = slot.take()
            && let Ok(reply) = connection.call(command).await
        {
            *slot = Some(connection);
            return accepted(reply);
        }
        let mut connection = Connection::open(&self.address).await?;
        let reply = connection.call(command).await?;
        *slot = Some(connection);
        accepted(reply)
    }

    /// Sends a command of words.
    ///
    /// # Errors
    ///
    /// Those of [`call`](Self::call).
    pub async fn words(&self, command: &str) -> io::Result<Reply> {
        let words: Vec<_> = command.split_whitespace().map(str::as_bytes).collect();
        self.call(&words).await
    }

    /// The bytes under `key`, if any.
    ///
    /// # Errors
    ///
    /// Those of [`call`](Self::call).
    pub async fn get(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        match self.call(&[b"GET", key.as_bytes()]).await? {
            Reply::Nil => Ok(None),
            Reply::Bytes(bytes) => Ok(Some(bytes)),
            other => Err(io::Error::other(format!("GET answered {other:?}"))),
        }
    }

    /// Puts `value` under `key`, or removes what is there.
    ///
    /// # Errors
    ///
    /// Those of [`call`](Self::call).
    pub async fn put(&self, key: &str, value: Option<&[u8]>) -> io::Result<()> {
        let key = key.as_bytes();
        match value {
            Some(value) => self.call(&[b"SET", key, value]).await?,
            None => self.call(&[b"DEL", key]).await?,
        };
        Ok(())
    }
}

fn accepted(reply: Reply) -> io::Result<Reply> {
    match reply {
        Reply::Error(message) => Err(io::Error::other(message)),
        reply => Ok(reply),
    }
}
