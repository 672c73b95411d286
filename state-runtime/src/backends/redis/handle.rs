//! The way to send on one connection, and how its end is told.

use core::{fmt, future::Future};
use std::{
    io,
    sync::{Arc, OnceLock},
};

use redis::{Cmd, Pipeline, RedisError, RedisResult, Value, aio::MultiplexedConnection};
use tokio::{sync::Notify, task::JoinHandle};

use super::pulse::Pulse;

/// A connection, and the task that reads and writes for it. Dropping the task closes it, whoever
/// still holds a handle: what waits for an answer then learns that there will be none.
pub(super) struct Connected {
    pub(super) handle: Handle,
    pub(super) task: Task,
}

impl Connected {
    /// `driver` reads and writes for `connection`, on a stream that has this `pulse`.
    pub(super) fn new(
        connection: MultiplexedConnection,
        driver: impl Future<Output = ()> + Send + 'static,
        pulse: Arc<Pulse>,
    ) -> Self {
        let line = Arc::new(Line { pulse, over: OnceLock::new(), ended: Notify::new() });
        let end = End(Arc::clone(&line));
        let task = Task::spawn(async move {
            let _end = end;
            driver.await;
        });
        Self { handle: Handle { connection, line }, task }
    }
}

/// The way to send on a connection. A clone leads to the same one.
///
/// The client alone does not always tell of the end: a command that is put into its channel at the
/// very moment in which the reader of the channel ends stays there for as long as anybody has a
/// handle, and who waits for the answer has one. So the end is told apart from the channel, to all.
/// It is not enough to tell those who saw the end come near: a command that is in the channel in
/// time is forgotten too, if one before it is not yet.
#[derive(Clone)]
pub(super) struct Handle {
    connection: MultiplexedConnection,
    line: Arc<Line>,
}

/// What is known of a connection, apart from the client.
struct Line {
    pulse: Arc<Pulse>,
    /// Nothing is handed over any more; why.
    over: OnceLock<io::ErrorKind>,
    ended: Notify,
}

impl Line {
    fn end(&self, why: io::ErrorKind) {
        // In this order: whoever begins to wait for the end in between sees that it is over. The
        // first reason counts.
        let _ = self.over.set(why);
        self.ended.notify_waiters();
    }

    fn is_over(&self) -> bool {
        self.over.get().is_some()
    }

    /// What those learn who wait for an answer when it is over.
    fn gone(&self) -> RedisError {
        io::Error::from(self.over.get().copied().unwrap_or(io::ErrorKind::BrokenPipe)).into()
    }

    /// What `reply` gives, unless the connection ends before. `None` if that was so from the
    /// beginning: then nothing is handed over.
    async fn unless_over<T>(
        &self,
        reply: impl Future<Output = RedisResult<T>>,
    ) -> Option<RedisResult<T>> {
        // From here on no end is missed.
        let ended = self.ended.notified();
        if self.is_over() {
            return None;
        }
        tokio::select! {
            biased;
            reply = reply => Some(reply),
            () = ended => Some(Err(self.gone())),
        }
    }
}

impl Handle {
    /// Sends one command. An error reply of the server is a reply. `None` if the connection was over
    /// already: then it was certainly not sent.
    pub(super) async fn try_send(&mut self, command: &Cmd) -> Option<RedisResult<Value>> {
        self.line.unless_over(self.connection.send_packed_command(command)).await
    }

    /// Sends several commands at once. Each has a reply of its own, which may be an error. `None` if
    /// the connection was over already: then none was sent.
    pub(super) async fn try_send_all(
        &mut self,
        commands: &Pipeline,
    ) -> Option<RedisResult<Vec<Value>>> {
        let replies = self.connection.send_packed_commands(commands, 0, commands.len());
        self.line.unless_over(replies).await
    }

