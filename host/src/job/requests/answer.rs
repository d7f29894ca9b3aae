//! What a server said, as far as it may say it.

use std::io::Write;
use std::path::Path;

use http::response::Parts;

use super::collect;
use crate::policy::job::Failure;
use crate::policy::job::http::Response;

/// What goes into the journal.
const TOLD: u64 = 512 << 10;
/// All headers together.
const HEADERS: usize = 64 << 10;

/// An answer whose body has not been read.
pub(in crate::job) struct Body {
    pub(super) head: Parts,
    pub(super) body: hyper::body::Incoming,
}

impl Body {
    /// All of it.
    ///
    /// # Errors
    /// When it is too large, or breaks off.
    pub(in crate::job) async fn whole(self) -> Result<Response, Failure> {
        let mut whole = Vec::new();
        let mut response = response(&self.head)?;
        collect(self.body, TOLD, |bytes| {
            whole.extend_from_slice(bytes);
            Ok(())
        })
        .await?;
        response.body = whole;
        Ok(response)
    }

    /// A success goes into a file; the body of anything else is told.
    ///
    /// # Errors
    /// When it is too large, breaks off, or the file cannot be written.
    pub(in crate::job) async fn into_file(self, path: &Path, most: u64) -> Result<Response, Failure> {
        if !self.head.status.is_success() {
            return self.whole().await;
        }
        let unkept = |error: std::io::Error| Failure::Other(format!("{}: {error}", path.display()));
        let mut file = std::fs::File::create(path).map_err(unkept)?;
        let response = response(&self.head)?;
        collect(self.body, most, |bytes| file.write_all(bytes).map_err(unkept)).await?;
        Ok(response)
    }
}

fn response(head: &Parts) -> Result<Response, Failure> {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers: Vec<_> = head.headers.iter().filter_map(text).collect();
    if headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > HEADERS {
        return Err(Failure::TooLarge(format!("its headers have more than {HEADERS} bytes")));
    }
    Ok(Response { status: head.status.as_u16(), headers, body: Vec::new() })
}
