//! The connection of the moment: lost ones are replaced in the background.

use core::time::Duration;
use std::sync::{Arc, Weak};

use async_nats::Subscriber;
use futures_util::StreamExt;
use tokio::sync::watch;

use super::{
    backoff::Backoff,
    bucket,
    config::{MissingBucket, NatsConfig},
    error,
    session::{Connection, Session},
};
use crate::backend::{BackendError, ErrorKind, Result, spoken};

/// How long to wait after the first attempt that failed, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The connection that operations use, made anew in the background when it is lost.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) config: Arc<NatsConfig>,
    state: watch::Sender<State>,
}

/// A session, or why there is none.
#[derive(Debug, Clone)]
enum State {
    Up(Arc<Session>),
    /// Why not.
    Down(ErrorKind, Arc<str>),
    Closed,
}

impl Link {
    /// Connects and opens the bucket. As long as the link is held, it is kept up from then on.
    pub(super) async fn open(config: NatsConfig) -> Result<(Arc<Self>, Arc<Session>)> {
        config.check()?;
        let config = Arc::new(config);
        let servers = config.addresses();
        let fault = |spoken| error::of_spoken(spoken, config.tls.is_some());
        let connecting = Connection::dial(&config, &config.servers);
        let limit = config.connect_timeout;
        let connecting = Box::pin(spoken::connecting(&servers, fault, limit, connecting));
        let session = enter(connecting.await?, &config, config.missing).await?;
        // Only now: whoever changes the bucket later does not want this program to end by that.
        let named = |error: BackendError| error.about(format_args!("bucket `{}`", config.bucket));
        session.bucket.compare(&config.settings).map_err(named)?;
        let state = watch::Sender::new(State::Up(Arc::clone(&session)));
        let link = Arc::new(Self { config: Arc::clone(&config), state });
        let keeper = Keeper { link: Arc::downgrade(&link), state: link.state.subscribe(), config };
        tokio::spawn(keeper.keep(Arc::clone(&session)));
        Ok((link, session))
    }

    /// The session of the moment.
    pub(super) fn session(&self) -> Result<Arc<Session>> {
        match &*self.state.borrow() {
            State::Up(session) if session.connection.is_up() => Ok(Arc::clone(session)),
            State::Up(_) => Err(error::unavailable("the connection was lost")),
            State::Down(kind, cause) => Err(BackendError::new(*kind, cause.to_string())),
            State::Closed => Err(BackendError::closed()),
        }
    }

    /// Tells of sessions that come and go.
    pub(super) fn follow(&self) -> Follower {
        Follower(self.state.subscribe())
    }

    /// Ends the connection, and lets no new one begin.
    pub(super) async fn close(&self) {
        if let State::Up(session) = self.state.send_replace(State::Closed) {
            session.connection.close().await;
        }
    }

    /// Closed is for ever.
    fn change(&self, to: State) {
        self.state.send_if_modified(|state| {
            let open = !matches!(state, State::Closed);
            if open {
                *state = to;
            }
            open
        });
    }
}

/// Sees sessions come and go without keeping the link.
#[derive(Debug)]
pub(super) struct Follower(watch::Receiver<State>);

impl Follower {
    /// Waits for a session that is up; `None` once the link is closed or gone.
    pub(super) async fn session(&mut self) -> Option<Arc<Session>> {
        loop {
            match &*self.0.borrow_and_update() {
                State::Up(session) if session.connection.is_up() => {
                    return Some(Arc::clone(session));
                }
                State::Closed => return None,
                State::Up(_) | State::Down(..) => {}
            }
            self.0.changed().await.ok()?;
        }
    }

    /// Waits until the link is closed or gone.
    pub(super) async fn ended(&mut self) {
        // An error says that it is gone.
        let _ = self.0.wait_for(|state| matches!(state, State::Closed)).await;
    }
}

/// Replaces lost sessions.
struct Keeper {
    link: Weak<Link>,
    state: watch::Receiver<State>,
    config: Arc<NatsConfig>,
}

impl Keeper {
    async fn keep(self, mut session: Arc<Session>) {
        let mut follower = Follower(self.state.clone());
        loop {
            tokio::select! {
                () = session.connection.lost() => {}
                () = follower.ended() => return,
            }
            self.down(&error::unavailable("the connection was lost"));
            tokio::select! {
                next = self.again(&session) => session = next,
                () = follower.ended() => return,
            }
            self.set(State::Up(Arc::clone(&session)));
        }
    }

    /// Tries until it succeeds.
    async fn again(&self, last: &Session) -> Arc<Session> {
        let others = last.connection.server().connect_urls;
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            match connect_again(&self.config, &others).await {
                Ok(session) => return session,
                Err(error) => self.down(&error),
            }
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    fn down(&self, error: &BackendError) {
        self.set(State::Down(error.kind(), Arc::from(error.message())));
    }

    fn set(&self, state: State) {
        if let Some(link) = self.link.upgrade() {
            link.change(state);
        }
    }
}

/// Connects to one of the servers that are configured, or that others told of. A bucket that
/// somebody removed is not made anew behind the callers' backs.
async fn connect_again(config: &NatsConfig, others: &[String]) -> Result<Arc<Session>> {
    let mut servers = config.servers.clone();
    let unknown = |server: &&String| !config.servers.contains(server);
    servers.extend(others.iter().filter(unknown).cloned());
    // The client's future is large, and nobody waits for it often.
    let connection = Box::pin(Connection::dial(config, &servers)).await?;
    enter(connection, config, MissingBucket::Refuse).await
}

/// Opens the bucket over a connection.
async fn enter(
    connection: Connection,
    config: &NatsConfig,
    missing: MissingBucket,
) -> Result<Arc<Session>> {
    // Before the bucket is asked for, so that no removal of it falls in between.
    let removals = connection.removals(&config.stream()).await?;
    let (bucket, last) = bucket::open(&connection, config, missing).await?;
    let session = Arc::new(Session::new(connection, bucket, last));
    tokio::spawn(end_with_bucket(Arc::downgrade(&session), removals));
    Ok(session)
}

/// Gives a session up when its bucket is removed. What is there under its name later is another
/// bucket, which the next session gets to know.
async fn end_with_bucket(session: Weak<Session>, mut removals: Subscriber) {
    if removals.next().await.is_some()
        && let Some(session) = session.upgrade()
    {
        session.connection.give_up();
    }
}
