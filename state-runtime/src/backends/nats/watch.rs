//! Watches: a consumer of the bucket that tells what is written, and a timer for what expires.
//!
//! The consumer starts with the last message of every entry that there is, without their values: so
//! the expiries are known of entries that were written before. It is asked for a few messages at a
//! time, when the reader wants more; as long as nobody reads, they wait on the server, where a later
//! one replaces an earlier one of its key.

use core::{pin::pin, time::Duration};
use std::sync::Arc;

use async_nats::{HeaderMap, Message, Subscriber};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout_at},
};

use super::{
    Engine,
    api::{ConsumerConfig, ConsumerInfo, CreateConsumer, NextMessages, StreamInfo},
    backoff::Backoff,
    expiries::{Due, Expiries},
    link::Follower,
    session::{Session, json, status},
    stored::Stored,
    subject::KeyMapping,
};
use crate::{
    backend::{Change, Changes, Clock, Result, SystemClock, WatchRequest},
    key::Key,
};

/// How many messages are asked for at a time.
const BATCH: usize = 256;
/// How long the server holds a request for messages.
const HELD: Duration = Duration::from_secs(30);
/// How often it says in the meantime that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// After how long without a reader the server forgets the consumer by itself. A reader that comes
/// back later is told to look at everything.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// How long to wait before another consumer is made, at first and at most. One that lasted for the
/// longest pause was a success.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Subscribes first and returns then, so that no change in between is missed.
pub(super) async fn subscribe(engine: &Engine, request: WatchRequest) -> Result<Changes> {
    let session = engine.link.session()?;
    let follower = engine.link.follow();
    let mapping = engine.mapping;
    let name = match &request {
        WatchRequest::Key(key) => Some(mapping.name(key.as_str())?.into_owned()),
        WatchRequest::Prefix(prefix) => mapping.pattern(prefix),
    };
    let Some(name) = name else {
        // There can be no such key, but closing ends this watch, too.
        let silence = stream::once(async move {
            let mut follower = follower;
            follower.ended().await;
        });
        return Ok(Box::pin(silence.filter_map(|()| async { None })));
    };
    let feed = Feed::open(session, &name).await?;
    let expiries = Expiries::default();
    let backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let watch = Watch { request, name, mapping, follower, feed, expiries, backoff };
    Ok(Box::pin(stream::unfold(watch, |mut watch| async {
        watch.next().await.map(|change| (Ok(change), watch))
    })))
}

/// What a reader is told of.
struct Watch {
    request: WatchRequest,
    /// The name or pattern of what is watched, in the bucket.
    name: String,
    mapping: KeyMapping,
    follower: Follower,
    feed: Feed,
    expiries: Expiries,
    backoff: Backoff,
}

/// What happened.
enum Event {
    Change(Change),
    /// Nothing to tell.
    Nothing,
    /// The consumer is gone, or is to be replaced.
    Lost,
    Ended,
}

impl Watch {
    /// The next hint; `None` once the backend is closed.
    async fn next(&mut self) -> Option<Change> {
        loop {
            match self.event().await {
                Event::Change(change) => return Some(change),
                Event::Nothing => {}
                Event::Ended => return None,
                Event::Lost => {
                    self.feed = self.again().await?;
                    self.expiries = Expiries::default();
                    return Some(Change::Everything);
                }
            }
        }
    }

