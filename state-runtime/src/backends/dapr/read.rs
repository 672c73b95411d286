//! Reading entries, and renewing those whose reads keep them alive.

use core::time::Duration;

use super::{ATTEMPTS, api::Found, connection::Connection, contended, revision, wire::Guard};
use crate::{
    backend::{
        Capability, Clock, Entry, ErrorKind, Expiry, GetOptions, Result, SystemClock, Timestamp,
        rules::{check_ttl, renewal_is_due},
    },
    key::Key,
};

impl Connection {
    pub(super) async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.check(options)?;
        let mut wanted = options;
        for _ in 0..ATTEMPTS {
            let Some(found) = self.api.get(key).await? else { return Ok(None) };
            let now = SystemClock.now();
            let Some(due) = due(&found, wanted, now) else {
                return entry(key, &found, options, now);
            };
            match self.renew(key, &found, due, now).await {
                // The answer to a write tells no revision.
                Ok(()) if options.want.revision => wanted.renew = None,
                Ok(()) => return entry(key, &renewed(found, due, now), options, now),
                Err(error) if matches!(error.kind(), ErrorKind::Conflict { .. }) => {}
                // What was read is the answer, renewed or not.
                Err(_) => return entry(key, &found, options, now),
            }
        }
        Err(contended())
    }

    pub(super) async fn get_many(
        &self,
        requests: &[(Key, GetOptions)],
    ) -> Result<Vec<Option<Entry>>> {
        let mut entries = Vec::with_capacity(requests.len());
        if self.behaviour.is_none() {
            // A bulk read cannot ask for consistency, and what the component does is not known.
            for (key, options) in requests {
                entries.push(self.get(key, *options).await?);
            }
            return Ok(entries);
        }
        let mut keys: Vec<_> = requests.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        let all = self.api.get_many(&keys).await?;
        let now = SystemClock.now();
        for (key, options) in requests {
            self.check(*options)?;
            entries.push(match all.get(key.as_str()) {
                Some(found) if due(found, *options, now).is_some() => {
                    self.get(key, *options).await?
                }
                Some(found) => entry(key, found, *options, now)?,
                None => None,
            });
        }
        Ok(entries)
    }

    /// Gives an entry that was read another expiry, unless it was changed since.
    async fn renew(&self, key: &Key, found: &Found, ttl: Duration, now: Timestamp) -> Result<()> {
        let Some(value) = found.live(now) else { return Ok(()) };
        let guard = Guard::Etag(found.etag()?);
        self.write(key, value, Some(now.after(ttl)), guard).await
    }

    fn check(&self, options: GetOptions) -> Result<()> {
        if let Some(ttl) = options.renew {
            self.need(Capability::Ttl)?;
            check_ttl(ttl)?;
        }
        if options.want.expiry {
            self.need(Capability::Ttl)?;
        }
        if options.want.revision { self.need(Capability::Cas) } else { Ok(()) }
    }
}

/// What was found, with the expiry that it has been given.
fn renewed(mut found: Found, ttl: Duration, now: Timestamp) -> Found {
    found.stored.expires = Some(now.after(ttl));
    found
}

/// The time to live that a read has to give, if it has to.
fn due(found: &Found, options: GetOptions, now: Timestamp) -> Option<Duration> {
    let (ttl, expires) = (options.renew?, found.stored.expires?);
    found.live(now).and_then(|_| renewal_is_due(expires, now, ttl).then_some(ttl))
}

fn entry(key: &Key, found: &Found, options: GetOptions, now: Timestamp) -> Result<Option<Entry>> {
    let Some(value) = found.live(now) else { return Ok(None) };
    let mut entry = Entry::new(value.clone());
    if options.want.revision {
        entry.revision = Some(revision::of(key.as_str(), found.etag()?, found.stored.expires));
    }
    if options.want.expiry {
        entry.expiry = found.stored.expires.map_or(Expiry::Never, Expiry::At);
    }
    Ok(Some(entry))
}
