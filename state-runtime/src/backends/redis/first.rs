//! The first of several servers that answers, or what all of them said instead.

use core::future::Future;

use futures_util::{StreamExt, stream::FuturesUnordered};

use super::error;
use crate::backend::{BackendError, ErrorKind, Result};

/// How many refusals are told in full.
const TOLD: usize = 4;

/// Waits for the first answer; all of them are asked at the same time.
pub(super) async fn answer<T, F>(asked: impl IntoIterator<Item = F>) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut asked: FuturesUnordered<_> = asked.into_iter().collect();
    let mut refusals = Vec::new();
    while let Some(answer) = asked.next().await {
        match answer {
            Ok(answer) => return Ok(answer),
            Err(refusal) => refusals.push(refusal),
        }
    }
    Err(none(&refusals))
}

/// One error of those of all servers, none of which answered. What no patience mends weighs more
/// than that one of them is down.
pub(super) fn none(refusals: &[BackendError]) -> BackendError {
    let grave = refusals.iter().find(|refusal| refusal.kind() != ErrorKind::Unavailable);
    let mut messages: Vec<&str> = refusals.iter().map(BackendError::message).collect();
    messages.sort_unstable();
    messages.dedup();
    let more = messages.len().saturating_sub(TOLD);
    messages.truncate(TOLD);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    let message = messages.join("; ") + &rest;
    match (grave, refusals) {
        (_, []) => error::unavailable("there is no server to ask"),
        (Some(grave), _) => BackendError::new(grave.kind(), message),
        (None, _) => error::unavailable(message),
    }
}

#[cfg(test)]
mod tests {
    use core::future::{pending, ready};

    use super::*;

    fn refused(kind: ErrorKind, message: &str) -> BackendError {
        BackendError::new(kind, message.to_owned())
    }

    #[tokio::test]
    async fn one_that_answers_is_enough() {
        type Asking = futures_util::future::BoxFuture<'static, Result<u8>>;
        let asked: [Asking; 3] = [
            Box::pin(pending()),
            Box::pin(ready(Err(refused(ErrorKind::Denied, "a: no")))),
            Box::pin(ready(Ok(7))),
        ];
        assert_eq!(answer(asked).await.ok(), Some(7));
    }

    #[test]
    fn every_refusal_is_told_and_the_gravest_counts() {
        let all = [
            refused(ErrorKind::Unavailable, "b: down"),
            refused(ErrorKind::Denied, "a: who are you"),
            refused(ErrorKind::Unavailable, "b: down"),
        ];
        let error = none(&all);
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert_eq!(error.message(), "a: who are you; b: down");
        let many: Vec<_> =
            (1..=6).map(|n| refused(ErrorKind::Unavailable, &n.to_string())).collect();
        assert_eq!(none(&many).message(), "1; 2; 3; 4; and 2 more");
        assert_eq!(none(&[]).kind(), ErrorKind::Unavailable);
    }
}
