//! The first words with an engine: which version of the API it speaks.
//!
//! `/version`, which bollard asks, makes the engine start `runc` and its init to ask them for theirs: twice as long as
//! all the rest of a run with nothing to do. `/_ping` has the same answer in its head, as the docker command line knows.

use std::path::Path;

use bollard::{API_DEFAULT_VERSION, ClientVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

const PING: &[u8] = b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n";
/// Many times what an engine answers.
const LONGEST: u64 = 64 << 10;

/// The version that both sides speak, of the engine behind a socket.
///
/// # Errors
/// Why it does not answer, in words.
pub(super) async fn version(socket: &Path) -> Result<ClientVersion, String> {
    let answer = ping(socket).await.map_err(|error| error.to_string())?;
    let theirs = said(&answer).ok_or_else(|| format!("it is no Docker Engine: {:?}", first_line(&answer)))?;
    let ours = (API_DEFAULT_VERSION.major_version, API_DEFAULT_VERSION.minor_version);
    let (major_version, minor_version) = ours.min((theirs.major_version, theirs.minor_version));
    Ok(ClientVersion { major_version, minor_version })
}

async fn ping(socket: &Path) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(PING).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// What the head of the answer says.
fn said(answer: &str) -> Option<ClientVersion> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let (status, headers) = head.split_once("\r\n")?;
    status.split(' ').nth(1).filter(|code| *code == "200")?;
    let named = headers.lines().filter_map(|line| line.split_once(':'));
    let (_, version) = named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("api-version"))?;
    let (major, minor) = version.trim().split_once('.')?;
    Some(ClientVersion { major_version: major.parse().ok()?, minor_version: minor.parse().ok()? })
}

fn first_line(answer: &str) -> &str {
    answer.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_has_the_version() {
        let answer = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK";
        assert_eq!(said(answer).map(|version| version.to_string()).as_deref(), Some("1.41"));
        for wrong in
            ["", "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n", "HTTP/1.1 500 x\r\nApi-Version: 1.41\r\n\r\n", "SSH-2.0"]
        {
            assert!(said(wrong).is_none(), "{wrong}");
        }
    }
}
