//! One connection that never comes back, and what is asked over it.
//!
//! The client would reconnect by itself and send then what had queued up in the meantime, long after
//! its callers were told that it failed. So a connection here has no address to reconnect to: when
//! it is lost, the client ends and its queue with it. [`Link`](super::link::Link) makes a new one.

use core::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::sync::Arc;

use async_nats::{
    Client, ConnectOptions, HeaderMap, Message, PublishErrorKind, Request, RequestError,
    RequestErrorKind, ServerInfo, StatusCode, Subject, Subscriber, connection::State,
};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::oneshot, time::timeout};

use super::{
    api::{Answer, ApiError, NO_MESSAGE},
    bucket::Bucket,
    config::{Login, NatsConfig},
    error,
    signals::Signals,
};
use crate::backend::{BackendError, ErrorKind, Result};

/// Nothing listens there, on any machine.
const NOWHERE: &str = "nats://127.0.0.1:0";
/// How many commands may wait for the connection to take them.
const QUEUE: usize = 512;
/// How often to look whether the client is connected still.
const LOOK: Duration = Duration::from_millis(500);
/// How many messages a subscription holds for a reader that is slow.
const UNREAD: usize = 4096;

/// A connection and the bucket that was found over it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: Connection,
    pub(super) bucket: Bucket,
    /// The highest sequence that the bucket is known to have reached.
    reached: AtomicU64,
}

impl Session {
    pub(super) const fn new(connection: Connection, bucket: Bucket, reached: u64) -> Self {
        Self { connection, bucket, reached: AtomicU64::new(reached) }
    }

    /// The highest sequence so far.
    pub(super) fn reached(&self) -> u64 {
        self.reached.load(Ordering::Relaxed)
    }

    /// Takes note of the sequence of a message that was sent when the bucket had reached `before`.
    pub(super) fn note(&self, before: u64, sequence: u64) {
        self.reached.fetch_max(sequence, Ordering::Relaxed);
        if sequence <= before {
            // It is another bucket by now, and none of its revisions are of the one that is known.
            self.connection.give_up();
        }
    }

    /// Refuses what is larger than the server or the bucket takes, before anything of it is sent.
    pub(super) fn check_size(&self, headers: &HeaderMap, value: &Bytes) -> Result<()> {
        let size = value.len().saturating_add(size(headers));
        let server = self.connection.max_payload();
        match self.bucket.max_message() {
            Some(limit) if size > limit && limit < server => {
                Err(error::too_large(size, limit, error::BUCKET_LIMIT))
            }
            _ if size > server => Err(error::too_large(size, server, error::SERVER_LIMIT)),
            _ => Ok(()),
        }
    }
}

/// A connection to one of the servers.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    signals: Arc<Signals>,
    response_timeout: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What was asked for certainly was not done.
    Refused(BackendError),
    /// It was handed over, and nobody knows.
    Lost(&'static str),
    /// It was handed over, and this login cannot hear the answer.
    Deaf,
}

impl Trouble {
    pub(super) fn of_read(self) -> BackendError {
        match self {
            Self::Refused(error) => error,
            Self::Lost(cause) => error::unavailable(cause),
            Self::Deaf => error::deaf(),
        }
    }

    pub(super) fn of_write(self) -> BackendError {
        match self {
            Self::Refused(error) => error,
            Self::Lost(cause) => error::indeterminate(cause),
            Self::Deaf => error::indeterminate("the user may not subscribe to `_INBOX.>`"),
        }
    }
}

impl Connection {
    /// Connects to one of `servers`.
    pub(super) async fn dial(config: &NatsConfig, servers: &[String]) -> Result<Self> {
        let named = |error: BackendError| error.about(format_args!("`{}`", servers.join("`, `")));
        let signals = Arc::new(Signals::new());
        let listener = Arc::clone(&signals);
        let client = options(config)
            .await?
            .max_reconnects(servers.len())
            .event_callback(move |event| {
                listener.hear(&event);
                async {}
            })
            .connect(servers)
            .await
            .map_err(|error| named(error::of_connecting(&error)))?;
        client
            .set_server_pool(NOWHERE)
            .await
            .map_err(|_| named(error::unavailable("the connection was lost at once")))?;
        Ok(Self { client, signals, response_timeout: config.response_timeout })
    }

    /// What the server said of itself.
    pub(super) fn server(&self) -> ServerInfo {
        self.client.server_info()
    }

    /// The largest message that the server takes.
    fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    pub(super) fn is_up(&self) -> bool {
        !*self.signals.lost.borrow() && self.client.connection_state() == State::Connected
    }