    async fn event(&mut self) -> Event {
        let now = SystemClock.now();
        match self.expiries.due(now) {
            Due::Key(key) => return Event::Change(Change::Key(Key::from_stored(key))),
            Due::Unknown => return Event::Lost,
            Due::Nothing => {}
        }
        let next = self.expiries.next().map(|at| at.since(now));
        let expiry = async {
            match next {
                Some(wait) => sleep(wait).await,
                None => core::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.follower.ended() => Event::Ended,
            message = self.feed.next() => match message {
                Some(message) => self.hear(&message),
                None => Event::Lost,
            },
            () = expiry => Event::Nothing,
        }
    }

    fn hear(&mut self, message: &Message) -> Event {
        let subject = message.subject.as_str();
        let name = subject.strip_prefix(&self.feed.session.bucket.prefix);
        let Some(key) = name.and_then(|name| self.mapping.key(name)) else { return Event::Nothing };
        let Some(sequence) = message.reply.as_deref().and_then(position) else {
            return Event::Lost;
        };
        if !self.request.covers(&key) {
            return Event::Nothing;
        }
        let headers = message.headers.clone().unwrap_or_default();
        // A message that cannot be read is a change all the same.
        let epoch = self.feed.session.bucket.epoch;
        let stored = Stored::new(epoch, sequence, &headers, Bytes::new()).ok();
        let live = stored.filter(|stored| !stored.is_marker);
        self.expiries.put(&key, live.and_then(|stored| stored.expiry));
        // What was there before the watch began is no change.
        if sequence <= self.feed.start {
            return Event::Nothing;
        }
        Event::Change(Change::Key(Key::from_stored(key)))
    }

    /// Makes a new consumer, as soon as that is possible; `None` once the backend is closed.
    ///
    /// It waits first, because a server may make a consumer and refuse what is asked of it at once.
    async fn again(&mut self) -> Option<Feed> {
        if self.feed.opened.elapsed() >= LONGEST_PAUSE {
            self.backoff.reset();
        }
        loop {
            tokio::select! {
                () = sleep(self.backoff.pause()) => {}
                () = self.follower.ended() => return None,
            }
            let session = self.follower.session().await?;
            if let Ok(feed) = Feed::open(session, &self.name).await {
                return Some(feed);
            }
        }
    }
}

/// A consumer, and what it delivers.
struct Feed {
    session: Arc<Session>,
    consumer: String,
    inbox: String,
    messages: Subscriber,
    /// The last sequence of the stream from before the consumer was made.
    start: u64,
    /// How many more messages the server may send without being asked.
    outstanding: usize,
    /// When to stop waiting for a sign of life.
    patience: Instant,
    opened: Instant,
    /// Where the server is told that the consumer is not needed any more.
    runtime: Handle,
}

impl Feed {
    async fn open(session: Arc<Session>, name: &str) -> Result<Self> {
        let stream = &session.bucket.stream;
        let connection = &session.connection;
        let info: StreamInfo =
            connection.ask(&format!("STREAM.INFO.{stream}"), Bytes::new()).await?;
        let (inbox, messages) = connection.inbox().await?;
        let filter = format!("{}{name}", session.bucket.prefix);
        let request = json(&CreateConsumer {
            stream_name: stream,
            config: ConsumerConfig {
                deliver_policy: "last_per_subject",
                ack_policy: "none",
                replay_policy: "instant",
                filter_subject: &filter,
                headers_only: true,
                mem_storage: true,
                num_replicas: 1,
                inactive_threshold: nanos(FORGOTTEN),
            },
        })?;
        let created: ConsumerInfo =
            connection.ask(&format!("CONSUMER.CREATE.{stream}"), request).await?;
        Ok(Self {
            consumer: created.name,
            inbox,
            messages,
            start: info.state.last_seq,
            outstanding: 0,
            patience: Instant::now(),
            opened: Instant::now(),
            runtime: Handle::current(),
            session,
        })
    }

    /// The next message; `None` where the consumer is lost. It may be dropped at any point.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if self.outstanding == 0 {
                self.ask().await?;
            }
            let message = {
                let next = pin!(self.messages.next());
                timeout_at(self.patience, next).await.ok()??
            };
            self.patience = Instant::now() + 2 * HEARTBEAT;
            match status(&message) {
                None => {
                    self.outstanding = self.outstanding.saturating_sub(1);
                    return Some(message);
                }
                // A sign of life.
                Some(100) => {}
                // The request is over.
                Some(404 | 408) => self.outstanding = 0,
                Some(409) if message.description.as_deref() == Some("Batch Completed") => {
                    self.outstanding = 0;
                }
                Some(_) => return None,
            }
        }
    }

    async fn ask(&mut self) -> Option<()> {
        let request =
            NextMessages { batch: BATCH, expires: nanos(HELD), idle_heartbeat: nanos(HEARTBEAT) };
        let stream = &self.session.bucket.stream;
        let api = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{}", self.consumer);
        let asked = self.session.connection.ask_for(api, &self.inbox, json(&request).ok()?);
        asked.await.ok()?;
        self.outstanding = BATCH;
        self.patience = Instant::now() + 2 * HEARTBEAT;
        Some(())
    }
}

/// Tells the server to forget the consumer. Where that does not get through, it does so by itself.
impl Drop for Feed {
    fn drop(&mut self) {
        let session = Arc::clone(&self.session);
        let api = format!("$JS.API.CONSUMER.DELETE.{}.{}", session.bucket.stream, self.consumer);
        self.runtime.spawn(async move {
            let _ = session.connection.request(api, HeaderMap::new(), Bytes::new()).await;
        });
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The sequence of a message in its stream, from the subject that an acknowledgement would go to:
/// `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.…`, or with a domain and an account before
/// the stream.
fn position(reply: &str) -> Option<u64> {
    let tokens = reply.split('.').count();
    reply.split('.').nth(if tokens > 9 { 7 } else { 5 })?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_of_a_message_is_found() {
        assert_eq!(position("$JS.ACK.KV_b.c.1.42.7.1700000000.0"), Some(42));
        assert_eq!(position("$JS.ACK._.hash.KV_b.c.1.42.7.1700000000.0.x"), Some(42));
        assert_eq!(position("a.b"), None);
    }
}
