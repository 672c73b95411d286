//! Comparing how much concurrent callers get done, by the clock on the wall.
//!
//! The time that a server takes is not on any processor clock of this process, so it is the rate
//! that is compared. As in [`measure`](crate::measure), neither side is measured on its own: short
//! slices take turns, and the ratio is the median of the ratios of the pairs.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    Failure,
    measure::{Comparison, Effort, alternate, median},
};

/// What one caller does again and again.
pub trait Work: Send + 'static {
    /// Does it once.
    fn once(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// How often a second `callers` get done what they do, all of them together, in one slice of time.
///
/// # Errors
///
/// Those of the work.
pub async fn rate<W: Work>(
    callers: usize,
    slice: Duration,
    mut caller: impl FnMut() -> W,
) -> Result<f64, Failure> {
    let mut tasks = JoinSet::new();
    let workers: Vec<W> = (0..callers).map(|_| caller()).collect();
    let start = Instant::now();
    for mut worker in workers {
        tasks.spawn(async move {
            let mut done = 0_u32;
            while start.elapsed() < slice {
                worker.once().await?;
                done += 1;
            }
            Ok::<_, Failure>(done)
        });
    }
    let mut done = 0.0;
    while let Some(caller) = tasks.join_next().await {
        done += f64::from(caller??);
    }
    Ok(done / start.elapsed().as_secs_f64())
}

/// Compares the rates that `ours` and `peer` give for a slice of the time they are told.
///
/// # Errors
///
/// Those of either side.
pub fn compare(
    effort: Effort,
    mut ours: impl FnMut(Duration) -> Result<f64, Failure>,
    mut peer: impl FnMut(Duration) -> Result<f64, Failure>,
) -> Result<Comparison, Failure> {
    // Long against starting as many callers, short against the drift of the machine.
    let slice = Duration::from_millis(effort.choose(20, 60, 100));
    // What is done for the first time only, on the server too, counts for neither.
    ours(slice)?;
    peer(slice)?;
    let pairs = effort.choose(1, 12, 60);
    let mut samples = Vec::with_capacity(pairs);
    for pair in 0..pairs {
        let (ours, peer) = alternate(pair, || ours(slice), || peer(slice));
        samples.push((ours?, peer?));
    }
    Ok(Comparison {
        ours: median(samples.iter().map(|(ours, _)| *ours)),
        peer: median(samples.iter().map(|(_, peer)| *peer)),
        ratio: median(samples.iter().map(|(ours, peer)| ours / peer)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps the processor busy for some microseconds.
    struct Spin(u64);

    impl Work for Spin {
        async fn once(&mut self) -> Result<(), Failure> {
            let start = Instant::now();
            while start.elapsed() < Duration::from_micros(self.0) {}
            tokio::task::yield_now().await;
            Ok(())
        }
    }

    /// Fails at once.
    struct Fail;

    impl Work for Fail {
        async fn once(&mut self) -> Result<(), Failure> {
            Err("refused".into())
        }
    }

    #[test]
    fn the_side_that_gets_less_done_has_a_ratio_below_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let side = |micros| {
            let runtime = &runtime;
            move |slice| runtime.block_on(rate(4, slice, || Spin(micros)))
        };
        let compared = compare(Effort::Smoke, side(200), side(20)).unwrap();
        assert!(compared.ratio < 1.0, "{compared:?}");
        assert!(compared.ours < compared.peer, "{compared:?}");
    }

    #[tokio::test]
    async fn a_caller_that_fails_fails_the_slice() {
        let failed = rate(2, Duration::from_millis(1), || Fail).await.unwrap_err();
        assert_eq!(failed.to_string(), "refused");
    }
}