    /// As [`try_send`](Self::try_send), where it does not matter whether it was sent.
    pub(super) async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.try_send(command).await.unwrap_or_else(|| Err(self.line.gone()))
    }

    /// As [`try_send_all`](Self::try_send_all), where it does not matter whether they were sent.
    pub(super) async fn send_all(&mut self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        self.try_send_all(commands).await.unwrap_or_else(|| Err(self.line.gone()))
    }

    /// Asks the server for a sign of life, which the pulse shows. Until it comes, or never will.
    pub(super) async fn ask(mut self) {
        let ping = ping();
        let (before, length) = (self.pulse().sent(), ping.get_packed_command().len() as u64);
        if self.send(&ping).await.is_ok() {
            // Answers come in their order, so there is one to all that was sent before.
            self.pulse().settle(before + length);
        }
    }

    pub(super) fn pulse(&self) -> &Arc<Pulse> {
        &self.line.pulse
    }

    /// Tells all that wait for an answer that there will be none, and why, and takes no more commands.
    /// The task still has to be dropped.
    pub(super) fn hang_up(&self, why: io::ErrorKind) {
        self.line.end(why);
    }
}

/// A command that changes nothing and that every server answers.
pub(super) fn ping() -> Cmd {
    redis::cmd("PING")
}

/// Tells of the end of a connection when it is dropped, which is after the connection itself.
struct End(Arc<Line>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end(io::ErrorKind::BrokenPipe);
    }
}

/// A task that ends when this is dropped.
pub(super) struct Task(JoinHandle<()>);

impl Task {
    pub(super) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }

    /// Until it ends by itself. Not to be called again after that.
    pub(super) async fn ended(&mut self) {
        // It is aborted by nobody else, and if it panicked it is over as well.
        drop((&mut self.0).await);
    }

    /// Ends it now.
    pub(super) fn end(&self) {
        self.0.abort();
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Task")
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::{
        super::fake::{Fake, PATIENCE, soon},
        *,
    };

    type TestResult = Result<(), Box<dyn Error>>;

    #[tokio::test]
    async fn what_is_sent_after_the_end_was_certainly_not_sent() -> TestResult {
        let fake = Fake::start().await?;
        let (dialer, address) = (Fake::dialer(PATIENCE)?, fake.address()?);
        let (connected, peer) = tokio::join!(dialer.dial(&address), fake.accept());
        let Connected { mut handle, mut task } = connected?;
        drop(peer?);
        soon(task.ended()).await?;
        assert!(handle.try_send(&ping()).await.is_none());
        let mut commands = Pipeline::new();
        commands.cmd("PING");
        assert!(handle.try_send_all(&commands).await.is_none());
        assert!(handle.send(&ping()).await.is_err());
        Ok(())
    }

    #[tokio::test]
    async fn what_was_handed_over_before_the_end_may_have_been_sent() -> TestResult {
        let fake = Fake::start().await?;
        let (dialer, address) = (Fake::dialer(PATIENCE)?, fake.address()?);
        let (connected, peer) = tokio::join!(dialer.dial(&address), fake.accept());
        let (Connected { mut handle, task: _task }, mut peer) = (connected?, peer?);
        let read_and_leave = async move {
            assert_eq!(peer.command().await?, ["INCR", "n"]);
            drop(peer);
            Ok::<_, io::Error>(())
        };
        let mut command = redis::cmd("INCR");
        command.arg("n");
        let (reply, left) = tokio::join!(handle.try_send(&command), read_and_leave);
        left?;
        assert!(reply.is_some_and(|reply| reply.is_err()));
        Ok(())
    }

    #[tokio::test]
    async fn hanging_up_ends_all_that_wait_at_once() -> TestResult {
        let fake = Fake::start().await?;
        let (dialer, address) = (Fake::dialer(PATIENCE)?, fake.address()?);
        let (connected, peer) = tokio::join!(dialer.dial(&address), fake.accept());
        let (Connected { handle, task: _task }, mut peer) = (connected?, peer?);
        let mut waiting = handle.clone();
        let reply = tokio::spawn(async move { waiting.try_send(&ping()).await });
        assert_eq!(peer.command().await?, ["PING"], "it is on its way");
        handle.hang_up(io::ErrorKind::TimedOut);
        // The task goes on, and so does the connection.
        assert!(soon(reply).await??.is_some_and(|reply| reply.is_err()));
        assert!(handle.clone().try_send(&ping()).await.is_none());
        Ok(())
    }
}
