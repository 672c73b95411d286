//! Which protocol a server speaks, where a client of another one gets nowhere.
//!
//! Most servers wait in silence for the end of what they do not understand, so a client learns no
//! more than that no answer came. A short question of a kind that each of them answers in its own way
//! tells them apart. It holds nothing of the program: no login, no key.

use core::{
    future::Future,
    pin::{Pin, pin},
    time::Duration,
};
use std::io;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{BackendError, ErrorKind, Result};

/// After how long without a connection the servers are asked what they speak.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long all of them together may take to answer that.
const ANSWERS: Duration = Duration::from_secs(5);
/// How much of an answer is looked at: more than the line with which a NATS server begins.
const LOOKED_AT: usize = 8 << 10;

/// Redis answers it, HTTP servers refuse it, and those of NATS speak before they have read it.
const QUESTION: &[u8] = b"PING\r\n\r\n";
/// The greeting of TLS, cut off after its first byte. What speaks TLS refuses it with an alert.
const STUB: &[u8] = &[0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0xff];

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    Redis,
    Nats {
        /// Whether it goes on in TLS after its first line.
        tls: bool,
    },
    Http,
    /// HTTP/2, as of gRPC.
    Http2,
    /// TLS, from the first byte.
    Tls,
}

/// What `connecting` to `addresses` (`host:port`) comes to. If it fails, or takes a while, the servers
/// there are asked what they speak. What `fault` says of that is a better answer than that nobody
/// was reached, and there is no use in waiting for another.
///
/// `connecting` has to end by itself, within `limit`; so does all of this.
pub(crate) async fn connecting<T>(
    addresses: &[String],
    fault: impl Fn(Spoken) -> Option<&'static str>,
    limit: Duration,
    connecting: impl Future<Output = Result<T>>,
) -> Result<T> {
    let mut connecting = pin!(connecting);
    let mut mixed_up = pin!(mixed_up(addresses, fault, ANSWERS.min(limit / 2)));
    if let Ok(connected) = timeout(PATIENCE.min(limit / 2), connecting.as_mut()).await {
        return or_fault(connected, mixed_up).await;
    }
    tokio::select! {
        connected = connecting.as_mut() => or_fault(connected, mixed_up).await,
        fault = mixed_up.as_mut() => match fault {
            Some(fault) => Err(fault),
            None => connecting.await,
        },
    }
}

async fn or_fault<T>(
    connected: Result<T>,
    mixed_up: Pin<&mut impl Future<Output = Option<BackendError>>>,
) -> Result<T> {
    match connected {
        // Whoever refuses a login has understood it.
        Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Other) => {
            Err(mixed_up.await.unwrap_or(error))
        }
        connected => connected,
    }
}

/// The first of the servers with which there is something wrong.
async fn mixed_up(
    addresses: &[String],
    fault: impl Fn(Spoken) -> Option<&'static str>,
    limit: Duration,
) -> Option<BackendError> {
    let share = limit / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    for address in addresses {
        let spoken = timeout(share, ask(address)).await.ok().flatten();
        if let Some(message) = spoken.and_then(&fault) {
            return Some(BackendError::new(ErrorKind::Other, message).about(address));
        }
    }
    None
}

/// What is spoken at `address`, if that can be told.
async fn ask(address: &str) -> Option<Spoken> {
    let answer = exchange(address, QUESTION).await.ok()?;
    match recognised(&answer) {
        // A server that speaks TLS may leave without a word.
        None if answer.is_empty() => recognised(&exchange(address, STUB).await.ok()?),
        spoken => spoken,
    }
}

/// The beginning of what a server answers: its first line, or all until it leaves.
async fn exchange(address: &str, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(question).await?;
    let mut answer = Vec::with_capacity(LOOKED_AT);
    while answer.len() < LOOKED_AT && recognised(&answer).is_none_or(|it| !it.is_told_by(&answer)) {
        match stream.read_buf(&mut answer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    Ok(answer)
}

impl Spoken {
    /// Whether nothing that comes later says more.
    fn is_told_by(self, answer: &[u8]) -> bool {
        !matches!(self, Self::Nats { .. }) || answer.contains(&b'\n')
    }
}

/// Whose answer begins like this.
fn recognised(answer: &[u8]) -> Option<Spoken> {
    match answer {
        [b'I', b'N', b'F', b'O', b' ', info @ ..] => {
            let tls = br#""tls_required":true"#;
            Some(Spoken::Nats { tls: info.windows(tls.len()).any(|part| part == tls) })
        }
        [b'H', b'T', b'T', b'P', b'/', ..] => Some(Spoken::Http),
        // The settings with which every such connection begins.
        [0, 0, _, 4, ..] => Some(Spoken::Http2),
        [0x15, 0x03, ..] => Some(Spoken::Tls),
        // Errors begin with a code in capitals: that a login is needed, for one.
        [b'+', b'P', b'O', b'N', b'G', ..] | [b'-', b'A'..=b'Z', b'A'..=b'Z', ..] => {
            Some(Spoken::Redis)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_recognised_by_its_beginning() {
        for (answer, spoken) in [
            (&b"+PONG\r\n"[..], Some(Spoken::Redis)),
            (b"-NOAUTH Authentication required.\r\n", Some(Spoken::Redis)),
            (br#"INFO {"server_id":"X"}"#, Some(Spoken::Nats { tls: false })),
            (br#"INFO {"tls_required":true,"x":1}"#, Some(Spoken::Nats { tls: true })),
            (b"HTTP/1.1 400 Bad Request\r\n", Some(Spoken::Http)),
            (&[0, 0, 12, 4, 0, 0, 0, 0, 0], Some(Spoken::Http2)),
            (&[0x15, 3, 3, 0, 2, 2, 50], Some(Spoken::Tls)),
            (b"220 mail.example ESMTP\r\n", None),
            (b"-", None),
            (b"", None),
        ] {
            assert_eq!(recognised(answer), spoken, "{answer:?}");
        }
    }
}
