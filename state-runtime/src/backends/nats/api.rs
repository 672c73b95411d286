//! What is said to `JetStream` and what it answers, as far as it matters here.

use async_nats::{HeaderMap, HeaderName, HeaderValue};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize, de::IgnoredAny};

/// The header with the time at which an entry expires, in milliseconds since the Unix epoch.
pub(super) const EXPIRES: &str = "State-Expires";
/// The sequence that the last message of the subject has to have; 0 for none.
pub(super) const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";
/// After how many seconds the server removes the message.
pub(super) const TTL: &str = "Nats-TTL";
/// Marks a message that says that there is no entry.
pub(super) const OPERATION: &str = "KV-Operation";
/// The same, by the server.
pub(super) const MARKER: &str = "Nats-Marker-Reason";
pub(super) const BATCH_ID: &str = "Nats-Batch-Id";
pub(super) const BATCH_SEQUENCE: &str = "Nats-Batch-Sequence";
pub(super) const BATCH_COMMIT: &str = "Nats-Batch-Commit";
/// What replies of a direct get tell of the message.
pub(super) const STREAM: &str = "Nats-Stream";
pub(super) const SUBJECT: &str = "Nats-Subject";
pub(super) const SEQUENCE: &str = "Nats-Sequence";
pub(super) const PENDING: &str = "Nats-Num-Pending";

/// The number of the refusal that there is no such message.
pub(super) const NO_MESSAGE: u32 = 10037;

/// A refusal.
#[derive(Debug, Deserialize)]
pub(super) struct ApiError {
    #[serde(default)]
    pub(super) code: u16,
    #[serde(default)]
    pub(super) err_code: u32,
    #[serde(default)]
    pub(super) description: String,
}

/// An answer: a refusal, or what was asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Answer<T> {
    pub(super) error: Option<ApiError>,
    #[serde(flatten, bound(deserialize = "Option<T>: Deserialize<'de>"))]
    pub(super) content: Option<T>,
}

/// The answer to a message that was published.
#[derive(Debug, Deserialize)]
pub(super) struct Ack {
    pub(super) error: Option<ApiError>,
    #[serde(default)]
    pub(super) seq: u64,
    /// Of the last message of a batch: how many there were.
    #[serde(default)]
    pub(super) count: usize,
}

/// What a stream is.
#[derive(Debug, Deserialize)]
pub(super) struct StreamInfo {
    pub(super) config: StreamConfig,
    pub(super) state: StreamState,
    /// Itself and its mirrors, if it has any.
    #[serde(default)]
    pub(super) alternates: Vec<Alternate>,
    /// When, in the words of the server.
    #[serde(default)]
    pub(super) created: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Alternate {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct StreamState {
    #[serde(default)]
    pub(super) last_seq: u64,
}

/// The settings of a stream. What an old server does not know, it leaves out.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "so are they defined")]
pub(super) struct StreamConfig {
    pub(super) name: String,
    pub(super) subjects: Vec<String>,
    pub(super) max_msgs_per_subject: i64,
    pub(super) max_msgs: i64,
    pub(super) max_bytes: i64,
    /// Nanoseconds.
    pub(super) max_age: i64,
    #[serde(skip_serializing)]
    pub(super) max_msg_size: i64,
    pub(super) storage: String,
    pub(super) discard: String,
    pub(super) num_replicas: usize,
    pub(super) allow_direct: bool,
    pub(super) allow_rollup_hdrs: bool,
    pub(super) deny_delete: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) allow_msg_ttl: bool,
    #[serde(rename = "allow_atomic", skip_serializing_if = "is_false")]
    pub(super) allow_atomic: bool,
    /// The sequence of the first message, if it is to be another than 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) first_seq: u64,
    #[serde(skip_serializing)]
    pub(super) mirror: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    pub(super) sources: Vec<IgnoredAny>,
    #[serde(skip_serializing)]
    pub(super) subject_transform: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    pub(super) retention: String,
    #[serde(skip_serializing)]
    pub(super) no_ack: bool,
    #[serde(skip_serializing)]
    pub(super) persist_mode: String,
    #[serde(skip_serializing)]
    pub(super) discard_new_per_subject: bool,
    #[serde(skip_serializing)]
    pub(super) allow_msg_counter: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// Asks for one message.
#[derive(Debug, Default, Serialize)]
pub(super) struct GetMessage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_by_subj: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_by_subj: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seq: Option<u64>,
    /// Asks for several, in a direct get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) batch: Option<usize>,
    /// About how many bytes these may have together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_bytes: Option<usize>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GotMessage {
    pub(super) message: RawMessage,
}

/// A message as the leader of a stream returns it.
#[derive(Debug, Deserialize)]
pub(super) struct RawMessage {
    pub(super) subject: String,
    pub(super) seq: u64,
    #[serde(default)]
    hdrs: String,
    #[serde(default)]
    data: String,
}

impl RawMessage {
    pub(super) fn data(&self) -> Option<Bytes> {
        BASE64_STANDARD.decode(&self.data).ok().map(Bytes::from)
    }

