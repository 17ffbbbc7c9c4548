//! A plain HTTP connection: asks, reads the answer to its end, and stays.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::load::LoadError;
use crate::load::lingering::connect_from;

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Connects from the address `from` and asks once.
///
/// # Errors
///
/// Fails if nobody answers, or not with a 2xx.
pub(super) async fn asked_once(host: &str, from: Ipv4Addr) -> Result<TcpStream, LoadError> {
    let mut stream = connect_from(host, from).await?;
    ask(&mut stream, host, "/health").await?;
    Ok(stream)
}

/// Asks for `path`, and returns the answer's body.
///
/// # Errors
///
/// Fails if nobody answers, or not with a 2xx.
pub(crate) async fn ask(
    stream: &mut TcpStream,
    host: &str,
    path: &str,
) -> Result<String, LoadError> {
    let failed = |error: std::io::Error| LoadError::Socket(error.to_string());
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            if !head.starts_with("HTTP/1.1 2") {
                return Err(LoadError::Message(format!("{path} answered {text}")));
            }
            let len = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.trim().parse::<usize>().ok())?
            });
            let len = len.ok_or_else(|| LoadError::Message(format!("{path} has no length")))?;
            if body.len() >= len {
                return Ok(body.to_owned());
            }
        }
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(LoadError::Message(format!("{path} answers without end")));
        }
        if stream.read_buf(&mut bytes).await.map_err(failed)? == 0 {
            return Err(LoadError::Socket(format!(
                "{path}: closed after {text:?}",
                text = String::from_utf8_lossy(&bytes)
            )));
        }
    }
}
