//! What the build cache holds. bollard reads the answer of engines from API 1.52 on only, so it is asked for by hand.

use std::path::Path;

use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

use crate::machine::bounded;

/// Many times what any build cache needs to be listed.
const LARGEST: usize = 64 << 20;

/// A piece of build cache.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Piece {
    pub(super) in_use: bool,
    pub(super) size: u64,
    pub(super) created_at: Option<String>,
    pub(super) last_used_at: Option<String>,
}

/// As engines say it before API 1.52, and after.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Usage {
    build_cache: Option<Vec<Piece>>,
    build_cache_usage: Items,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Items {
    items: Option<Vec<Piece>>,
}

/// The pieces of the build cache.
pub(super) async fn pieces(socket: &Path) -> std::io::Result<Vec<Piece>> {
    let mut stream = UnixStream::connect(socket).await?;
    // Without a version every engine answers in its own; in HTTP 1.0 it does so in one piece.
    stream.write_all(b"GET /system/df?type=build-cache&verbose=1 HTTP/1.0\r\nHost: docker\r\n\r\n").await?;
    let answer = bounded::all(stream, LARGEST).await?.unwrap_or_default();
    read(&answer).ok_or_else(|| std::io::Error::other("the answer is not one to this question"))
}

fn read(answer: &[u8]) -> Option<Vec<Piece>> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.lines().next()?.split(' ').nth(1).filter(|code| *code == "200")?;
    let usage: Usage = serde_json::from_str(body).ok()?;
    Some(usage.build_cache.or(usage.build_cache_usage.items).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_old_and_new_engines_say() {
        let answer =
            |body: &str| read(format!("HTTP/1.0 200 OK\r\nA: b\r\n\r\n{body}").as_bytes()).map(|all| all.len());
        assert_eq!(answer(r#"{"BuildCache": [{"InUse": false, "Size": 7, "LastUsedAt": null}]}"#), Some(1));
        assert_eq!(answer(r#"{"BuildCacheUsage": {"Items": [{"Size": 7}, {}]}}"#), Some(2));
        assert_eq!(answer(r#"{"BuildCache": null}"#), Some(0));
        assert!(read(b"HTTP/1.0 500 No\r\n\r\n{}").is_none() && answer("no").is_none());
    }
}
