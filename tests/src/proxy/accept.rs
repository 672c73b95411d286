//! Accepting connections, also where the system has no more of what that takes.

use core::{future::Future, time::Duration};
use std::{io, net::SocketAddr, sync::OnceLock};

use tokio::time::Instant;

/// How long the system gets to recover: other tests give back what they have.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait in between.
const PAUSE: Duration = Duration::from_millis(20);

/// The next connection; `None`, and the reason in `failed`, if there has been none but errors for too
/// long.
pub(super) async fn next<C, F>(
    failed: &OnceLock<String>,
    mut accept: impl FnMut() -> F,
) -> Option<C>
where
    F: Future<Output = io::Result<(C, SocketAddr)>>,
{
    let mut since = None;
    loop {
        let error = match accept().await {
            Ok((client, _)) => return Some(client),
            Err(error) => error,
        };
        // It can be one of the connection alone, which has ended already, or say that too many files
        // are open. The second comes again at once.
        if since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            failed.get_or_init(|| error.to_string());
            return None;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use core::future::ready;
    use std::net::Ipv4Addr;

    use super::*;

    fn too_many_files() -> io::Error {
        io::Error::from_raw_os_error(24)
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_passes_is_waited_for() {
        let (failed, mut calls) = (OnceLock::new(), 0);
        let accepted = next(&failed, || {
            calls += 1;
            let address = (Ipv4Addr::LOCALHOST, 1).into();
            ready(if calls < 10 { Err(too_many_files()) } else { Ok((calls, address)) })
        });
        assert_eq!(accepted.await, Some(10));
        assert_eq!(failed.get(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_stays_ends_it_and_is_told() {
        let (failed, mut calls) = (OnceLock::new(), 0);
        let accepted = next::<(), _>(&failed, || {
            calls += 1;
            ready(Err(too_many_files()))
        });
        assert_eq!(accepted.await, None);
        assert!(failed.get().is_some_and(|problem| problem.contains("os error 24")), "{failed:?}");
        assert!(calls < 2000, "it was tried {calls} times");
    }
}
