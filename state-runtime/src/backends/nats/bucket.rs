//! Opening a bucket as it is, or creating one.

use async_nats::ServerInfo;
use bytes::Bytes;

use super::{
    api::{StreamConfig, StreamInfo},
    config::{BucketSettings, MissingBucket, NatsConfig},
    session::{Connection, json},
    stored::Epoch,
};
use crate::backend::{BackendError, Clock, ErrorKind, Result, SystemClock};

/// What matters of a bucket and of the server that it was asked of.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) stream: String,
    /// What the subjects start with, the dot included.
    pub(super) prefix: String,
    pub(super) version: Version,
    pub(super) clustered: bool,
    /// Whether it has mirrors, which may answer direct gets in its place.
    mirrored: bool,
    pub(super) config: StreamConfig,
    pub(super) epoch: Epoch,
}

impl Bucket {
    /// The largest message that it takes, headers included, if it says so itself.
    pub(super) fn max_message(&self) -> Option<usize> {
        usize::try_from(self.config.max_msg_size).ok().filter(|&limit| limit > 0)
    }

    /// Whether the leader is the only one who can answer a direct get of this stream.
    pub(super) const fn reads_directly(&self) -> bool {
        self.config.allow_direct && self.config.num_replicas == 1 && !self.mirrored
    }

    /// Whether a direct get can return several messages.
    pub(super) fn reads_batches(&self) -> bool {
        self.reads_directly() && self.version >= Version(2, 11, 0)
    }

    /// Whether the server removes messages by their own time to live. With more than one message a
    /// subject the one before would come to light.
    pub(super) const fn collects(&self) -> bool {
        self.config.allow_msg_ttl && self.config.max_msgs_per_subject == 1
    }
}

/// The version of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) u16, pub(super) u16, pub(super) u16);

impl Version {
    /// Reads `2.11.6`, and the beginning of `2.12.0-RC.1`. What is no version is the oldest.
    fn parse(text: &str) -> Self {
        let mut numbers = text.split(['.', '-']).map(|number| number.parse().unwrap_or_default());
        let mut next = || numbers.next().unwrap_or_default();
        Self(next(), next(), next())
    }
}

/// Opens the bucket; creates it if there is none and `missing` says so. Returns the sequence of its
/// last message, too.
///
/// # Errors
///
/// [`ErrorKind::Missing`], [`ErrorKind::Foreign`], and whatever keeps the server from answering.
pub(super) async fn open(
    connection: &Connection,
    config: &NatsConfig,
    missing: MissingBucket,
) -> Result<(Bucket, u64)> {
    let named = |error: BackendError| error.about(format_args!("bucket `{}`", config.bucket));
    let server = connection.server();
    let stream = config.stream();
    let found = connection.ask(&format!("STREAM.INFO.{stream}"), Bytes::new()).await;
    let info: StreamInfo = match found {
        Err(error) if error.kind() == ErrorKind::Missing && missing == MissingBucket::Create => {
            create(connection, config, &stream, Version::parse(&server.version))
                .await
                .map_err(named)?
        }
        found => found.map_err(named)?,
    };
    check(&info.config, &config.bucket).map_err(named)?;
    let last = info.state.last_seq;
    Ok((bucket(stream, &config.bucket, &server, info), last))
}

fn bucket(stream: String, name: &str, server: &ServerInfo, info: StreamInfo) -> Bucket {
    Bucket {
        mirrored: info.alternates.iter().any(|other| other.name != stream),
        stream,
        prefix: format!("$KV.{name}."),
        version: Version::parse(&server.version),
        clustered: server.cluster.is_some(),
        epoch: Epoch::of(&info.created),
        config: info.config,
    }
}

