//! The one call that bollard does not carry: a build by BuildKit without a client's session.
//!
//! What the engine prints on the way is in BuildKit's own protocol; what it built, or why it did not, is plain JSON.

use std::path::Path;

use bollard::ClientVersion;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::context::Pieces;
use super::trace::{self, Trace};

/// A line of the answer longer than that is none.
const LONGEST: u64 = 8 << 20;

#[derive(Deserialize)]
struct Line {
    id: Option<String>,
    /// Of a trace, text; of an image that is done, an object.
    aux: Option<serde_json::Value>,
    stream: Option<String>,
    error: Option<String>,
    message: Option<String>,
}

/// Sends an archive to be built, by the version of the API that was agreed upon, and waits until it is; `tell` hears of each
/// step that begins. The archive goes in chunks, because nobody knows its length yet.
///
/// # Errors
/// Why it was not built, in words.
pub(super) async fn build(
    socket: &Path,
    version: ClientVersion,
    query: &str,
    archive: Option<Pieces>,
    tell: impl Fn(&str),
) -> Result<(), String> {
    let unreachable = |error: std::io::Error| format!("cannot reach {}: {error}", socket.display());
    let mut stream = UnixStream::connect(socket).await.map_err(unreachable)?;
    let head = format!(
        "POST /v{version}/build?{query} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\
         Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.map_err(unreachable)?;
    if let Some(mut pieces) = archive {
        while let Some(piece) = pieces.recv().await {
            let piece = piece.map_err(|error| format!("cannot read the context: {error}"))?;
            let sent = async {
                stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
                stream.write_all(&piece).await?;
                stream.write_all(b"\r\n").await
            };
            // An engine that has had enough says why.
            if sent.await.is_err() {
                break;
            }
        }
    }
    let _ = stream.write_all(b"0\r\n\r\n").await;
    let mut answer = BufReader::new(stream);
    let mut trace = Trace::default();
    loop {
        let mut bytes = Vec::new();
        let read = (&mut answer).take(LONGEST).read_until(b'\n', &mut bytes).await.map_err(unreachable)?;
        if read == 0 {
            return Ok(());
        }
        // Lines of the head, and sizes of chunks, are no JSON.
        let Ok(line) = serde_json::from_slice::<Line>(&bytes) else { continue };
        if let Some(error) = line.error.or(line.message) {
            let said = trace.last_lines();
            return Err(if said.is_empty() { error } else { format!("{error}; its last lines:\n{said}") });
        }
        if let (Some(trace::ID), Some(serde_json::Value::String(aux))) = (line.id.as_deref(), &line.aux) {
            trace.hear(aux).iter().for_each(|step| tell(step));
        }
        line.stream.iter().for_each(|text| trace.print(text));
    }
}

/// A query of names and values.
pub(super) fn query(pairs: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let encoded = pairs.into_iter().map(|(name, value)| format!("{name}={}", percent(&value)));
    encoded.collect::<Vec<_>>().join("&")
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plain_sign_is_escaped() {
        assert_eq!(query([("t", "a/b:1".to_owned()), ("q", "ä &".to_owned())]), "t=a%2Fb%3A1&q=%C3%A4%20%26");
    }
}