    /// Waits until the connection is lost or given up.
    pub(super) async fn lost(&self) {
        let mut lost = self.signals.lost.subscribe();
        // The client drops events that come faster than they are taken, so its state is looked at
        // now and then, too.
        while self.is_up() {
            let _ = timeout(LOOK, lost.wait_for(|lost| *lost)).await;
        }
    }

    /// Gives the connection up, and all that is queued for it.
    pub(super) fn give_up(&self) {
        if self.signals.lost.send_replace(true) {
            return;
        }
        let client = self.client.clone();
        let patience = self.response_timeout;
        // If even this cannot be queued, the client ends by itself: its pings go unanswered.
        tokio::spawn(async move { timeout(patience, client.force_reconnect()).await });
    }

    /// Sends what is queued, and ends the connection.
    pub(super) async fn close(&self) {
        self.signals.lost.send_replace(true);
        if timeout(self.response_timeout, self.client.flush()).await.is_ok() {
            let _ = timeout(self.response_timeout, self.client.drain()).await;
        }
    }

    /// Sends a message and waits for its answer.
    pub(super) async fn request(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<Message, Trouble> {
        if !self.is_up() {
            return Err(Trouble::Refused(error::unavailable("the connection was lost")));
        }
        let size = payload.len();
        let mut request = Request::new().payload(payload).timeout(None);
        if !headers.is_empty() {
            request = request.headers(headers);
        }
        let subject = Subject::from(subject);
        let denied = self.denied({
            let subject = subject.clone();
            move |denied| *denied == *subject
        });
        let answer = self.client.send_request(subject, request);
        let answer = timeout(self.response_timeout, answer);
        tokio::select! {
            biased;
            answer = answer => match answer {
                Ok(answer) => answer.map_err(|error| self.trouble(&error, size)),
                Err(_) => Err(Trouble::Lost("there was no answer in time")),
            },
            () = denied => Err(Trouble::Refused(error::denied())),
            () = self.signals.deaf() => Err(Trouble::Deaf),
        }
    }

    /// Ends when the server refuses a message to a subject that is meant, from now on.
    pub(super) fn denied<F: Fn(&str) -> bool>(
        &self,
        is_meant: F,
    ) -> impl Future<Output = ()> + use<F> {
        self.signals.denied(is_meant)
    }

    fn trouble(&self, error: &RequestError, size: usize) -> Trouble {
        let refused = |kind, message| Trouble::Refused(BackendError::new(kind, message));
        match error.kind() {
            RequestErrorKind::NoResponders => refused(
                ErrorKind::Unavailable,
                "nobody serves the bucket just now; it has no leader, or it was removed",
            ),
            RequestErrorKind::InvalidSubject => {
                refused(ErrorKind::InvalidKey, "the key cannot be a subject")
            }
            RequestErrorKind::MaxPayloadExceeded => {
                Trouble::Refused(error::too_large(size, self.max_payload(), error::SERVER_LIMIT))
            }
            RequestErrorKind::TimedOut => Trouble::Lost("there was no answer in time"),
            RequestErrorKind::Other => {
                let source = core::error::Error::source(error);
                // The client took it, and then ended.
                if source.is_none_or(<dyn core::error::Error>::is::<oneshot::error::RecvError>) {
                    Trouble::Lost("the connection was lost")
                } else {
                    Trouble::Refused(error::unavailable("the connection was lost"))
                }
            }
        }
    }

    /// Hands a message over, without waiting for an answer. After an error it was not handed over.
    pub(super) async fn publish(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<()> {
        let size = payload.len();
        let sent = self.client.publish_with_headers(subject, headers, payload).await;
        sent.map_err(|error| match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => {
                error::too_large(size, self.max_payload(), error::SERVER_LIMIT)
            }
            PublishErrorKind::InvalidSubject | PublishErrorKind::Send => {
                error::unavailable("the connection was lost")
            }
        })
    }

    /// Hands a message over, whose answers go to `inbox`.
    pub(super) async fn ask_for(&self, subject: String, inbox: &str, payload: Bytes) -> Result<()> {
        let sent = self.client.publish_with_reply(subject, inbox.to_owned(), payload).await;
        sent.map_err(|_| error::unavailable("the connection was lost"))
    }

    /// Asks for several messages, which `receive` takes from an inbox.
    pub(super) async fn ask_for_many<T>(
        &self,
        subject: String,
        payload: Bytes,
        receive: impl AsyncFnOnce(&mut Subscriber) -> Result<T>,
    ) -> Result<T> {
        let (inbox, mut messages) = self.inbox().await?;
        let denied = self.denied({
            let subject = subject.clone();
            move |denied| *denied == *subject
        });
        self.ask_for(subject, &inbox, payload).await?;
        tokio::select! {
            biased;
            received = timeout(self.response_timeout, receive(&mut messages)) => {
                received.unwrap_or_else(|_| Err(error::unavailable("there was no answer in time")))
            }
            () = denied => Err(error::denied()),
            () = self.signals.deaf() => Err(error::deaf()),
        }
    }

    /// Tells when the stream is removed, if the login may hear of it.
    pub(super) async fn removals(&self, stream: &str) -> Result<Subscriber> {
        let subject = format!("$JS.EVENT.ADVISORY.STREAM.DELETED.{stream}");
        let subscribed = self.client.subscribe(subject).await;
        subscribed.map_err(|_| error::unavailable("the connection was lost"))
    }

    /// An inbox of its own, and what comes in.
    pub(super) async fn inbox(&self) -> Result<(String, Subscriber)> {
        let inbox = self.client.new_inbox();
        let subscribed = self.client.subscribe(inbox.clone()).await;
        let messages = subscribed.map_err(|_| error::unavailable("the connection was lost"))?;
        Ok((inbox, messages))
    }

    /// Asks the API of `JetStream`, as a read: that it was not done is no promise.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        subject: &str,
        payload: Bytes,
    ) -> Result<T> {
        self.ask_or_none(subject, payload).await?.ok_or_else(error::strange)
    }