/// Creates the stream of a bucket as clients of all languages expect it. What the server made of it
/// is in its answer: an old one drops settings that it does not know.
async fn create(
    connection: &Connection,
    config: &NatsConfig,
    stream: &str,
    version: Version,
) -> Result<StreamInfo> {
    let settings = &config.settings;
    let max_bytes = settings.max_bytes.map_or(-1, |max| i64::try_from(max).unwrap_or(i64::MAX));
    let wanted = StreamConfig {
        name: stream.to_owned(),
        subjects: vec![format!("$KV.{}.>", config.bucket)],
        max_msgs_per_subject: 1,
        max_msgs: -1,
        max_bytes,
        storage: settings.storage.unwrap_or_default().name().to_owned(),
        discard: "new".to_owned(),
        num_replicas: settings.replicas.unwrap_or(1),
        allow_direct: true,
        allow_rollup_hdrs: true,
        deny_delete: true,
        allow_msg_ttl: version >= Version(2, 11, 0),
        allow_atomic: version >= Version(2, 12, 0),
        // So a bucket that takes the place of one that was removed does not repeat its sequences, as
        // long as that had less than a message a microsecond. Servers before 2.10 leave it out.
        first_seq: SystemClock.now().as_millis().saturating_mul(1000),
        ..StreamConfig::default()
    };
    match connection.ask(&format!("STREAM.CREATE.{stream}"), json(&wanted)?).await {
        // Somebody else created it in the meantime, perhaps with other settings: it is as it is.
        Err(error) if error.kind() == ErrorKind::Foreign => {
            connection.ask(&format!("STREAM.INFO.{stream}"), Bytes::new()).await
        }
        created => created,
    }
}

impl Bucket {
    /// Refuses a bucket that is not like what was said of it. It is not changed: others use it, too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Foreign`].
    pub(super) fn compare(&self, asked: &BucketSettings) -> Result<()> {
        let limited = |max: i64| if max > 0 { max.to_string() } else { "unlimited".to_owned() };
        let max_bytes = asked.max_bytes.map(|max| i64::try_from(max).unwrap_or(i64::MAX));
        let settings = [
            (
                "replicas",
                asked.replicas.map(|it| it.to_string()),
                self.config.num_replicas.to_string(),
            ),
            ("storage", asked.storage.map(|it| it.name().to_owned()), self.config.storage.clone()),
            ("max_bytes", max_bytes.map(limited), limited(self.config.max_bytes)),
        ];
        for (name, asked, found) in settings {
            if let Some(asked) = asked.filter(|asked| *asked != found) {
                let message = format!(
                    "its `{name}` is {found}, not {asked}; change the bucket, or leave `{name}` out of \
                     the configuration to take it as it is"
                );
                return Err(BackendError::new(ErrorKind::Foreign, message));
            }
        }
        Ok(())
    }
}

/// Room for the headers of a message.
const HEADERS: i64 = 256;

/// Refuses a stream of that name which cannot serve as a bucket.
fn check(config: &StreamConfig, bucket: &str) -> Result<()> {
    let foreign = |message| Err(BackendError::new(ErrorKind::Foreign, message));
    if config.mirror.is_some() {
        return foreign("it is a mirror, which takes no writes; connect to its origin");
    }
    if !matches!(&*config.retention, "" | "limits") {
        return foreign(
            "its `retention` is not `limits`, so its entries vanish once a consumer has seen them; \
             create it anew with `retention: limits`",
        );
    }
    if config.no_ack {
        return foreign("with `no_ack` it answers no write; set `no_ack` to false");
    }
    if config.subject_transform.is_some() {
        return foreign("its `subject_transform` stores entries under other names; remove it");
    }
    if config.allow_msg_counter {
        return foreign("with `allow_msg_counter` it holds counters alone; create another bucket");
    }
    if config.discard_new_per_subject {
        return foreign(
            "with `discard_new_per_subject` no entry can be overwritten; set it to false",
        );
    }
    if (1..=HEADERS).contains(&config.max_msg_size) {
        return foreign(
            "its `max_msg_size` leaves no room for a value beside the headers; raise it above 256",
        );
    }
    if !config.subjects.iter().any(|subject| *subject == format!("$KV.{bucket}.>")) {
        return foreign("its stream does not keep the subjects of a bucket");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        assert_eq!(Version::parse("2.11.6"), Version(2, 11, 6));
        assert_eq!(Version::parse("2.12.0-RC.1"), Version(2, 12, 0));
        assert_eq!(Version::parse("?"), Version(0, 0, 0));
        assert!(Version::parse("2.9.10") < Version::parse("2.11.0"));
    }
}
