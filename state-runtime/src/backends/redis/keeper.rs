//! The task that keeps a link connected.
//!
//! It watches the present connection at all times, also while it makes another to take its place.

use core::{future::Future, pin::Pin, time::Duration};
use std::{io, sync::Arc, time::Instant};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

use super::{
    config::Address,
    dial::{Connected, Handle, Task},
    link::Shared,
    pulse::{Verdict, Watch},
};
use crate::backend::Result;

/// What happened to a connection that ended.
pub(super) const LOST: &str = "the connection was lost";
/// What happened to one that the keeper ended.
const SILENT: &str = "the server did not answer in time";

/// The first wait after a failed attempt to connect; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The longest wait between two attempts.
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// A connection whose server takes no writes is replaced no more often than this: it may be a
/// replica on purpose, and reads go on.
const REPLACE_PAUSE: Duration = Duration::from_secs(2);
/// How many connections that were replaced may have answers due. Another one is not replaced until
/// there are fewer.
const RETIRED: usize = 8;
/// Into how many steps the time is divided that a connection has to deliver them.
const STEPS: u32 = 8;

/// Something that the keeper does beside its watch.
type Errand<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Replaces the connection whenever that is needed, for ever: it is ended from outside.
pub(super) async fn keep(shared: Arc<Shared>, connected: Connected) {
    let limit = shared.dialer.config.response_timeout;
    let mut present = Some(Present::new(connected, limit));
    // The connection that is being made, because there is none or to replace the present one.
    let mut next: Option<Errand<Result<(Address, Connected)>>> = None;
    let mut retired = FuturesUnordered::new();
    let mut replaced: Option<Instant> = None;
    loop {
        let may_replace = present.is_some() && next.is_none() && retired.len() < RETIRED;
        tokio::select! {
            cause = over(&mut present) => {
                present = None;
                shared.lost(cause);
                tracing::warn!(address = ?shared.address(), cause, "lost the connection to a server");
                // What was being made is given up: it may take a while, and this begins at once.
                next = Some(Box::pin(reconnect(Arc::clone(&shared))));
            }
            made = done(&mut next) => {
                // Where there is no other one, the present one goes on.
                if let Ok((address, connected)) = made {
                    shared.up(address, connected.handle.clone());
                    let former = present.replace(Present::new(connected, limit));
                    retired.extend(former.map(Present::retire));
                }
            }
            () = suspected(&shared, replaced), if may_replace => {
                replaced = Some(Instant::now());
                let shared = Arc::clone(&shared);
                next = Some(Box::pin(async move { shared.connect().await }));
            }
            Some(()) = retired.next() => {}
        }
    }
}

/// Until the connection has ended, or should be; why. Without one, for ever.
async fn over(present: &mut Option<Present>) -> &'static str {
    match present {
        Some(present) => present.over().await,
        None => core::future::pending().await,
    }
}

/// Until the connection should be replaced, some time after the last one was.
async fn suspected(shared: &Shared, replaced: Option<Instant>) {
    if let Some(last) = replaced {
        sleep(REPLACE_PAUSE.saturating_sub(last.elapsed())).await;
    }
    shared.suspected.notified().await;
}

/// The end of an errand, which is then forgotten. Without one, for ever.
async fn done<T>(errand: &mut Option<Errand<T>>) -> T {
    match errand {
        Some(running) => {
            let result = running.await;
            *errand = None;
            result
        }
        None => core::future::pending().await,
    }
}

/// A connection and the watch over it.
struct Present {
    task: Task,
    handle: Handle,
    watch: Watch,
    looks: Interval,
    /// A question whether the server is alive.
    asking: Option<Errand<()>>,
    limit: Duration,
}

impl Present {
    fn new(Connected { handle, task }: Connected, limit: Duration) -> Self {
        let watch = Watch::new(limit, handle.pulse(), Instant::now());
        let mut looks = interval(watch.interval());
        // There is nothing to catch up on after a time in which nobody looked.
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { task, handle, watch, looks, asking: None, limit }
    }

    /// Until the connection has ended or should be; why. Not to be called again after that, though
    /// it may be dropped at any time before.
    async fn over(&mut self) -> &'static str {
        loop {
            tokio::select! {
                () = self.task.ended() => return LOST,
                () = done(&mut self.asking) => {}
                _ = self.looks.tick() => {
                    match self.watch.look(self.handle.pulse(), Instant::now()) {
                        Verdict::Alive => {}
                        Verdict::Ask if self.asking.is_some() => {}
                        Verdict::Ask => self.asking = Some(Box::pin(self.handle.clone().ask())),
                        Verdict::Dead => {
                            self.handle.hang_up(io::ErrorKind::TimedOut);
                            return SILENT;
                        }
                    }
                }
            }
        }
    }

    /// Gives the connection time to deliver the answers that are due, and ends it.
    async fn retire(mut self) {
        let step = self.limit / STEPS;
        // In steps, so that a time in which this program stood still is little of all.
        for _ in 0..STEPS {
            tokio::select! {
                _ = self.over() => return,
                () = sleep(step) => {}
            }
        }
    }
}

