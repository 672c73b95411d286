//! A stream that tells whether there are signs of life on it.

use core::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use std::{io, sync::Arc};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pulse::Pulse;

/// A stream whose bytes are counted.
pub(super) struct Observed<S> {
    stream: S,
    pulse: Arc<Pulse>,
    /// The last write found no room.
    held_up: bool,
}

impl<S> Observed<S> {
    pub(super) fn new(stream: S, pulse: Arc<Pulse>) -> Self {
        Self { stream, pulse, held_up: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Observed<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            this.pulse.hear();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Observed<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        match &written {
            Poll::Pending => this.held_up = true,
            Poll::Ready(Ok(count)) => {
                this.pulse.send(*count);
                // Writing alone proves nothing, since this machine keeps what nobody takes. But
                // when that had become too much, somebody has taken some of it.
                if mem::take(&mut this.held_up) {
                    this.pulse.hear();
                }
            }
            Poll::Ready(Err(_)) => {}
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::time::Instant;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::{
        super::pulse::{Verdict, Watch},
        *,
    };

    fn watched(pulse: &Pulse) -> (Watch, Instant) {
        let now = Instant::now();
        (Watch::new(Duration::from_secs(4), pulse, now), now)
    }

    #[tokio::test]
    async fn a_part_of_an_answer_is_a_sign_of_life() -> io::Result<()> {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let pulse = Arc::new(Pulse::default());
        let mut stream = Observed::new(ours, Arc::clone(&pulse));
        let (mut watch, start) = watched(&pulse);
        stream.write_all(b"GET").await?;
        for look in 1..100 {
            theirs.write_all(b"x").await?;
            stream.read_exact(&mut [0]).await?;
            let now = start + watch.interval() * look;
            assert_eq!(watch.look(&pulse, now), Verdict::Alive);
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_long_command_that_is_taken_bit_by_bit_is_a_sign_of_life() -> io::Result<()> {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let pulse = Arc::new(Pulse::default());
        let mut stream = Observed::new(ours, Arc::clone(&pulse));
        let (mut watch, start) = watched(&pulse);
        let writing = tokio::spawn(async move { stream.write_all(&[b'x'; 64 * 100]).await });
        for look in 1..100 {
            // What is read makes room for the next part, which is written before this goes on.
            theirs.read_exact(&mut [0; 64]).await?;
            tokio::task::yield_now().await;
            let now = start + watch.interval() * look;
            assert_eq!(watch.look(&pulse, now), Verdict::Alive, "look {look}");
        }
        writing.abort();
        Ok(())
    }

    #[tokio::test]
    async fn what_nobody_takes_is_none() -> io::Result<()> {
        let (ours, _theirs) = tokio::io::duplex(1 << 20);
        let pulse = Arc::new(Pulse::default());
        let mut stream = Observed::new(ours, Arc::clone(&pulse));
        let (mut watch, start) = watched(&pulse);
        let mut verdicts = Vec::new();
        for look in 1..20 {
            stream.write_all(b"GET").await?;
            verdicts.push(watch.look(&pulse, start + watch.interval() * look));
        }
        assert_eq!(verdicts[0], Verdict::Ask);
        assert!(verdicts.contains(&Verdict::Dead), "{verdicts:?}");
        Ok(())
    }
}
