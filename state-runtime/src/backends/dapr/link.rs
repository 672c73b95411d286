//! The connection to a sidecar: one exchange, and what is known of it when it fails.

use core::{fmt, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Uri,
    header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::sync::watch;

use super::{
    config::DaprConfig,
    error::{self, Access},
};
use crate::backend::{BackendError, ErrorKind, Result};

const API_TOKEN: HeaderName = HeaderName::from_static("dapr-api-token");
const EXPIRE_TIME: HeaderName = HeaderName::from_static("metadata.ttlexpiretime");
/// A connection that was idle for longer may have been closed by whatever is in between.
const IDLE: Duration = Duration::from_secs(30);
/// How much longer JSON can be in an answer than in the request that wrote it: a sidecar may write
/// one character as `\u003c`.
const ESCAPING: usize = 6;
/// Room for what surrounds a value in an answer.
const OVERHEAD: usize = 64 << 10;

/// Keeps connections to one sidecar and sends requests over them.
pub(super) struct Link {
    client: Client<HttpConnector, Full<Bytes>>,
    address: String,
    token: Option<HeaderValue>,
    timeout: Duration,
    max_body: usize,
    /// Whether nothing may be sent any more.
    closed: watch::Sender<bool>,
}

/// What is asked of a sidecar.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// With everything that a path cannot hold escaped.
    pub(super) path: &'a str,
    pub(super) etag: Option<&'a str>,
    pub(super) body: Vec<u8>,
    pub(super) access: Access,
}

/// What a sidecar answered, in full.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) etag: Option<String>,
    /// When the component lets the entry expire, as it writes it.
    pub(super) expire_time: Option<String>,
    pub(super) body: Bytes,
}

impl Link {
    /// Prepares the connections; none is opened yet.
    pub(super) fn new(config: &DaprConfig) -> Result<Self> {
        // The address is not repeated: it may hold a login.
        let unusable = |what| BackendError::new(ErrorKind::Other, what);
        let uri: Result<Uri, _> = format!("http://{}", config.address).parse();
        let port = uri.ok().filter(|uri| uri.path() == "/").and_then(|uri| uri.port_u16());
        if port.is_none() || config.address.contains(['@', '?', '/']) {
            return Err(unusable("the address of a sidecar is host:port, as in 127.0.0.1:3500"));
        }
        let token = config.api_token.as_deref().map(HeaderValue::from_str).transpose();
        let mut token = token.map_err(|_| unusable("no API token holds such characters"))?;
        if let Some(token) = &mut token {
            token.set_sensitive(true);
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(config.connect_timeout));
        connector.set_nodelay(true);
        // What a kept connection turns out to be dead for is sent once more over another one, but
        // only if not a byte of it was written. That is safe for every request.
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        let (timeout, max_body) = (config.timeout, config.max_body);
        let (address, closed) = (config.address.clone(), watch::Sender::new(false));
        Ok(Self { client, address, token, timeout, max_body, closed })
    }

    /// Where the sidecar is.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// How long one exchange may take.
    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Refuses everything after closing.
    pub(super) fn check_open(&self) -> Result<()> {
        if *self.closed.borrow() { Err(BackendError::closed()) } else { Ok(()) }
    }

    /// Ends the exchanges in progress, and lets no new one begin.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// The longest answer that is read: that of the largest value that can be written.
    const fn max_answer(&self) -> usize {
        self.max_body.saturating_mul(ESCAPING).saturating_add(OVERHEAD)
    }

    /// Sends a request and waits for all of the answer.
    ///
    /// # Errors
    ///
    /// What is known of the outcome: [`ErrorKind::Unavailable`] where no connection came about,
    /// [`ErrorKind::TooLarge`] where nothing was sent or what is read is too long, and where no
    /// answer came what `call.access` makes of it. An answer of any status is no error here.
    /// [`ErrorKind::Closed`] where nothing was sent because of that.
    pub(super) async fn exchange(&self, call: Call<'_>) -> Result<Reply> {
        self.check_open()?;
        let access = call.access;
        let size = call.body.len();
        if size > self.max_body {
            let kind = ErrorKind::TooLarge { size, limit: self.max_body };
            return Err(self.about(BackendError::new(kind, "the request is too large to be sent")));
        }
        let request = self.request(call)?;
        let mut closed = self.closed.subscribe();
        tokio::select! {
            biased;
            // An error says that the link is gone, and it is in use here.
            _ = closed.wait_for(|closed| *closed) => Err(match access {
                Access::Read => BackendError::closed(),
                _ => self.unanswered(access, "the backend was closed before the sidecar answered"),
            }),
            reply = tokio::time::timeout(self.timeout, self.send(request, access)) => match reply {
                Ok(reply) => reply,
                // Connecting has a shorter time-out of its own, so it was sent.
                Err(_) => Err(self.unanswered(access, "the sidecar did not answer in time")),
            },
        }
    }

    fn request(&self, call: Call<'_>) -> Result<Request<Full<Bytes>>> {
        let uri = format!("http://{}{}", self.address, call.path);
        let mut request = Request::builder().method(call.method).uri(uri);
        if let Some(token) = &self.token {
            request = request.header(API_TOKEN, token);
        }
        if let Some(etag) = call.etag {
            request = request.header(IF_MATCH, etag);
        }
        if !call.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request.body(Full::new(call.body.into())).map_err(|_| {
            self.about(BackendError::new(ErrorKind::InvalidKey, "no request can name such a key"))
        })
    }

    async fn send(&self, request: Request<Full<Bytes>>, access: Access) -> Result<Reply> {
        let response = self.client.request(request).await.map_err(|error| {
            if error.is_connect() {
                self.about(BackendError::new(
                    ErrorKind::Unavailable,
                    "no connection to the sidecar",
                ))
            } else {
                self.unanswered(access, "the connection broke before the sidecar answered")
            }
        })?;
        let status = response.status().as_u16();
        let header = |name: HeaderName| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let (etag, expire_time) = (header(ETAG), header(EXPIRE_TIME));
        let body = Limited::new(response.into_body(), self.max_answer());
        let body = body.collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                self.too_long(access)
            } else {
                self.unanswered(access, "the connection broke in the middle of the answer")
            }
        })?;
        Ok(Reply { status, etag, expire_time, body: body.to_bytes() })
    }

    /// An answer is longer than what is read of one.
    fn too_long(&self, access: Access) -> BackendError {
        let limit = self.max_answer();
        match access {
            Access::Read => self.about(BackendError::new(
                ErrorKind::TooLarge { size: limit.saturating_add(1), limit },
                "what is stored is larger than what can be written here; raise `max_body`",
            )),
            _ => self.unanswered(access, "the answer of the sidecar is too long to be read"),
        }
    }

    fn unanswered(&self, access: Access, what: &'static str) -> BackendError {
        self.about(error::unanswered(access, what))
    }

    fn about(&self, error: BackendError) -> BackendError {
        error.about(&self.address)
    }
}

/// Hides the token.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}
