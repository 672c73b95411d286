//! What the client tells of its connection: that it was lost, and what the login may not do.

use core::future::Future;
use std::sync::Arc;

use async_nats::{Event, ServerError};
use tokio::sync::{broadcast, watch};

/// What the client tells of its connection.
#[derive(Debug)]
pub(super) struct Signals {
    pub(super) lost: watch::Sender<bool>,
    /// Whether the login may not subscribe to where answers arrive.
    deaf: watch::Sender<bool>,
    /// The subjects that the login may not publish to, as they are refused.
    denials: broadcast::Sender<Arc<str>>,
}

impl Signals {
    pub(super) fn new() -> Self {
        let (lost, deaf) = (watch::Sender::new(false), watch::Sender::new(false));
        Self { lost, deaf, denials: broadcast::Sender::new(64) }
    }

    pub(super) fn hear(&self, event: &Event) {
        match event {
            Event::Disconnected | Event::Closed => drop(self.lost.send_replace(true)),
            Event::ServerError(ServerError::Other(text)) => {
                if let Some(subject) = denied_subject(text, "Publish") {
                    // Nobody may be waiting.
                    let _ = self.denials.send(Arc::from(subject));
                }
                if denied_subject(text, "Subscription").is_some_and(|it| it.starts_with("_INBOX."))
                {
                    self.deaf.send_replace(true);
                }
            }
            _ => {}
        }
    }

    /// Ends once answers cannot be heard.
    pub(super) async fn deaf(&self) {
        // The sender is held here, so this cannot end otherwise.
        let _ = self.deaf.subscribe().wait_for(|deaf| *deaf).await;
    }

    /// Ends when the server refuses a message to a subject that is meant, from now on.
    ///
    /// It does not say which one; but if it refuses one, it refuses all, because it lets a login
    /// publish to a subject or not.
    pub(super) fn denied<F: Fn(&str) -> bool>(
        &self,
        is_meant: F,
    ) -> impl Future<Output = ()> + use<F> {
        let mut denials = self.denials.subscribe();
        async move {
            loop {
                match denials.recv().await {
                    Ok(denied) if is_meant(&denied) => return,
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    // The answer, or the time-out, comes anyway.
                    Err(broadcast::error::RecvError::Closed) => core::future::pending().await,
                }
            }
        }
    }
}

/// The subject that a login may not use so, from the server's complaint.
fn denied_subject<'t>(text: &'t str, so: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once("ermissions Violation for ")?;
    let quoted = rest.strip_prefix(so)?.strip_prefix(" to \"")?;
    Some(quoted.rsplit_once('"').map_or(quoted, |(subject, _)| subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_of_a_denial_is_found() {
        let text = r#"Permissions Violation for Publish to "$KV.b.a=2eb""#;
        assert_eq!(denied_subject(text, "Publish"), Some("$KV.b.a=2eb"));
        assert_eq!(denied_subject(text, "Subscription"), None);
        let text = "permissions violation for subscription";
        assert_eq!(denied_subject(text, "Subscription"), None);
        let text = r#"Permissions Violation for Subscription to "_INBOX.a.*""#;
        assert_eq!(denied_subject(text, "Subscription"), Some("_INBOX.a.*"));
    }
}