    /// Asks for something that there may not be.
    pub(super) async fn ask_or_none<T: DeserializeOwned>(
        &self,
        subject: &str,
        payload: Bytes,
    ) -> Result<Option<T>> {
        let subject = format!("$JS.API.{subject}");
        let answer = self.request(subject, HeaderMap::new(), payload).await;
        let answer = answer.map_err(|trouble| match trouble {
            // Other than a bucket, the API is there or not at all.
            Trouble::Refused(error) if error.kind() == ErrorKind::Unavailable => {
                error::unavailable("JetStream does not answer; is it enabled?")
            }
            trouble => trouble.of_read(),
        })?;
        let answer: Answer<T> =
            serde_json::from_slice(&answer.payload).map_err(|_| error::strange())?;
        match answer {
            Answer { error: Some(ApiError { err_code: NO_MESSAGE, .. }), .. } => Ok(None),
            Answer { error: Some(refusal), .. } => Err(error::of_api(&refusal)),
            Answer { content: None, .. } => Err(error::strange()),
            Answer { content, .. } => Ok(content),
        }
    }
}

async fn options(config: &NatsConfig) -> Result<ConnectOptions> {
    let mut options = match &config.login {
        Login::Nobody => ConnectOptions::new(),
        Login::Token(token) => ConnectOptions::with_token(token.clone()),
        Login::User { name, password } => {
            ConnectOptions::with_user_and_password(name.clone(), password.clone())
        }
        Login::NKey(seed) => ConnectOptions::with_nkey(seed.clone()),
        Login::File(path) => {
            ConnectOptions::with_credentials_file(path).await.map_err(|cause| {
                let message = format!("the credentials file `{}` is not sound", path.display());
                BackendError::new(ErrorKind::Denied, message).with_source(cause.kind().to_string())
            })?
        }
    };
    if let Some(tls) = &config.tls {
        options = options.require_tls(true);
        if let Some(pem) = &tls.authority {
            options = options.add_root_certificates(pem.clone());
        }
        if let Some((certificate, key)) = &tls.client {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
    }
    if let Some(name) = &config.client_name {
        options = options.name(name);
    }
    Ok(options
        .connection_timeout(config.connect_timeout)
        // Three pings without an answer end the connection.
        .ping_interval(config.response_timeout / 3)
        .reconnect_delay_callback(|_| Duration::ZERO)
        .ignore_discovered_servers()
        .client_capacity(QUEUE)
        .subscription_capacity(UNREAD))
}

/// A request to the API of `JetStream`.
pub(super) fn json(request: &impl Serialize) -> Result<Bytes> {
    serde_json::to_vec(request).map(Bytes::from).map_err(|_| error::strange())
}

/// How long headers are when they are sent. Without any there is not even the line of the version.
fn size(headers: &HeaderMap) -> usize {
    if headers.is_empty() {
        return 0;
    }
    let lines = headers.iter().flat_map(|(name, values)| {
        values.iter().map(|value| AsRef::<str>::as_ref(name).len() + value.as_str().len() + 4)
    });
    lines.sum::<usize>() + "NATS/1.0\r\n\r\n".len()
}

/// Whether an answer carries a status in place of content, and which.
pub(super) fn status(message: &Message) -> Option<u16> {
    message.status.as_ref().map(StatusCode::as_u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_as_long_as_they_are_sent() {
        let mut headers = HeaderMap::new();
        assert_eq!(size(&headers), 0);
        headers.insert("A", "12");
        headers.append("A", "3");
        assert_eq!(size(&headers), "NATS/1.0\r\nA: 12\r\nA: 3\r\n\r\n".len());
    }
}
