//! Reading: always from the leader, because a replica may be behind.

use async_nats::{HeaderMap, Message};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    Engine,
    api::{GetMessage, GotMessage, RawMessage, SEQUENCE, STREAM, SUBJECT},
    error,
    session::{Session, Trouble, json, status},
    stored::{Stored, number, text},
};
use crate::{
    backend::{
        Entry, ErrorKind, Expiry, GetOptions, Result, TtlChange,
        rules::{check_ttl, renewal_is_due},
    },
    key::Key,
};

/// How many entries are asked for at the same time by one call.
const AT_ONCE: usize = 64;

/// A message that was asked for by its place.
pub(super) struct Named {
    pub(super) subject: String,
    pub(super) sequence: u64,
    pub(super) stored: Result<Stored>,
}

impl Session {
    /// The last message of a subject.
    pub(super) async fn last(&self, subject: &str) -> Result<Option<Stored>> {
        if self.bucket.reads_directly() {
            match self.last_directly(subject).await {
                Ok(Some(answer)) => return answer,
                // It came from a mirror, or from nobody.
                Ok(None) => {}
                Err(Trouble::Refused(error)) if error.kind() == ErrorKind::Unavailable => {}
                Err(trouble) => return Err(trouble.of_read()),
            }
        }
        let request = GetMessage { last_by_subj: Some(subject), ..GetMessage::default() };
        self.get(&request).await
    }

    /// Asks for raw bytes. With one replica the leader is the only one to answer, unless somebody
    /// has just set up a mirror that answers in its place; then there is no answer here.
    async fn last_directly(
        &self,
        subject: &str,
    ) -> Result<Option<Result<Option<Stored>>>, Trouble> {
        let api = format!("$JS.API.DIRECT.GET.{}.{subject}", self.bucket.stream);
        let answer = self.connection.request(api, HeaderMap::new(), Bytes::new()).await?;
        Ok(match status(&answer) {
            None => self.direct(answer).map(|named| named.stored.map(Some)),
            Some(404) => Some(Ok(None)),
            Some(_) => None,
        })
    }

    /// One message from the leader.
    async fn get(&self, request: &GetMessage<'_>) -> Result<Option<Stored>> {
        self.get_named(request).await?.map(|named| named.stored).transpose()
    }

    /// One message from the leader, and its subject.
    pub(super) async fn get_named(&self, request: &GetMessage<'_>) -> Result<Option<Named>> {
        let api = format!("STREAM.MSG.GET.{}", self.bucket.stream);
        let got: GotMessage = match self.connection.ask_or_none(&api, json(request)?).await? {
            Some(got) => got,
            None => return Ok(None),
        };
        let message = got.message;
        let (headers, data) = message.headers().zip(message.data()).ok_or_else(error::strange)?;
        let RawMessage { subject, seq: sequence, .. } = message;
        let stored = Stored::new(self.bucket.epoch, sequence, &headers, data);
        Ok(Some(Named { subject, sequence, stored }))
    }

    /// A message as a direct get returns it; `None` where it is of another stream.
    pub(super) fn direct(&self, message: Message) -> Option<Named> {
        let headers = message.headers.unwrap_or_default();
        if text(&headers, STREAM) != Some(&self.bucket.stream) {
            return None;
        }
        let subject = text(&headers, SUBJECT)?.to_owned();
        let sequence = number(&headers, SEQUENCE)?;
        let stored = Stored::new(self.bucket.epoch, sequence, &headers, message.payload);
        Some(Named { subject, sequence, stored })
    }
}

impl Engine {
    /// The entry of a key, unless it has expired.
    pub(super) async fn find(&self, key: &Key) -> Result<Option<Stored>> {
        let session = self.link.session()?;
        let found = session.last(&self.subject(&session, key)?).await?;
        Ok(found.filter(|stored| stored.is_live(self.now())))
    }

    pub(super) async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        if let Some(ttl) = options.renew {
            check_ttl(ttl)?;
        }
        let Some(mut stored) = self.find(key).await? else { return Ok(None) };
        if let (Some(ttl), Some(expiry)) = (options.renew, stored.expiry)
            && renewal_is_due(expiry, self.now(), ttl)
        {
            // The value was read: that it could not be renewed is no reason to keep it back.
            if let Ok(Some(mark)) = self.rewrite(key, &stored, TtlChange::After(ttl)).await {
                stored.sequence = mark.sequence;
                stored.expiry = mark.expiry;
            }
        }
        Ok(Some(stored.into_entry(options.want)))
    }

    /// Reads all at the same time: it takes little longer than reading one.
    pub(super) async fn get_many(
        &self,
        requests: &[(Key, GetOptions)],
    ) -> Result<Vec<Option<Entry>>> {
        let reads: Vec<_> = requests.iter().map(|(key, options)| self.get(key, *options)).collect();
        stream::iter(reads).buffered(AT_ONCE).try_collect().await
    }

    pub(super) async fn expiry(&self, key: &Key) -> Result<Option<Expiry>> {
        let found = self.find(key).await?;
        Ok(found.map(|stored| stored.expiry.map_or(Expiry::Never, Expiry::At)))
    }
}
