//! HTTP, as little of it as looking takes: one request a connection.

use std::io;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Sends a request to `host:port` and returns the status and the body of the answer.
///
/// # Errors
///
/// The connection broke, or what came is not HTTP.
pub async fn request(
    address: &str,
    method: &str,
    path: &str,
    body: &[u8],
) -> io::Result<(u16, Vec<u8>)> {
    let len = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {len}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    parse(&answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let (head, rest) = answer.split_at(end);
    let head = core::str::from_utf8(head).ok()?.to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = rest.get(4..)?;
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let complete = announced.is_none_or(|len| len.parse() == Ok(body.len()));
    (complete && !head.contains("transfer-encoding")).then(|| (status, body.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n41";
        assert_eq!(parse(answer), Some((200, b"41".to_vec())));
        assert_eq!(parse(b"HTTP/1.1 204 No Content\r\n\r\n"), Some((204, Vec::new())));
        assert_eq!(parse(answer.strip_suffix(b"1").unwrap()), None);
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\n"), None);
    }
}