    pub(super) fn headers(&self) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        let text = BASE64_STANDARD.decode(&self.hdrs).ok()?;
        let text = String::from_utf8_lossy(&text);
        // The first line is the version.
        for line in text.split("\r\n").skip(1) {
            let Some((name, value)) = line.split_once(':') else { continue };
            // What another client wrote may be none by the rules of ours, which panics then.
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), value.trim().parse::<HeaderValue>())
            {
                headers.append(name, value);
            }
        }
        Some(headers)
    }
}

/// Asks for a consumer.
#[derive(Debug, Serialize)]
pub(super) struct CreateConsumer<'a> {
    pub(super) stream_name: &'a str,
    pub(super) config: ConsumerConfig<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct ConsumerConfig<'a> {
    pub(super) deliver_policy: &'static str,
    pub(super) ack_policy: &'static str,
    pub(super) replay_policy: &'static str,
    pub(super) filter_subject: &'a str,
    pub(super) headers_only: bool,
    pub(super) mem_storage: bool,
    pub(super) num_replicas: usize,
    /// Nanoseconds.
    pub(super) inactive_threshold: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct ConsumerInfo {
    pub(super) name: String,
}

/// Asks a consumer for messages.
#[derive(Debug, Serialize)]
pub(super) struct NextMessages {
    pub(super) batch: usize,
    /// Nanoseconds.
    pub(super) expires: u64,
    /// Nanoseconds.
    pub(super) idle_heartbeat: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_and_a_content_are_told_apart() -> serde_json::Result<()> {
        let refused: Answer<ConsumerInfo> =
            serde_json::from_str(r#"{"type":"t","error":{"code":404,"err_code":10059}}"#)?;
        assert_eq!(refused.error.map(|error| error.err_code), Some(10059));
        assert!(refused.content.is_none());
        let found: Answer<ConsumerInfo> = serde_json::from_str(r#"{"type":"t","name":"c"}"#)?;
        assert_eq!(found.content.map(|info| info.name).as_deref(), Some("c"));
        Ok(())
    }

    #[test]
    fn the_headers_of_a_message_are_read() -> serde_json::Result<()> {
        let hdrs = BASE64_STANDARD.encode("NATS/1.0\r\nKV-Operation: DEL\r\n\r\n");
        let text = format!(r#"{{"subject":"s","seq":1,"hdrs":"{hdrs}","data":"MQ=="}}"#);
        let message: RawMessage = serde_json::from_str(&text)?;
        assert_eq!(message.data().as_deref(), Some(b"1".as_slice()));
        let headers = message.headers().unwrap_or_default();
        assert_eq!(headers.get(OPERATION).map(async_nats::HeaderValue::as_str), Some("DEL"));
        Ok(())
    }

    #[test]
    fn headers_that_ours_could_not_be_are_passed_over() -> serde_json::Result<()> {
        let text = "NATS/1.0\r\nMy Note: x\r\nA: b\rc\r\nKV-Operation: DEL\r\n\r\n";
        let hdrs = BASE64_STANDARD.encode(text);
        let text = format!(r#"{{"subject":"s","seq":1,"hdrs":"{hdrs}"}}"#);
        let message: RawMessage = serde_json::from_str(&text)?;
        let headers = message.headers().unwrap_or_default();
        assert_eq!(headers.get(OPERATION).map(async_nats::HeaderValue::as_str), Some("DEL"));
        assert_eq!(headers.len(), 1, "a space and a carriage return are no part of ours");
        Ok(())
    }
}