/// Tries until there is a connection again. The first attempt is made at once.
async fn reconnect(shared: Arc<Shared>) -> Result<(Address, Connected)> {
    let mut pause = FIRST_PAUSE;
    loop {
        match shared.connect().await {
            Ok((address, connected)) => {
                tracing::info!(%address, "connected to a server again");
                return Ok((address, connected));
            }
            Err(error) => shared.down(&error),
        }
        sleep(jittered(pause)).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

/// Between half of `pause` and all of it, so that many clients do not come back at one moment.
fn jittered(pause: Duration) -> Duration {
    use core::hash::BuildHasher;
    let random = std::hash::RandomState::new().hash_one(()) % 512;
    pause / 2 + pause * u32::try_from(random).unwrap_or_default() / 1024
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use redis::Value;

    use super::{
        super::{
            fake::{Fake, PATIENCE, Peer, soon},
            link::{Fault, Link, Locate, fixed},
        },
        *,
    };
    use crate::backend::ErrorKind;

    type TestResult = core::result::Result<(), Box<dyn Error>>;

    /// A link and the server's end of its connection.
    async fn open(
        fake: &Fake,
        limit: Duration,
        locate: Locate,
    ) -> core::result::Result<(Arc<Link>, Peer), Box<dyn Error>> {
        let opening = Link::open(Fake::dialer(limit)?, locate);
        let (link, peer) = tokio::join!(opening, fake.accept());
        Ok((Arc::new(link?), peer?))
    }

    fn incr(name: &str) -> redis::Cmd {
        let mut command = redis::cmd("INCR");
        command.arg(name);
        command
    }

    /// Sends a command, and waits until the server has it.
    async fn send(
        link: &Arc<Link>,
        peer: &mut Peer,
        name: &'static str,
    ) -> std::io::Result<tokio::task::JoinHandle<core::result::Result<Value, Fault>>> {
        let link = Arc::clone(link);
        let reply = tokio::spawn(async move { link.send(&incr(name)).await });
        assert_eq!(soon(peer.errand()).await??, ["INCR", name]);
        Ok(reply)
    }

    /// Until another connection than `former` is used.
    async fn replaced(link: &Link, former: u64) {
        while link.connection().is_ok_and(|number| number == former) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_end_of_a_connection_is_seen_while_another_is_made() -> TestResult {
        let fake = Fake::start().await?;
        let (locate, asked) = fake.found_once()?;
        let (link, peer) = open(&fake, PATIENCE, locate).await?;
        link.suspect();
        soon(asked.notified()).await?;
        link.check()?;
        drop(peer);
        soon(asked.notified()).await?;
        assert_eq!(link.check().map_err(|error| error.kind()), Err(ErrorKind::Unavailable));
        Ok(())
    }

    #[tokio::test]
    async fn a_silent_connection_is_given_up_while_another_is_made() -> TestResult {
        let fake = Fake::start().await?;
        let (locate, asked) = fake.found_once()?;
        let (link, mut peer) = open(&fake, Duration::from_millis(200), locate).await?;
        link.suspect();
        soon(asked.notified()).await?;
        let reply = send(&link, &mut peer, "n").await?;
        assert!(matches!(soon(reply).await??, Err(Fault::Lost(_))));
        soon(asked.notified()).await?;
        Ok(())
    }

    #[tokio::test]
    async fn every_connection_that_was_replaced_delivers_the_answers_that_are_due() -> TestResult {
        let fake = Fake::start().await?;
        let (link, mut first) = open(&fake, PATIENCE * 3, fixed(fake.address()?)).await?;
        let of_first = send(&link, &mut first, "a").await?;
        let one = link.connection()?;
        link.suspect();
        let mut second = soon(fake.accept()).await??;
        soon(replaced(&link, one)).await?;
        let of_second = send(&link, &mut second, "b").await?;
        let two = link.connection()?;
        link.suspect();
        let _third = soon(fake.accept()).await??;
        soon(replaced(&link, two)).await?;
        first.say(":1").await?;
        second.say(":2").await?;
        assert!(matches!(soon(of_first).await??, Ok(Value::Int(1))));
        assert!(matches!(soon(of_second).await??, Ok(Value::Int(2))));
        Ok(())
    }

    #[tokio::test]
    async fn closing_ends_what_waits_at_once_and_leaves_no_connection() -> TestResult {
        let fake = Fake::start().await?;
        let (link, mut first) = open(&fake, PATIENCE * 3, fixed(fake.address()?)).await?;
        let of_first = send(&link, &mut first, "a").await?;
        let one = link.connection()?;
        link.suspect();
        let mut second = soon(fake.accept()).await??;
        soon(replaced(&link, one)).await?;
        let of_second = send(&link, &mut second, "b").await?;
        link.close();
        assert!(matches!(soon(of_second).await??, Err(Fault::Lost(_))));
        assert!(matches!(soon(of_first).await??, Err(Fault::Lost(_))), "on the former one too");
        soon(first.left()).await?;
        soon(second.left()).await?;
        let late = link.send(&incr("c")).await;
        assert!(matches!(late, Err(Fault::Unsent(error)) if error.kind() == ErrorKind::Closed));
        Ok(())
    }
}
