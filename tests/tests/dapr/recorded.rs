//! A sidecar that gives recorded answers, and remembers what it was asked.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use state_runtime::backends::{DaprBackend, DaprConfig};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What happens to one request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// These bytes, after which the connection stays open.
    Reply(String),
    /// These bytes, and the connection is closed.
    Cut(String),
    /// Nothing, for ever.
    Silence,
}

/// What a sidecar with a store of this component says of itself.
pub(crate) fn metadata(kind: &str, capabilities: &str) -> Answer {
    reply(
        "200 OK",
        &format!(
            r#"{{"id":"app-a","runtimeVersion":"1.18.2","components":[{{"name":"statestore","type":"{kind}","version":"v1","capabilities":[{capabilities}]}}],"extended":{{}}}}"#
        ),
    )
}

pub(crate) fn in_memory() -> Answer {
    metadata("state.in-memory", r#""ETAG","TRANSACTIONAL","TTL","ACTOR""#)
}

pub(crate) fn redis() -> Answer {
    metadata("state.redis", r#""ETAG","TRANSACTIONAL","TTL","KEYS_LIKE""#)
}

/// An answer with a body.
pub(crate) fn reply(status: &str, body: &str) -> Answer {
    with_headers(status, "", body)
}

/// An answer with headers, each ended by a line end, and a body.
pub(crate) fn with_headers(status: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Reply(format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    ))
}

/// What a write is answered that succeeded, and a read of nothing.
pub(crate) fn no_content() -> Answer {
    Answer::Reply("HTTP/1.1 204 No Content\r\n\r\n".to_owned())
}

/// A refusal as a sidecar words it.
pub(crate) fn refusal(status: &str, code: &str, message: &str) -> Answer {
    reply(status, &format!(r#"{{"errorCode":"{code}","message":"{message}"}}"#))
}

/// Answers requests in the order of their arrival; what comes after the last answer is cut off.
#[derive(Debug)]
pub(crate) struct Sidecar {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Sidecar {
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<_> = answers.into_iter().collect();
        let answers = Arc::new(Mutex::new(answers.into_iter()));
        let seen = Arc::clone(&requests);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                tokio::spawn(async move {
                    let next = || answers.lock().unwrap().next();
                    serve(stream, next, |request| seen.lock().unwrap().push(request)).await;
                });
            }
        });
        Self { address, requests, serving }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn config(&self) -> DaprConfig {
        DaprConfig::new(self.address(), "statestore")
    }

    pub(crate) async fn connect(&self) -> DaprBackend {
        DaprBackend::connect(self.config()).await.unwrap()
    }

    /// The requests so far: first line, headers, an empty line, body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The bodies of the requests after connecting.
    pub(crate) fn bodies(&self) -> Vec<serde_json::Value> {
        let bodies = self.requests();
        let bodies = bodies.iter().skip(1).filter_map(|request| request.split_once("\r\n\r\n"));
        bodies.map(|(_, body)| serde_json::from_str(body).unwrap_or_default()).collect()
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    stream: TcpStream,
    mut next: impl FnMut() -> Option<Answer>,
    mut see: impl FnMut(String),
) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        see(request);
        let (bytes, stays) = match next() {
            Some(Answer::Reply(bytes)) => (bytes, true),
            Some(Answer::Cut(bytes)) => (bytes, false),
            Some(Answer::Silence) => return std::future::pending().await,
            None => return,
        };
        if stream.write_all(bytes.as_bytes()).await.is_err() || !stays {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut request = String::new();
    let mut length = 0;
    loop {
        let start = request.len();
        if stream.read_line(&mut request).await.ok()? == 0 {
            return None;
        }
        let line = request[start..].trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    request.push_str(&String::from_utf8(body).unwrap());
    Some(request)
}
