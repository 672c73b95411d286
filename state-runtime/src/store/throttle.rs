//! Taking permits of a rate limit: what the pattern `RateLimiter` asks of a store.

use tokio::time::{Instant, sleep};

use super::{StateStore, rewrite::pause};
use crate::{
    backend::{Backend, Capability, ThrottleOptions, Throttled},
    error::{Operation, Result, StateError},
    schema::{Expiring, StateKey, TypedKey},
};

impl<B: Backend> StateStore<B> {
    /// Takes permits, or tells when there are enough.
    pub(crate) async fn throttle<K>(&self, key: &K, options: ThrottleOptions) -> Result<Throttled>
    where
        K: TypedKey<Value: StateKey<Lifetime = Expiring>>,
    {
        self.access.check(Operation::Throttle)?;
        let encoded = self.encode_key(key)?;
        // What adds by itself decides by itself. Elsewhere callers would race one another.
        if self.capabilities().contains(Capability::Counter) {
            return self.guard.throttle(&encoded, options).await;
        }
        let start = Instant::now();
        let _turn = self.turn(Operation::Throttle, &encoded, start).await?;
        let mut races = 0;
        loop {
            match self.guard.throttle(&encoded, options).await {
                // Other processes were faster each time, and nothing was taken.
                Err(StateError::Overloaded { source: Some(_), .. })
                    if start.elapsed() < self.guard.deadline() =>
                {
                    sleep(pause(races)).await;
                    races += 1;
                }
                answered => return answered,
            }
        }
    }
}
