//! Several calls to a backend at the same time.

use core::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

/// How many are under way at once.
const AT_ONCE: usize = 64;

/// Where the output of a future goes, and the future.
type Running<'o, F> = (&'o mut Option<<F as Future>::Output>, Pin<Box<F>>);

/// The outputs of all `futures`, in their order.
pub(super) async fn parallel<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut outputs: Vec<Option<F::Output>> = Vec::new();
    outputs.resize_with(futures.len(), || None);
    let mut waiting = outputs.iter_mut().zip(futures);
    let mut running: Vec<Running<'_, F>> = Vec::new();
    poll_fn(|cx| {
        loop {
            let room = AT_ONCE - running.len();
            let started = waiting.by_ref().take(room);
            running.extend(started.map(|(output, future)| (output, Box::pin(future))));
            let before = running.len();
            running.retain_mut(|(output, future)| match future.as_mut().poll(cx) {
                Poll::Pending => true,
                Poll::Ready(done) => {
                    **output = Some(done);
                    false
                }
            });
            if running.is_empty() && before < AT_ONCE {
                return Poll::Ready(());
            }
            if running.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
    drop((running, waiting));
    outputs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use core::{
        cell::Cell,
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
    };

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn all_are_done_in_their_order_and_few_at_once() {
        let (running, most) = (AtomicUsize::new(0), Cell::new(0));
        let call = async |number: usize| {
            most.set(most.get().max(running.fetch_add(1, SeqCst) + 1));
            for _ in 0..=number % 7 {
                yield_now().await;
            }
            running.fetch_sub(1, SeqCst);
            number
        };
        for count in [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 10 * AT_ONCE] {
            let done = parallel((0..count).map(&call).collect()).await;
            assert_eq!(done, (0..count).collect::<Vec<_>>());
        }
        assert_eq!(most.get(), AT_ONCE);
    }
}
